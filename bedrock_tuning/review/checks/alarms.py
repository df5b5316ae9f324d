"""Checks of alarms, which are those of the contracts and tell a topic, and of dashboards."""

import json
from collections.abc import Iterator

from bedrock_tuning.contracts.alarms import dashboard_name
from bedrock_tuning.review.assembly.reads import as_whole
from bedrock_tuning.review.check import Evidence, Violation, check, found, mismatches, unlike


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
            arns = alarm.properties.get(key, [])
            if not arns or not set(arns) <= topics:
                yield found(alarm, f"it notifies {', '.join(arns) or 'no topic'}{moment}")
        yield from mismatches(alarm, {"ActionsEnabled": (None, True)})


@check(
    "W516",
    "A dashboard has the environment's name and shows metrics, and nothing that is loaded or run.",
    limit="widgets of the type metric, of AWS's own namespaces",
    fix="See constructs/dashboard.py",
)
def dashboards_show_metrics(evidence: Evidence) -> Iterator[Violation]:
    name = dashboard_name(evidence.bound.contracts.environment)
    for board in evidence.assembly.of_type("AWS::CloudWatch::Dashboard"):
        yield from mismatches(board, {"DashboardName": name})
        try:
            widgets = json.loads(str(board.properties.get("DashboardBody")))["widgets"]
        except (KeyError, TypeError, ValueError) as error:
            yield found(board, f"its body cannot be read: {error}")
            continue
        for widget in widgets:
            properties = widget.get("properties", {})
            metrics = properties.get("metrics", [])
            namespaces = [
                str(metric[0]) for metric in metrics if not str(metric[0]).startswith("AWS/")
            ]
            if widget.get("type") != "metric" or namespaces or not metrics:
                yield found(board, f"a widget is {widget.get('type')}: {', '.join(namespaces)}")


@check(
    "W518",
    "The alarms of the platform and of every customization count what their contracts say, and "
    "ring when it says: at the first failure, or when nothing is called.",
    fix="Deploy them as bedrock_tuning/contracts/alarms.py says",
)
def as_contracted(evidence: Evidence) -> Iterator[Violation]:
    for name, properties in evidence.bound.contracts.alarms.items():
        resource = evidence.contracted.get(name)
        if resource is not None:
            expected = json.loads(evidence.bound.fill(json.dumps(properties)))
            actual = {key: as_whole(resource.properties.get(key)) for key in expected}
            yield from unlike(resource, actual, expected)
