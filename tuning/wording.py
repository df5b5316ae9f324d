"""Wording that several rules share."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """' – did you mean "caption"?' or nothing."""
    # Case, blanks and underscores are the usual slips: compare without them first.
    plain = {_plain(candidate): candidate for candidate in known}
    close = get_close_matches(_plain(name), plain, n=1, cutoff=0.5)
    return f' – did you mean "{plain[close[0]]}"?' if close else ""


def _plain(name: str) -> str:
    return name.strip().lower().replace("_", "-").replace(" ", "-")


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
