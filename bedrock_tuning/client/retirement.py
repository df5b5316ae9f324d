"""Retiring a customization: what still runs or is served, and the end of its stack."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from bedrock_tuning.client.deployment import DeploymentClient
from bedrock_tuning.client.endpoints import ProvisionedEndpoint, endpoints, tags_of
from bedrock_tuning.client.environments import stack_of
from bedrock_tuning.client.inventory import Remains, models
from bedrock_tuning.config.names import stack_name
from bedrock_tuning.config.tags import CUSTOMIZATION_TAG, ENVIRONMENT_TAG
from bedrock_tuning.errors import UserError
from bedrock_tuning.run.job import run_of
from bedrock_tuning.run.outcome import customization_in
from bedrock_tuning.sources.listing import jobs

_POLL_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Retirement:
    """What there is of a customization. open: executions and jobs that are on their way."""

    stack: str
    open: list[str] = field(default_factory=list)
    served: list[ProvisionedEndpoint] = field(default_factory=list)
    models: list[Remains] = field(default_factory=list)


def look(deployment: DeploymentClient, customization: str) -> Retirement:
    """What a retirement would end and what would stay; raises UserError without a stack."""
    aws, stack = deployment.aws, stack_name(deployment.environment, customization)
    if stack_of(aws, stack) is None:
        raise UserError(
            "no such stack",
            where=stack,
            fix=f"`{deployment.command('list')}` shows what is deployed",
        )
    all_endpoints = endpoints(aws, environment=deployment.environment)
    return Retirement(
        stack=stack,
        open=[*_executions(deployment, customization), *_jobs(deployment, customization)],
        served=[endpoint for endpoint in all_endpoints if endpoint.customization == customization],
        models=[
            model for owner, model in models(aws, deployment.environment) if owner == customization
        ],
    )


def _executions(deployment: DeploymentClient, customization: str) -> Iterator[str]:
    """The customization's executions that have not ended, whoever started them."""
    states = deployment.aws.stepfunctions
    for execution in deployment.running():
        run_input = states.describe_execution(executionArn=execution["executionArn"]).get(
            "input", "{}"
        )
        if customization_in(json.loads(run_input)) == customization:
            yield f"execution {execution['name']}"


def _jobs(deployment: DeploymentClient, customization: str) -> Iterator[str]:
    """Its jobs that Bedrock still works on, also where their execution is gone."""
    for job in jobs(deployment.aws.bedrock, statusEquals="InProgress"):
        tags = tags_of(deployment.aws, job["jobArn"]) if run_of(job["jobName"]) else None
        if (
            tags is not None
            and tags.get(ENVIRONMENT_TAG) == deployment.environment
            and tags.get(CUSTOMIZATION_TAG) == customization
        ):
            yield f"job {job['jobName']}"


def delete(deployment: DeploymentClient, retirement: Retirement) -> None:
    """Deletes the stack and waits until it is gone; raises UserError with the reason if it stays.

    The endpoint goes first; what holds data is not in it.
    """
    cloudformation = deployment.aws.cloudformation
    (stack,) = cloudformation.describe_stacks(StackName=retirement.stack)["Stacks"]
    cloudformation.delete_stack(StackName=retirement.stack)
    while True:
        current = stack_of(deployment.aws, stack["StackId"])
        if current is None or current["StackStatus"] == "DELETE_COMPLETE":
            return
        if current["StackStatus"] == "DELETE_FAILED":
            reason = current.get("StackStatusReason", "its events in CloudFormation say why")
            raise UserError(
                f"the stack could not be deleted: {reason}",
                where=retirement.stack,
                fix="correct what it names, then run this again",
            )
        time.sleep(_POLL_SECONDS)
