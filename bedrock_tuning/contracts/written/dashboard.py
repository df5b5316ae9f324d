"""What an environment does, at a glance: runs, functions, lost events, calls of its models."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from bedrock_tuning.contracts.contract import FunctionSpec, Place

_HOUR: Final = 3_600
_HALF, _WHOLE, _HEIGHT = 12, 24, 6


def dashboard_name(environment: str) -> str:
    """By which people look for an environment's dashboard."""
    return f"tuning-{environment}"


def dashboard(environment: str, functions: Iterable[FunctionSpec]) -> Place:
    """With all its properties."""
    names = [f"{{function.{spec.name}:name}}" for spec in functions]
    executions = [f"Executions{end}" for end in ("Started", "Succeeded", "Failed", "Aborted")]
    letters = ("QueueName", "{dead-letters:name}")
    visible = "ApproximateNumberOfMessagesVisible"
    calls = ("Invocations", "InvocationClientErrors", "InvocationThrottles")
    graphs = (
        (
            "Executions of the workflow",
            [_sum("AWS/States", metric, "StateMachineArn", "{workflow}") for metric in executions],
        ),
        (
            "Errors of functions",
            [_sum("AWS/Lambda", "Errors", "FunctionName", name) for name in names],
        ),
        (
            "Longest call of each function",
            [_maximum("AWS/Lambda", "Duration", "FunctionName", name) for name in names],
        ),
        ("Events that could not be delivered", [_maximum("AWS/SQS", visible, *letters)]),
        ("Calls of models in this Region", [_sum("AWS/Bedrock", metric) for metric in calls]),
    )
    widgets = [_widget(at, title, metrics) for at, (title, metrics) in enumerate(graphs)]
    return Place(
        stack="pipeline",
        path="Dashboard",
        type="AWS::CloudWatch::Dashboard",
        properties={
            "DashboardName": dashboard_name(environment),
            "DashboardBody": json.dumps({"widgets": widgets}, separators=(",", ":")),
        },
    )


def _widget(at: int, title: str, metrics: Sequence[Any]) -> dict[str, Any]:
    """One graph, in a row of its own; the first is as wide as the page."""
    return {
        "type": "metric",
        "width": _HALF if at else _WHOLE,
        "height": _HEIGHT,
        "x": 0,
        "y": at * _HEIGHT,
        "properties": {
            "view": "timeSeries",
            "title": title,
            "region": "{region}",
            "metrics": metrics,
            "yAxis": {},
        },
    }


def _sum(*metric: str) -> list[Any]:
    return [*metric, {"period": _HOUR, "stat": "Sum"}]


def _maximum(*metric: str) -> list[Any]:
    return [*metric, {"period": _HOUR, "stat": "Maximum"}]
