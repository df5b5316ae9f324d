"""What a field of a configuration file may be: as a check, in words, and as JSON Schema.

A table of fields is a dataclass:

    lease_hours: int | None = described(Number(least=1, most=720), "After how …", default=None)

From it come the checks, the defaults, docs/settings.md and the published schemas.
"""

import ipaddress
import re
from collections.abc import Collection, Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import date, datetime
from typing import Any, Final, Protocol

from bedrock_tuning.config.messages import plain_number, quoted_choices, shown
from bedrock_tuning.wording import or_meant

JsonSchema = dict[str, Any]
REGION_NAME: Final = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]{1,2}")

_KEY: Final = "field"


class FieldKind(Protocol):
    """What a value may be."""

    @property
    def type(self) -> str:
        """The type in words."""

    @property
    def limit(self) -> str:
        """What is allowed, for a table."""

    @property
    def fix(self) -> str:
        """What to write, as the end of a sentence."""

    @property
    def schema(self) -> JsonSchema:
        """The same as JSON Schema."""

    def problem(self, value: Any) -> str:
        """What is wrong with a value, the limit and the fix, to follow its key; "" if nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One key. default: MISSING where there is none. required: in a table that is written."""

    kind: FieldKind
    meaning: str
    default: Any = MISSING
    required: bool = False


def described(
    kind: FieldKind, meaning: str, *, default: Any = MISSING, required: bool = False
) -> Any:
    """A field of a table. meaning: a sentence or two for a person.

    required: although the dataclass has a default, for a table that is not written at all.
    """
    entry = Field(
        kind=kind, meaning=meaning, default=default, required=required or default is MISSING
    )
    if isinstance(default, dict):
        return field(default_factory=default.copy, metadata={_KEY: entry})
    return field(default=default, metadata={_KEY: entry})


def fields_of(table: type) -> Mapping[str, Field]:
    """The fields of a dataclass that are described, in the order written."""
    return {item.name: item.metadata[_KEY] for item in fields(table) if _KEY in item.metadata}


