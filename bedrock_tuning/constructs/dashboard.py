"""What an environment does, at a glance: runs, functions, lost events, calls of its models."""

from collections.abc import Iterable

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

_HALF, _WHOLE, _HEIGHT = 12, 24, 6


def dashboard(
    scope: Construct,
    construct_id: str,
    *,
    name: str,
    machine: sfn.StateMachine,
    functions: Iterable[lambda_.Function],
    dead_letters: sqs.Queue,
) -> cloudwatch.Dashboard:
    """One dashboard. name: physical, as people look for it."""
    hour = Duration.hours(1)
    made = list(functions)
    board = cloudwatch.Dashboard(scope, construct_id, dashboard_name=name)

    def graph(title: str, metrics: list[cloudwatch.IMetric], *, width: int = _HALF) -> None:
        board.add_widgets(
            cloudwatch.GraphWidget(title=title, left=metrics, width=width, height=_HEIGHT)
        )

    graph(
        "Executions of the workflow",
        [
            machine.metric_started(period=hour),
            machine.metric_succeeded(period=hour),
            machine.metric_failed(period=hour),
            machine.metric_aborted(period=hour),
        ],
        width=_WHOLE,
    )
    graph("Errors of functions", [each.metric_errors(period=hour) for each in made])
    graph("Longest call of each function", [_longest(each, hour) for each in made])
    graph(
        "Events that could not be delivered",
        [dead_letters.metric_approximate_number_of_messages_visible(period=hour)],
    )
    graph(
        "Calls of models in this Region",
        [
            cloudwatch.Metric(
                namespace="AWS/Bedrock", metric_name=each, statistic="Sum", period=hour
            )
            for each in ("Invocations", "InvocationClientErrors", "InvocationThrottles")
        ],
    )
    return board


def _longest(function: lambda_.Function, period: Duration) -> cloudwatch.Metric:
    return function.metric_duration(period=period, statistic="Maximum")
