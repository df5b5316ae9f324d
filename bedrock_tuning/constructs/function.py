"""One Lambda function from one module in lambdas/: its code, role, log group and alarm.

Every function ships the same asset: what the handlers import (bedrock_tuning.constructs.asset). The
wheels come as a layer (bedrock_tuning.constructs.layer).
"""

from collections.abc import Mapping

from aws_cdk import Annotations, CfnMapping, Duration, IgnoreMode, RemovalPolicy, Size
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from bedrock_tuning.constructs.asset import exclusions, shipped_files, sources
from bedrock_tuning.constructs.layer import wheels
from bedrock_tuning.constructs.permissions import Permissions
from bedrock_tuning.constructs.written import written
from bedrock_tuning.contracts import FunctionSpec
from bedrock_tuning.files import files_below, tree_hash


def log_group(
    scope: Construct, construct_id: str, *, key: kms.IKey, days: int, name: str | None = None
) -> logs.LogGroup:
    """A log group that goes with its stack; days: one of settings_limits.LOG_RETENTION_DAYS."""
    group = logs.LogGroup(
        scope,
        construct_id,
        log_group_name=name,
        encryption_key=key,
        removal_policy=RemovalPolicy.DESTROY,
    )
    resource = group.node.default_child
    if not isinstance(resource, logs.CfnLogGroup):
        raise TypeError(f"{group.node.path} has no CfnLogGroup")
    # The property, as the L2 takes a word for each number.
    resource.retention_in_days = days
    return group


class Runtime(Construct):
    """What the functions of one stack share: code, wheels, settings, contracts, key."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        permissions: Permissions,
        log_key: kms.IKey,
    ) -> None:
        super().__init__(scope, construct_id)
        self.permissions = permissions
        self.log_key = log_key
        files = shipped_files()
        code = assets.Asset(
            self,
            "Asset",
            path=str(sources()),
            exclude=exclusions(files),
            ignore_mode=IgnoreMode.GIT,
            # A hash of ours, which the review can compute again from what is uploaded.
            asset_hash=tree_hash(sources(), files),
        )
        # Written once, as all functions get the same code: `cdk diff` shows one line of a change.
        key = CfnMapping(self, "Code", mapping={"AllFunctions": {"S3Key": code.s3_object_key}})
        Annotations.of(code.bucket).acknowledge_warning(
            "@aws-cdk/aws-lambda:codeFromBucketObjectVersionNotSpecified", "other code, other key"
        )
        self.code = lambda_.Code.from_bucket(code.bucket, key.find_in_map("AllFunctions", "S3Key"))
        folder = wheels(permissions.settings.functions)
        installed = [name for name in files_below(folder) if "__pycache__" not in name]
        self.layer = lambda_.LayerVersion(
            self,
            "Wheels",
            code=lambda_.Code.from_asset(
                str(folder),
                exclude=["__pycache__"],
                ignore_mode=IgnoreMode.GIT,
                asset_hash=tree_hash(folder, installed),
            ),
            description="boto3 and the rest, as locked in lambdas/requirements.txt",
            removal_policy=RemovalPolicy.DESTROY,
        )


class PythonFunction(Construct):
    """A function as it is specified, with a role of its own that says all it may do."""

    def __init__(
        self, scope: Construct, construct_id: str, *, spec: FunctionSpec, runtime: Runtime
    ) -> None:
        super().__init__(scope, construct_id)
        permissions = runtime.permissions
        contract = permissions.contracts.function(spec.name)
        days = permissions.settings.log_retention_days
        self.log_group = log_group(self, "Logs", key=runtime.log_key, days=days)
        permissions.register(contract.log_group, arn=self.log_group.log_group_arn)
        self.role = permissions.role(self, spec.name, description=f"lambdas/{spec.module}.py")
        self.function = lambda_.Function(
            self,
            "Function",
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=(
                lambda_.Architecture.ARM_64
                if permissions.settings.functions == "lambda"
                else lambda_.Architecture.X86_64
            ),
            code=runtime.code,
            layers=[runtime.layer],
            handler=spec.handler,
            role=self.role.without_policy_updates(),
            environment={
                name: permissions.fill(text, self) for name, text in contract.environment.items()
            },
            timeout=Duration.minutes(spec.timeout_minutes),
            memory_size=spec.memory_mb,
            ephemeral_storage_size=Size.mebibytes(spec.disk_mb),
            log_group=self.log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            tracing=lambda_.Tracing.ACTIVE if permissions.contracts.chosen.tracing else None,
            description=f"lambdas/{spec.module}.py",
        )
        permissions.register(
            contract.name, arn=self.function.function_arn, name=self.function.function_name
        )
        if spec.url:
            self.url = written(self, f"url.{spec.name}", permissions)
        if contract.vpc:
            self._attach(contract.vpc, permissions)

    def _attach(self, vpc: Mapping[str, list[str]], permissions: Permissions) -> None:
        # The property and not the L2's vpc, which wants the whole VPC as a construct.
        resource = self.function.node.default_child
        if not isinstance(resource, lambda_.CfnFunction):
            raise TypeError(f"{self.function.node.path} has no CfnFunction")
        ids = {key: [permissions.fill(text, self) for text in vpc[key]] for key in vpc}
        resource.vpc_config = lambda_.CfnFunction.VpcConfigProperty(
            subnet_ids=ids["SubnetIds"], security_group_ids=ids["SecurityGroupIds"]
        )
