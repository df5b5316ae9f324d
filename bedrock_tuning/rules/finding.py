"""One finding, and the bounded pile of them that a check keeps."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec

from bedrock_tuning.dataset.requirements import Override
from bedrock_tuning.rules.rule import Fault, Rule, Severity

KEPT_PER_RULE: Final = 100
_SHOWN: Final = 120
_MESSAGE: Final = 400
_KEY: Final = 1024


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One fault of one record, image or dataset.

    line: 1-based line of the manifest, None for the dataset as a whole. field: where in the record.
    value: what was seen, shortened. limit: what is allowed. fix: what to do. key: of the image that
    was looked at, else empty.
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


Listener = Callable[[Finding], None]


def shorten(text: str, *, most: int = _SHOWN) -> str:
    """A text as one readable line: control characters escaped, the middle of a long one cut."""
    if len(text) > most:
        text = f"{text[: most // 2]}…{text[-most // 3 :]}"
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def finding(
    rule: Rule[Any], fault: Fault, *, kind: str, line: int | None, key: str = ""
) -> Finding:
    """What a rule found, with the rule's name, severity and fix."""
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


def overridden(found: Finding, overrides: Mapping[str, Override]) -> Finding | None:
    """The finding as the customization wants it: with a lower severity, or None when silenced."""
    severity = effective(Severity(found.severity), overrides.get(found.name))
    if severity is None or severity == found.severity:
        return None if severity is None else found
    return msgspec.structs.replace(found, severity=severity.value)


def effective(severity: Severity, override: Override | None) -> Severity | None:
    """A rule's severity under an exception; None when it is silenced.

    Nothing is ever raised, and an error is never silenced: at the lowest it becomes a warning.
    """
    if override is None:
        return severity
    if severity == Severity.ERROR:
        return Severity.WARNING
    return None if override.severity == "silent" else severity


def order(found: Finding) -> tuple[str, int, str, str, str]:
    """The order of findings in every report: by kind, line, field, then words."""
    return found.kind, found.line or 0, found.field, found.message, found.value


class Findings:
    """Exact counts per rule and the first KEPT_PER_RULE findings of each, in `order`.

    Bounded whatever the input's size, and independent of the order in which findings arrive.
    listener: receives every finding that is not silenced, with its overridden severity.
    """

    def __init__(
        self, *, overrides: Mapping[str, Override], listener: Listener | None = None
    ) -> None:
        self.counts: dict[str, int] = {}
        self._kept: dict[str, list[Finding]] = {}
        self._overrides = overrides
        self._listener = listener

    def add(self, found: Finding) -> None:
        """Counts a finding and keeps it if it is among the first of its rule."""
        self.counts[found.rule] = self.counts.get(found.rule, 0) + 1
        kept = self._kept.setdefault(found.rule, [])
        kept.append(found)
        if len(kept) >= 4 * KEPT_PER_RULE:
            self._kept[found.rule] = first(kept)
        if self._listener is not None:
            shown = overridden(found, self._overrides)
            if shown is not None:
                self._listener(shown)

    def kept(self) -> dict[str, list[Finding]]:
        """The kept findings by rule id, each list in `order`."""
        return {rule: first(self._kept[rule]) for rule in sorted(self._kept)}


def first(found: Iterable[Finding]) -> list[Finding]:
    """The first KEPT_PER_RULE findings in `order`."""
    return sorted(found, key=order)[:KEPT_PER_RULE]
