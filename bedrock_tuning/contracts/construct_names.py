"""The constructs that contracts name: what each is called there, and where it stands in the app."""

import re
from collections.abc import Iterable
from typing import Any, Final

from bedrock_tuning.config.sections.existing import EXISTING_SETTINGS
from bedrock_tuning.contracts.contract import MACHINE, FunctionSpec, Place
from bedrock_tuning.contracts.functions import FUNCTIONS
from bedrock_tuning.contracts.people import PEOPLE

# What `tuning` finds an environment by: the outputs of its stacks, and what each must be: the name
# of a construct, or an attribute of it.
OUTPUTS: Final = {
    "ApprovalUrl": "url.Approve:FunctionUrl",
    "TrainingBucket": "training",
    "ValidationBucket": "validation",
    "OutputBucket": "output",
    "ModelKey": "model-key:Arn",
    "RunsTable": "runs",
    "Workflow": "workflow",
    "Topic": "topic",
}

_BUCKET: Final = "AWS::S3::Bucket"
_KEY: Final = "AWS::KMS::Key"
_ROLE: Final = "AWS::IAM::Role"
_POLICY: Final = "AWS::IAM::ManagedPolicy"


def _data(path: str, kind: str) -> Place:
    return Place(stack="data", path=path, type=kind)


def _pipeline(path: str, kind: str, **properties: Any) -> Place:
    return Place(stack="pipeline", path=path, type=kind, properties=properties)


def places(customizations: Iterable[str], *, starters: bool = True) -> dict[str, Place]:
    """The constructs that contracts name, for these customizations, but those that are data alone.

    starters: whether each has a role that starts its jobs.
    """
    result = {
        "training": _data("Training", _BUCKET),
        "validation": _data("Validation", _BUCKET),
        "output": _data("Output", _BUCKET),
        "access-logs": _data("AccessLogs", _BUCKET),
        "data-key": _data("DataKey", _KEY),
        "operations-key": _pipeline("OperationsKey", _KEY),
        "topic": _pipeline(
            "Messages/Topic",
            "AWS::SNS::Topic",
            DisplayName="Bedrock Tuning",
            KmsMasterKeyId="{operations-key}",
        ),
        # As long as SQS keeps messages.
        "dead-letters": _pipeline(
            "Messages/DeadLetters",
            "AWS::SQS::Queue",
            KmsMasterKeyId="{operations-key}",
            MessageRetentionPeriod=14 * 86_400,
        ),
        "workflow": _pipeline("Workflow", MACHINE),
        "logs.workflow": _pipeline("WorkflowLogs", "AWS::Logs::LogGroup"),
        "role.workflow": _pipeline("WorkflowRole", _ROLE),
        "role.upload-rule": _pipeline("UploadRuleRole", _ROLE),
        "role.lease-schedule": _pipeline("LeaseScheduleRole", _ROLE),
        "role.reconcile-schedule": _pipeline("ReconcileScheduleRole", _ROLE),
        "run-guard": _pipeline("RunGuard", "Custom::RunGuard"),
        "used-by-runs": _pipeline("UsedByRuns", "AWS::SSM::Parameter"),
    }
    for spec in FUNCTIONS:
        result |= of_function(spec)
    for persona in PEOPLE:
        if not persona.of_customization:
            result[f"person.{persona.name}"] = Place(
                stack="people", path=persona.construct, type=_POLICY
            )
    for name in customizations:
        result |= of_customization(name)
        if not starters:
            del result[f"role.start.{name}"]
    return result


def setting_of(logical_id: str) -> tuple[str, str]:
    """The setting that names a resource with this id, and the stack that makes one without it.

    Both are "" if no setting does.

    >>> setting_of("Training1DBE9C16")
    ('training_bucket', 'data')
    """
    # The CDK makes an id of the path and eight digits of its hash.
    construct = re.sub(r"[0-9A-F]{8}$", "", logical_id)
    by_path = {
        place.path: (EXISTING_SETTINGS[name], place.stack)
        for name, place in places(()).items()
        if name in EXISTING_SETTINGS
    }
    return by_path.get(construct, ("", ""))


def policy_output(construct: str) -> str:
    """The output that says which policy is a person's, by what the policy is called."""
    return f"{construct}Policy"


def output_name(name: str, attribute: str = "") -> str:
    """The output by which other stacks know what a placeholder stands for: "DataKeyArn"."""
    words = re.findall(r"[A-Za-z0-9]+", f"{name}.{attribute or 'arn'}")
    return "".join(f"{word[0].upper()}{word[1:]}" for word in words)


def export_name(environment: str, name: str, attribute: str = "") -> str:
    """The name under which that output is exported."""
    return f"tuning-{environment}-{output_name(name, attribute)}"


def of_customization(name: str) -> dict[str, Place]:
    """Its policies and roles; what else is in its stack is data alone."""
    people = {
        f"person.{persona.name}.{name}": Place(stack=name, path=persona.construct, type=_POLICY)
        for persona in PEOPLE
        if persona.of_customization
    }
    return people | {
        f"role.{kind}.{name}": Place(stack=name, path=path, type=_ROLE)
        for kind, path in (("bedrock", "BedrockRole"), ("start", "Starter"))
    }


def of_function(spec: FunctionSpec) -> dict[str, Place]:
    """A function with its logs and its role, and its address, if it has one."""
    parts = [
        ("function", "Function", "AWS::Lambda::Function"),
        ("logs", "Logs", "AWS::Logs::LogGroup"),
        ("role", "Role", _ROLE),
    ]
    result = {
        f"{name}.{spec.name}": Place(stack=spec.stack, path=f"{spec.path}/{part}", type=kind)
        for name, part, kind in parts
    }
    if spec.url:
        # Whoever calls it signs, and the function learns who that is.
        signed = {"TargetFunctionArn": f"{{function.{spec.name}}}", "AuthType": "AWS_IAM"}
        result[f"url.{spec.name}"] = Place(
            stack=spec.stack, path=f"{spec.path}/Url", type="AWS::Lambda::Url", properties=signed
        )
    return result
