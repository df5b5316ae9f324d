"""The smoke test of a served model: what to ask it, and whether its answer is one."""

import base64
import binascii
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tuning.customization import Customization


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """passed, and what was seen, in words; length: numbers in an embedding, else None."""

    passed: bool
    detail: str
    length: int | None = None


def question(customization: Customization) -> dict[str, Any]:
    """The InvokeModel body for the customization's smoke text (shapes: bedrock-facts.md §8)."""
    text = customization.serving.smoke_text
    task = customization.base_model.task
    if task == "image-to-embedding":
        body: dict[str, Any] = {"inputText": text}
        if customization.serving.embedding_length is not None:
            body["embeddingConfig"] = {
                "outputEmbeddingLength": customization.serving.embedding_length
            }
        return body
    if task == "text-to-image":
        return {
            "taskType": "TEXT_IMAGE",
            "textToImageParams": {"text": text},
            "imageGenerationConfig": {"numberOfImages": 1, "height": 512, "width": 512},
        }
    return {"messages": [{"role": "user", "content": [{"text": text}]}]}


def verdict(customization: Customization, answer: Any) -> Verdict:
    """Judges a decoded answer: the wished embedding length, a real picture, or any text."""
    if not isinstance(answer, Mapping):
        return Verdict(passed=False, detail=f"the answer is {type(answer).__name__}, not an object")
    task = customization.base_model.task
    if task == "image-to-embedding":
        return _embedding(answer, customization.serving.embedding_length)
    if task == "text-to-image":
        return _image(answer)
    return _text(answer)


def _embedding(answer: Mapping[str, Any], wished: int | None) -> Verdict:
    vector = answer.get("embedding")
    if not isinstance(vector, list) or not vector:
        return Verdict(passed=False, detail=f"no embedding: {answer.get('message') or 'empty'}")
    # A bool is an int in Python, and no number of a vector.
    if not all(type(x) in (int, float) and abs(x) < math.inf for x in vector):
        return Verdict(passed=False, detail="the embedding holds values that are not numbers")
    if not any(vector):
        return Verdict(passed=False, detail="the embedding is all zeros")
    if wished is not None and len(vector) != wished:
        return Verdict(
            passed=False, detail=f"the embedding has {len(vector)} numbers, {wished} were asked for"
        )
    return Verdict(passed=True, detail=f"an embedding of {len(vector)} numbers", length=len(vector))


def _text(answer: Mapping[str, Any]) -> Verdict:
    """Amazon Nova's answer to `messages`: output.message.content[].text."""
    try:
        texts = [str(part["text"]) for part in answer["output"]["message"]["content"]]
    except (KeyError, TypeError):
        told = answer.get("message") or answer.get("error") or "empty"
        return Verdict(passed=False, detail=f"no text: {told}")
    length = len("".join(texts).strip())
    return Verdict(passed=bool(length), detail=f"a text of {length} characters")


# The first bytes of the two formats that Titan Image answers in.
_SIGNATURES = {b"\x89PNG\r\n\x1a\n": "PNG", b"\xff\xd8\xff": "JPEG"}


def _image(answer: Mapping[str, Any]) -> Verdict:
    images = answer.get("images")
    if not isinstance(images, list) or not images:
        return Verdict(passed=False, detail=f"no image: {answer.get('error') or 'empty'}")
    try:
        data = base64.b64decode(images[0], validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        return Verdict(passed=False, detail=f"the image is not base64: {error}")
    name = next((n for start, n in _SIGNATURES.items() if data.startswith(start)), None)
    if name is None:
        return Verdict(passed=False, detail="the image is neither PNG nor JPEG")
    return Verdict(passed=True, detail=f"a {name} image of {len(data)} bytes")
