"""Whatever nobody waits for has an alarm, which rings at the first failure or at silence."""

from collections.abc import Mapping
from typing import Any

import pytest

from bedrock_tuning.config.settings import Settings
from bedrock_tuning.contracts import Contracts, contracts
from bedrock_tuning.contracts.alarms import ALARM
from bedrock_tuning.contracts.ending import RECONCILE
from bedrock_tuning.contracts.serving import KEEP_LEASES


@pytest.fixture(params=[False, True], ids=["without a network", "with a network"])
def known(request: pytest.FixtureRequest) -> Contracts:
    return contracts(Settings(name="dev", region="us-east-1", vpc=request.param), {})


def _alarms(known: Contracts) -> list[Mapping[str, Any]]:
    return [each.properties for each in known.places.values() if each.type == ALARM]


def _counting(known: Contracts, metric: str) -> set[str]:
    """What the alarms of a metric watch."""
    return {
        each["Dimensions"][0]["Value"] for each in _alarms(known) if each["MetricName"] == metric
    }


def test_every_function_that_the_workflow_does_not_call_has_an_alarm_of_its_errors(
    known: Contracts,
) -> None:
    alone = {f"{{function.{spec.name}:name}}" for spec in known.functions if not spec.payload}
    drawn = "{function.DrawPage:name}"
    assert _counting(known, "Errors") == {*alone, drawn}


def test_no_alarm_promises_to_ring_for_a_refused_deployment(known: Contracts) -> None:
    # It is answered without an error that an alarm could count: tests/lambdas/test_guard_runs.py.
    assert not [each for each in _alarms(known) if "refused" in each["AlarmDescription"].lower()]


def test_what_the_clock_calls_is_missed_when_it_is_not_called(known: Contracts) -> None:
    clock = {f"{{function.{each.name}:name}}" for each in (KEEP_LEASES, RECONCILE)}
    assert _counting(known, "Invocations") == clock
    for each in _alarms(known):
        silent = each["MetricName"] == "Invocations"
        assert each["TreatMissingData"] == ("breaching" if silent else "notBreaching")
        assert each["ComparisonOperator"].startswith("LessThan") is silent


def test_every_bad_end_of_an_execution_and_every_lost_event_rings(known: Contracts) -> None:
    for metric in ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"):
        assert _counting(known, metric) == {"{workflow}"}
    assert _counting(known, "ApproximateNumberOfMessagesVisible") == {"{dead-letters:name}"}


def _quick(alarm: dict[str, Any]) -> bool:
    return alarm["Threshold"] == alarm["EvaluationPeriods"] == 1 and alarm["Period"] <= 3600


def test_one_failure_is_enough_and_is_told_when_it_begins_and_when_it_is_over(
    known: Contracts,
) -> None:
    for each in _alarms(known):
        assert _quick(dict(each))
        assert each["Statistic"] in ("Sum", "Maximum")
        assert each["AlarmActions"] == each["OKActions"] == ["{topic}"]
