"""Kinds of values that a setting may have: what is allowed, in words and as a check."""

import ipaddress
import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, Protocol

_SHOWN_MAX: Final = 60


def shown(value: object) -> str:
    """A value as it stands in JSON, shortened to fit into a sentence."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN_MAX else f"{text[: _SHOWN_MAX - 1]}…"


class Kind(Protocol):
    """What a setting may be."""

    @property
    def type(self) -> str:
        """The type in words."""

    @property
    def limit(self) -> str:
        """What is allowed, for a table."""

    def wrong(self, value: Any) -> str:
        """What is wrong with a value and how to mend it, after the key; "" if nothing is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A whole number within inclusive bounds. why_least, why_most: where the bounds come from."""

    most: int
    why_most: str
    least: int = 1
    why_least: str = ""
    type: str = "whole number"

    @property
    def limit(self) -> str:
        """1 to 10: why."""
        why = "; ".join(filter(None, [self.why_least, self.why_most]))
        return f"{self.least} to {self.most}: {why}"

    def wrong(self, value: Any) -> str:
        """Also refuses true, which Python takes for 1."""
        use = f"use {self.least} to {self.most}"
        if type(value) is not int:
            return f"{shown(value)} must be a whole number: {use}"
        if value < self.least:
            why = f" ({self.why_least})" if self.why_least else ""
            return f"{shown(value)} is below the least {self.least}{why}: {use}"
        if value > self.most:
            return f"{shown(value)} is above the most {self.most} ({self.why_most}): {use}"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOf:
    """One of a few values, all text or all numbers."""

    choices: Collection[str] | Collection[int]
    type: str = "text"

    @property
    def limit(self) -> str:
        """All choices."""
        return ", ".join(map(shown, self.choices))

    def wrong(self, value: Any) -> str:
        """Compares the type too: true is not 1."""
        if any(type(value) is type(each) and value == each for each in self.choices):
            return ""
        return f"{shown(value)} must be one of {self.limit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """true or false."""

    type: str = "true or false"
    limit: str = ""

    def wrong(self, value: Any) -> str:
        """Refuses "yes" and 1, too."""
        return "" if isinstance(value, bool) else f"{shown(value)} must be true or false"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Text of a pattern. what: in words. optional: "" means that it is not set."""

    pattern: re.Pattern[str]
    what: str
    example: str
    most: int
    optional: bool = True
    type: str = "text"

    @property
    def limit(self) -> str:
        """What it is, its length, an example."""
        return f"{self.what}, {self.most} characters at most, for example {shown(self.example)}"

    def wrong(self, value: Any) -> str:
        """Type, length, pattern: the first that does not fit."""
        if not isinstance(value, str):
            return f"{shown(value)} must be text: write, for example, {shown(self.example)}"
        if value == "" and self.optional:
            return ""
        if len(value) > self.most:
            return f"{shown(value)} has {len(value)} characters, {self.most} at most: shorten it"
        if not self.pattern.fullmatch(value):
            return f"{shown(value)} must be {self.what}: write, for example, {shown(self.example)}"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Addresses of a network. prefixes: the possible lengths of its prefix, /16 to /24."""

    prefixes: range
    example: str
    type: str = "text"

    @property
    def limit(self) -> str:
        """The sizes and an example."""
        return (
            f"a network of a size from /{self.prefixes[0]} to /{self.prefixes[-1]}, "
            f"for example {shown(self.example)}"
        )

    def wrong(self, value: Any) -> str:
        """Its own address must be the network's first one, as AWS demands."""
        try:
            fits = isinstance(value, str) and (
                ipaddress.IPv4Network(value).prefixlen in self.prefixes
            )
        except ValueError:
            fits = False
        return "" if fits else f"{shown(value)} must be {self.limit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
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
        return f"each {self.what}, for example {shown(self.example)}; {self.most} at most"

    def wrong(self, value: Any) -> str:
        """The first item that is wrong, by its value."""
        if not isinstance(value, list | tuple):
            return f"{shown(value)} must be a list: write, for example, {shown([self.example])}"
        for item in value:
            if not isinstance(item, str) or not self.pattern.fullmatch(item):
                example = f"write, for example, {shown(self.example)}"
                return f"{shown(item)} must be {self.what}: {example}"
        twice = [item for item in value if value.count(item) > 1]
        if twice:
            return f"{shown(twice[0])} is named twice: name it once"
        if len(value) > self.most:
            return f"{len(value)} are more than {self.most} ({self.why_most}): use fewer"
        return ""
