"""Wording that several rules share."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from tuning.models import DatasetContract

# Longer names are no misspelling, and comparing them takes time.
_NAME_MAX: Final = 100


# What other tools call these fields.
_ALIASES: Final[Mapping[str, str]] = {
    "text": "caption",
    "description": "caption",
    "label": "caption",
    "title": "caption",
    "url": "image-ref",
    "path": "image-ref",
    "file": "image-ref",
    "file-name": "image-ref",
    "filename": "image-ref",
    "uri": "image-ref",
    "s3-uri": "image-ref",
    "response": "completion",
    "answer": "completion",
    "output": "completion",
    "target": "completion",
    "question": "prompt",
    "instruction": "prompt",
    "document": "input",
    "content": "input",
    "from": "role",
    "value": "content",
}


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """' – did you mean "caption"?' or nothing."""
    known = tuple(known)
    if len(name) > _NAME_MAX:
        return ""
    meant = _ALIASES.get(_plain(name))
    if meant is not None and meant in known:
        return f' – did you mean "{meant}"?'
    # Case, blanks and underscores are the usual slips: compare without them first.
    plain = {_plain(candidate): candidate for candidate in known}
    close = get_close_matches(_plain(name), plain, n=1, cutoff=0.5)
    return f' – did you mean "{plain[close[0]]}"?' if close else ""


def _plain(name: str) -> str:
    return name.strip().lower().replace("_", "-").replace(" ", "-")


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 record", "1,016 records"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def json_type(value: object) -> str:
    """The JSON name of a parsed value's type."""
    if isinstance(value, bool):
        return "boolean"
    if value is None:
        return "null"
    for kind, name in ((str, "string"), (dict, "object"), (list, "array")):
        if isinstance(value, kind):
            return name
    return "number"


def characters_in(tokens: int, chars_per_token: float) -> int:
    """How many characters surely fit into so many tokens, by a published average ratio."""
    return int(tokens * chars_per_token)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextBudget:
    """Characters that texts of one record may have, estimated from limits in tokens.

    None where nothing is published. record: all texts together. line_bytes: of the manifest's line.
    """

    prompt: int | None = None
    completion: int | None = None
    record: int | None = None
    line_bytes: int | None = None
    chars_per_token: float | None = None
    reserved_words: tuple[str, ...] = ()

    @classmethod
    def of(cls, contract: DatasetContract) -> "TextBudget":
        """The budget that a contract grants, with the smallest batch size where that matters."""
        limits = contract.text
        if limits is None:
            return cls()
        ratio = limits.chars_per_token

        def characters(tokens: int | None) -> int | None:
            return characters_in(tokens, ratio) if tokens and ratio else None

        return cls(
            prompt=characters(limits.prompt_tokens_max),
            completion=characters(limits.completion_tokens_max),
            record=characters(limits.record_tokens_max_for(batch_size=None)),
            line_bytes=limits.line_bytes_max,
            chars_per_token=ratio,
            reserved_words=limits.reserved_words,
        )

    def characters(self, field: str) -> int | None:
        """The budget of one field."""
        return {"prompt": self.prompt, "completion": self.completion}.get(field)
