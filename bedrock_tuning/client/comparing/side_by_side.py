"""Answers of a tuned model beside those of its base model, or of another run's model.

They are kept by run: two can be compared of which only one is served at a time.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

import msgspec

from bedrock_tuning.client.asking import ask_all
from bedrock_tuning.client.comparing.pairs import checked_manifest
from bedrock_tuning.client.deployment import DeploymentClient
from bedrock_tuning.client.inference import AskedModel
from bedrock_tuning.client.reports import Folder
from bedrock_tuning.errors import UserError
from bedrock_tuning.s3_layout import KINDS
from bedrock_tuning.serving import side_by_side as domain
from bedrock_tuning.serving.questions import Question
from bedrock_tuning.serving.side_by_side import Kept, ModelAnswer, ModelSide, Prompt

ANSWERS_PAGE: Final = "comparison.html"
_ANSWERS: Final = "answers.json"
_AT_ONCE: Final = 3
# A question that a model refuses, such as one that its filters block, is an answer, too.
_REFUSED: Final = "ValidationException"


def known(folder: Folder) -> Kept:
    """What was answered before."""
    answers = folder.find(_ANSWERS)
    return Kept() if answers is None else msgspec.json.decode(answers, type=Kept)


def prompts_of(
    deployment: DeploymentClient, customization: str, run: str, *, limit: int
) -> list[Prompt]:
    """Prompts of a run's validation set, or of what it was trained on where it has none.

    Evenly spread; raises UserError for a dataset that asks nothing that can be asked again.
    """
    for kind in reversed(KINDS):
        text = checked_manifest(deployment, customization, run, kind)[0] or ""
        records = (json.loads(line) for line in text.splitlines() if line.strip())
        chosen_prompts = list(domain.prompts(records))
        if chosen_prompts:
            count = min(limit, len(chosen_prompts))
            return [chosen_prompts[place * len(chosen_prompts) // count] for place in range(count)]
    raise UserError(
        f"run {run} has no prompts without images",
        fix='pass what to ask: --prompt "TEXT", several times',
    )


def asked(model: AskedModel, prompts: Sequence[Prompt]) -> list[Question]:
    """One question for each prompt."""
    return [domain.question(model.base, prompt, place) for place, prompt in enumerate(prompts)]


def missing(answers: Mapping[str, ModelAnswer], questions: Sequence[Question]) -> list[Question]:
    """Those that were not answered yet."""
    return [question for question in questions if domain.identity(question) not in answers]


def ask(
    folder: Folder,
    models: Mapping[ModelSide, tuple[AskedModel, Sequence[Question]]],
    *,
    done: Callable[[], None],
) -> Kept:
    """Asks what is missing, and keeps every answer, also of what an error or Ctrl-C ends.

    done: called after each answer.
    """
    answers = known(folder)
    work = {
        (side, domain.identity(question)): partial(_answer, model, question)
        for side, (model, questions) in models.items()
        for question in missing(getattr(answers, side), questions)
    }

    def keep(question_key: tuple[ModelSide, str], answer: ModelAnswer) -> None:
        side, identity = question_key
        getattr(answers, side)[identity] = answer
        done()

    try:
        ask_all(work, at_once=_AT_ONCE, keep=keep)
    finally:
        if work:
            folder.write(_ANSWERS, msgspec.json.encode(answers), "application/json")
    return answers


def _answer(model: AskedModel, question: Question) -> ModelAnswer:
    from botocore.exceptions import ClientError

    try:
        return domain.answer(model.base, model.ask(question))
    except ClientError as error:
        if error.response["Error"]["Code"] != _REFUSED:
            raise
        return ModelAnswer(problem=str(error.response["Error"].get("Message", _REFUSED)))
