"""Numbers, lists and suggestions in words."""

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import Final

# So many names are told of many.
_NAMES: Final = 5
# A longer name is not a misspelling, and comparing it takes time.
_NAME_MAX: Final = 100
_BEGINNING_MIN: Final = 3


def did_you_mean(
    name: str, known: Iterable[str], *, aliases: Mapping[str, str] | None = None
) -> str:
    """' – did you mean "caption"?', or "" if no known name is close.

    aliases: what other tools call some of the known names.
    """
    known = tuple(known)
    meant = (aliases or {}).get(_plain(name))
    if meant is None or meant not in known:
        meant = closest(name, known)
    return f' – did you mean "{meant}"?' if meant else ""


def closest(name: str, known: Iterable[str], *, misspelt: bool = False) -> str:
    """The known name that a wrong one is closest to, whatever its case and separators, or "".

    A beginning that only one of them has is enough: "prov" is "provisioned". So is one of its
    words: "type" is "customization_type". misspelt: but not if
    the wrong name may mean something of its own.
    """
    return _closest(name, tuple(known), misspelt) if len(name) <= _NAME_MAX else ""


def or_meant(name: str, known: Iterable[str]) -> str:
    """'; did you mean caption?', or "" if no known name is close."""
    meant = closest(name, known)
    return f"; did you mean {meant}?" if meant else ""


def word_list(*lines: str) -> tuple[str, ...]:
    """The words of some lines: how a long list of names is written."""
    return tuple(word for line in lines for word in line.split())


def in_cell(text: str) -> str:
    """A text for a cell of a table in Markdown: on one line, without bars."""
    return " ".join(text.split()).replace("|", "\\|")


# The same name is misspelled in every record of a dataset.
@lru_cache(maxsize=256)
def _closest(name: str, known: tuple[str, ...], misspelt: bool) -> str:
    plain = {_plain(candidate): candidate for candidate in known if len(candidate) <= _NAME_MAX}
    letters = _plain(name)
    begun = [whole for each, whole in plain.items() if each.startswith(letters)]
    if len(begun) == 1 and len(letters) >= _BEGINNING_MIN and not misspelt:
        return begun[0]
    parts = [each for each in known if letters in map(_plain, re.split(r"[\s_-]", each))]
    if len(parts) == 1 and len(letters) >= _BEGINNING_MIN and not misspelt:
        return parts[0]
    close = get_close_matches(letters, plain, n=1, cutoff=0.75 if misspelt else 0.6)
    return plain[close[0]] if close else ""


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).lower()


# Characters that command a terminal or reorder what stands around them, and those that no XML has:
# controls but tab and line break, marks of direction, line separators, surrogates, noncharacters.
_UNSAFE: Final = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
    r"\ufeff\ufffe\uffff]"
)

# What click.style writes for the colours and weights that are used here.
_COLOUR: Final = re.compile(r"(\x1b\[(?:0|1|3[0-7]|9[0-7])m)")


def printable(text: str) -> str:
    r"""A text from outside as a terminal, a page or a file may show it: unsafe characters escaped.

    >>> print(printable("\x1b]52;c;aGk=\x07"))
    \x1b]52;c;aGk=\x07
    """
    return _UNSAFE.sub(lambda found: repr(found[0])[1:-1], text)


def for_terminal(text: str) -> str:
    """A text that may quote anybody, as a terminal may get it: our own colours, and no command.

    A file name can hold a sequence that sets the window's title or fills the clipboard.
    """
    return "".join(
        part if _COLOUR.fullmatch(part) else printable(part) for part in _COLOUR.split(text)
    )


def cleaned(value: object) -> object:
    """What a template shows of a value: texts as `printable` has them; markup stays markup."""
    if not isinstance(value, str):
        return value
    text = printable(value)
    return value if text == value else type(value)(text)


def printable_json(text: str) -> str:
    """A JSON document that means the same and has no unsafe character."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 record", "1,016 records"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def first_of(names: Sequence[str]) -> str:
    """The first names in words: "a, b, c, d, e and 295 more"."""
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return f"{', '.join(names[:_NAMES])}{more}"


def in_bytes(number: float) -> str:
    """A number of bytes as people say it: "512 B", "1.9 GB"; thousands, as S3 bills."""
    for unit in ("B", "kB", "MB"):
        if number < 999.5:
            return (
                f"{number:.0f} {unit}" if unit == "B" or number >= 100 else f"{number:.1f} {unit}"
            )
        number /= 1_000
    return f"{number:,.1f} GB"


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
