"""One Lambda function from one module in lambdas/: its code, role, log group and alarm.

Every function ships the same asset, an allow-list of source folders, so the import path in Lambda
is the import path in this repository and synth needs neither Docker nor pip. The wheels come as a
layer that `make install` puts under build/layers.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from aws_cdk import Duration, IgnoreMode, RemovalPolicy, Size, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from bedrock_tuning.config.lambda_environment import Environment
from bedrock_tuning.config.settings import Settings
from bedrock_tuning.constructs import statements as st
from bedrock_tuning.constructs.attachment import Attachment
from bedrock_tuning.constructs.role import trusted_by
from bedrock_tuning.errors import SettingsError

REPOSITORY: Final = Path(__file__).resolve().parents[2]
SHIPPED: Final = ("lambdas", "bedrock_tuning", "customizations")
_NOT_SHIPPED: Final = ("cli", "client", "constructs", "contracts", "review")
# The bare name excludes __pycache__ at any depth: it would change the asset's hash.
_EXCLUDE: Final = [
    "/*",
    *(f"!/{name}" for name in SHIPPED),
    "__pycache__",
    *(f"/bedrock_tuning/{name}" for name in _NOT_SHIPPED),
]


def retention(days: int) -> logs.RetentionDays:
    """CloudWatch's name for one of bedrock_tuning.config.settings_fields.LOG_RETENTION_DAYS."""
    names: dict[int, logs.RetentionDays] = {
        1: logs.RetentionDays.ONE_DAY,
        3: logs.RetentionDays.THREE_DAYS,
        5: logs.RetentionDays.FIVE_DAYS,
        7: logs.RetentionDays.ONE_WEEK,
        14: logs.RetentionDays.TWO_WEEKS,
        30: logs.RetentionDays.ONE_MONTH,
        60: logs.RetentionDays.TWO_MONTHS,
        90: logs.RetentionDays.THREE_MONTHS,
        120: logs.RetentionDays.FOUR_MONTHS,
        150: logs.RetentionDays.FIVE_MONTHS,
        180: logs.RetentionDays.SIX_MONTHS,
        365: logs.RetentionDays.ONE_YEAR,
        400: logs.RetentionDays.THIRTEEN_MONTHS,
        545: logs.RetentionDays.EIGHTEEN_MONTHS,
        731: logs.RetentionDays.TWO_YEARS,
        1096: logs.RetentionDays.THREE_YEARS,
        1827: logs.RetentionDays.FIVE_YEARS,
        2192: logs.RetentionDays.SIX_YEARS,
        2557: logs.RetentionDays.SEVEN_YEARS,
        2922: logs.RetentionDays.EIGHT_YEARS,
        3288: logs.RetentionDays.NINE_YEARS,
        3653: logs.RetentionDays.TEN_YEARS,
    }
    return names[days]


class Runtime(Construct):
    """What the functions of one stack share: code, wheels, settings, log key, network."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        log_key: kms.IKey,
        network: Attachment | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.network = network
        self.settings = settings
        self.log_key = log_key
        self.code = lambda_.Code.from_asset(
            str(REPOSITORY), exclude=_EXCLUDE, ignore_mode=IgnoreMode.GIT
        )
        wheels = REPOSITORY / "build" / "layers" / settings.functions
        if not (wheels / "python").is_dir():
            raise SettingsError(
                [f"build/layers/{settings.functions} is missing: run `make install`"]
            )
        self.layer = lambda_.LayerVersion(
            self,
            "Wheels",
            code=lambda_.Code.from_asset(
                str(wheels), exclude=["__pycache__"], ignore_mode=IgnoreMode.GIT
            ),
            description="msgspec and obstore, as locked in lambdas/requirements.txt",
            removal_policy=RemovalPolicy.DESTROY,
        )


class PythonFunction(Construct):
    """A function with a role of its own that says all it may do, and nothing managed by AWS."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        runtime: Runtime,
        module: str,
        environment: Environment,
        statements: Sequence[iam.PolicyStatement],
        timeout: Duration,
        memory_mb: int = 512,
        disk_mb: int = 512,
        reserved_concurrency: int | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        self.log_group = logs.LogGroup(
            self,
            "Logs",
            encryption_key=runtime.log_key,
            retention=retention(runtime.settings.log_retention_days),
            removal_policy=RemovalPolicy.DESTROY,
        )
        write_logs = iam.PolicyStatement(
            sid="WriteOwnLogs",
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            resources=[f"{self.log_group.log_group_arn}"],
        )
        attach = st.network_interfaces(stack) if runtime.network else []
        self.role = trusted_by(
            self,
            "Role",
            name=construct_id,
            service="lambda.amazonaws.com",
            description=f"lambdas/{module}.py",
            settings=runtime.settings,
            conditions={"StringEquals": {"aws:SourceAccount": stack.account}},
            statements=[*statements, write_logs, *attach],
        )
        self.function = lambda_.Function(
            self,
            "Function",
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=(
                lambda_.Architecture.ARM_64
                if runtime.settings.functions == "lambda"
                else lambda_.Architecture.X86_64
            ),
            code=runtime.code,
            layers=[runtime.layer],
            handler=f"lambdas.{module}.handler",
            role=self.role.without_policy_updates(),
            environment=environment.to_env(),
            timeout=timeout,
            memory_size=memory_mb,
            ephemeral_storage_size=Size.mebibytes(disk_mb),
            reserved_concurrent_executions=reserved_concurrency,
            log_group=self.log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            description=f"lambdas/{module}.py",
        )
        if runtime.network:
            _attach(self.function, runtime.network)

    def alarm_on_errors(self, construct_id: str, *, description: str) -> cloudwatch.Alarm:
        """An alarm that rings at the first error."""
        return self.function.metric_errors(period=Duration.minutes(5)).create_alarm(
            self,
            construct_id,
            threshold=1,
            evaluation_periods=1,
            alarm_description=description,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )


def _attach(function: lambda_.Function, network: Attachment) -> None:
    # The property and not the L2's vpc, which wants the whole VPC as a construct.
    resource = function.node.default_child
    if not isinstance(resource, lambda_.CfnFunction):
        raise TypeError(f"{function.node.path} has no CfnFunction")
    resource.vpc_config = lambda_.CfnFunction.VpcConfigProperty(
        subnet_ids=list(network.function_subnets),
        security_group_ids=list(network.function_groups),
    )
