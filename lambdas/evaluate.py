"""Judges a new model by its validation set, after its smoke test and before it is published."""

import json
import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from bedrock_tuning import s3_layout
from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.config.deployed import from_settings
from bedrock_tuning.config.lambda_environment import EvaluateEnvironment
from bedrock_tuning.report.run_page import EVALUATION
from bedrock_tuning.run.decisions import ServingStep
from bedrock_tuning.s3_layout import split_uri
from bedrock_tuning.serving import questions
from bedrock_tuning.serving.comparison import distinct
from bedrock_tuning.serving.evaluation import (
    PublishedRecall,
    as_data,
    judge_model,
    questions_id,
    recall,
    same_questions,
)
from lambdas import _aws
from lambdas._data import _evaluation
from lambdas._records import _pointers

logger = logging.getLogger(__name__)

# Below the 2,000 requests a minute of Titan Multimodal Embeddings (docs/facts/inference.md).
_AT_ONCE: Final = 6


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """event: {"serving": state, "settings"}.

    Returns the state of serving with its next step, "publish" or "roll-back", and the reason;
    under "evaluated" whether the model passed. A model that a person or a deployment serves was
    judged in its own run, and is published.
    """
    env = EvaluateEnvironment.from_env(os.environ)
    customization = from_settings(event["settings"]).customization
    state, evaluation = event["serving"], customization.evaluation
    if not evaluation.is_gate or state.get("started_by", "run") != "run":
        return _next(state, "publish", str(state["reason"]))
    pictures, captions = _pairs(env, customization, state["run"])
    texts, numbers = distinct(captions)
    tuned_recall = _recall(state["endpoint_arn"], pictures, texts, numbers, customization)
    base_recall = None
    if evaluation.not_worse_than_base:
        model = customization.base_model.invoke_id
        base_recall = _recall(model, pictures, texts, numbers, customization)
    question_set = questions_id(pictures, captions, length=customization.serving.embedding_length)
    published_recall = (
        _published_recall(env, customization, question_set)
        if evaluation.not_worse_than_published
        else None
    )
    verdict = judge_model(
        evaluation,
        questions=len(texts),
        tuned=tuned_recall,
        base=base_recall,
        published=published_recall,
    )
    key = f"{s3_layout.report_prefix(customization.name, state['run'])}{EVALUATION}"
    record = json.dumps(as_data(verdict, evaluation, asked=question_set))
    _aws.write(env.output_bucket, key, record.encode())
    logger.info("evaluated", extra={"run": state["run"], "reason": verdict.reason})
    if verdict.passed:
        return _next(state, "publish", verdict.reason, evaluated=True)
    return _next(state, "roll-back", f"the evaluation failed: {verdict.reason}", evaluated=False)


def _next(state: dict[str, Any], step: ServingStep, reason: str, **changes: Any) -> dict[str, Any]:
    return {**state, **changes, "step": step, "reason": reason}


def _pairs(
    env: EvaluateEnvironment, customization: CustomizationSettings, run: str
) -> tuple[list[bytes], list[str]]:
    """Pictures and captions of the validation manifest that was checked."""
    records = _evaluation.records(env, customization, run)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        pictures = list(
            pool.map(lambda record: _aws.read(*split_uri(record["image-ref"])), records)
        )
    return pictures, [record["caption"] for record in records]


def _recall(
    model: str,
    pictures: Sequence[bytes],
    texts: Sequence[str],
    numbers: Sequence[int],
    customization: CustomizationSettings,
) -> float:
    length, evaluation = customization.serving.embedding_length, customization.evaluation

    def vector(content: str | bytes) -> Sequence[float]:
        text, image = (content, None) if isinstance(content, str) else (None, content)
        question = questions.embedding(text=text, image=image, length=length)
        answer = questions.ask(_aws.bedrock_runtime(), model, question)
        return [float(number) for number in answer["embedding"]]

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        vectors = list(pool.map(vector, [*pictures, *texts]))
    images, words = vectors[: len(pictures)], vectors[len(pictures) :]
    return recall(images, words, numbers, at=evaluation.recall_at)


def _published_recall(
    env: EvaluateEnvironment, customization: CustomizationSettings, question_set: str
) -> PublishedRecall | None:
    """What was kept of the model that is published now; None if nothing is.

    It is not asked again: the endpoint may have the new model already.
    """
    run = _pointers.read(env.parameter_prefix, customization.name, "run")
    if run is None:
        return None
    key = f"{s3_layout.report_prefix(customization.name, run)}{EVALUATION}"
    body = _aws.find(env.output_bucket, key)
    record = None if body is None else json.loads(body)
    rank = customization.evaluation.recall_at
    return PublishedRecall(run=run, recall=same_questions(record, asked=question_set, at=rank))
