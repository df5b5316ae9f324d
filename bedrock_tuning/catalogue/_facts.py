"""A value of the catalogue together with where it comes from, and what a source tag stands for."""

import datetime
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

Confidence = Literal["high", "medium", "low"]


class StrictStruct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Immutable, strict about types and unknown keys: a misspelt key in a file is an error."""


class Alternative(StrictStruct, frozen=True):
    """Another value that some source publishes for the same fact."""

    value: Any
    source: tuple[str, ...]
    note: str = ""


def cite(tags: Sequence[str]) -> str:
    """Source tags as part of a sentence: "source S1", "sources S0, S1"."""
    return f"source{'s' * (len(tags) > 1)} {', '.join(tags)}"


class Sourced(StrictStruct, frozen=True):
    """One value of the catalogue with where it comes from.

    source: tags of bedrock_tuning/catalogue/_sources.toml (or of the model file's own [sources]).
    warn_above, warn_below: the strictest other reading of a maximum or a minimum; between it and
    `value` a check warns.
    published: the source's own wording where it is ambiguous, e.g. "25 MB".
    date: the day on which the source showed the value; every price has one.
    """

    value: Any
    source: tuple[str, ...]
    confidence: Confidence = "high"
    alternatives: tuple[Alternative, ...] = ()
    warn_above: int | float | None = None
    warn_below: int | float | None = None
    published: str = ""
    note: str = ""
    quota_code: str = ""
    date: datetime.date | None = None


class Source(StrictStruct, frozen=True):
    """What a source tag stands for."""

    title: str
    ref: str
