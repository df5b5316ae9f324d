"""Which permission each role needs for what: one line more, and one more is taken away."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.e2e.stage import Stage
from tests.e2e.world import NAME

DATA, OPERATIONS = "DataKey", "OperationsKey"
FOLDERS = "/*/*"  # of all customizations, in the dataset buckets


@dataclass(frozen=True)
class Taken:
    """One permission, and the call that needs it. on: part of the resource, or a key's name."""

    role: str
    action: str
    call: Callable[[Stage], Any]
    on: str = ""

    def __str__(self) -> str:
        return f"{self.role} {self.action} {self.on}".strip()


def _state(name: str) -> Callable[[Stage], Any]:
    return lambda stage: stage.state(name)


def _each(role: str, call: Callable[[Stage], Any], *actions: str, on: str = "") -> list[Taken]:
    return [Taken(role, action, call, on) for action in actions]


RUNS = ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem")
LOOK = (
    "bedrock:ListProvisionedModelThroughputs",
    "bedrock:GetProvisionedModelThroughput",
    "bedrock:ListTagsForResource",
)
ADMIT, MANIFEST, MERGE = _state("Admit"), _state("Check manifest"), _state("Merge report")
PREPARE, RECORD, CLOSE = _state("Prepare job"), _state("Record job"), _state("Close run")
DRAW = _state("Draw page")

# Permission by permission, with the function that needs it.
FUNCTIONS = [
    *_each("Admit", ADMIT, "s3:ListBucketVersions", *RUNS[:2], "bedrock:GetFoundationModel"),
    *_each("Admit", ADMIT, "kms:Decrypt", on=OPERATIONS),
    *_each("CheckManifest", MANIFEST, "s3:GetObjectVersion", "s3:PutObject"),
    *_each("CheckManifest", MANIFEST, "kms:Decrypt", "kms:GenerateDataKey", on=DATA),
    *_each("CheckImages", Stage.shard, "s3:GetObject", on=FOLDERS),
    *_each("CheckImages", Stage.shard, "s3:GetObject", "s3:PutObject", on="/work/"),
    *_each("CheckImages", Stage.shard, "kms:Decrypt", "kms:GenerateDataKey", on=DATA),
    *_each("Merge", MERGE, "s3:GetObject", "s3:ListBucket", "s3:PutObject", RUNS[2]),
    *_each("Merge", MERGE, "kms:Decrypt", "kms:GenerateDataKey", on=DATA),
    *_each("Merge", MERGE, "kms:Decrypt", on=OPERATIONS),
    *_each("StartJob", PREPARE, "s3:ListBucketVersions", "s3:PutObject", *RUNS),
    *_each("StartJob", PREPARE, "kms:Decrypt", "kms:GenerateDataKey", on=DATA),
    *_each("StartJob", PREPARE, "kms:Decrypt", on=OPERATIONS),
    *_each("StartJob", PREPARE, "servicequotas:GetServiceQuota", "bedrock:ListCustomModels"),
    *_each("StartJob", PREPARE, "servicequotas:GetAWSDefaultServiceQuota"),
    *_each("StartJob", PREPARE, "bedrock:ListProvisionedModelThroughputs"),
    *_each("StartJob", Stage.same_work_again, "bedrock:GetCustomModel"),
    *_each("StartJob", Stage.work_that_failed_again, "bedrock:GetModelCustomizationJob"),
    *_each("RecordJob", RECORD, "s3:GetObject", "s3:ListBucket", "s3:PutObject", *RUNS),
    *_each("RecordJob", RECORD, "kms:Decrypt", "kms:GenerateDataKey", on=DATA),
    *_each("RecordJob", RECORD, "kms:Decrypt", on=OPERATIONS),
    *_each("Serve", Stage.served, *LOOK, *RUNS[:2]),
    *_each("Serve", Stage.served, "kms:Decrypt", on=OPERATIONS),
    *_each("Serve", Stage.buy, "ssm:GetParameter"),
    *_each("Serve", Stage.buy, "bedrock:GetFoundationModel"),
    *_each("Serve", Stage.buy, RUNS[2]),
    *_each("Serve", Stage.learn_the_base, "bedrock:GetCustomModel"),
    *_each("Serve", Stage.served, "bedrock:InvokeModel"),
    *_each("Serve", Stage.served, "ssm:PutParameter", "bedrock:TagResource"),
    *_each("Serve", Stage.undo_swap, "bedrock:UpdateProvisionedModelThroughput"),
    *_each("Serve", Stage.undo_create, "bedrock:DeleteProvisionedModelThroughput"),
    *_each("Serve", Stage.undo_create, "ssm:DeleteParameter"),
    *_each("Serve", Stage.buy, "bedrock:CreateProvisionedModelThroughput", "bedrock:TagResource"),
    *_each("CloseRun", CLOSE, *RUNS),
    *_each("CloseRun", CLOSE, "kms:Decrypt", on=OPERATIONS),
    *_each("Serve", Stage.served, "s3:PutObject"),
    *_each("Serve", Stage.served, "kms:GenerateDataKey", on=DATA),
    *_each("DrawPage", DRAW, "s3:GetObject", on="reports/"),
    *_each("DrawPage", DRAW, "s3:PutObject", RUNS[0]),
    *_each("DrawPage", DRAW, "kms:Decrypt", "kms:GenerateDataKey", on=DATA),
    *_each("DrawPage", DRAW, "kms:Decrypt", on=OPERATIONS),
    *_each("KeepLeases", Stage.keep_leases, *LOOK, "ssm:GetParameter", "ssm:DeleteParameter"),
    *_each("KeepLeases", Stage.keep_leases, "bedrock:DeleteProvisionedModelThroughput"),
    *_each("KeepLeases", Stage.keep_leases, "ssm:GetParametersByPath", "sns:Publish"),
    *_each("KeepLeases", Stage.keep_leases, *RUNS[:2]),
    *_each("KeepLeases", Stage.keep_leases, "kms:Decrypt", "kms:GenerateDataKey", on=OPERATIONS),
    *_each("GuardRuns", Stage.guard_runs, "ssm:GetParameter", "dynamodb:Query"),
    *_each("GuardRuns", Stage.guard_runs, "kms:Decrypt", on=OPERATIONS),
    *_each("ProvisionedThroughput", Stage.deploy_again, *LOOK),
    *_each("ProvisionedThroughput", Stage.deploy, "ssm:PutParameter", "ssm:GetParameter"),
    *_each("ProvisionedThroughput", Stage.deploy, "states:StartExecution"),
    *_each("ProvisionedThroughput", Stage.deploy, RUNS[0]),
    *_each("ProvisionedThroughput", Stage.deploy, "kms:Decrypt", on=OPERATIONS),
    *_each("ProvisionedThroughput", Stage.destroy, RUNS[1]),
    *_each("ProvisionedThroughput", Stage.destroy, "bedrock:ListModelCustomizationJobs"),
    *_each("ProvisionedThroughput", Stage.destroy, "ssm:DeleteParameter"),
    *_each("ProvisionedThroughput", Stage.destroy, "bedrock:DeleteProvisionedModelThroughput"),
]

