"""A deployment that fails at any resource leaves nothing in the way of the next one.

The real CDK CLI deploys templates in which one resource cannot be made, and then the right ones.
All of them: `make repeat-deploys`; `make test-long` repeats the first.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.demo.deploy import DeployError, bootstrap, cdk
from local.emulator.server import LocalAws
from tests.e2e.changed import changed
from tests.e2e.world import World

# In the order of their stacks: those before have to be there.
RESOURCES = (
    ("data", "AWS::KMS::Key", "DataKey"),
    ("data", "AWS::S3::Bucket", "Output"),
    ("data", "AWS::S3::BucketPolicy", "Training/Policy"),
    ("pipeline", "AWS::DynamoDB::Table", "Runs"),
    ("pipeline", "AWS::Lambda::Function", "Functions/Admit/Function"),
    ("pipeline", "AWS::StepFunctions::StateMachine", "Workflow"),
    ("pipeline", "AWS::Events::Rule", "ManifestUploaded"),
    ("serving", "AWS::Logs::LogGroup", "ProvisionedThroughput/Logs"),
    ("pets-search", "AWS::IAM::Role", "Starter"),
    ("pets-search", "Custom::ProvisionedThroughput", "Throughput"),
)
pytestmark = [pytest.mark.e2e, pytest.mark.long]

NOBODY = "arn:aws:lambda:us-east-1:000000000000:function:nobody"
TRIED = RESOURCES if os.environ.get("EVERY_RESOURCE") else RESOURCES[:1]


@dataclass
class Deployments:
    """A local AWS to which nothing but the bootstrap is deployed at first, and right templates."""

    aws: LocalAws
    folder: Path
    right: Path

    def deploy(self, stack: str, templates: Path) -> None:
        """The CDK CLI, as a person calls it for one stack."""
        asked = ["--exclusively", "--require-approval", "never", "--app", str(templates)]
        cdk(self.aws, self.folder, ["deploy", f"tuning-local-{stack}", *asked], say=None)

    def broken(self, stack: str, kind: str, path: str) -> Path:
        """Templates in which one resource is a custom one, whose function does not exist."""
        start = f"tuning-local-{stack}/{path}/"

        def change(resources: dict[str, Any]) -> None:
            (resource,) = (
                each
                for each in resources.values()
                if each["Type"] == kind
                and each.get("Metadata", {}).get("aws:cdk:path", "").startswith(start)
            )
            resource |= {"Type": "Custom::Broken", "Properties": {"ServiceToken": NOBODY}}

        copy = self.folder / f"broken-{kind.replace(':', '')}"
        return changed(self.right, copy, f"tuning-local-{stack}", change)

    def status(self, stack: str) -> str:
        """Of a stack, as CloudFormation has it; "" where there is none."""
        client = self.aws.client("cloudformation")
        found = client.describe_stacks()["Stacks"]
        return next(
            (e["StackStatus"] for e in found if e["StackName"] == f"tuning-local-{stack}"), ""
        )


@pytest.fixture(scope="module")
def deployments(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployments]:
    """One for all resources: what was repeated to success stays for the next ones."""
    folder = tmp_path_factory.mktemp("repeated")
    with LocalAws.start(state=folder / "state", port=0) as aws:
        bootstrap(aws, folder)
        yield Deployments(aws=aws, folder=folder, right=world.folder / "cdk.out")


@pytest.mark.parametrize(("stack", "kind", "path"), TRIED, ids=[each[1] for each in TRIED])
def test_a_deployment_that_failed_is_repeated_to_success(
    deployments: Deployments, stack: str, kind: str, path: str
) -> None:
    earlier = deployments.status(stack)
    if earlier:
        cdk(
            deployments.aws,
            deployments.folder,
            ["destroy", f"tuning-local-{stack}", "--force", "--app", str(deployments.right)],
            say=None,
        )
    with pytest.raises(DeployError):
        deployments.deploy(stack, deployments.broken(stack, kind, path))
    assert deployments.status(stack) == "ROLLBACK_COMPLETE"

    deployments.deploy(stack, deployments.right)

    assert deployments.status(stack) == "CREATE_COMPLETE"
