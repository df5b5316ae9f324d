"""Whatever value of the templates is changed, a check notices, but for what is harmless."""

import os
from collections.abc import Iterator

from bedrock_tuning.review import CHECKS
from bedrock_tuning.review.check import Check, Evidence
from tests.review.broken import Synthesized
from tests.review.changes import Change, changes

# One change of each property of each type, another with each property: dropped, misspelled,
# switched or multiplied. With TUNING_EXHAUSTIVE all 5,900 of them, in minutes.
_ALL = "TUNING_EXHAUSTIVE" in os.environ
# Slow, and last: one violation is enough.
_SLOW = ("P304", "P305", "R404", "A108", "A109", "A114", "A107")


class Noticing:
    """Runs checks until one finds something; what found a change of the same type comes first."""

    def __init__(self) -> None:
        self._first: dict[str, list[Check]] = {}
        self._checks = sorted(CHECKS, key=lambda check: check.id in _SLOW)

    def __call__(self, kind: str, evidence: Evidence) -> bool:
        first = self._first.setdefault(kind, [])
        for check in (*first, *(c for c in self._checks if c not in first)):
            if next(check.run(evidence), None) is not None:
                if check in first:
                    first.remove(check)
                first.insert(0, check)
                return True
        return False


# What CloudFormation takes for a property that is not there.
_DEFAULTS = {"EphemeralStorage": {"Size": 512}, "DeletionProtectionEnabled": False}


def _is_default(source: Synthesized, change: Change) -> bool:
    """Whether a resource loses a property that says what it is without."""
    properties = source.resource(change.stack, change.logical_id)["Properties"]
    name = change.path[1] if len(change.path) > 1 else ""
    return change.dropped and name in _DEFAULTS and properties.get(name) == _DEFAULTS[name]


def _tried(source: Synthesized) -> Iterator[tuple[str, Change]]:
    """Harmful changes with the type of the resource, at least one of each of its properties."""
    kinds: dict[tuple[str, ...], list[Change]] = {}
    for change in changes(source):
        kind = source.resource(change.stack, change.logical_id)["Type"]
        if not change.is_harmless(kind) and not _is_default(source, change):
            kinds.setdefault((kind, *change.property), []).append(change)
    for number, ((kind, *_), found) in enumerate(kinds.items()):
        for change in found if _ALL else [found[number % len(found)]]:
            yield kind, change


def test_a_harmful_change_of_any_property_is_noticed(dev: Synthesized) -> None:
    is_noticed = Noticing()
    tried = list(_tried(dev))
    unnoticed = [c for kind, c in tried if not is_noticed(kind, dev.evidence(c.apply(dev)))]
    assert not unnoticed, "\n".join(map(str, unnoticed))
    assert {kind for kind, _ in tried} == {resource["Type"] for _, _, resource in dev.copy().all()}
