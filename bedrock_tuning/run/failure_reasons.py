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

    subject: of sentences that mean it if they name a fault, too; None without one.
    """

    pattern: re.Pattern[str]
    subject: re.Pattern[str] | None
    cause: str
    fix: str
    about: AdviceScope


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """The first that fits counts. own: of what comes from this project, and not from Bedrock.

    fault: words for something wrong. elsewhere: signs of messages of others, by their names.
    """

    known: tuple[Reason, ...]
    own: tuple[Reason, ...]
    fault: re.Pattern[str]
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


@cache
def reasons() -> Reasons:
    """All of them, read when the first message has to be explained."""
    table = msgspec.toml.decode(_FILE.read_bytes(), type=_Table)
    return Reasons(
        known=_compile(table.reason, table.words),
        own=_compile(table.own, table.words),
        fault=re.compile("|".join(table.words["fault"]), re.IGNORECASE),
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
            subject=re.compile(fill(row.subject), re.IGNORECASE) if row.subject else None,
            cause=row.cause,
            fix=fill(row.fix),
            about=row.about,
        )
        for row in rows
    )
