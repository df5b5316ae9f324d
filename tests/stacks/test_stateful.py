"""What holds data or is known by its name outside keeps its logical id: a new one replaces it."""

from collections.abc import Mapping
from typing import Any, Final

import pytest

# As the templates of c42bc81 have them (tests/stacks/__snapshots__ there). A change here means that
# CloudFormation makes a new resource and, for what is retained, leaves the old one behind.
COMMITTED: Final[Mapping[str, Mapping[str, str]]] = {
    "data": {
        "AccessLogs8B620ECA": "AWS::S3::Bucket",
        "DataKey17AFBB84": "AWS::KMS::Key",
        "ModelKey797AAF76": "AWS::KMS::Key",
        "OutputAB65CDDE": "AWS::S3::Bucket",
        "Training1DBE9C16": "AWS::S3::Bucket",
        "ValidationBF173457": "AWS::S3::Bucket",
    },
    "network": {"NetworkKey3A91212F": "AWS::KMS::Key", "Vpc": "AWS::EC2::VPC"},
    "pipeline": {
        "MessagesDeadLetters3B953EB8": "AWS::SQS::Queue",
        "MessagesTopic8C98F4AF": "AWS::SNS::Topic",
        "OperationsKey2329F47A": "AWS::KMS::Key",
        "RunsE45A2291": "AWS::DynamoDB::Table",
        "Workflow193EF7C1": "AWS::StepFunctions::StateMachine",
    },
    "serving": {},
    "pets-search": {"Throughput": "Custom::ProvisionedThroughput"},
    "pets-style": {"Throughput": "Custom::ProvisionedThroughput"},
}
STATEFUL: Final = {kind for resources in COMMITTED.values() for kind in resources.values()}
OPTIONAL: Final = {"ModelKey797AAF76", "NetworkKey3A91212F", "Vpc"}


def _stateful(assembly: Any, environment: str) -> dict[str, dict[str, str]]:
    found = {}
    for stack in assembly.stacks:
        name = stack.stack_name.removeprefix(f"tuning-{environment}-")
        resources = stack.template["Resources"].items()
        found[name] = {k: r["Type"] for k, r in resources if r["Type"] in STATEFUL}
    return found


@pytest.mark.parametrize(("environment", "options"), [("dev", "all"), ("dev", ""), ("prod", "")])
def test_stateful_resources_keep_their_logical_ids(
    synth: Any, environment: str, options: str
) -> None:
    wanted = {
        stack: {k: v for k, v in resources.items() if options or k not in OPTIONAL}
        for stack, resources in COMMITTED.items()
        if options or stack != "network"
    }
    assert _stateful(synth(environment, options), environment) == wanted
