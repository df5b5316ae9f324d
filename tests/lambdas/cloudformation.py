"""CloudFormation, as a custom resource sees it: sends requests, takes answers, deletes in time."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from tests.lambdas.aws import Aws

REQUEST = "0a1b2c3d-0000-4000-8000-000000000000"
URL = "https://cloudformation.example/answer?signature=x"
STACK = "arn:aws:cloudformation:us-east-1:000000000000:stack/tuning-dev-serving/0a1b2c3d"
# The custom resource's of the customization whose stack the fixture is.
IDENTITY = "provisioned-throughput/dev/pets-search"
# What CloudFormation needs of every answer, and how much it takes.
REQUIRED = {"Status", "Reason", "PhysicalResourceId", "StackId", "RequestId", "LogicalResourceId"}


@dataclass
class CloudFormation:
    """Takes answers as the real one does; time goes by whenever the function sleeps."""

    aws: Aws
    handler: Callable[[dict[str, Any], Any], None]
    properties: dict[str, str]
    identity: str
    remaining_ms: float = 900_000
    settles_after: float = 60
    failed: list[dict[str, Any]] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)

    def request(
        self, method: str, url: str, *, body: bytes, headers: dict[str, str], retries: Any
    ) -> Any:
        """Stands in the place of urllib3's pool."""
        assert (method, url) == ("PUT", URL)
        # The URL was signed for an empty content type.
        assert headers == {"content-type": "", "content-length": str(len(body))}
        assert len(body) <= 4_096
        # Without an answer, CloudFormation waits for an hour: what is lost is sent again.
        assert (retries.total, retries.backoff_factor) == (5, 1)
        assert retries.is_retry("PUT", 503, has_retry_after=True)
        answer = json.loads(body)
        assert set(answer) - {"Data"} == REQUIRED
        assert answer["Status"] in ("SUCCESS", "FAILED")
        assert all(isinstance(value, str) for value in answer.get("Data", {}).values())
        assert 0 < len(answer["PhysicalResourceId"].encode()) <= 1024
        assert (answer["StackId"], answer["RequestId"]) == (STACK, REQUEST)
        self.answers.append(answer)
        return SimpleNamespace(status=200)

    def sleep(self, seconds: float) -> None:
        """Lets time go by, here and in Bedrock."""
        self.remaining_ms -= seconds * 1000
        self.settles_after -= seconds
        if self.settles_after <= 0:
            self.aws.bedrock.settle()

    def get_remaining_time_in_millis(self) -> float:
        """As a Lambda context says it."""
        return self.remaining_ms

    def ask(self, kind: str, *, old: dict[str, str] | None = None, **properties: str) -> Any:
        """Sends a request; returns the answer."""
        event: dict[str, Any] = {
            "RequestType": kind,
            "ResponseURL": URL,
            "StackId": STACK,
            "RequestId": REQUEST,
            "LogicalResourceId": "AResource",
            "ResourceProperties": {**self.properties, **properties},
        }
        if kind != "Create":
            event["PhysicalResourceId"] = self.identity
        if kind == "Update":
            event["OldResourceProperties"] = {**event["ResourceProperties"], **(old or {})}
        before = len(self.answers)
        try:
            self.handler(event, self)
        except Exception:
            # What Lambda counts as an error, for the alarm, is never a success for CloudFormation.
            assert self.answers[-1]["Status"] == "FAILED"
            self.failed.append(event)
        assert len(self.answers) == before + 1, "every request is answered exactly once"
        return self.answers[-1]

    def minutes_later(self) -> None:
        """Lambda calls again with what a function failed on; by then CloudFormation has gone on."""
        for event in self.failed:
            self.handler(event, self)
