"""The smoke test of a served model: what to ask it, and whether its answer is good."""

import base64
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.dataset.images.magic import PNG
from bedrock_tuning.serving import questions
from bedrock_tuning.serving.questions import Question


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokeResult:
    """passed, and what was seen, in words. length: numbers in an embedding, else None."""

    passed: bool
    detail: str
    length: int | None = None


def question(customization: CustomizationSettings) -> Question:
    """How to ask for the customization's smoke text."""
    text = customization.serving.smoke_text
    task = customization.base_model.task
    if task == "image-to-embedding":
        return questions.embedding(text=text, length=customization.serving.embedding_length)
    if task == "text-to-image":
        return questions.picture(text)
    return questions.message(text)


def verdict(customization: CustomizationSettings, answer: Any) -> SmokeResult:
    """Checks a decoded answer: the desired embedding length, a real picture, or any text."""
    if not isinstance(answer, Mapping):
        return SmokeResult(
            passed=False, detail=f"the answer is {type(answer).__name__}, not an object"
        )
    task = customization.base_model.task
    if task == "image-to-embedding":
        return _embedding(answer, customization.serving.embedding_length)
    if task == "text-to-image":
        return _image(answer)
    return _text(answer)


def _embedding(answer: Mapping[str, Any], desired: int | None) -> SmokeResult:
    vector = answer.get("embedding")
    if not isinstance(vector, list) or not vector:
        return SmokeResult(passed=False, detail=f"no embedding: {answer.get('message') or 'empty'}")
    # A bool is an int in Python, and no number of a vector.
    if not all(type(number) in (int, float) and abs(number) < math.inf for number in vector):
        return SmokeResult(passed=False, detail="the embedding holds values that are not numbers")
    if not any(vector):
        return SmokeResult(passed=False, detail="the embedding is all zeros")
    if desired is not None and len(vector) != desired:
        return SmokeResult(
            passed=False,
            detail=f"the embedding has {len(vector)} numbers, {desired} were asked for",
        )
    return SmokeResult(
        passed=True, detail=f"an embedding of {len(vector)} numbers", length=len(vector)
    )


def _text(answer: Mapping[str, Any]) -> SmokeResult:
    """Converse's answer: output.message.content, of which a block is a text or a reasoning."""
    try:
        blocks = list(answer["output"]["message"]["content"])
        length = sum(len(_block_text(block).strip()) for block in blocks)
    except (AttributeError, KeyError, TypeError):
        return SmokeResult(passed=False, detail="no message in the answer")
    return SmokeResult(passed=bool(length), detail=f"a text of {length} characters")


def _block_text(block: Mapping[str, Any]) -> str:
    # A reasoning model may use up its tokens before it answers: its reasoning is enough.
    part = block["reasoningContent"]["reasoningText"] if "reasoningContent" in block else block
    return str(part.get("text", ""))


# The first bytes of the two formats that Titan Image answers in.
_SIGNATURES: Final = {PNG: "png", b"\xff\xd8\xff": "jpeg"}
# Of a text so much is kept for people to read.
_KEPT: Final = 2_000


def _image(answer: Mapping[str, Any]) -> SmokeResult:
    images = answer.get("images")
    if not isinstance(images, list) or not images:
        return SmokeResult(passed=False, detail=f"no image: {answer.get('error') or 'empty'}")
    try:
        data = base64.b64decode(images[0], validate=True)
    except (TypeError, ValueError) as error:
        return SmokeResult(passed=False, detail=f"the image is not base64: {error}")
    format = _format(data)
    if not format:
        return SmokeResult(passed=False, detail="the image is neither PNG nor JPEG")
    return SmokeResult(passed=True, detail=f"a {format.upper()} image of {len(data)} bytes")


def _format(data: bytes) -> str:
    return next((name for start, name in _SIGNATURES.items() if data.startswith(start)), "")


def kept(answer: Any) -> tuple[str, bytes, str]:
    """What people see of an answer, whatever it is: its text, its picture, and its format.

    "" and b"" for what it has not; the format is png or jpeg.
    """
    try:
        return questions.answer_text(answer)[:_KEPT], b"", ""
    except (KeyError, TypeError):
        pass
    try:
        data = base64.b64decode(answer["images"][0], validate=True)
    except (IndexError, KeyError, TypeError, ValueError):
        return "", b"", ""
    format = _format(data)
    return "", data if format else b"", format
