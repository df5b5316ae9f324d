"""The constructs that contracts name: what each is called there, and where it stands in the app."""

from collections.abc import Iterable
from typing import Final

from bedrock_tuning.contracts.contract import Place

# The functions of the pipeline, by construct, with their modules in lambdas/.
RUN_FUNCTIONS: Final = {
    "Admit": "admit",
    "CheckManifest": "check_manifest",
    "CheckImages": "check_images",
    "Merge": "merge",
    "StartJob": "start_job",
    "RecordJob": "record_job",
    "Serve": "serve",
    "CloseRun": "close_run",
    "KeepLeases": "keep_leases",
}
# Those that the workflow calls; the lease keeper is called by its schedule.
WORKFLOW_FUNCTIONS: Final = tuple(name for name in RUN_FUNCTIONS if name != "KeepLeases")
PROVIDER: Final = "ProvisionedThroughput"

# What `tuning` finds an environment by: the outputs of its stacks, and whose name each must be.
OUTPUTS: Final = {
    "TrainingBucket": "training",
    "ValidationBucket": "validation",
    "OutputBucket": "output",
    "RunsTable": "runs",
    "Workflow": "workflow",
    "Topic": "topic",
}

_BUCKET: Final = "AWS::S3::Bucket"
_KEY: Final = "AWS::KMS::Key"
_ROLE: Final = "AWS::IAM::Role"


def _data(path: str, kind: str) -> Place:
    return Place(stack="data", path=path, type=kind)


def _pipeline(path: str, kind: str) -> Place:
    return Place(stack="pipeline", path=path, type=kind)


def places(customizations: Iterable[str]) -> dict[str, Place]:
    """Every construct that contracts name, for these customizations."""
    found = {
        "training": _data("Training", _BUCKET),
        "validation": _data("Validation", _BUCKET),
        "output": _data("Output", _BUCKET),
        "access-logs": _data("AccessLogs", _BUCKET),
        "data-key": _data("DataKey", _KEY),
        "operations-key": _pipeline("OperationsKey", _KEY),
        "runs": _pipeline("Runs", "AWS::DynamoDB::Table"),
        "topic": _pipeline("Messages/Topic", "AWS::SNS::Topic"),
        "dead-letters": _pipeline("Messages/DeadLetters", "AWS::SQS::Queue"),
        "workflow": _pipeline("Workflow", "AWS::StepFunctions::StateMachine"),
        "logs.workflow": _pipeline("WorkflowLogs", "AWS::Logs::LogGroup"),
        "role.workflow": _pipeline("WorkflowRole", _ROLE),
        "upload-rule": _pipeline("ManifestUploaded", "AWS::Events::Rule"),
        "role.upload-rule": _pipeline("UploadRuleRole", _ROLE),
        "lease-schedule": _pipeline("KeepLeases", "AWS::Scheduler::Schedule"),
        "role.lease-schedule": _pipeline("LeaseScheduleRole", _ROLE),
    }
    functions = {name: ("pipeline", f"Functions/{name}") for name in RUN_FUNCTIONS}
    functions[PROVIDER] = ("serving", PROVIDER)
    for name, (stack, path) in functions.items():
        found |= {
            f"function.{name}": Place(
                stack=stack, path=f"{path}/Function", type="AWS::Lambda::Function"
            ),
            f"logs.{name}": Place(stack=stack, path=f"{path}/Logs", type="AWS::Logs::LogGroup"),
            f"role.{name}": Place(stack=stack, path=f"{path}/Role", type=_ROLE),
        }
    for name in customizations:
        found[f"role.bedrock.{name}"] = _pipeline(f"BedrockRole-{name}/Role", _ROLE)
        found[f"serving.{name}"] = Place(
            stack="serving", path=f"Throughput-{name}", type="Custom::ProvisionedThroughput"
        )
    return found
