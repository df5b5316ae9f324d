"""Reads a table of a configuration file and remembers every problem, so that one pass finds all."""

import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from bedrock_tuning.config.fields import Field
from bedrock_tuning.config.lines import KeyPath, Lines
from bedrock_tuning.config.messages import meant_key, shown
from bedrock_tuning.wording import closest

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Problems:
    """The problems of one file, in the order in which they are found.

    lines: finds the line of each key, and is called only if something is wrong. origin: the key to
    name for a path, and the one whose line to name. places: by sentence, the file, line and key
    that it begins with, but for a key that `origin` replaces.
    """

    def __init__(
        self,
        *,
        file: str,
        lines: Callable[[], Lines] = dict,
        origin: Callable[[KeyPath], tuple[KeyPath, KeyPath]] = lambda path: (path, path),
    ) -> None:
        self.file = file
        self.found: list[str] = []
        self.warnings: list[str] = []
        self._find_lines = lines
        self._origin = origin
        self.places: dict[str, str] = {}

    @cached_property
    def _lines(self) -> Lines:
        return self._find_lines()

    def add(self, path: KeyPath, problem: str, *, line: int | None = None) -> None:
        """What is wrong with the value at a path, the limit with its source, the fix."""
        self.found.append(self._sentence(path, problem, line))

    def warn(self, path: KeyPath, warning: str) -> None:
        """What a reader should know although the file is usable."""
        self.warnings.append(self._sentence(path, warning, None))

    def _sentence(self, path: KeyPath, text: str, line: int | None) -> str:
        """file:line: key: text. What is missing is missing in the table around it."""
        name_path, line_path = self._origin(path)
        bases = (line_path[:length] for length in range(len(line_path), 0, -1))
        line = line or next((self._lines[base] for base in bases if base in self._lines), None)
        label = f"{self.file}:{line}" if line else self.file
        key = ".".join(map(shown_key, name_path))
        place = f"{label}: {key}: " if key else f"{label}: "
        if name_path == path:
            self.places[f"{place}{text}"] = place
        return f"{place}{text}"


def shown_key(key: str) -> str:
    """A key as it has to be written in TOML, shortened."""
    return key if _BARE_KEY.fullmatch(key) else shown(key)


class Section:
    """One table of a file: its values are read by a table of fields.

    Where a word can be guessed, the reader goes on with the word that was probably meant: what
    else is wrong is then found in the same pass. A file with a problem is refused, whatever was
    guessed.
    """

    def __init__(self, *, table: Mapping[str, Any], path: KeyPath, problems: Problems) -> None:
        self.problems = problems
        # Fields whose value was refused: nothing is said of what depends on them.
        self.refused: set[str] = set()
        self._table = table
        self._path = path

    def __contains__(self, key: str) -> bool:
        return key in self._table

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)

    def items(self) -> Collection[tuple[str, Any]]:
        """Every key with its value, for tables whose keys the user chooses."""
        return self._table.items()

    def holds_table(self, key: str) -> bool:
        """Whether there is a table at a key: nothing can be missing inside of anything else."""
        return isinstance(self._table.get(key), dict)

    def problem(self, key: str, text: str) -> None:
        """Reports a problem at a key of this table; "" is the table itself."""
        self.problems.add((*self._path, key) if key else self._path, text)

    def warn(self, key: str, text: str) -> None:
        """Reports a warning at a key of this table."""
        self.problems.warn((*self._path, key), text)

    def table(self, key: str) -> "Section":
        """A table inside this one; empty when it is absent."""
        value = self._table.get(key, {})
        if not isinstance(value, dict):
            name = ".".join(map(shown_key, (*self._path, key)))
            self.problem(key, f"must be a table, not {shown(value)}: write [{name}]")
            value = {}
        return Section(table=value, path=(*self._path, key), problems=self.problems)

    def read(
        self,
        fields: Mapping[str, Field],
        *,
        tables: Collection[str] = (),
        homes: Mapping[str, str] = {},
    ) -> dict[str, Any]:
        """The sound values by field; reports wrong ones, unknown keys and missing fields.

        tables: keys that the caller reads. homes: the table that each key of the file belongs to.
        """
        values: dict[str, Any] = {}
        for key, value in self._table.items():
            if key in tables:
                continue
            name = key
            if key not in fields:
                name = self._unknown(key, [*fields, *tables], homes)
                # Its value is checked as that of the field that was probably meant.
                if name not in fields or name in self._table:
                    continue
            problem = fields[name].kind.problem(value)
            if problem:
                self.problem(key, problem)
                self.refused.add(name)
                value = _guess(value, getattr(fields[name].kind, "choices", ()))
            if not problem or value:
                values[name] = value
        for name, field in fields.items():
            if field.required and name not in values and name not in self.refused:
                self.problem(name, f"is missing: {field.kind.fix}")
        return values

    def _unknown(self, key: str, keys: Collection[str], homes: Mapping[str, str]) -> str:
        """Reports an unknown key; returns the one that was probably meant, or ""."""
        hint = misplaced(key, table=".".join(self._path), homes=homes)
        hint, guess = (hint, "") if hint else meant_key(key, keys, self._table)
        free = [name for name in keys if name not in self._table]
        use = f": use {', '.join(free)}" if free else ": remove it"
        self.problem(key, f"unknown key{hint or use}")
        return guess


