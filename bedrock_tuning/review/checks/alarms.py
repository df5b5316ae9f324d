"""Checks of alarms: they exist, watch a real metric, fire early and tell a topic."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from bedrock_tuning.contracts.alarms import alarms_of, dashboard_name
from bedrock_tuning.review.assembly.json_path import get
from bedrock_tuning.review.assembly.reads import as_whole
from bedrock_tuning.review.assembly.template import Assembly, Resource
from bedrock_tuning.review.check import Evidence, Violation, check, found, mismatches, unlike

# By resource type: namespace, dimension, what identifies it there, metrics of which each needs one.
_WATCHED: Final = {
    "AWS::StepFunctions::StateMachine": (
        "AWS/States",
        "StateMachineArn",
        ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"),
    ),
    "AWS::SQS::Queue": ("AWS/SQS", "QueueName", ("ApproximateNumberOfMessagesVisible",)),
    "AWS::Lambda::Function": ("AWS/Lambda", "FunctionName", ("Errors",)),
}
# A function that nobody calls makes no error: what is called by the clock is missed by this one.
_SILENCE: Final = ("AWS/Lambda", "Invocations")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bell:
    """When an alarm must fire: statistics, comparisons with thresholds, longest period."""

    statistics: tuple[str, ...]
    thresholds: Mapping[str, tuple[float, float]]
    longest: int
    without_data: str


_TROUBLE: Final = _Bell(
    statistics=("Sum",),
    thresholds={
        "GreaterThanOrEqualToThreshold": (0.001, 1.0),
        "GreaterThanThreshold": (0.0, 0.999),
    },
    longest=900,
    without_data="notBreaching",
)
_BELLS: Final = {
    "ApproximateNumberOfMessagesVisible": replace(_TROUBLE, statistics=("Maximum", "Sum")),
    "Invocations": _Bell(
        statistics=("Sum", "SampleCount"),
        thresholds={"LessThanThreshold": (1.0, 1.0)},
        longest=3600,
        without_data="breaching",
    ),
}


@check(
    "W511",
    "Every alarm notifies a topic when it begins and when it is over; its actions are enabled.",
    limit="a topic of this app",
    fix="Add the topic to AlarmActions and OKActions, and remove ActionsEnabled: false",
)
def has_actions(evidence: Evidence) -> Iterator[Violation]:
    # The one of this app, or the one that exists.
    topics = {evidence.bound.fill("{topic}")}
    for alarm in evidence.assembly.of_type("AWS::CloudWatch::Alarm"):
        for moment, key in (("", "AlarmActions"), (" when it is over", "OKActions")):
            told = alarm.properties.get(key, [])
            if not told or not set(told) <= topics:
                yield found(alarm, f"it notifies {', '.join(told) or 'no topic'}{moment}")
        yield from mismatches(alarm, {"ActionsEnabled": (None, True)})


def _dimensions(alarm: Resource) -> dict[str, str]:
    return {d["Name"]: str(d["Value"]) for d in alarm.properties.get("Dimensions", [])}


def watched(assembly: Assembly, alarm: Resource) -> Resource | None:
    """The resource whose metric an alarm watches."""
    for kind, (namespace, dimension, metrics) in _WATCHED.items():
        if alarm.properties.get("Namespace") != namespace:
            continue
        known = (*metrics, _SILENCE[1]) if namespace == _SILENCE[0] else metrics
        if alarm.properties.get("MetricName") not in known:
            return None
        dimensions = _dimensions(alarm)
        if set(dimensions) != {dimension}:
            return None
        for resource in assembly.of_type(kind):
            if dimensions[dimension] in (resource.name, resource.arn):
                return resource
    return None


@check(
    "W514",
    "Every alarm fires at the first failure, and not when there is no data.",
    fix="Use one period, the sum and a threshold of one; see constructs/notifications.py",
)
def rings_early(evidence: Evidence) -> Iterator[Violation]:
    for alarm in evidence.assembly.of_type("AWS::CloudWatch::Alarm"):
        properties = alarm.properties
        bell = _BELLS.get(str(properties.get("MetricName")), _TROUBLE)
        comparison = str(properties.get("ComparisonOperator"))
        least, most = bell.thresholds.get(comparison, (1.0, 0.0))
        problems = []
        if not least <= float(properties.get("Threshold", -1)) <= most:
            problems.append(f"{comparison} {properties.get('Threshold')}")
        if properties.get("Statistic") not in bell.statistics:
            problems.append(f"the statistic {properties.get('Statistic')}")
        if int(properties.get("EvaluationPeriods", 0)) != 1:
            problems.append(f"{properties.get('EvaluationPeriods')} periods")
        if not 60 <= int(properties.get("Period", 0)) <= bell.longest:
            problems.append(f"a period of {properties.get('Period')} s")
        if properties.get("TreatMissingData") != bell.without_data:
            problems.append(f"missing data is {properties.get('TreatMissingData')}")
        if problems:
            yield found(
                alarm,
                f"it waits for {', '.join(problems)}",
                f"one failure within {bell.longest} s; missing data is {bell.without_data}",
            )


@check(
    "W515",
    "The workflow, the dead-letter queue and every unattended function have alarms.",
    limit="its failures would go unnoticed",
    fix="Add an alarm with the topic as its action",
)
def everything_watched(evidence: Evidence) -> Iterator[Violation]:
    heard = set()
    for alarm in evidence.assembly.of_type("AWS::CloudWatch::Alarm"):
        resource = watched(evidence.assembly, alarm)
        if resource is not None:
            heard.add((resource.arn, str(alarm.properties.get("MetricName"))))
        elif str(alarm.properties.get("Namespace")).startswith("AWS/"):
            yield found(alarm, "it watches nothing that is here")
    # The workflow catches its functions' errors and reports them itself.
    called = {
        str(value)
        for machine in evidence.assembly.of_type("AWS::StepFunctions::StateMachine")
        for value in machine.properties.get("DefinitionSubstitutions", {}).values()
    }
    by_the_clock = {
        str(get(schedule.properties, "Target", "Arn"))
        for schedule in evidence.assembly.of_type("AWS::Scheduler::Schedule")
    }
    for kind, (_, _, metrics) in _WATCHED.items():
        for resource in evidence.assembly.of_type(kind):
            if resource.arn in called:
                continue
            needed = (*metrics, _SILENCE[1]) if resource.arn in by_the_clock else metrics
            for metric in needed:
                if (resource.arn, metric) not in heard:
                    yield found(resource, f"no alarm watches {metric}")


@check(
    "W516",
    "A dashboard has the environment's name and shows metrics, and nothing that is loaded or run.",
    limit="widgets of the type metric, of AWS's own namespaces",
    fix="See constructs/dashboard.py",
)
def dashboards_show_metrics(evidence: Evidence) -> Iterator[Violation]:
    wanted = dashboard_name(evidence.bound.contracts.environment)
    for board in evidence.assembly.of_type("AWS::CloudWatch::Dashboard"):
        yield from mismatches(board, {"DashboardName": wanted})
        try:
            widgets = json.loads(str(board.properties.get("DashboardBody")))["widgets"]
        except (KeyError, TypeError, ValueError) as error:
            yield found(board, f"its body cannot be read: {error}")
            continue
        for widget in widgets:
            shown = widget.get("properties", {})
            metrics = shown.get("metrics", [])
            foreign = [str(m[0]) for m in metrics if not str(m[0]).startswith("AWS/")]
            if widget.get("type") != "metric" or foreign or not metrics:
                yield found(board, f"a widget is {widget.get('type')}: {', '.join(foreign)}")


@check(
    "W518",
    "Every customization has its own alarms, which count only what belongs to it.",
    fix="Deploy them as bedrock_tuning/contracts/alarms.py says",
)
def of_customizations(evidence: Evidence) -> Iterator[Violation]:
    contracts = evidence.bound.contracts
    for name in contracts.serving:
        for construct, properties in alarms_of(contracts.environment, name).items():
            resource = evidence.contracted.get(f"alarm.{construct}.{name}")
            if resource is not None:
                told = [evidence.bound.fill(each) for each in properties["AlarmActions"]]
                wanted = {**properties, "AlarmActions": told, "OKActions": told}
                actual = {key: as_whole(resource.properties.get(key)) for key in wanted}
                yield from unlike(resource, actual, wanted)
