"""Findings of scanners against the one reviewed table of those that we accept."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Final

import msgspec

from bedrock_tuning.errors import TuningError
from tools.scan.cases import Case

TABLE: Final = Path(__file__).with_name("acknowledgements.toml")
# Who writes less than this, or no sentence, has not said why.
ScanReason = Annotated[str, msgspec.Meta(min_length=40, pattern=r"^[A-Z].* .*\.$")]
ScanTexts = Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]


class TableError(TuningError):
    """A row of the table is wrong."""


class ScanError(TuningError):
    """The scanner could not be run, or saw nothing, which must not look like a good answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanFinding:
    """What a tool says. where: a construct path without environment.

    case: what was synthesized. detail: the tool's own words.
    """

    tool: str
    rule: str
    where: str
    case: Case
    detail: str = ""

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.tool}: {self.rule} at {self.where} ({self.case}): {self.detail}"


class Acknowledgement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row: rules of one tool that we do not follow there, and why.

    rules: exact ids. where: paths in which `*` stands for anything; every rule must be found at
    every one of them, or the row is stale. when: a setting without which it does not hold.
    """

    tool: str
    rules: ScanTexts
    where: ScanTexts
    reason: ScanReason
    when: str = ""

    def parts(self, found: ScanFinding) -> Iterable[tuple[str, str]]:
        """The pairs of rule and where that accept a finding."""
        if found.tool != self.tool or found.rule not in self.rules:
            return ()
        if self.when and not found.case.has(self.when):
            return ()
        return ((found.rule, at) for at in self.where if fnmatchcase(found.where, at))


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanJudgement:
    """unacknowledged: findings to fix or to accept. stale: rows, or parts of them, to delete.

    accepted: how many findings each row covers.
    """

    unacknowledged: tuple[ScanFinding, ...]
    stale: tuple[str, ...]
    accepted: tuple[tuple[Acknowledgement, int], ...]

    @property
    def clean(self) -> bool:
        """Whether nobody has anything to do."""
        return not self.unacknowledged and not self.stale


def judge_findings(
    findings: Iterable[ScanFinding], table: Iterable[Acknowledgement], *, tool: str
) -> ScanJudgement:
    """One tool's findings over all cases against the table: what is new, and what is stale."""
    rows = [row for row in table if row.tool == tool]
    used: set[tuple[int, str, str]] = set()
    counts = [0] * len(rows)
    new = []
    for found in findings:
        matched = False
        for index, row in enumerate(rows):
            parts = [(index, *part) for part in row.parts(found)]
            used.update(parts)
            counts[index] += bool(parts)
            matched = matched or bool(parts)
        if not matched:
            new.append(found)
    stale = [
        f"{tool}: {rule} at {where}: there is no such finding (any more); delete it from the table"
        for index, row in enumerate(rows)
        for rule in row.rules
        for where in row.where
        if (index, rule, where) not in used
    ]
    return ScanJudgement(
        unacknowledged=tuple(new),
        stale=tuple(stale),
        accepted=tuple(zip(rows, counts, strict=True)),
    )


def read(path: Path = TABLE) -> tuple[Acknowledgement, ...]:
    """The table; raises TableError."""
    rows = tomllib.loads(path.read_text("utf-8")).get("acknowledged", [])
    for row in rows:
        row["reason"] = " ".join(str(row.get("reason", "")).split())
    try:
        return msgspec.convert(rows, tuple[Acknowledgement, ...])
    except msgspec.ValidationError as error:
        raise TableError(f"{path.name}: {error} (rows count from 0)") from None


def general(text: str, *, case: Case, customizations: Iterable[str]) -> str:
    """A path or id without what differs between environments and customizations.

    The table then holds for customizations that are still to come: `{Training}` is the ARN of that
    bucket in the data stack, `{customization}` any customization's name.
    """
    prefix = f"tuning-{case.environment}-"
    text = re.sub(
        rf"{prefix}\w+:ExportsOutput(?:FnGetAtt|Ref)(\w+?)[0-9A-F]{{8}}(?:Arn)?[0-9A-F]{{8}}",
        r"{\1}",
        text,
    )
    text = re.sub(rf"{prefix}(\w+?)Arn(?!\w)", r"{\1}", text)
    text = text.replace("<AWS::AccountId>", "{account}")
    text = re.sub(r"(arn:aws:[a-z0-9-]+):[a-z]{2}-[a-z]+-\d:", r"\1:{region}:", text)
    text = re.sub(rf"(^|:){prefix}", r"\1", text)
    text = re.sub(
        rf"/((?:bedrock-)?tuning(?:-settings)?)/{case.environment}/", r"/\1/{environment}/", text
    )
    for name in sorted(customizations, key=len, reverse=True):
        text = re.sub(rf"(?<![\w-]){re.escape(name)}(?=/|$)", "{customization}", text)
    return text.removesuffix("/Resource")
