"""Every alarm of an environment: what it counts, when it fires, what its mail says.

The platform's say that something failed, and fire once for all that fails at the same time. Those
of a customization say what its team has to know, whatever happens to other teams' runs.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from bedrock_tuning.contracts.contract import TOPIC, FunctionSpec, Place
from bedrock_tuning.contracts.ending import ANNOUNCE, DRAW_PAGE, RECONCILE
from bedrock_tuning.contracts.functions import APPROVE, GUARD_RUNS
from bedrock_tuning.contracts.network import CLOSE_DEFAULT_GROUP
from bedrock_tuning.contracts.serving import KEEP_LEASES, PROVISIONED_THROUGHPUT
from bedrock_tuning.run.metrics import NAMESPACE, Metric, dimensions

ALARM: Final = "AWS::CloudWatch::Alarm"
# By the construct: what is counted of the workflow.
_WORKFLOW: Final = {
    "WorkflowFailed": (
        "ExecutionsFailed",
        "A run failed: its own message, or its execution, says why",
    ),
    "WorkflowTimedOut": (
        "ExecutionsTimedOut",
        "A run exceeded its time limit; its job may still be running",
    ),
    "WorkflowAborted": (
        "ExecutionsAborted",
        "A run was aborted by hand; its job may still be running",
    ),
}
_DEAD_LETTERS: Final = (
    "An upload started no run, or the lease keeper was not called: the message in the queue has "
    "the reason in its attribute ERROR_MESSAGE (docs/runbook.md)"
)
# Of functions that the workflow does not call: nobody else notices their errors.
_ERRORS: Final[Mapping[str, tuple[FunctionSpec, str]]] = {
    "LeasesNotKept": (
        KEEP_LEASES,
        "keep_leases failed, so an endpoint may be billed beyond its lease: the last error in its "
        "log says why and what to do",
    ),
    "ApprovalsNotTaken": (
        APPROVE,
        "approve failed, so a run may wait although somebody approved it: whoever did may send the "
        "answer again, and the last error in its log says why it failed",
    ),
    "EventsNotSent": (
        ANNOUNCE,
        "announce failed, so a message did not become an event on the default bus: people were "
        "notified all the same, and the last error in its log says why",
    ),
    "PagesNotDrawn": (
        DRAW_PAGE,
        "draw_page failed, so the page of a run shows its dataset only: `tuning report` draws it, "
        "and the last error in its log says why",
    ),
    "RunsNotReconciled": (
        RECONCILE,
        "reconcile failed, so a run whose execution ended may seem to be in progress: the last "
        "error in its log names it",
    ),
    # A refusal is an answer and no error: it is in the deployment's events.
    "DeploymentNotAnswered": (
        GUARD_RUNS,
        "guard_runs did not answer, so a deployment may wait until CloudFormation gives up: the "
        "last error in its log says why",
    ),
    "DefaultGroupNotClosed": (
        CLOSE_DEFAULT_GROUP,
        "The default security group of the network may be open",
    ),
    "ProvisionedThroughput/Failed": (
        PROVISIONED_THROUGHPUT,
        "The custom resource failed: something may still be billed",
    ),
}
# No call is no error: what is never called would be silent, while endpoints and jobs go on billing.
_SILENCE: Final[Mapping[str, tuple[FunctionSpec, str]]] = {
    "LeaseKeeperNotCalled": (
        KEEP_LEASES,
        "keep_leases was not called for an hour, so no lease ends",
    ),
    "ReconcilerNotCalled": (
        RECONCILE,
        "reconcile was not called for an hour, so lost runs stay open",
    ),
}
_OF_CUSTOMIZATION: Final[Mapping[str, tuple[Metric, str]]] = {
    "RunFailed": (
        "RunsFailed",
        "A run of {name} failed, or could not be served: `tuning runs -c {name} -e {environment}`",
    ),
    "LeaseNotKept": (
        "LeasesNotKept",
        "The lease of an endpoint of {name} is not kept, so it may be billed beyond it: the last "
        "error in the log of keep_leases says why and what to do",
    ),
}


def alarms(environment: str, customizations: Iterable[str], *, network: bool) -> dict[str, Place]:
    """By contract name, each with all its properties.

    network: whether there is one of the app's own.
    """
    return {
        f"alarm.{stack}/{path}": Place(
            stack=stack, path=path, type=ALARM, properties={**_FIRST_FAILURE, **extra}
        )
        for stack, path, extra in _alarms(environment, customizations, network=network)
    }


_FIRST_FAILURE: Final[Mapping[str, Any]] = {
    "AlarmActions": [f"{{{TOPIC}}}"],
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "EvaluationPeriods": 1,
    "OKActions": [f"{{{TOPIC}}}"],
    "Period": 300,
    "Statistic": "Sum",
    "Threshold": 1,
    "TreatMissingData": "notBreaching",
}
_NO_CALL: Final[Mapping[str, Any]] = {
    "ComparisonOperator": "LessThanThreshold",
    "Period": 3600,
    "TreatMissingData": "breaching",
}


def _alarms(
    environment: str, customizations: Iterable[str], *, network: bool
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The stack, the construct, and what no other alarm has."""
    for path, (metric, about) in _WORKFLOW.items():
        yield "pipeline", path, _counts(about, "AWS/States", metric, StateMachineArn="{workflow}")
    visible, queue = "ApproximateNumberOfMessagesVisible", "{dead-letters:name}"
    letters = _counts(_DEAD_LETTERS, "AWS/SQS", visible, QueueName=queue)
    yield "pipeline", "DeadLettersWaiting", {**letters, "Statistic": "Maximum"}
    for path, (spec, about) in _ERRORS.items():
        if network or spec is not CLOSE_DEFAULT_GROUP:
            stack = "serving" if spec.stack == "serving" else "pipeline"
            yield stack, path, _counts(about, "AWS/Lambda", "Errors", FunctionName=_name(spec))
    for path, (spec, about) in _SILENCE.items():
        calls = _counts(about, "AWS/Lambda", "Invocations", FunctionName=_name(spec))
        yield "pipeline", path, {**calls, **_NO_CALL}
    for name in customizations:
        of = dimensions(environment=environment, customization=name)
        for path, (counted, about) in _OF_CUSTOMIZATION.items():
            text = about.format(name=name, environment=environment)
            yield name, path, _counts(text, NAMESPACE, counted, **of)


def _counts(about: str, namespace: str, metric: str, **dimensions: str) -> dict[str, Any]:
    return {
        "AlarmDescription": about,
        "Namespace": namespace,
        "MetricName": metric,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
    }


def _name(spec: FunctionSpec) -> str:
    return f"{{function.{spec.name}:name}}"
