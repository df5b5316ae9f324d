"""What end-to-end tests do in the deployed app: upload as people do, follow, look at what came."""

import json
import time
from dataclasses import dataclass, field, replace
from itertools import cycle
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from bedrock_tuning import s3_layout
from bedrock_tuning.cli.__main__ import tuning
from bedrock_tuning.client import messages
from bedrock_tuning.client.deployment import DeploymentClient
from bedrock_tuning.run.messages import SOURCE
from local.demo import dataset
from local.emulator.server import LocalAws
from tests.e2e import following
from tests.e2e.following import EndedExecution, upload_manifest, upload_pictures

NAME = "pets-search"
TRAINING, VALIDATION = 1_000, 8
# Drawn and uploaded; the records refer to them by turns.
PICTURES = 12
# A bound for what never comes: on a machine under load, a run takes its time.
SECONDS = 300.0


@dataclass
class World:
    """The deployed app with pictures in both buckets and a validation manifest.

    pictures: one for each record. waiting: the end of the execution that the validation manifest
    alone started.
    """

    aws: LocalAws
    deployment: DeploymentClient
    folder: Path
    pictures: dict[s3_layout.Kind, list[dataset.Picture]] = field(default_factory=dict)
    waiting: EndedExecution | None = None
    _uploads: dict[str, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def with_pictures(cls, *, aws: LocalAws, deployment: DeploymentClient, folder: Path) -> "World":
        world = cls(aws=aws, deployment=deployment, folder=folder)
        counts: dict[s3_layout.Kind, int] = {"training": TRAINING, "validation": VALIDATION}
        for seed, (kind, count) in enumerate(counts.items()):
            world.add_pictures(kind, count=count, seed=seed)
        world.own_datasets()
        return world

    def own_datasets(self) -> None:
        """The validation manifest is that of our pictures, and no training manifest is there."""
        key = s3_layout.manifest_key(NAME)
        self.aws.client("s3").delete_object(Bucket=self.bucket("training"), Key=key)
        version = self.upload("validation", self.rows("validation"))
        self.waiting = self.follow(version, kind="validation")

    def add_pictures(self, kind: s3_layout.Kind, *, count: int, seed: int, by: Any = None) -> None:
        """Uploads pictures for so many records. by: what has a `client`, if not the local AWS."""
        folder = self.folder / kind
        drawn = list(
            dataset.draw_pictures(folder, count=min(count, PICTURES), seed=seed, prefix=kind)
        )
        upload_pictures(by or self.aws, folder, drawn, bucket=self.bucket(kind), customization=NAME)
        self.pictures[kind] = [
            replace(picture, caption=f"{picture.caption}, number {number}")
            for number, picture in zip(range(count), cycle(drawn), strict=False)
        ]

    def bucket(self, kind: s3_layout.Kind) -> str:
        """The dataset bucket of a kind."""
        return self.deployment.buckets.of(kind)

    @property
    def topic(self) -> str:
        """The ARN of the topic that tells people."""
        (stack,) = self.aws.client("cloudformation").describe_stacks(
            StackName="tuning-local-pipeline"
        )["Stacks"]
        (arn,) = (each["OutputValue"] for each in stack["Outputs"] if each["OutputKey"] == "Topic")
        return str(arn)

    def rows(self, kind: s3_layout.Kind = "training", *, salt: str = "") -> list[dict[str, str]]:
        """The records of a right manifest; another salt makes other data of the same pictures."""
        body = dataset.manifest(self.pictures[kind], bucket=self.bucket(kind), customization=NAME)
        rows = [json.loads(line) for line in body.splitlines()]
        return [{**row, "caption": f"{row['caption']}{salt}"} for row in rows]

    def upload(
        self, kind: s3_layout.Kind, rows: list[dict[str, str]] | bytes, *, by: Any = None
    ) -> str:
        """Uploads a manifest; returns its version id. by: as for add_pictures."""
        if not isinstance(rows, bytes):
            rows = "".join(json.dumps(row) + "\n" for row in rows).encode()
        return upload_manifest(by or self.aws, rows, bucket=self.bucket(kind), customization=NAME)

    def follow(
        self, version: str, *, kind: s3_layout.Kind = "training", approve: bool = True
    ) -> EndedExecution:
        """The end of the run that this upload started."""
        return self.end_of(self.execution(version, kind=kind), approve=approve)

    def execution(self, version: str, *, kind: s3_layout.Kind = "training") -> str:
        """The execution that this upload started."""
        return following.execution_for(
            self.aws,
            self.deployment,
            bucket=self.bucket(kind),
            version=version,
            seconds=SECONDS,
            known=self._uploads,
        )

    def end_of(self, arn: str, *, approve: bool = True) -> EndedExecution:
        """The end of an execution."""
        return following.follow(
            self.aws,
            self.deployment,
            arn,
            approve=approve,
            seconds=SECONDS,
        )

    def run(self, salt: str) -> EndedExecution:
        """Uploads a right training manifest that was not there before; the end of its run."""
        return self.follow(self.upload("training", self.rows(salt=salt)))

    def row(self, ended: EndedExecution) -> dict[str, str]:
        """The runs table's item of an execution."""
        found = following.run_of(self.aws, self.deployment, ended.arn)
        assert found is not None, f"{ended.arn} has no item in the runs table"
        return found

    def report(self, ended: EndedExecution) -> dict[str, Any]:
        """The published report."""
        bucket, key = s3_layout.split_uri(ended.state["report"]["report"])
        body = self.aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        found: dict[str, Any] = json.loads(body)
        return found

    def jobs(self) -> list[str]:
        """The ARNs of all customization jobs."""
        pages = self.aws.client("bedrock").get_paginator("list_model_customization_jobs")
        return [
            job["jobArn"]
            for page in pages.paginate()
            for job in page["modelCustomizationJobSummaries"]
        ]

    def throughputs(self) -> list[dict[str, Any]]:
        """Every Provisioned Throughput there is."""
        answer = self.aws.client("bedrock").list_provisioned_model_throughputs()
        return list(answer["provisionedModelSummaries"])

    def executions(self) -> list[str]:
        """Every execution of the workflow."""
        found = self.aws.client("stepfunctions").list_executions(
            stateMachineArn=self.deployment.workflow_arn
        )
        return [each["executionArn"] for each in found["executions"]]

    def pointer(self, name: str) -> str | None:
        """The SSM parameter of our customization's model or endpoint."""
        ssm = self.aws.client("ssm")
        try:
            found = ssm.get_parameter(Name=f"/bedrock-tuning/local/{NAME}/{name}")
        except ssm.exceptions.ParameterNotFound:
            return None
        return str(found["Parameter"]["Value"])

    def deployed(self, kind: str) -> dict[str, str]:
        """The physical names of all resources of a type by their constructs' paths."""
        client = self.aws.client("cloudformation")
        found: dict[str, str] = {}
        for file in sorted((self.folder / "cdk.out").glob("tuning-*.template.json")):
            described = json.loads(file.read_text("utf-8"))["Resources"]
            stack = file.name.removesuffix(".template.json")
            for each in client.describe_stack_resources(StackName=stack)["StackResources"]:
                resource = described[each["LogicalResourceId"]]
                if resource["Type"] == kind:
                    found[resource["Metadata"]["aws:cdk:path"]] = each["PhysicalResourceId"]
        return found

    def subscribe(self, topic: str = "") -> "Inbox":
        """A mailbox at a topic, by default that of messages, for what is sent from now on."""
        topic = topic or self.topic
        inbox, arn = self._inbox("sns.amazonaws.com", source=topic)
        self.aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        return inbox

    def announced(self) -> "Inbox":
        """A mailbox behind a rule, for this environment's events from now on."""
        pattern = {"source": [SOURCE], "detail": {"environment": ["local"]}}
        events, name = self.aws.client("events"), f"announced-{time.time_ns()}"
        rule = events.put_rule(Name=name, EventPattern=json.dumps(pattern))["RuleArn"]
        inbox, arn = self._inbox("events.amazonaws.com", source=rule)
        events.put_targets(Rule=name, Targets=[{"Id": "inbox", "Arn": arn}])
        return inbox

    def _inbox(self, service: str, *, source: str) -> tuple["Inbox", str]:
        """A queue that a service may send to on behalf of something, and its ARN."""
        queue = self.aws.client("sqs").create_queue(QueueName=f"inbox-{time.time_ns()}")["QueueUrl"]
        arn = self.aws.client("sqs").get_queue_attributes(
            QueueUrl=queue, AttributeNames=["QueueArn"]
        )["Attributes"]["QueueArn"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": source}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.aws.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
        return Inbox(aws=self.aws, queue=queue), arn

    def nobody_subscribed(self) -> None:
        """Takes away the mailboxes of earlier tests."""
        sns = self.aws.client("sns")
        for each in messages.subscriptions(sns, self.topic):
            sns.unsubscribe(SubscriptionArn=each["SubscriptionArn"])

    def nothing_served(self) -> None:
        """Ends the leases of all endpoints, as a person would."""
        for each in self.throughputs():
            tags = self.aws.client("bedrock").list_tags_for_resource(
                resourceARN=each["provisionedModelArn"]
            )["tags"]
            (name,) = (t["value"] for t in tags if t["key"] == "bedrock-tuning:customization")
            words = ["lease", name, "--end", "--yes", "-e", "local"]
            ended = CliRunner().invoke(tuning, words, obj=self.deployment.aws)
            assert ended.exit_code == 0, ended.output
        assert eventually(lambda: not self.throughputs())

    def call(self, function: str, event: dict[str, Any]) -> Any:
        """Invokes a function of the pipeline by the start of its logical id."""
        client = self.aws.client("lambda")
        (name,) = [
            each["FunctionName"]
            for page in client.get_paginator("list_functions").paginate()
            for each in page["Functions"]
            if f"Functions{function}Function" in each["FunctionName"]
        ]
        return json.loads(
            client.invoke(FunctionName=name, Payload=json.dumps(event))["Payload"].read()
        )


@dataclass
class Inbox:
    """A queue for what is told: by the topic, or as events."""

    aws: LocalAws
    queue: str

    def messages(self) -> list[dict[str, Any]]:
        """What has arrived since the last look, each message as it was published."""
        return [json.loads(body["Message"]) for body in self.bodies()]

    def bodies(self) -> list[dict[str, Any]]:
        """The same as it is delivered."""
        answer = self.aws.client("sqs").receive_message(
            QueueUrl=self.queue, MaxNumberOfMessages=10, WaitTimeSeconds=2
        )
        return [json.loads(each["Body"]) for each in answer.get("Messages", [])]


def eventually(truth: Any, *, seconds: float = SECONDS) -> bool:
    """Whether it became true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if truth():
            return True
        time.sleep(0.2)
    return bool(truth())
