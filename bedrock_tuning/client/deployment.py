"""One deployed environment, found through the outputs of its CloudFormation stacks."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bedrock_tuning.client import environments
from bedrock_tuning.client.aws import Aws
from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.config.deployed import from_settings
from bedrock_tuning.config.names import stack_name
from bedrock_tuning.contracts.contract import settings_prefix
from bedrock_tuning.defaults import CUSTOMIZATIONS
from bedrock_tuning.errors import UserError
from bedrock_tuning.s3_layout import Buckets
from bedrock_tuning.sources.listing import listed
from bedrock_tuning.wording import or_meant


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentClient:
    """Where one environment's parts are, and the clients to reach them.

    customizations: those that are deployed, by name, as their runs see them. options: what a
    person has to add to a `tuning` command so that it reaches this deployment.
    """

    aws: Aws
    environment: str
    buckets: Buckets
    runs_table: str
    workflow_arn: str
    approval_url: str
    customizations: Mapping[str, CustomizationSettings]
    topic: str = ""
    options: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """Where it is, for a screen that may cost money: environment, account and Region."""
        _, _, _, region, account, *_ = self.workflow_arn.split(":")
        return f"{self.environment} · {account} · {region}"

    def command(self, words: str) -> str:
        """A command to type next that reaches this deployment: "tuning run X -e prod"."""
        return " ".join(["tuning", words, *self.options])

    def execution_arn(self, name: str) -> str:
        """The ARN of one execution of the workflow by its name."""
        return f"{self.workflow_arn.replace(':stateMachine:', ':execution:')}:{name}"

    def running(self) -> Iterator[Any]:
        """The workflow's executions that have not ended, as Step Functions lists them."""
        return listed(
            self.aws.stepfunctions,
            "list_executions",
            "executions",
            stateMachineArn=self.workflow_arn,
            statusFilter="RUNNING",
        )

    def require(self, customization: str) -> None:
        """Raises UserError for a customization that is not deployed here.

        Without this nobody would notice: an upload to an unknown folder starts nothing.
        """
        if customization in self.customizations:
            return
        file = CUSTOMIZATIONS / f"{customization}.toml"
        if file.is_file():
            raise UserError(
                f"the customization {customization} is not deployed in {self.environment}",
                where=str(file),
                fix=f"deploy it: {deploy_command(self.environment, customization)}",
            )
        files = [path.stem for path in sorted(CUSTOMIZATIONS.glob("*.toml"))]
        names = dict.fromkeys([*self.customizations, *files])
        hint = or_meant(customization, names)
        choice = f"use one of {', '.join(self.customizations)}; to add one, "
        raise UserError(
            f"unknown customization {customization} in {self.environment}{hint}",
            fix=f"{choice if self.customizations else ''}create {file}",
        )


def deploy_command(environment: str, customization: str = "") -> str:
    """The command that deploys an environment, or one customization's stack in it."""
    target = stack_name(environment, customization) if customization else "--all"
    return f"cdk deploy {target} --context environment={environment}"


def find(
    aws: Aws, *, environment: str, options: tuple[str, ...] = (), any_version: bool = False
) -> DeploymentClient:
    """The deployment of an environment; raises UserError if its stacks are missing.

    any_version: also one that has no address for approvals yet; then its approval_url is "".
    """
    outputs: dict[str, str] = {}
    for part, names in environments.REQUIRED_OUTPUTS.items():
        stack = stack_name(environment, part)
        stack_outputs = _outputs(aws, stack, environment=environment)
        missing = [name for name in names if name not in stack_outputs]
        is_older = set(missing) <= set(environments.LATER)
        if missing and not (any_version and is_older):
            command = " ".join(["tuning upgrade", *options])
            raise UserError(
                f"the stack has no output {', '.join(missing)}",
                where=stack,
                fix=(f"`{command}`, then " if is_older else "")
                + f"deploy this version of the project: {deploy_command(environment)}",
            )
        outputs.update(stack_outputs)
    return DeploymentClient(
        aws=aws,
        environment=environment,
        buckets=Buckets(
            training=outputs["TrainingBucket"],
            validation=outputs["ValidationBucket"],
            output=outputs["OutputBucket"],
        ),
        runs_table=outputs["RunsTable"],
        workflow_arn=outputs["Workflow"],
        approval_url=outputs.get("ApprovalUrl", ""),
        topic=outputs.get("Topic", ""),
        customizations=customizations(aws, environment),
        options=options,
    )


def names_for_completion(aws: Aws, environment: str) -> list[str]:
    """Names of deployed customizations; none where AWS does not answer: nobody reads an error."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return sorted(name for name, _ in parameters(aws, settings_prefix(environment)))
    except (BotoCoreError, ClientError):
        return []


def parameters(aws: Aws, path: str, **options: Any) -> Iterator[tuple[str, str]]:
    """What is below a path in the Parameter Store: names from there on, and values.

    options: for GetParametersByPath.
    """
    for parameter in listed(aws.ssm, "get_parameters_by_path", "Parameters", Path=path, **options):
        yield parameter["Name"].removeprefix(f"{path}/"), parameter["Value"]


def customizations(aws: Aws, environment: str) -> dict[str, CustomizationSettings]:
    """What the customizations' stacks have written; without one of them, none are deployed."""
    settings = (
        from_settings(json.loads(value)).customization
        for _, value in parameters(aws, settings_prefix(environment))
    )
    return {
        customization.name: customization
        for customization in sorted(settings, key=lambda customization: customization.name)
    }


def _other_environments(aws: Aws) -> list[str]:
    """Environments that are deployed here; none for a person who may not list stacks."""
    from botocore.exceptions import ClientError

    try:
        return [environment.name for environment in environments.deployed(aws)]
    except ClientError:
        # It is a hint beside an error that is shown anyway.
        return []


def _outputs(aws: Aws, stack: str, *, environment: str) -> dict[str, str]:
    description = environments.stack_of(aws, stack)
    if description is None:
        names = _other_environments(aws)
        raise UserError(
            f"the environment {environment} is not deployed in "
            f"{aws.cloudformation.meta.region_name}" + or_meant(environment, names),
            where=stack,
            fix=(f"use -e {' or -e '.join(names)}, " if names else "")
            + f"choose another --region, or deploy it: {deploy_command(environment)}",
        )
    return environments.outputs_of(description)
