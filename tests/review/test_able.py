"""What the contracts grant is enough: everybody at work may do what it is there for."""

from collections.abc import Callable

import pytest

from tests.review.able import lacks
from tests.review.broken import Synthesized
from tests.review.conftest import VARIANTS
from tests.review.mutants import MUTANTS

BY_NAME = {mutant.name: mutant for mutant in MUTANTS}


@pytest.mark.parametrize("environment", ["dev", "local", *VARIANTS])
def test_nobody_lacks_anything(environment: str, synthesized: Callable[[str], Synthesized]) -> None:
    assert lacks(synthesized(environment).evidence()) == []


@pytest.mark.parametrize(
    "flaw",
    [
        "Bedrock role: cannot write its metrics",
        "Bedrock role: a Deny that stops its own work",
        "Bedrock role: cannot use the key of its buckets",
        "validation bucket: the one who reads it is refused",
        "workflow: publishes to another topic",
        "workflow: calls a function that is not here",
        "workflow: its jobs run as itself",
        "workflow: acts as a function's role",
        "workflow: may publish, but not use the topic's key",
        "alarms to an encrypted topic: the topic does not let CloudWatch in",
        "alarms to an encrypted topic: the key does not let CloudWatch in",
        "upload rule: its role cannot start the workflow",
        "rule of ended executions: the function does not let it call",
        "announcements: the function does not let the topic call",
        "dead letters: the key does not let EventBridge in",
        "dead letters: the key wants a source, which EventBridge does not name",
        "lease schedule: cannot encrypt its dead letters",
        "chat: its rules may not publish",
        "operations key: CloudWatch Logs is left out",
        "flow logs: their key does not know CloudWatch Logs",
        "access logs: not of the training bucket",
    ],
)
def test_what_is_taken_away_is_lacked(flaw: str, synthesized: Callable[[str], Synthesized]) -> None:
    mutant = BY_NAME[flaw]
    copy = synthesized(mutant.environment).copy()
    mutant.change(copy)
    assert lacks(copy.evidence())
