"""One deployed environment, found through the outputs of its CloudFormation stacks."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final

import click

from bedrock_tuning.cli.terminal.aws import Aws
from bedrock_tuning.cli.terminal.errors import CannotRun
from bedrock_tuning.s3_layout import Buckets

_OUTPUTS: Final = {
    "data": ("TrainingBucket", "ValidationBucket", "OutputBucket"),
    "pipeline": ("RunsTable", "Workflow", "Customizations"),
}
DEFAULT_ENVIRONMENT: Final = "dev"
_VARIABLE: Final = "TUNING_ENVIRONMENT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Where one environment's parts are, and the clients to reach them.

    customizations: the names of those that were deployed. region: as given on the command line.
    """

    aws: Aws
    environment: str
    buckets: Buckets
    runs_table: str
    workflow_arn: str
    customizations: tuple[str, ...]
    region: str | None = None

    def command(self, words: str) -> str:
        """A command to type next that reaches this deployment: "tuning run X -e prod"."""
        parts = ["tuning", words]
        usual = os.environ.get(_VARIABLE) or DEFAULT_ENVIRONMENT
        # Also where the variable chooses it: the next shell may not have the variable.
        if {self.environment, usual} != {DEFAULT_ENVIRONMENT}:
            parts.append(f"-e {self.environment}")
        if self.region:
            parts.append(f"--region {self.region}")
        return " ".join(parts)

    def execution_arn(self, name: str) -> str:
        """The ARN of one execution of the workflow by its name."""
        return f"{self.workflow_arn.replace(':stateMachine:', ':execution:')}:{name}"


Deployed = Callable[[], Deployment]


def find(aws: Aws, *, environment: str, region: str | None = None) -> Deployment:
    """The deployment of an environment; raises CannotRun if its stacks are not there."""
    found: dict[str, str] = {}
    for part, names in _OUTPUTS.items():
        stack = f"tuning-{environment}-{part}"
        deploy = f"cdk deploy --all --context environment={environment}"
        outputs = _outputs(aws, stack, deploy=deploy)
        missing = [name for name in names if name not in outputs]
        if missing:
            raise CannotRun(
                f"the stack has no output {', '.join(missing)}",
                where=stack,
                fix=f"deploy this version of the project: {deploy}",
            )
        found.update({name: outputs[name] for name in names})
    return Deployment(
        aws=aws,
        environment=environment,
        buckets=Buckets(
            training=found["TrainingBucket"],
            validation=found["ValidationBucket"],
            output=found["OutputBucket"],
        ),
        runs_table=found["RunsTable"],
        workflow_arn=found["Workflow"],
        customizations=tuple(filter(None, found["Customizations"].split(","))),
        region=region,
    )


def _outputs(aws: Aws, stack: str, *, deploy: str) -> dict[str, str]:
    from botocore.exceptions import ClientError

    try:
        (found,) = aws.cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        raise CannotRun(
            "there is no such stack here",
            where=f"{stack} in {aws.cloudformation.meta.region_name}",
            fix=f"choose another --environment or --region, or deploy it: {deploy}",
        ) from None
    return {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", ())}


def deployment_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--environment and --region; the command gets `deployed`, which looks when it is called."""

    @click.option(
        "--environment",
        "-e",
        envvar=_VARIABLE,
        default=DEFAULT_ENVIRONMENT,
        show_default=True,
        show_envvar=True,
        help="Which deployed environment, as named in cdk.json.",
    )
    @click.option("--region", help="AWS Region; as for the AWS CLI if not given.")
    @click.pass_context
    @wraps(command)
    def wrapped(
        ctx: click.Context, /, *args: Any, environment: str, region: str | None, **kwargs: Any
    ) -> Any:
        aws = ctx.obj or Aws(region=region)

        def deployed() -> Deployment:
            return find(aws, environment=environment, region=region)

        return command(*args, deployed=deployed, **kwargs)

    return wrapped