def _because(why: str) -> str:
    return f" ({why})" if why else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number within inclusive bounds. why…: where a bound comes from; why: all of them.

    step: it must be a multiple of it. auto: the word with which Bedrock chooses.
    """

    least: int | float | None = None
    most: int | float | None = None
    why_least: str = ""
    why_most: str = ""
    whole: bool = True
    step: int | None = None
    why_step: str = ""
    auto: str | None = None
    why: str = ""

    @property
    def type(self) -> str:
        """The type in words."""
        return "whole number" if self.whole else "number"

    @property
    def allowed(self) -> str:
        """What may be written, e.g. 8 to 192 in steps of 8."""
        text = "a number"
        if self.least is not None and self.most is not None:
            text = plain_number(self.least)
            text += "" if self.least == self.most else f" to {plain_number(self.most)}"
        text += f" in steps of {self.step}" if self.step else ""
        return text + (f" or {shown(self.auto)}" if self.auto else "")

    @property
    def limit(self) -> str:
        """1 to 10 (why)."""
        return self.allowed + _because("; ".join(filter(None, [self.why_least, self.why_most])))

    @property
    def fix(self) -> str:
        """What to write."""
        return f"use {self.allowed}"

    @property
    def schema(self) -> JsonSchema:
        """With the bounds; either case of `auto`."""
        schema: JsonSchema = {"type": "integer" if self.whole else "number"}
        names = {"minimum": self.least, "maximum": self.most, "multipleOf": self.step}
        schema |= {name: value for name, value in names.items() if value is not None}
        if self.auto is None:
            return schema
        words = list(dict.fromkeys((self.auto, self.auto.lower(), self.auto.upper())))
        return {"anyOf": [schema, {"enum": words}]}

    def problem(self, value: Any) -> str:
        """Also refuses true, which Python takes for 1, and what is not finite."""
        if isinstance(value, str):
            return self._text_problem(value)
        fix = f"{_because(self.why)}: {self.fix}"
        if isinstance(value, bool) or not isinstance(value, int | float):
            return f"must be a {self.type}, not {shown(value)}{fix}"
        if value != value or value in (float("inf"), float("-inf")):
            return f"{shown(value)} is not a finite number{fix}"
        if self.whole and isinstance(value, float):
            return f"must be a whole number, not {shown(value)}{fix}"
        return self._bound_problem(value)

    def _bound_problem(self, value: int | float) -> str:
        fix = f": {self.fix}"
        if self.least is not None and value < self.least:
            limit = f"{plain_number(self.least)}{_because(self.why_least)}"
            return f"{shown(value)} is below the minimum {limit}{fix}"
        if self.most is not None and value > self.most:
            limit = f"{plain_number(self.most)}{_because(self.why_most)}"
            return f"{shown(value)} is above the maximum {limit}{fix}"
        if self.step is not None and value % self.step:
            multiple = plain_number(round(value / self.step) * self.step)
            reason = _because(self.why_step)
            return f"{value} is not a multiple of {self.step}{reason}: use, for example, {multiple}"
        return ""

    def _text_problem(self, value: str) -> str:
        if self.auto is not None and value.lower() == self.auto.lower():
            return ""
        fix = f"{_because(self.why)}: {self.fix}"
        if value.lower() == "auto":
            return f"Bedrock does not choose it by itself{fix}"
        quotes = " without quotes" if re.fullmatch(r"[0-9.eE+-]+", value) else ""
        return f"must be a {self.type}{quotes}, not {shown(value)}{fix}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of a few values, all text or all whole numbers. why: where the list comes from."""

    choices: Collection[str] | Collection[int]
    why: str = ""

    @property
    def type(self) -> str:
        """The type of the first one."""
        return "text" if isinstance(next(iter(self.choices)), str) else "whole number"

    @property
    def limit(self) -> str:
        """All choices."""
        return quoted_choices(self.choices)

    @property
    def fix(self) -> str:
        """What to write."""
        return f"write {self.limit}"

    @property
    def schema(self) -> JsonSchema:
        """The choices."""
        return {"enum": list(self.choices)}

    def problem(self, value: Any) -> str:
        """Compares the type too: true is not 1."""
        if any(type(value) is type(choice) and value == choice for choice in self.choices):
            return ""
        words = [choice for choice in self.choices if isinstance(choice, str)]
        hint = or_meant(value, words) if isinstance(value, str) else ""
        return f"must be {self.limit}{_because(self.why)}, not {shown(value)}{hint}"


