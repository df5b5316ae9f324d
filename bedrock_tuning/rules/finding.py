"""One finding, and a check's findings: counted exactly, listed and kept up to a bound."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import IO, Any, Final, NamedTuple

import msgspec

from bedrock_tuning.dataset.dataset import SeverityOverride
from bedrock_tuning.rules.rule import Fault, Rule, Severity
from bedrock_tuning.wording import printable

# Of each rule so many are in the report, and by default so many are listed one by one in a file.
KEPT_PER_RULE: Final = 100
FINDINGS_PER_RULE: Final = 10_000
_SHOWN: Final = 120
_MESSAGE: Final = 400
_KEY: Final = 1024


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One fault of one record, image or dataset.

    line: 1-based line of the manifest, None for the dataset as a whole. field: path in the record.
    value: the value found, shortened. limit: what is allowed. fix: what to do. key: of the image
    that was checked, if any.
    """

    rule: str
    name: str
    severity: str
    kind: str
    line: int | None = None
    field: str = ""
    value: str = ""
    limit: str = ""
    message: str
    fix: str
    key: str = ""


class Heard(NamedTuple):
    """Who hears of findings while they are found.

    finding: the first per_rule findings of each rule, with their overridden severity, unless they
    are silenced. error_line: the kind of manifest and the number of each line with an error.
    """

    finding: Callable[[Finding], None] | None = None
    error_line: Callable[[str, int], None] | None = None
    per_rule: int = FINDINGS_PER_RULE


NOBODY_HEARS: Final = Heard()


def shorten(text: str, *, most: int = _SHOWN) -> str:
    """A text as one readable line: control characters escaped, the middle of a long one cut."""
    if len(text) > most:
        text = f"{text[: most // 2]}…{text[-most // 3 :]}"
    return printable(text).replace("\t", "\\t").replace("\n", "\\n")


def finding(
    rule: Rule[Any], fault: Fault, *, kind: str, line: int | None, key: str = ""
) -> Finding:
    """A rule's fault as a finding, with the rule's name, severity and fix."""
    return Finding(
        rule=rule.id,
        name=rule.name,
        severity=rule.severity.value,
        kind=fault.kind or kind,
        line=line if fault.line is None else fault.line,
        field=shorten(fault.field),
        value=shorten(fault.value),
        limit=shorten(fault.limit),
        message=shorten(fault.message, most=_MESSAGE),
        fix=rule.fix,
        key=key if len(key) <= _KEY else shorten(key),
    )


def overridden(finding: Finding, overrides: Mapping[str, SeverityOverride]) -> Finding | None:
    """The finding as the customization wants it: with a lower severity, or None when silenced."""
    severity = effective(Severity(finding.severity), overrides.get(finding.name))
    if severity is None or severity == finding.severity:
        return None if severity is None else finding
    return msgspec.structs.replace(finding, severity=severity.value)


def effective(severity: Severity, override: SeverityOverride | None) -> Severity | None:
    """A rule's severity under an exception; None when it is silenced.

    No severity is ever raised, and an error is never silenced: at most it becomes a warning.
    """
    if override is None:
        return severity
    if severity == Severity.ERROR:
        return Severity.WARNING
    return None if override.severity == "silent" else severity


def order(finding: Finding) -> tuple[str, int, str, str, str]:
    """The order of findings in every report: by kind, line, field, then words."""
    return finding.kind, finding.line or 0, finding.field, finding.message, finding.value


class Findings:
    """Exact counts per rule and the first KEPT_PER_RULE findings of each, in `order`.

    Bounded whatever the input's size; counts and kept findings do not depend on the order in which
    findings arrive.
    """

    def __init__(self, overrides: Mapping[str, SeverityOverride], heard: Heard) -> None:
        self.counts: dict[str, int] = {}
        self._kept: dict[str, list[Finding]] = {}
        # The place of the last kept finding of a rule; a later one is only counted.
        self._last: dict[str, tuple[str, int]] = {}
        self._overrides = overrides
        self._heard = heard

    def add(
        self, rule: Rule[Any], fault: Fault, *, kind: str, line: int | None, key: str = ""
    ) -> None:
        """Counts a fault; lists and keeps its finding if it is among the first of its rule."""
        count = self.counts[rule.id] = self.counts.get(rule.id, 0) + 1
        place = fault.kind or kind, (line if fault.line is None else fault.line) or 0
        heard = self._heard
        if heard.error_line is not None and place[1] and self.is_error(rule):
            heard.error_line(*place)
        is_listed = count <= heard.per_rule and heard.finding is not None
        last = self._last.get(rule.id)
        is_kept = last is None or place <= last
        if not is_listed and not is_kept:
            return
        new = finding(rule, fault, kind=kind, line=line, key=key)
        if is_kept:
            self._keep(new)
        if is_listed and heard.finding is not None:
            item = overridden(new, self._overrides)
            if item is not None:
                heard.finding(item)

    def _keep(self, new: Finding) -> None:
        findings = self._kept.setdefault(new.rule, [])
        findings.append(new)
        if len(findings) >= 2 * KEPT_PER_RULE:
            findings = self._kept[new.rule] = first(findings)
            self._last[new.rule] = findings[-1].kind, findings[-1].line or 0

    def is_error(self, rule: Rule[Any]) -> bool:
        """Whether the rule's findings are errors under the exceptions."""
        return effective(rule.severity, self._overrides.get(rule.name)) == Severity.ERROR

    def is_settled(self, id: str) -> bool:
        """Whether a finding of the rule on a later line would only be counted."""
        return id in self._last and self.counts[id] >= self._heard.per_rule

    def count(self, id: str, number: int) -> None:
        """Counts findings of a settled rule on later lines."""
        self.counts[id] += number

    def kept(self) -> dict[str, list[Finding]]:
        """The kept findings by rule id, each list in `order`."""
        return {rule: first(self._kept[rule]) for rule in sorted(self._kept)}


def first(findings: Iterable[Finding]) -> list[Finding]:
    """The first KEPT_PER_RULE findings in `order`."""
    return sorted(findings, key=order)[:KEPT_PER_RULE]


class _RuleOf(msgspec.Struct):
    rule: str


class FindingsFile:
    """JSON Lines of findings: the first per_rule of each rule, whichever checks they come from."""

    def __init__(self, file: IO[bytes], *, per_rule: int = FINDINGS_PER_RULE) -> None:
        self._file = file
        self._per_rule = per_rule
        self._listed: Counter[str] = Counter()
        self._encode = msgspec.json.Encoder().encode
        self._rule_of = msgspec.json.Decoder(_RuleOf).decode

    def add(self, finding: Finding) -> None:
        """Writes a line, unless its rule has enough."""
        if self._takes(finding.rule):
            self._file.write(self._encode(finding) + b"\n")

    def copy(self, lines: Iterable[bytes]) -> None:
        """Adds the lines of another such file."""
        for line in lines:
            if self._takes(self._rule_of(line).rule):
                self._file.write(line)

    def _takes(self, rule: str) -> bool:
        self._listed[rule] += 1
        return self._listed[rule] <= self._per_rule
