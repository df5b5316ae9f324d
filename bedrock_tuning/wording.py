"""Numbers, lists and suggestions in words."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final

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
