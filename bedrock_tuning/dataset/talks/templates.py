"""Conversations that were written as one text, with the marks of a model's chat template."""

import re
from collections.abc import Iterator
from typing import Any, Final

# Each finds the marks of one template; its group is who speaks, where the mark says so.
_MARKS: Final = (
    re.compile(r"<\|im_start\|>\s*(\w+)\s*\n"),  # ChatML
    re.compile(r"<\|start_header_id\|>\s*(\w+)\s*<\|end_header_id\|>"),  # Llama 3
    re.compile(r"<start_of_turn>\s*(\w+)\s*\n"),  # Gemma
    re.compile(r"<[|｜](system|user|assistant)[|｜]>", re.IGNORECASE),  # Zephyr, Phi, DeepSeek
    re.compile(r"#{2,3} *(System|Instruction|Input|Context|User|Human|Response|Output|Assistant)"
               r" *(?::|(?=\n))"),  # Alpaca, Guanaco
    re.compile(r"(?:^|\n\n)\s*(Human|User|Assistant|System): ?", re.IGNORECASE),  # Claude's first
    re.compile(r"\[\|(Human|AI)\|\]"),  # Baize
    re.compile(r"(?:^|\s)(USER|ASSISTANT): "),  # Vicuna
)  # fmt: skip
_LLAMA: Final = re.compile(r"\[INST\](.*?)\[/INST\](.*?)(?=\[INST\]|\Z)", re.DOTALL)
_SYSTEM: Final = re.compile(r"<<SYS>>(.*?)<</SYS>>", re.DOTALL)
_ENDS: Final = re.compile(
    r"<\|(?:im_end|eot_id|end|endoftext|begin_of_text|end_of_text)\|>|<end_of_turn>|</?s>|<bos>|<eos>"
    r"|<[|｜](?:begin|end)▁of▁sentence[|｜]>"
)
_ROLES: Final = {
    **dict.fromkeys(("instruction", "input", "context", "user", "human"), "user"),
    **dict.fromkeys(("response", "output", "assistant", "model", "ai"), "assistant"),
    "system": "system",
}


def turns_of(text: Any) -> list[dict[str, str]]:
    """The turns of a text with marks, those of one side in a row apart; [] for other texts."""
    if not isinstance(text, str):
        return []
    turns = [turn for turn in _turns(text) if turn["content"]]
    roles = {turn["role"] for turn in turns}
    return turns if {"user", "assistant"} <= roles else []


def _turns(text: str) -> Iterator[dict[str, str]]:
    pairs = _LLAMA.findall(text)
    for question, answer in pairs:
        system = _SYSTEM.search(question)
        if system is not None:
            yield _turn("system", system[1])
        yield _turn("user", _SYSTEM.sub("", question))
        yield _turn("assistant", answer)
    if pairs:
        return
    for mark in _MARKS:
        marks = [match for match in mark.finditer(text) if match[1].lower() in _ROLES]
        if len(marks) > 1:
            ends = [*(match.start() for match in marks[1:]), len(text)]
            for match, end in zip(marks, ends, strict=True):
                yield _turn(_ROLES[match[1].lower()], text[match.end() : end])
            return


def _turn(role: str, text: str) -> dict[str, str]:
    return {"role": role, "content": _ENDS.sub("", text).strip()}
