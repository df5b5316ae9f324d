"""Whatever single value of the templates is changed, a check notices, but for what is harmless."""

import os

from bedrock_tuning.review import CHECKS
from bedrock_tuning.review.check import Evidence
from tests.review.broken import Copy, Synthesized
from tests.review.changes import Change, changes

# Quick checks first: one violation is enough.
_SLOW = ("P304", "P305", "P306", "P307", "R404", "R408", "T203")
_ORDER = sorted(CHECKS, key=lambda check: (check.id in _SLOW, check.id))
# All of them take two minutes; every so many-th, other ones with each change of the templates.
_STRIDE = 1 if "TUNING_EXHAUSTIVE" in os.environ else 37


def _is_noticed(evidence: Evidence) -> bool:
    return any(next(check.run(evidence), None) for check in _ORDER)


def _is_default(copy: Copy, change: Change) -> bool:
    """Whether a function loses a disk that is no larger than every function's."""
    resource = copy.templates[change.stack]["Resources"][change.logical_id]
    disk = resource["Properties"].get("EphemeralStorage")
    return change.dropped and "EphemeralStorage" in change.path and disk == {"Size": 512}


def test_every_change_that_is_not_harmless_is_noticed(dev: Synthesized) -> None:
    copy = dev.copy()
    tried = 0
    unnoticed: list[Change] = []
    for number, change in enumerate(changes(dev)):
        kind = copy.templates[change.stack]["Resources"][change.logical_id]["Type"]
        if number % _STRIDE or change.is_harmless(kind) or _is_default(copy, change):
            continue
        tried += 1
        if not _is_noticed(dev.evidence(change.apply(dev))):
            unnoticed.append(change)
    assert not unnoticed, "\n".join(map(str, unnoticed))
    assert tried > 4_000 / _STRIDE
