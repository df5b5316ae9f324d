"""Before and after a deployment over an environment whose executions it would break.

An execution keeps the definition with which it began. Before customizations had stacks of their
own, the workflow itself started jobs; a deployment over such an environment takes that permission
away, and the roles of its jobs. So nothing may be at work then. What waits for a person's approval
can wait for days: it is closed before, and admitted again after.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bedrock_tuning.client.deployment import DeploymentClient
from bedrock_tuning.client.runs import items
from bedrock_tuning.run.items import CLAIM, RUN

# Of a run that was closed for an upgrade: with what its execution began.
_BEGAN_WITH: Final = "began_with"
# Older versions kept it in the run's item: with it, whoever read the item could approve.
_TOKEN: Final = "approval_token"  # noqa: S105 - the name of a field
_CLOSED: Final = "closed for an upgrade; admitted again after it: `tuning upgrade`"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingRun:
    """A run that waits for a person's approval. execution: its name."""

    run: str
    customization: str
    execution: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeState:
    """How far an environment is.

    working: executions that have not ended, with what they do. waiting: those that can be closed.
    closed: runs that were closed, with what their executions began with.
    """

    working: list[str] = field(default_factory=list)
    waiting: list[WaitingRun] = field(default_factory=list)
    closed: Mapping[str, str] = field(default_factory=dict)


def look(deployment: DeploymentClient) -> UpgradeState:
    """What is at work, what waits, and what was closed earlier."""
    runs = list(_items(deployment, RUN))
    by_execution = {str(run["execution"]): run for run in runs if "execution" in run}
    working, waiting = [], []
    for execution in deployment.running():
        name = execution["name"]
        run = by_execution.get(name)
        if run is not None and (run["status"] == "awaiting-approval" or _BEGAN_WITH in run):
            waiting.append(
                WaitingRun(
                    run=str(run["run"]), customization=str(run["customization"]), execution=name
                )
            )
        elif run is not None:
            working.append(f"{run['run']} of {run['customization']} is {run['status']}")
        else:
            working.append(f"the execution {name} runs")
    inputs = {str(run["run"]): str(run[_BEGAN_WITH]) for run in runs if _BEGAN_WITH in run}
    return UpgradeState(
        working=working,
        waiting=sorted(waiting, key=lambda run: run.run),
        closed=dict(sorted(inputs.items())),
    )


def close(deployment: DeploymentClient, waiting: WaitingRun) -> None:
    """Notes with what a run began, then ends its execution; repeated, it does no harm."""
    states, arn = deployment.aws.stepfunctions, deployment.execution_arn(waiting.execution)
    run_input = states.describe_execution(executionArn=arn)["input"]
    _update(
        deployment,
        waiting.run,
        "SET #status = :status, #message = :message, #began = :began REMOVE #token",
        {
            "#status": "status",
            "#message": "message",
            "#began": _BEGAN_WITH,
            "#token": _TOKEN,
        },
        {":status": "closed", ":message": _CLOSED, ":began": run_input},
    )
    states.stop_execution(executionArn=arn, error="Closed", cause=_CLOSED)


def admit_again(deployment: DeploymentClient, run: str, began_with: str) -> str:
    """Starts the workflow with what a closed run began with; returns the execution's name.

    The upload's claim goes first, or the new run would be a duplicate of the one that was closed.
    """
    from botocore.exceptions import ClientError

    for claim in _items(deployment, CLAIM):
        if claim.get("run") == run:
            deployment.aws.dynamodb.delete_item(
                TableName=deployment.runs_table, Key={"id": {"S": str(claim["id"])}}
            )
    name = f"again-{run}"
    try:
        deployment.aws.stepfunctions.start_execution(
            stateMachineArn=deployment.workflow_arn, name=name, input=began_with
        )
    except ClientError as error:
        # An earlier call started it, and broke off before it said so.
        if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
            raise
    _update(
        deployment,
        run,
        "SET #message = :message REMOVE #began",
        {"#message": "message", "#began": _BEGAN_WITH},
        {":message": f"closed for an upgrade, and admitted again as the execution {name}"},
    )
    return name


def is_older(deployment: DeploymentClient) -> bool:
    """Whether it was deployed before customizations had stacks, and approvals a function."""
    return not deployment.approval_url


def _items(deployment: DeploymentClient, kind: str) -> Iterator[dict[str, Any]]:
    """All items of a kind, read from the table itself: an older one has other indexes."""
    return items(
        deployment,
        "scan",
        ConsistentRead=True,
        FilterExpression="begins_with(id, :kind)",
        ExpressionAttributeValues={":kind": {"S": kind}},
    )


def _update(
    deployment: DeploymentClient,
    run: str,
    expression: str,
    names: Mapping[str, str],
    values: Mapping[str, str],
) -> None:
    deployment.aws.dynamodb.update_item(
        TableName=deployment.runs_table,
        Key={"id": {"S": f"{RUN}{run}"}},
        UpdateExpression=expression,
        ExpressionAttributeNames=dict(names),
        ExpressionAttributeValues={name: {"S": value} for name, value in values.items()},
    )
