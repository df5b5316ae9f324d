"""AWS in memory behind real boto3 clients: every request is checked against botocore's model.

A client's call runs as in production up to the wire: parameters are validated and serialized, then
the fake answers in place of the service. What the fake answers must fit the model as well.
"""

# Operations and their parameters have the names that AWS gave them.
# ruff: noqa: N802, N803

import io
import json
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from botocore.client import BaseClient
from botocore.response import StreamingBody
from botocore.validate import ParamValidator

from tests.support.constraints import refusals
from tests.support.s3 import Objects


class Refused(Exception):  # noqa: N818
    """What a service answers instead of a result."""

    def __init__(self, code: str, message: str = "", status: int = 400) -> None:
        super().__init__(code, message)
        self.code, self.message, self.status = code, message, status


@dataclass
class Fake:
    """A service. calls: every operation with its parameters; orders: what to refuse, in turn.

    around: gets each operation and the function that carries it out.
    """

    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    orders: dict[str, list[Exception | None]] = field(default_factory=dict)
    around: Callable[[str, Callable[[], Any]], Any] = lambda _, carry_out: carry_out()

    def refuse(
        self, operation: str, code: str, message: str = "no", times: int = 1, after: int = 0
    ) -> None:
        """So many calls of an operation are answered with this error, after some that are not."""
        orders = self.orders.setdefault(operation, [])
        orders.extend([None] * after)
        orders.extend([Refused(code, message)] * times)

    def asked(self, operation: str) -> list[dict[str, Any]]:
        """The parameters of all calls of one operation."""
        return [parameters for name, parameters in self.calls if name == operation]

    def answer(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Carries out a call."""
        self.calls.append((operation, parameters))
        refused = self.orders[operation].pop(0) if self.orders.get(operation) else None
        if refused is not None:
            raise refused
        found = self.around(operation, lambda: getattr(self, operation)(**parameters))
        return found or {}


def connect(client: BaseClient, fake: Callable[[], Fake]) -> BaseClient:
    """A client whose calls end at the fake that is current then."""

    def remember(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["asked"] = dict(params)

    def answer(model: Any, context: dict[str, Any], **_: Any) -> Any:
        asked = context["asked"]
        forbidden = list(refusals(asked, model.input_shape)) if model.input_shape else []
        assert not forbidden, f"{model.name}: {forbidden}"
        try:
            found = fake().answer(model.name, asked)
        except Refused as error:
            told = {"Code": error.code, "Message": error.message}
            return SimpleNamespace(status_code=error.status), {
                "Error": told,
                "ResponseMetadata": {"HTTPStatusCode": error.status},
            }
        if model.output_shape is not None:
            report = ParamValidator().validate(found, model.output_shape)
            assert not report.has_errors(), f"{model.name}: {report.generate_report()}"
        return SimpleNamespace(status_code=200), {
            **found,
            "ResponseMetadata": {"HTTPStatusCode": 200},
        }

    client.meta.events.register("provide-client-params", remember)
    client.meta.events.register("before-call", answer)
    return client


@dataclass
class S3(Fake):
    """Single objects, listings, copies."""

    objects: Objects = field(default_factory=Objects)
    page: int = 1000

    def PutObject(
        self,
        Bucket: str,
        Key: str,
        Body: Any = b"",
        IfNoneMatch: str = "",
        ContentType: str = "",
        **_: Any,
    ) -> dict[str, Any]:
        # A browser shows what it is told to be JSON, and saves what it is not.
        assert not Key.endswith(".json") or ContentType == "application/json", Key
        if IfNoneMatch and Key in self.objects.keys(Bucket, Key):
            raise Refused("PreconditionFailed", "it is there", 412)
        body = Body if isinstance(Body, bytes) else Body.read()
        return {"VersionId": self.objects.put(Bucket, Key, body)}

    def HeadObject(self, Bucket: str, Key: str, VersionId: str | None = None) -> dict[str, Any]:
        found = self.objects.get(Bucket, Key, VersionId)
        if found is None or found.body is None:
            raise Refused("404", "Not Found", 404)
        return {"ContentLength": len(found.body), "ETag": found.etag}

    def GetObject(
        self, Bucket: str, Key: str, VersionId: str | None = None, Range: str = "", **_: Any
    ) -> dict[str, Any]:
        found = self.objects.get(Bucket, Key, VersionId)
        if found is None or found.body is None:
            raise Refused("NoSuchKey", "The specified key does not exist.", 404)
        start, last = map(int, Range[6:].split("-")) if Range else (0, len(found.body))
        part, size = found.body[start : last + 1], len(found.body)
        return {
            "Body": StreamingBody(io.BytesIO(part), len(part)),
            "ContentLength": len(part),
            "ContentRange": f"bytes {start}-{start + len(part) - 1}/{size}",
            "ETag": found.etag,
        }

    def CopyObject(self, Bucket: str, Key: str, CopySource: Any, **_: Any) -> dict[str, Any]:
        found = self.objects.get(CopySource["Bucket"], CopySource["Key"], CopySource["VersionId"])
        assert found is not None
        self.objects.put(Bucket, Key, found.body)
        return {"CopyObjectResult": {"ETag": found.etag}}

    def ListObjectsV2(
        self, Bucket: str, Prefix: str, ContinuationToken: str = "", MaxKeys: int = 1000, **_: Any
    ) -> dict[str, Any]:
        keys = self.objects.keys(Bucket, Prefix)
        start = int(ContinuationToken or 0)
        end = start + min(self.page, MaxKeys)
        answer: dict[str, Any] = {"IsTruncated": end < len(keys)}
        if keys[start:end]:
            answer["Contents"] = [
                {"Key": key, "ETag": there.etag, "Size": len(there.body or b"")}
                for key in keys[start:end]
                if (there := self.objects.buckets[Bucket][key][-1])
            ]
        if end < len(keys):
            answer["NextContinuationToken"] = str(end)
        return answer

    def ListObjectVersions(
        self, Bucket: str, Prefix: str, MaxKeys: int = 1000, **_: Any
    ) -> dict[str, Any]:
        found = self.objects.buckets.get(Bucket, {})
        rows = [
            (key, version, number == 0)
            for key in sorted(found)
            if key.startswith(Prefix)
            for number, version in enumerate(reversed(found[key]))
        ][:MaxKeys]
        answer: dict[str, Any] = {"Versions": [], "DeleteMarkers": []}
        for key, version, newest in rows:
            kind = "Versions" if version.body is not None else "DeleteMarkers"
            answer[kind].append({"Key": key, "VersionId": version.id, "IsLatest": newest})
        return {name: rows for name, rows in answer.items() if rows}


@dataclass
class DynamoDb(Fake):
    """One table with the two conditions that the runs table is written under."""

    items: dict[str, dict[str, Any]] = field(default_factory=dict)

    def item(self, key: str) -> dict[str, Any]:
        """An item as Python values."""
        return {k: TypeDeserializer().deserialize(v) for k, v in self.items[key].items()}

    def GetItem(self, Key: dict[str, Any], ConsistentRead: bool, **_: Any) -> dict[str, Any]:
        assert ConsistentRead, "a stale read would let a second run in"
        found = self.items.get(Key["id"]["S"])
        return {"Item": dict(found)} if found else {}

    def PutItem(
        self,
        Item: dict[str, Any],
        ConditionExpression: str,
        ExpressionAttributeNames: dict[str, str] | None = None,
        ExpressionAttributeValues: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        key = Item["id"]["S"]
        there = self.items.get(key)
        if ConditionExpression == "attribute_not_exists(id)":
            holds = there is None
        else:
            name, value = re.fullmatch(r"(#\w+) = (:\w+)", ConditionExpression).groups()  # type: ignore[union-attr]
            assert ExpressionAttributeNames is not None
            assert ExpressionAttributeValues is not None
            holds = (there or {}).get(ExpressionAttributeNames[name]) == (
                ExpressionAttributeValues[value]
            )
        if not holds:
            raise Refused("ConditionalCheckFailedException", "The conditional request failed")
        self.items[key] = Item

    def UpdateItem(
        self,
        Key: dict[str, Any],
        UpdateExpression: str,
        ExpressionAttributeNames: dict[str, str],
        ExpressionAttributeValues: dict[str, Any],
        ConditionExpression: str = "",
        **_: Any,
    ) -> None:
        there = self.items.get(Key["id"]["S"], {})
        for condition in filter(None, ConditionExpression.split(" AND ")):
            asked = re.fullmatch(r"attribute_(not_)?exists\((\w+)\)", condition)
            if asked is not None:
                holds = (asked[2] in there) != bool(asked[1])
            else:
                name, value = condition.split(" = ")
                wanted = ExpressionAttributeValues[value]
                holds = there.get(ExpressionAttributeNames[name]) == wanted
            if not holds:
                raise Refused("ConditionalCheckFailedException", "The conditional request failed")
        item = self.items.setdefault(Key["id"]["S"], dict(Key))
        changes, _unset, removed = f" {UpdateExpression}".partition(" REMOVE ")
        change = r"(\S+) = (if_not_exists\(#\w+, )?(:\w+)"
        for name, unless, value in re.findall(change, changes):
            name = ExpressionAttributeNames.get(name, name)
            if not unless or name not in item:
                item[name] = ExpressionAttributeValues[value]
        for name in removed.split(", ") if removed else ():
            item.pop(ExpressionAttributeNames[name], None)

    def Query(
        self,
        IndexName: str,
        KeyConditionExpression: str,
        ExpressionAttributeNames: dict[str, str],
        ExpressionAttributeValues: dict[str, Any],
        **_: Any,
    ) -> dict[str, Any]:
        key, value = KeyConditionExpression.split(" = ")
        indexes = {"open": "open", "by-customization": "customization"}
        assert ExpressionAttributeNames[key] == indexes[IndexName]
        found = [
            dict(item)
            for item in self.items.values()
            if item.get(ExpressionAttributeNames[key]) == ExpressionAttributeValues[value]
        ]
        found.sort(key=lambda item: item["run"]["S"])
        return {"Items": found, "Count": len(found), "ScannedCount": len(found)}


@dataclass
class ServiceQuotas(Fake):
    """Quotas that were changed for the account, and the defaults of all, by their codes."""

    changed: dict[str, float] = field(default_factory=dict)
    defaults: dict[str, float] = field(default_factory=lambda: defaultdict(lambda: 100.0))

    def GetServiceQuota(self, ServiceCode: str, QuotaCode: str) -> dict[str, Any]:
        return self._quota(self.changed, ServiceCode, QuotaCode)

    def GetAWSDefaultServiceQuota(self, ServiceCode: str, QuotaCode: str) -> dict[str, Any]:
        return self._quota(self.defaults, ServiceCode, QuotaCode)

    def _quota(self, known: dict[str, float], service: str, code: str) -> dict[str, Any]:
        try:
            value = known[code]
        except KeyError:
            raise Refused("NoSuchResourceException") from None
        return {"Quota": {"ServiceCode": service, "QuotaCode": code, "Value": value}}


@dataclass
class Pricing(Fake):
    """The price list: products by their usage types."""

    products: dict[str, str] = field(default_factory=dict)

    def GetProducts(self, ServiceCode: str, Filters: list[dict[str, str]]) -> dict[str, Any]:
        assert ServiceCode == "AmazonBedrock"
        ((field, usage),) = [(each["Field"], each["Value"]) for each in Filters]
        assert field == "usagetype"
        found = self.products.get(usage)
        return {"FormatVersion": "aws_v1", "PriceList": [] if found is None else [found]}


# The settings of customizations by the names of their parameters, as their stacks wrote them.
DEPLOYED: dict[str, str] = {}


@dataclass
class Ssm(Fake):
    """Parameters by name."""

    values: dict[str, str] = field(default_factory=dict)

    def GetParameter(self, Name: str) -> dict[str, Any]:
        known = DEPLOYED | self.values
        if Name not in known:
            raise Refused("ParameterNotFound")
        return {"Parameter": {"Name": Name, "Value": known[Name]}}

    def GetParametersByPath(
        self, Path: str, Recursive: bool, NextToken: str = "0"
    ) -> dict[str, Any]:
        assert Recursive
        found = sorted(name for name in self.values if name.startswith(f"{Path}/"))
        # As AWS: at most ten a page.
        start = int(NextToken)
        more = {"NextToken": str(start + 10)} if start + 10 < len(found) else {}
        page = [{"Name": name, "Value": self.values[name]} for name in found[start : start + 10]]
        return {"Parameters": page, **more}

    def PutParameter(self, Name: str, Value: str, Overwrite: bool, **_: Any) -> None:
        assert Overwrite
        self.values[Name] = Value

    def DeleteParameter(self, Name: str) -> None:
        if self.values.pop(Name, None) is None:
            raise Refused("ParameterNotFound")


@dataclass
class Sns(Fake):
    """Messages that were sent; refuses a subject that SNS refuses."""

    sent: list[dict[str, Any]] = field(default_factory=list)

    def Publish(self, Subject: str, Message: str, **_: Any) -> dict[str, Any]:
        if not (0 < len(Subject) <= 100 and Subject.isascii() and Subject.isprintable()):
            raise Refused("InvalidParameter", f"Invalid parameter: Subject {Subject!r}")
        self.sent.append({"Subject": Subject, "Message": Message})
        return {"MessageId": "m"}


@dataclass
class Events(Fake):
    """The default bus. taken: its events; refused: the code with which it takes none."""

    taken: list[dict[str, Any]] = field(default_factory=list)
    refused: str = ""

    def PutEvents(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        if self.refused:
            entry = {"ErrorCode": self.refused, "ErrorMessage": "because"}
            return {"FailedEntryCount": len(Entries), "Entries": [entry] * len(Entries)}
        self.taken += Entries
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "e"}] * len(Entries)}


@dataclass
class StepFunctions(Fake):
    """Executions by name: the same name with another input is refused.

    statuses, ends: by name; ends: the error and the cause of those that failed or were aborted.
    tasks: that wait, by their tokens; what each was answered, None before.
    """

    executions: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)
    ends: dict[str, dict[str, str]] = field(default_factory=dict)
    tasks: dict[str, Any] = field(default_factory=dict)

    def SendTaskSuccess(self, taskToken: str, output: str) -> None:
        self._send(taskToken, output)

    def SendTaskFailure(self, taskToken: str, error: str, cause: str) -> None:
        self._send(taskToken, f"{error}: {cause}")

    def _send(self, token: str, answer: str) -> None:
        """A task takes one answer."""
        if self.tasks.get(token, "") is not None:
            raise Refused("TaskTimedOut", "Task Timed Out")
        self.tasks[token] = answer

    def DescribeExecution(self, executionArn: str) -> dict[str, Any]:
        machine, _, name = executionArn.rpartition(":")
        assert machine == "arn:aws:states:us-east-1:000000000000:execution:a-workflow", executionArn
        if name not in self.statuses:
            raise Refused("ExecutionDoesNotExist")
        return {
            "executionArn": executionArn,
            "stateMachineArn": "arn:aws:states:us-east-1:000000000000:stateMachine:a-workflow",
            "status": self.statuses[name],
            "startDate": datetime(2026, 11, 21, 9, 30, tzinfo=UTC),
            **self.ends.get(name, {}),
        }

    def StartExecution(self, stateMachineArn: str, input: str, name: str = "") -> dict[str, Any]:
        name = name or f"unnamed-{len(self.executions)}"
        if self.executions.setdefault(name, input) != input:
            raise Refused("ExecutionAlreadyExists")
        self.statuses.setdefault(name, "RUNNING")
        arn = f"{stateMachineArn.replace(':stateMachine:', ':execution:')}:{name}"
        return {"executionArn": arn, "startDate": 0}


@dataclass
class BedrockRuntime(Fake):
    """Answers every invocation with the same bytes, every conversation with the same text."""

    reply: bytes = b"{}"
    said: str = "woof"
    # Instead of the same bytes: what is answered to whom.
    answers: Callable[..., dict[str, Any]] | None = None

    def Converse(self, **_: Any) -> dict[str, Any]:
        content = [{"text": self.said}] if self.said else []
        return {
            "output": {"message": {"role": "assistant", "content": content}},
            "stopReason": "end_turn",
            "usage": {"inputTokens": 2, "outputTokens": 1, "totalTokens": 3},
            "metrics": {"latencyMs": 1},
        }

    def InvokeModel(self, **asked: Any) -> dict[str, Any]:
        reply = self.reply
        if self.answers is not None:
            reply = json.dumps(self.answers(**asked)).encode()
        return {
            "body": StreamingBody(io.BytesIO(reply), len(reply)),
            "contentType": "application/json",
        }


@dataclass
class CloudWatch(Fake):
    """Hours in which an endpoint was called: their beginnings by its ARN; others are empty."""

    called: dict[str, list[datetime]] = field(default_factory=dict)

    def GetMetricStatistics(
        self, Dimensions: list[dict[str, str]], StartTime: datetime, EndTime: datetime, **_: Any
    ) -> dict[str, Any]:
        (model,) = Dimensions
        points = [
            {"Timestamp": hour, "Sum": 1.0}
            for hour in self.called.get(model["Value"], [])
            if StartTime <= hour < EndTime
        ]
        return {"Datapoints": [*points, {"Timestamp": EndTime - timedelta(hours=1), "Sum": 0.0}]}


@dataclass
class Ec2(Fake):
    """The rules of security groups: by id, with the group and the direction."""

    rules: dict[str, tuple[str, bool]] = field(default_factory=dict)

    def DescribeSecurityGroupRules(
        self, Filters: list[dict[str, Any]], NextToken: str = "0", **_: Any
    ) -> dict[str, Any]:
        ((name, (group,)),) = [(each["Name"], each["Values"]) for each in Filters]
        assert name == "group-id"
        found = [
            {"SecurityGroupRuleId": rule, "GroupId": owner, "IsEgress": egress}
            for rule, (owner, egress) in self.rules.items()
            if owner == group
        ]
        start = int(NextToken)
        more = {"NextToken": str(start + 1)} if start + 1 < len(found) else {}
        return {"SecurityGroupRules": found[start : start + 1], **more}

    def RevokeSecurityGroupIngress(self, GroupId: str, SecurityGroupRuleIds: list[str]) -> Any:
        self._revoke(GroupId, SecurityGroupRuleIds, egress=False)

    def RevokeSecurityGroupEgress(self, GroupId: str, SecurityGroupRuleIds: list[str]) -> Any:
        self._revoke(GroupId, SecurityGroupRuleIds, egress=True)

    def _revoke(self, group: str, rules: list[str], *, egress: bool) -> None:
        if not rules:
            raise Refused("MissingParameter", "no rule is named")
        for rule in rules:
            if self.rules.get(rule) != (group, egress):
                raise Refused("InvalidSecurityGroupRuleId.NotFound")
            del self.rules[rule]
