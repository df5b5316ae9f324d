"""Models of text as a simulation: answers depend on question and model, and mean nothing."""

import itertools
import random
import re
from collections.abc import Mapping
from typing import Any, Final

from bedrock_tuning.catalogue import BaseModel
from local.bedrock.errors import invalid

_SENTENCES: Final = 3
_DEFAULT_TOKENS: Final = 512


def answer(request: Mapping[str, Any], *, model: BaseModel, tuned: str | None) -> dict[str, Any]:
    """The answer to a Converse request; `tuned` is the ARN of the custom model, if one is asked.

    Raises ValidationException for a conversation that Bedrock does not take.
    """
    turns = request.get("messages") or []
    if not turns or turns[0]["role"] != "user":
        raise invalid("A conversation must start with a user message.")
    if any(earlier["role"] == later["role"] for earlier, later in itertools.pairwise(turns)):
        raise invalid("A conversation must alternate between user and assistant roles.")
    texts = [block["text"] for turn in turns for block in turn["content"] if "text" in block]
    if any(not text.strip() for text in texts):
        raise invalid("The text field in the ContentBlock object is blank.")
    tokens_max = (request.get("inferenceConfig") or {}).get("maxTokens", _DEFAULT_TOKENS)
    words = _words(" ".join(texts), voice=tuned or model.key)
    output = words[:tokens_max]
    input_tokens = sum(len(text.split()) for text in texts)
    return {
        "output": {"message": {"role": "assistant", "content": [{"text": " ".join(output)}]}},
        "stopReason": "max_tokens" if len(output) < len(words) else "end_turn",
        "usage": {
            "inputTokens": input_tokens,
            "outputTokens": len(output),
            "totalTokens": input_tokens + len(output),
        },
        "metrics": {"latencyMs": 0},
    }


def _words(question: str, *, voice: str) -> list[str]:
    """The question's own words, thrown anew into sentences: by other models otherwise."""
    dice = random.Random(f"{voice}\n{question}")  # noqa: S311
    vocabulary = re.findall(r"\w+", question.lower()) or ["nothing"]
    words = ["[Bedrock", "simulator]"]
    for _ in range(_SENTENCES):
        sentence = dice.choices(vocabulary, k=dice.randint(3, 9))
        words += [sentence[0].capitalize(), *sentence[1:-1], f"{sentence[-1]}."]
    return words
