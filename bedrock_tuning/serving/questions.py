"""How a model is asked, by what it does: bodies of InvokeModel, members of Converse, answers.

Models of embeddings and images have bodies of their own (docs/facts/inference.md). Text models are
asked through Converse, because providers differ in their InvokeModel bodies; it takes the ARN of an
endpoint as well, and needs bedrock:InvokeModel.
"""

import base64
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

# Enough to see that a model writes; an answer that is cut off there is an answer.
ANSWER_TOKENS: Final = 200
PICTURE_SIDE: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """operation: of bedrock-runtime. body: InvokeModel's, or the members of Converse."""

    operation: Literal["InvokeModel", "Converse"]
    body: dict[str, Any]


def embedding(
    *, text: str | None = None, image: bytes | None = None, length: int | None = None
) -> Question:
    """Asks for the vector of a text, an image or both together. length: None for the model's."""
    body: dict[str, Any] = {}
    if text is not None:
        body["inputText"] = text
    if image is not None:
        body["inputImage"] = base64.b64encode(image).decode()
    if length is not None:
        body["embeddingConfig"] = {"outputEmbeddingLength": length}
    return Question(operation="InvokeModel", body=body)


def picture(prompt: str, *, seed: int | None = None) -> Question:
    """Asks for one picture. seed: the same seed, prompt and model give the same picture."""
    config: dict[str, Any] = {"numberOfImages": 1, "height": PICTURE_SIDE, "width": PICTURE_SIDE}
    if seed is not None:
        config["seed"] = seed
    body = {
        "taskType": "TEXT_IMAGE",
        "textToImageParams": {"text": prompt},
        "imageGenerationConfig": config,
    }
    return Question(operation="InvokeModel", body=body)


def message(
    text: str,
    *,
    system: str = "",
    images: Sequence[tuple[str, bytes]] = (),
) -> Question:
    """Asks a text model. images: format (png, jpeg, gif or webp) and bytes of each."""
    content: list[dict[str, Any]] = [
        {"image": {"format": name, "source": {"bytes": data}}} for name, data in images
    ]
    content.append({"text": text})
    body: dict[str, Any] = {
        "messages": [{"role": "user", "content": content}],
        "inferenceConfig": {"maxTokens": ANSWER_TOKENS},
    }
    if system:
        body["system"] = [{"text": system}]
    return Question(operation="Converse", body=body)


def ask(runtime: Any, model: str, question: Question) -> Any:
    """The decoded answer. runtime: a client of bedrock-runtime. model: its id or endpoint's ARN."""
    if question.operation == "Converse":
        return runtime.converse(modelId=model, **question.body)
    answer = runtime.invoke_model(
        modelId=model,
        body=json.dumps(question.body),
        contentType="application/json",
        accept="application/json",
    )
    return json.loads(answer["body"].read())


def answer_text(answer: Mapping[str, Any]) -> str:
    """What Converse answered; raises KeyError or TypeError where there is no message."""
    blocks = answer["output"]["message"]["content"]
    return "\n".join(block["text"] for block in blocks if "text" in block)


def cosine(left: Sequence[float], right: Sequence[float]) -> float:
    """How near two vectors are: 1 for the same direction, 0 for none in common."""
    product = math.fsum(a * b for a, b in zip(left, right, strict=True))
    return product / (math.hypot(*left) * math.hypot(*right))
