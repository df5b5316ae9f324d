"""Every property of which a check fixes the value is noticed with another one."""

from collections.abc import Iterator
from typing import Any

import pytest

from bedrock_tuning.review import CHECKS
from bedrock_tuning.review.check import Check
from tests.review.broken import Raw, Synthesized

ROWS = [
    pytest.param(check, *check.fixed, path, id=f"{check.id} {path}")
    for check in CHECKS
    if check.fixed is not None
    for path in check.fixed[1]
]


def _set(properties: Raw, path: str, value: Any) -> None:
    *steps, last = path.split(".")
    inner: Any = properties
    for step in steps:
        inner = inner[int(step)] if step.isdigit() else inner.setdefault(step, {})
    inner[last] = value


def _copies(dev: Synthesized, kind: str, path: str, value: Any) -> Iterator[dict[str, Raw]]:
    """Templates in each of which one resource of the type has the value."""
    for stack, logical_id, resource in dev.copy().all():
        if resource["Type"] == kind:
            copy = dev.copy()
            _set(copy.template(stack)["Resources"][logical_id]["Properties"], path, value)
            yield copy.templates


@pytest.mark.parametrize(("check", "kind", "wanted", "path"), ROWS)
def test_another_value_is_noticed_wherever_it_is(
    check: Check, kind: str, wanted: dict[str, Any], path: str, dev: Synthesized
) -> None:
    copies = list(_copies(dev, kind, path, "another"))
    assert copies
    for templates in copies:
        (violation,) = check.run(dev.evidence(templates))
        assert violation.what.startswith(f"{path} is another; allowed: ")
        assert violation.limit == check.limit


def test_a_value_may_be_written_as_text(dev: Synthesized) -> None:
    (keys,) = (check for check in CHECKS if check.id == "S607")
    for templates in _copies(dev, "AWS::KMS::Key", "EnableKeyRotation", "true"):
        assert list(keys.run(dev.evidence(templates))) == []