def _guess(value: Any, choices: Collection[Any]) -> str:
    """The choice that was probably meant, or ""."""
    words = [choice for choice in choices if isinstance(choice, str)]
    return closest(value, words) if isinstance(value, str) else ""


def misplaced(key: str, *, table: str, homes: Mapping[str, str]) -> str:
    """A hint at the table that a key belongs to, or "" if it belongs to none or to this one.

    After a table's header, TOML takes all that follows for that table's.
    """
    home = homes.get(key, table)
    if home == table:
        return ""
    return f": it belongs in [{home}]" if home else ": it belongs above the first [table]"


# Endings of files that were probably meant to be customizations, and would be ignored silently.
_SLIPS: Final = (".toml.txt", ".tml", ".yaml", ".yml", ".json")


def parse_toml(text: str, *, problems: Problems) -> dict[str, Any] | None:
    """The file's table; None if it is not TOML."""
    if text.startswith("\ufeff"):
        problems.add((), "starts with a byte order mark: save it as UTF-8 without one")
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except RecursionError:
        problems.add((), "is not TOML: nested too deeply")
    except ValueError as error:
        match = re.search(r"at line (\d{1,9})", str(error))
        line = int(match[1]) if match else None
        problems.add((), f"is not TOML: {error}{_line_and_fix(str(error), text, line)}", line=line)
    return None


def _line_and_fix(message: str, text: str, line: int | None) -> str:
    """The line that TOML's reader stopped at, if it names one, and the most common fix."""
    fixes = {
        "Invalid value": "write text in quotes",
        "Expected '='": "write key = value",
        "Cannot": "write each table and key once",
    }
    fix = next((fix for begin, fix in fixes.items() if message.startswith(begin)), "")
    lines = text.split("\n")
    quote = f", in {shown(lines[line - 1].strip())}" if line and line <= len(lines) else ""
    return quote + (f": {fix}" if fix else "")


def ignored(directory: Path) -> list[str]:
    """What lies in the folder, was probably meant to be read, and would not be."""
    problems = []
    for path in sorted(directory.iterdir()) if directory.is_dir() else ():
        name, lower = path.name, path.name.lower()
        if path.is_dir() and any(path.glob("*.toml")):
            problems.append(f"{directory.name}/{name}/: subfolders are not read: move its files up")
        elif lower.endswith((*_SLIPS, ".toml")) and not name.endswith(".toml"):
            problems.append(
                f"{directory.name}/{name}: only files that end in .toml are read: rename it, or "
                "move it away"
            )
    return problems
