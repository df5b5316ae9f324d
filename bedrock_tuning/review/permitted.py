"""review.toml: what of the additions a project permits, with reason and expiry."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from bedrock_tuning.errors import ConfigurationError
from bedrock_tuning.files import read_plain

PermittedValue = str | int | bool | list[str]
_NAME: Final = "review.toml"
# What each kind of entry says of its addition.
_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "subscriber": ("at", "protocol", "endpoint"),
    "resource": ("at", "type"),
    "setting": ("at", "setting", "value"),
    "deny": ("at", "actions", "on", "if"),
    "stack": ("name", "uses", "access"),
}
_ALWAYS: Final = ("reason", "expires")
_SOMETIMES: Final = ("environments",)
_REASON_MIN: Final = 10
_DAYS_MAX: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One table of review.toml. number: which of its kind, from 1, for messages."""

    kind: str
    number: int
    fields: Mapping[str, PermittedValue]
    reason: str
    expires: date
    environments: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """Where it stands."""
        return f"{_NAME}: [[{self.kind}]] {self.number}"

    @property
    def place(self) -> str:
        """What it is about."""
        return str(self.fields.get("at", self.fields.get("name")))

    @property
    def exactly(self) -> str:
        """What it permits there, in one line."""
        return "; ".join(
            f"{name}: {', '.join(value) or 'nothing' if isinstance(value, list) else value}"
            for name, value in self.fields.items()
            if name not in ("at", "name")
        )

    def permits(self, kind: str, fields: Mapping[str, PermittedValue]) -> bool:
        """Whether it is about exactly this."""
        return self.kind == kind and dict(self.fields) == dict(fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Permitted:
    """What a file says. content: all of it, for its hash."""

    entries: tuple[Entry, ...] = ()
    content: bytes = b""

    def of(self, environment: str) -> tuple[Entry, ...]:
        """The entries for an environment."""
        return tuple(
            entry for entry in self.entries if environment in (entry.environments or (environment,))
        )


NOTHING: Final = Permitted()


def read(folder: Path, *, today: date | None = None) -> Permitted:
    """The file in a folder, nothing if there is none.

    Raises ConfigurationError with all its problems.
    """
    try:
        content = read_plain(folder / _NAME)
    except FileNotFoundError:
        return NOTHING
    except OSError as error:
        raise ConfigurationError([f"{_NAME} cannot be read: {error.strerror}"]) from error
    try:
        tables = tomllib.loads(content.decode("utf-8"))
    except ValueError as error:
        raise ConfigurationError([f"{_NAME} is not TOML: {error}"]) from error
    reading = _Reading(today=today or date.today())
    entries = tuple(reading.entries(tables))
    if reading.problems:
        raise ConfigurationError(reading.problems)
    return Permitted(entries=entries, content=content)


@dataclass(slots=True)
class _Reading:
    today: date
    problems: list[str] = field(default_factory=list)

    def entries(self, tables: Mapping[str, Any]) -> Iterator[Entry]:
        for kind, rows in tables.items():
            if kind not in _KINDS or not isinstance(rows, list):
                self.problems.append(f"{_NAME}: {kind}: use [[{']], [['.join(_KINDS)}]]")
                continue
            for number, table in enumerate(rows, 1):
                problem_count = len(self.problems)
                self._check(f"{_NAME}: [[{kind}]] {number}", _KINDS[kind], table)
                if len(self.problems) == problem_count:
                    yield Entry(
                        kind=kind,
                        number=number,
                        fields={name: table[name] for name in _KINDS[kind]},
                        reason=table["reason"],
                        expires=table["expires"],
                        environments=tuple(table.get("environments", ())),
                    )

    def _check(self, where: str, names: tuple[str, ...], table: Mapping[str, Any]) -> None:
        keys = (*names, *_ALWAYS, *_SOMETIMES)
        problems = [
            f"{name}: unknown key: use {', '.join(keys)}" for name in table if name not in keys
        ]
        problems += [f"{name} is missing" for name in (*names, *_ALWAYS) if name not in table]
        reason, expires = table.get("reason", ""), table.get("expires", self.today)
        if "reason" in table and (not isinstance(reason, str) or len(reason.strip()) < _REASON_MIN):
            problems.append(f"reason: say why it is needed, in {_REASON_MIN} characters or more")
        latest = self.today + timedelta(days=_DAYS_MAX)
        if type(expires) is not date:
            problems.append("expires: write a date, such as 2027-06-30, without quotes")
        elif expires > latest:
            problems.append(f"expires: {expires} is too far away: look again by {latest}")
        if not _texts(table.get("environments", [])):
            problems.append('environments: write a list of names, such as ["dev"]')
        self.problems += [f"{where}: {problem}" for problem in problems]


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
