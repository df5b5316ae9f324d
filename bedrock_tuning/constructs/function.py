"""One Lambda function from one module in lambdas/: its code, role, log group and alarm.

Every function ships the same asset: what the handlers import (bedrock_tuning.constructs.asset). The
wheels come as a layer (bedrock_tuning.constructs.layer).
"""

from aws_cdk import CfnMapping, IgnoreMode, RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from bedrock_tuning.constructs.asset import exclusions, shipped_files, source_folder
from bedrock_tuning.constructs.layer import wheels
from bedrock_tuning.constructs.permissions import Permissions
from bedrock_tuning.constructs.written import written
from bedrock_tuning.contracts import FunctionSpec
from bedrock_tuning.files import files_below, tree_hash


class Runtime(Construct):
    """What the functions of one stack share: code, wheels, contracts."""

    def __init__(self, scope: Construct, *, permissions: Permissions) -> None:
        super().__init__(scope, "Runtime")
        self.permissions = permissions
        files = shipped_files()
        code = assets.Asset(
            self,
            "Asset",
            path=str(source_folder()),
            exclude=exclusions(files),
            ignore_mode=IgnoreMode.GIT,
            # A hash of ours, which the review can compute again from what is uploaded.
            asset_hash=tree_hash(source_folder(), files),
        )
        # Written once, as all functions get the same code: `cdk diff` shows one line of a change.
        key = CfnMapping(self, "Code", mapping={"AllFunctions": {"S3Key": code.s3_object_key}})
        self.code = lambda_.CfnFunction.CodeProperty(
            s3_bucket=code.s3_bucket_name, s3_key=key.find_in_map("AllFunctions", "S3Key")
        )
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

    def __init__(self, scope: Construct, *, spec: FunctionSpec, runtime: Runtime) -> None:
        super().__init__(scope, spec.name)
        permissions = runtime.permissions
        written(self, f"logs.{spec.name}", permissions, inside=True)
        self.role = permissions.role(self, spec.name, description=f"lambdas/{spec.module}.py")
        function = written(
            self,
            f"function.{spec.name}",
            permissions,
            inside=True,
            code=runtime.code,
            layers=[runtime.layer.layer_version_arn],
        )
        function.node.add_dependency(self.role)
        if spec.url:
            self.url = written(self, f"url.{spec.name}", permissions)
