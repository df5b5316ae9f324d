"""Answers of a tuned model beside those of its base model, or of another run's model.

They are kept in the output bucket by run, so that nothing is asked or billed twice, and so that
two runs can be compared of which only one is served at a time.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import msgspec

from bedrock_tuning import s3_layout
from bedrock_tuning.client.asking import ask_all
from bedrock_tuning.client.deployment import Deployment
from bedrock_tuning.client.inference import AskedModel
from bedrock_tuning.errors import UserError
from bedrock_tuning.s3_layout import KINDS
from bedrock_tuning.serving import side_by_side as domain
from bedrock_tuning.serving.questions import Question
from bedrock_tuning.serving.side_by_side import Answer, Kept, Prompt, Side

PAGE: Final = "comparison.html"
_ANSWERS: Final = "answers.json"
_AT_ONCE: Final = 3
# A question that a model refuses, such as one that its filters block, is an answer, too.
_REFUSED: Final = "ValidationException"


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """Where the comparisons of one run's model are kept."""

    deployment: Deployment
    customization: str
    run: str

    def uri(self, name: str) -> str:
        """Of one file."""
        return s3_layout.uri(self.deployment.buckets.output, self._key(name))

    def read(self) -> Kept:
        """What was answered before."""
        from botocore.exceptions import ClientError

        s3 = self.deployment.aws.s3
        try:
            found = s3.get_object(Bucket=self.deployment.buckets.output, Key=self._key(_ANSWERS))
        except ClientError as error:
            # S3 says that a key is missing only to those who may list.
            if error.response["Error"]["Code"] not in ("NoSuchKey", "AccessDenied"):
                raise
            return Kept()
        return msgspec.json.decode(found["Body"].read(), type=Kept)

    def write(self, kept: Kept) -> None:
        """Keeps answers."""
        self._put(_ANSWERS, msgspec.json.encode(kept), "application/json")

    def write_page(self, page: str) -> None:
        """Keeps the page that shows them."""
        self._put(PAGE, page.encode(), "text/html; charset=utf-8")

    def _key(self, name: str) -> str:
        return f"{s3_layout.comparisons_prefix(self.customization, self.run)}{name}"

    def _put(self, name: str, body: bytes, content_type: str) -> None:
        self.deployment.aws.s3.put_object(
            Bucket=self.deployment.buckets.output,
            Key=self._key(name),
            Body=body,
            ContentType=content_type,
        )


def prompts_of(deployment: Deployment, customization: str, run: str, *, limit: int) -> list[Prompt]:
    """Prompts of a run's validation set, or of what it was trained on where it has none.

    Evenly spread; raises UserError for a dataset that asks nothing that can be asked again.
    """
    s3 = deployment.aws.s3
    for kind in reversed(KINDS):
        bucket = deployment.buckets.of(kind)
        key = s3_layout.checked_manifest_key(customization, run, kind)
        try:
            text = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode("utf-8-sig")
        except s3.exceptions.NoSuchKey:
            continue
        records = (json.loads(line) for line in text.splitlines() if line.strip())
        found = list(domain.prompts(records))
        if found:
            count = min(limit, len(found))
            return [found[place * len(found) // count] for place in range(count)]
    raise UserError(
        f"run {run} has no prompts without images",
        fix='pass what to ask: --prompt "TEXT", several times',
    )


def asked(model: AskedModel, prompts: Sequence[Prompt]) -> list[Question]:
    """One question for each prompt."""
    return [domain.question(model.base, each, place) for place, each in enumerate(prompts)]


def missing(known: Mapping[str, Answer], wanted: Sequence[Question]) -> list[Question]:
    """Those that were not answered yet."""
    return [each for each in wanted if domain.identity(each) not in known]


def ask(
    folder: Folder,
    models: Mapping[Side, tuple[AskedModel, Sequence[Question]]],
    *,
    done: Callable[[], None],
) -> Kept:
    """Asks what is missing, and keeps every answer, also of what an error or Ctrl-C ends.

    done: called after each answer.
    """
    kept = folder.read()
    work = {
        (side, domain.identity(question)): partial(_answer, model, question)
        for side, (model, wanted) in models.items()
        for question in missing(getattr(kept, side), wanted)
    }

    def keep(whose: tuple[Side, str], answer: Answer) -> None:
        side, identity = whose
        getattr(kept, side)[identity] = answer
        done()

    try:
        ask_all(work, at_once=_AT_ONCE, keep=keep)
    finally:
        if work:
            folder.write(kept)
    return kept


def _answer(model: AskedModel, question: Question) -> Answer:
    from botocore.exceptions import ClientError

    try:
        return domain.answer(model.base, model.ask(question))
    except ClientError as error:
        if error.response["Error"]["Code"] != _REFUSED:
            raise
        return Answer(problem=str(error.response["Error"].get("Message", _REFUSED)))
