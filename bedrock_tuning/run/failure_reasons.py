"""What messages of Amazon Bedrock, AWS and this project mean: failure_reasons.toml, read."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

import msgspec

AdviceScope = Literal["", "service role", "closed model"]
_FILE: Final = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """What a message that fits a pattern means; the file says what its fields are.

    broad: fits a sentence that is about the subject and names a fault; None without a subject.
    """

    pattern: re.Pattern[str]
    broad: re.Pattern[str] | None
    cause: str
    fix: str
    about: AdviceScope


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """The first that fits counts. own: of what comes from this project, and not from Bedrock.

    elsewhere: signs of messages of others, by their names.
    """

    known: tuple[Reason, ...]
    own: tuple[Reason, ...]
    elsewhere: Mapping[str, re.Pattern[str]]


class _Row(msgspec.Struct, forbid_unknown_fields=True):
    says: list[str]
    cause: str
    fix: str
    subject: str = ""
    about: AdviceScope = ""


class _Table(msgspec.Struct, forbid_unknown_fields=True):
    elsewhere: dict[str, str]
    words: dict[str, str | list[str]]
    reason: list[_Row]
    own: list[_Row]


# Not across sentences: a period inside a number or a name ends none.
_BROAD: Final = (
    r"(?:<subject>)(?:[^.\n]|\.\S){0,100}?<fault>|<fault>(?:[^.\n]|\.\S){0,60}?(?:<subject>)"
)


@cache
def reasons() -> Reasons:
    """All of them, read when the first message has to be explained."""
    table = msgspec.toml.decode(_FILE.read_bytes(), type=_Table)
    return Reasons(
        known=_compile(table.reason, table.words),
        own=_compile(table.own, table.words),
        elsewhere={name: re.compile(sign, re.I) for name, sign in table.elsewhere.items()},
    )


def _compile(rows: Sequence[_Row], words: Mapping[str, str | list[str]]) -> tuple[Reason, ...]:
    def fill(text: str) -> str:
        for name, meaning in words.items():
            one = meaning if isinstance(meaning, str) else f"(?:{'|'.join(meaning)})"
            text = text.replace(f"<{name}>", one)
        return text

    return tuple(
        Reason(
            pattern=re.compile(fill("|".join(row.says)), re.IGNORECASE),
            broad=re.compile(fill(_BROAD.replace("<subject>", row.subject)), re.IGNORECASE)
            if row.subject
            else None,
            cause=row.cause,
            fix=fill(row.fix),
            about=row.about,
        )
        for row in rows
    )
