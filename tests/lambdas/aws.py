"""All of AWS that one test has, and the names of what the stacks would have made."""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.lambdas.bedrock import Bedrock
from tests.lambdas.fakes import (
    DEPLOYED,
    S3,
    BedrockRuntime,
    CloudWatch,
    DynamoDb,
    Ec2,
    Events,
    Pricing,
    ServiceQuotas,
    Sns,
    Ssm,
    StepFunctions,
)

TRAINING, VALIDATION, OUTPUT = "a-training", "a-validation", "an-output"
PREFIX = "/bedrock-tuning/dev"
SETTINGS = "/bedrock-tuning-settings/dev"
USED = "/bedrock-tuning-used-by-runs/dev"
TOPIC = "arn:aws:sns:us-east-1:000000000000:a-topic"
WORKFLOW = "arn:aws:states:us-east-1:000000000000:stateMachine:a-workflow"
ROLE = "arn:aws:iam::000000000000:role/a-service-role"


def settings(customization: str = "pets-search") -> dict[str, Any]:
    """What the workflow has read of a customization, and hands to every function."""
    found: dict[str, Any] = json.loads(DEPLOYED[f"{SETTINGS}/{customization}"])
    return found


@dataclass
class Aws:
    """All services of one test."""

    s3: S3 = field(default_factory=S3)
    dynamodb: DynamoDb = field(default_factory=DynamoDb)
    ssm: Ssm = field(default_factory=Ssm)
    events: Events = field(default_factory=Events)
    sns: Sns = field(default_factory=Sns)
    stepfunctions: StepFunctions = field(default_factory=StepFunctions)
    ec2: Ec2 = field(default_factory=Ec2)
    cloudwatch: CloudWatch = field(default_factory=CloudWatch)
    bedrock: Bedrock = field(default_factory=Bedrock)
    bedrock_runtime: BedrockRuntime = field(default_factory=BedrockRuntime)
    pricing: Pricing = field(default_factory=Pricing)
    service_quotas: ServiceQuotas = field(default_factory=ServiceQuotas)

    def runs(self, run: str, *, execution: str = "e1", status: str = "RUNNING") -> str:
        """The execution of a run is in this status; returns its name."""
        self.stepfunctions.statuses[execution] = status
        item = self.dynamodb.items[f"run#{run}"]
        item["execution"] = {"S": execution}
        return execution

    def pointer(self, name: str, customization: str = "pets-search") -> str | None:
        """A published pointer."""
        return self.ssm.values.get(f"{PREFIX}/{customization}/{name}")

    def run(self, run: str) -> dict[str, Any]:
        """A run's item."""
        return self.dynamodb.item(f"run#{run}")
