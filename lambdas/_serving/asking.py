"""Asks a model: an endpoint by its ARN, or a base model by its id."""

import json
from typing import Any

from bedrock_tuning.serving.questions import Question
from lambdas import _aws


def ask(model: str, question: Question) -> Any:
    """The decoded answer."""
    if question.operation == "Converse":
        return _aws.bedrock_runtime().converse(modelId=model, **question.body)
    answer = _aws.bedrock_runtime().invoke_model(
        modelId=model,
        body=json.dumps(question.body),
        contentType="application/json",
        accept="application/json",
    )
    return json.loads(answer["body"].read())
