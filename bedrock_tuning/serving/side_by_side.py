"""Two models' answers to the same prompts: what is asked, and what is kept of it.

There is no score: a person looks. Pictures are drawn with fixed seeds, so that two models, and two
runs that were compared on different days, start from the same noise.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from bedrock_tuning.catalogue import BaseModel
from bedrock_tuning.serving import questions
from bedrock_tuning.serving.questions import Question

# The seeds of a comparison's pictures, by the place of their prompt.
_FIRST_SEED: Final = 1
ModelSide = Literal["base", "tuned"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """text: what is asked. system: what goes before it. expected: the dataset's own answer."""

    text: str
    system: str = ""
    expected: str = ""


class ModelAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of: a text; a picture, a PNG in base64; or the problem why there is neither."""

    text: str = ""
    picture: str = ""
    problem: str = ""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """The answers of a run's model and of its base model, by `identity` of what was asked."""

    base: dict[str, ModelAnswer] = {}
    tuned: dict[str, ModelAnswer] = {}


def seed(place: int) -> int:
    """Of the picture of a prompt, by its place from 0."""
    return _FIRST_SEED + place


def question(model: BaseModel, prompt: Prompt, place: int) -> Question:
    """How a model is asked for the answer to a prompt."""
    if model.task == "text-to-image":
        return questions.picture(prompt.text, seed=seed(place))
    return questions.message(prompt.text, system=prompt.system)


def identity(request: Question) -> str:
    """The same for the same question."""
    return hashlib.sha256(msgspec.json.encode(request.body, order="sorted")).hexdigest()


def answer(model: BaseModel, response: Mapping[str, Any]) -> ModelAnswer:
    """What a model answered."""
    if model.task == "text-to-image":
        images = response.get("images")
        if not images:
            return ModelAnswer(problem=str(response.get("error") or "the model drew nothing"))
        return ModelAnswer(picture=str(images[0]))
    return ModelAnswer(text=questions.answer_text(response))


def prompts(records: Iterable[Mapping[str, Any]]) -> Iterator[Prompt]:
    """What records of a dataset ask first, each once; records that ask with images are left out."""
    texts: dict[str, None] = {}
    for record in records:
        prompt = _prompt(record)
        if prompt is not None and prompt.text.strip() and prompt.text not in texts:
            texts[prompt.text] = None
            yield prompt


def _prompt(record: Mapping[str, Any]) -> Prompt | None:
    if isinstance(record.get("caption"), str):
        return Prompt(text=record["caption"])
    if isinstance(record.get("prompt"), str):
        return Prompt(text=record["prompt"], expected=_text(record.get("completion")) or "")
    turns = record.get("messages")
    if not isinstance(turns, list):
        return None
    parts = [(turn.get("role"), _text(turn.get("content"))) for turn in turns]
    system = " ".join(text for role, text in parts if role == "system" and text)
    dialogue = [(role, text) for role, text in parts if role != "system"]
    if not dialogue or dialogue[0][0] != "user" or dialogue[0][1] is None:
        return None
    expected = dialogue[1][1] if len(dialogue) > 1 and dialogue[1][0] == "assistant" else None
    system = system or _text(record.get("system")) or ""
    return Prompt(text=dialogue[0][1], system=system, expected=expected or "")


def _text(content: Any) -> str | None:
    """A text, or the texts of blocks; None where there is something else."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return None
    texts = [block.get("text") for block in content if isinstance(block, Mapping)]
    if not texts or not all(isinstance(text, str) for text in texts):
        return None
    return "\n".join(map(str, texts))
