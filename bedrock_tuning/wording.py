"""Numbers, lists and suggestions in words."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Final

# A longer name is not a misspelling, and comparing it takes time.
_NAME_MAX: Final = 100


def did_you_mean(
    name: str, known: Iterable[str], *, aliases: Mapping[str, str] | None = None
) -> str:
    """' – did you mean "caption"?', or "" if no known name is close.

    aliases: what other tools call some of the known names.
    """
    known = tuple(known)
    meant = (aliases or {}).get(_plain(name))
    if meant is None or meant not in known:
        meant = closest(name, known, cutoff=0.5)
    return "" if meant is None else f' – did you mean "{meant}"?'


def closest(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The known name that a misspelt one is closest to, whatever its case and separators."""
    if len(name) > _NAME_MAX:
        return None
    return _closest(name, tuple(known), cutoff)


# The same name is misspelled in every record of a dataset.
@lru_cache(maxsize=256)
def _closest(name: str, known: tuple[str, ...], cutoff: float) -> str | None:
    plain = {_plain(candidate): candidate for candidate in known if len(candidate) <= _NAME_MAX}
    close = get_close_matches(_plain(name), plain, n=1, cutoff=cutoff)
    return plain[close[0]] if close else None


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