@dataclass(frozen=True, slots=True)
class Flag:
    """true or false."""

    type: str = "true or false"
    limit: str = ""
    fix: str = "write true or false"

    @property
    def schema(self) -> JsonSchema:
        """A boolean."""
        return {"type": "boolean"}

    def problem(self, value: Any) -> str:
        """Refuses "yes" and 1, too."""
        return "" if isinstance(value, bool) else f"must be true or false, not {shown(value)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextField:
    """One line of text. what: its pattern in words. optional: "" means that it is not set."""

    most: int
    example: str
    pattern: re.Pattern[str] | None = None
    what: str = "one line"
    optional: bool = False
    type: str = "text"

    @property
    def limit(self) -> str:
        """What it is, its length, an example."""
        return f"{self.what}, at most {self.most} characters; for example {shown(self.example)}"

    @property
    def fix(self) -> str:
        """What to write."""
        return f"write, for example, {shown(self.example)}"

    @property
    def schema(self) -> JsonSchema:
        """Length and pattern; without one, a line that holds more than blanks."""
        pattern = r"^[^\u0000-\u001f\u007f]*[^\s\u0000-\u001f\u007f][^\u0000-\u001f\u007f]*$"
        if self.pattern is not None:
            pattern = f"^(?:{self.pattern.pattern}){'?' if self.optional else ''}$"
        return {"type": "string", "maxLength": self.most, "pattern": pattern}

    def problem(self, value: Any) -> str:
        """Type, length, pattern: the first that does not fit."""
        if not isinstance(value, str):
            return f"must be text in quotes, not {shown(value)}: {self.fix}"
        if value == "" and self.optional:
            return ""
        if not value.strip():
            return f"is empty: {self.fix}"
        if len(value) > self.most:
            return f"has {len(value)} characters, the maximum is {self.most}: shorten it"
        if not value.isprintable():
            return "has line breaks or control characters: write one plain line"
        if self.pattern is not None and not self.pattern.fullmatch(value):
            return f"must be {self.what}, not {shown(value)}: {self.fix}"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day: a date of TOML, or the same as text."""

    example: str
    type: str = "date"

    @property
    def limit(self) -> str:
        """The form."""
        return f"a day, for example {self.example}"

    @property
    def fix(self) -> str:
        """What to write."""
        return f"write, for example, {self.example}"

    @property
    def schema(self) -> JsonSchema:
        """Text of the form; editors read a date of TOML as text."""
        return {"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"}

    def problem(self, value: Any) -> str:
        """Refuses times, and days that no month has."""
        if isinstance(value, date) and not isinstance(value, datetime):
            return ""
        try:
            is_valid = isinstance(value, str) and date.fromisoformat(value).isoformat() == value
        except ValueError:
            is_valid = False
        return "" if is_valid else f"must be {self.limit}, not {shown(value)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkAddresses:
    """The addresses of a network. prefixes: the possible lengths of its prefix, /16 to /24."""

    prefixes: range
    example: str
    type: str = "text"

    @property
    def limit(self) -> str:
        """The sizes and an example."""
        first, last = self.prefixes[0], self.prefixes[-1]
        sizes = f"from /{first} to /{last}"
        return f"a private IPv4 network {sizes}, for example {shown(self.example)}"

    @property
    def fix(self) -> str:
        """What to write."""
        return f"write, for example, {shown(self.example)}"

    @property
    def schema(self) -> JsonSchema:
        """The form; that the address is private, and the first one, is left to `problem`."""
        octet = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
        lengths = "|".join(map(str, self.prefixes))
        return {"type": "string", "pattern": rf"^{octet}(?:\.{octet}){{3}}/(?:{lengths})$"}

    def problem(self, value: Any) -> str:
        """Its own address must be the network's first one, as AWS demands."""
        try:
            network = ipaddress.IPv4Network(value if isinstance(value, str) else "")
            fits = network.prefixlen in self.prefixes and network.is_private
        except ValueError:
            fits = False
        return "" if fits else f"must be {self.limit}, not {shown(value)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextList:
    """A list of different texts of a pattern. most: how many, with the reason why_most."""

    pattern: re.Pattern[str]
    what: str
    example: str
    most: int
    why_most: str
    type: str = "list of text"

    @property
    def limit(self) -> str:
        """What each item is, an example, how many."""
        return f"each {self.what}, for example {shown(self.example)}; at most {self.most}"

    @property
    def fix(self) -> str:
        """What to write."""
        return f"write, for example, [{shown(self.example)}]"

    @property
    def schema(self) -> JsonSchema:
        """An array of unique strings."""
        items = {"type": "string", "pattern": f"^(?:{self.pattern.pattern})$"}
        return {"type": "array", "items": items, "maxItems": self.most, "uniqueItems": True}

    def problem(self, value: Any) -> str:
        """The first item that is wrong, by its value."""
        if not isinstance(value, list | tuple):
            return f"must be a list, not {shown(value)}: {self.fix}"
        for item in value:
            if not isinstance(item, str) or not self.pattern.fullmatch(item):
                return f"{shown(item)} is not {self.what}: {self.fix}"
        repeats = [item for item in value if value.count(item) > 1]
        if repeats:
            return f"{shown(repeats[0])} is listed twice: list it once"
        if len(value) > self.most:
            return (
                f"has {len(value)} items, the maximum is {self.most} ({self.why_most}): use fewer"
            )
        return ""
