"""Reads a TOML table key by key and remembers every problem, so that one pass reports them all."""

import json
import re
import reprlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final

_ABSENT: Final = object()
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
# A longer word is no slip of the finger; comparing it would only cost time.
_LONGEST_SLIP: Final = 64
_SHORTEST_BEGINNING: Final = 3
# A billion dollars is a typing error.
_AMOUNT_LIMIT: Final = 1_000_000_000


class _Short(reprlib.Repr):
    """Never deeper than two levels, never longer than a line, whatever a file holds."""

    def repr_int(self, x: int, level: int) -> str:  # noqa: ARG002  (reprlib's signature)
        # Python refuses to print more than 4,300 digits; a hexadecimal literal can have them.
        return str(x) if abs(x) < 10**20 else f"a number of {x.bit_length()} bits"


_short = _Short()
_short.maxlevel = 2
_short.maxother = 60


def shown(value: object) -> str:
    """A value as its author wrote it in TOML, shortened to fit into a sentence."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value if len(value) <= 60 else f"{value[:57]}…", ensure_ascii=False)
    return _short.repr(value)


def shown_key(key: str) -> str:
    """A key as it has to be written in TOML, shortened."""
    return key if _BARE_KEY.fullmatch(key) else shown(key)


def listed(words: Iterable[str]) -> str:
    """The choices of a sentence: "a", "b" or "c"."""
    quoted = [f'"{word}"' for word in words]
    return " or ".join(filter(None, [", ".join(quoted[:-1]), *quoted[-1:]]))


def did_you_mean(word: str, known: Collection[str]) -> str:
    """A hint at the word that was probably meant, or ""."""
    meant = closest(word, known)
    return f"; did you mean {meant}?" if meant else ""


def closest(word: str, known: Collection[str]) -> str:
    """The known word that looks most alike, whatever its case and separators; or "".

    A beginning that only one of them has will do, too: "prov" is "provisioned".
    """
    if len(word) > _LONGEST_SLIP:
        return ""
    plain = {_letters(each): each for each in known}
    begun = [each for letters, each in plain.items() if letters.startswith(_letters(word))]
    if len(begun) == 1 and len(_letters(word)) >= _SHORTEST_BEGINNING:
        return begun[0]
    close = get_close_matches(_letters(word), plain, n=1)
    return plain[close[0]] if close else ""


def _letters(word: str) -> str:
    return word.replace("_", "").replace("-", "").lower()


# Where keys belong: after a table's header, TOML takes all that follows for that table's.
HOMES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("description", "base_model", "customization_type", "allow_closed_model"), ""),
    "validation": "dataset",
    **dict.fromkeys(
        (
            "mode", "model_units", "commitment", "lease_hours", "on_delete", "smoke_text",
            "embedding_length",
        ),
        "serving",
    ),
    **dict.fromkeys(("max_run_usd", "approval"), "budget"),
}  # fmt: skip


def misplaced(key: str, *, path: str, homes: Mapping[str, str] = HOMES) -> str:
    """A hint at the table that a key belongs to, or "" if it belongs to none or to this one."""
    home = homes.get(key, path)
    if home == path:
        return ""
    return f": it belongs into [{home}]" if home else ": it belongs above the first [table]"


class Problems:
    """The problems of one file, in the order found; `add` returns nothing on purpose."""

    def __init__(self, *, file: str) -> None:
        self.file = file
        self.found: list[str] = []
        self.warnings: list[str] = []

    def add(self, key: str, problem: str) -> None:
        """What is wrong with the value at a key, the limit with its source, the fix."""
        self.found.append(self._line(key, problem))

    def warn(self, key: str, warning: str) -> None:
        """What a reader should know although the file is usable."""
        self.warnings.append(self._line(key, warning))

    def _line(self, key: str, text: str) -> str:
        return f"{self.file}: {key}: {text}" if key else f"{self.file}: {text}"


class Section:
    """One table of a file. Each reader reports a wrong value and returns a usable one instead.

    Where a word can be guessed, that is the word which was probably meant: what is wrong beside it
    is then found in the same pass. A file with a problem is refused, whatever was guessed.
    """

    def __init__(self, *, table: Mapping[str, Any], path: str, problems: Problems) -> None:
        self.problems = problems
        self._table = table
        self._path = path
        self._known: list[str] = []

    def __contains__(self, key: str) -> bool:
        return key in self._table

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)

    def holds_table(self, key: str) -> bool:
        """Whether there is a table at a key: nothing can be missing inside of anything else."""
        return isinstance(self._table.get(key), dict)

    def at(self, key: str) -> str:
        """The full path of a key, as problems name it."""
        if not key:
            return self._path
        return f"{self._path}.{shown_key(key)}" if self._path else shown_key(key)

    def problem(self, key: str, text: str) -> None:
        """Reports a problem at a key of this table."""
        self.problems.add(self.at(key), text)

    def warn(self, key: str, text: str) -> None:
        """Reports a warning at a key of this table."""
        self.problems.warn(self.at(key), text)

    def table(self, key: str) -> "Section":
        """A table inside this one; empty when absent."""
        value = self._take(key)
        if not isinstance(value, dict):
            if value is not _ABSENT:
                self.problem(key, f"must be a table, not {shown(value)}: write [{self.at(key)}]")
            value = {}
        return Section(table=value, path=self.at(key), problems=self.problems)

    def text(self, key: str, *, default: str | None, most: int) -> str:
        """One plain line of 1 to `most` characters; required where default is None."""
        value = self._take(key)
        if value is _ABSENT:
            return self._default(key, default, f'write {key} = "…"')
        if not isinstance(value, str):
            self.problem(key, f"must be text in quotes, not {shown(value)}")
        elif not value.strip():
            self.problem(key, "is empty: say something")
        elif len(value) > most:
            self.problem(key, f"has {len(value)} characters, {most} at most: shorten it")
        elif not value.isprintable():
            self.problem(key, "has line breaks or control characters: write one plain line")
        else:
            return value
        return default or ""

    def choice(self, key: str, *, choices: Collection[str], default: str | None) -> str:
        """One of the choices, or the one that was probably meant; required where default is None.

        "" where a value is wrong and cannot be guessed.
        """
        value = self._take(key)
        if value is _ABSENT:
            return self._default(key, default, f"write {key} = {listed(choices)}")
        if isinstance(value, str) and value in choices:
            return value
        meant = closest(value, choices) if isinstance(value, str) else ""
        hint = f"; did you mean {meant}?" if meant else ""
        self.problem(key, f"{shown(value)} is not possible: use {listed(choices)}{hint}")
        return meant

    def flag(self, key: str, *, default: bool) -> bool:
        """true or false."""
        value = self._take(key)
        if isinstance(value, bool):
            return value
        if value is not _ABSENT:
            self.problem(key, f"must be true or false, not {shown(value)}")
        return default

    def integer(self, key: str, *, default: int | None, least: int, most: int) -> int | None:
        """A whole number within inclusive bounds."""
        value = self._take(key)
        if value is _ABSENT:
            return default
        if isinstance(value, bool) or not isinstance(value, int):
            self.problem(key, f"must be a whole number, not {shown(value)}: use {least} to {most}")
        elif not least <= value <= most:
            side = "below the least" if value < least else "above the most"
            bound = least if value < least else most
            self.problem(key, f"{shown(value)} is {side} {bound}: use {least} to {most}")
        else:
            return value
        return default

    def amount(self, key: str) -> float | None:
        """A finite number above zero; None when absent."""
        value = self._take(key)
        if value is _ABSENT:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.problem(key, f"must be a number, not {shown(value)}")
        elif not 0 < value < _AMOUNT_LIMIT:
            self.problem(
                key,
                f"{shown(value)} is no sensible amount: use more than 0, less than {_AMOUNT_LIMIT}",
            )
        else:
            return float(value)
        return None

    def entries(self) -> Iterator[tuple[str, Any]]:
        """Every key with its value, for tables whose keys the user chooses."""
        self._known.extend(self._table)
        yield from self._table.items()

    def close(self, *, homes: Mapping[str, str] = HOMES) -> None:
        """Reports the keys that nobody asked for. homes: the table that each key belongs to."""
        for key in self._table:
            if key not in self._known:
                hint = misplaced(key, path=self._path, homes=homes)
                hint = hint or did_you_mean(key, self._known) or f": use {', '.join(self._known)}"
                self.problem(key, f"unknown key{hint}")

    def _take(self, key: str) -> Any:
        self._known.append(key)
        return self._table.get(key, _ABSENT)

    def _default(self, key: str, default: str | None, fix: str) -> str:
        if default is None:
            self.problem(key, f"is missing: {fix}")
        return default or ""