# What the workflow itself does, by the state that does it.
WORKFLOW = {
    ("lambda:InvokeFunction", ""): "Admit",
    ("sns:Publish", ""): "Ask for approval",
    ("kms:GenerateDataKey", OPERATIONS): "Ask for approval",
    ("dynamodb:UpdateItem", ""): "Await approval",
    ("kms:Decrypt", OPERATIONS): "Await approval",
    ("ssm:GetParameter", ""): "Load settings",
}

# Whole runs, at least one for each role whose failure a run's own message can tell.
WHOLE_RUNS = [
    ("Admit", "dynamodb:PutItem", ""),
    ("CheckManifest", "s3:PutObject", ""),
    ("CheckImages", "s3:GetObject", FOLDERS),
    ("Merge", "s3:ListBucket", ""),
    ("StartJob", "dynamodb:UpdateItem", ""),
    ("workflow", "states:StartExecution", ""),
    ("workflow", "s3:GetObject", ""),
    ("workflow", "kms:Decrypt", DATA),
    (f"bedrock.{NAME}", "s3:PutObject", ""),
    # Another state machine than the workflow cannot become a starter.
    ("workflow", "sts:AssumeRole", ""),
    (f"start.{NAME}", "bedrock:CreateModelCustomizationJob", ""),
    (f"start.{NAME}", "bedrock:TagResource", ""),
    (f"start.{NAME}", "iam:PassRole", ""),
    ("RecordJob", "s3:ListBucket", ""),
    ("Serve", "bedrock:CreateProvisionedModelThroughput", ""),
]

# By role ("" for all) and action: why nothing fails here without it.
NOT_NEEDED_HERE = {
    ("", "kms:DescribeKey"): "DynamoDB asks for it, the emulator does not",
    ("", "logs:CreateLogStream"): "a function runs without its log, as on AWS",
    ("", "logs:PutLogEvents"): "a function runs without its log, as on AWS",
    ("", "bedrock:CreateCustomModelDeployment"): "this base model is not served on demand",
    ("", "bedrock:DeleteCustomModelDeployment"): "this base model is not served on demand",
    ("", "bedrock:GetCustomModelDeployment"): "this base model is not served on demand",
    ("", "bedrock:ListCustomModelDeployments"): "this base model is not served on demand",
    ("", "bedrock:UpdateCustomModelDeployment"): "this base model is not served on demand",
    ("StartJob", "pricing:GetProducts"): "older prices are known, and the estimate says so",
    ("CheckManifest", "s3:GetObject"): "every manifest is read in a version",
    ("StartJob", "s3:GetObject"): "every manifest is read in a version",
    ("StartJob", "states:DescribeExecution"): "only of another run that holds the same work",
    ("KeepLeases", "cloudwatch:GetMetricStatistics"): "only with idle_hours, after so many",
    ("KeepLeases", "states:StartExecution"): "only for a run whose execution is gone",
    ("ProvisionedThroughput", "bedrock:TagResource"): "only of what is renamed",
    ("ProvisionedThroughput", "dynamodb:Query"): "only of what is renamed",
    ("ProvisionedThroughput", "dynamodb:UpdateItem"): "only of what is renamed",
    ("DrawPage", "s3:GetObjectVersion"): "the small pictures of a run are drawn once",
    ("DrawPage", "s3:ListBucket"): "asked when S3 refuses a key: all is there here",
    ("CheckImages", "s3:ListBucket"): "asked for when S3 refuses a key: no picture is missing here",
}
