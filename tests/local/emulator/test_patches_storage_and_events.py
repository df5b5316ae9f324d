"""Gaps of the emulator in S3, KMS, CloudFormation and EventBridge, and their patches.

When a `…_as_it_comes` assertion fails, upstream has closed the gap: delete the patch.
"""

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bedrock_tuning.config.names import LOCAL_ACCOUNT
from local.emulator.layout import REGION
from local.emulator.server import LocalAws
from tests.local.support import (
    acting_as,
    allow,
    bucket,
    client_with,
    eventually,
    machine,
    queue,
    received,
    refused,
    role,
    unique,
)

PASS = {"P": {"Type": "Pass", "End": True}}


def through(service: str) -> dict[str, Any]:
    """A condition: the key only for this service."""
    return {"StringEquals": {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"}}


def bucket_for_tls_only(aws: LocalAws) -> str:
    name = bucket(aws)
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.client("s3").put_bucket_policy(Bucket=name, Policy=policy)
    return name


def test_loopback_is_not_tls_as_it_comes(plain: LocalAws) -> None:
    name = bucket_for_tls_only(plain)
    with refused("AccessDenied"):
        client_with(plain, "s3", [allow("s3:*", "*")]).list_objects_v2(Bucket=name)


def ranged(aws: LocalAws, asked: str) -> bytes:
    """So many bytes of a version that was replaced."""
    name, s3 = bucket(aws), aws.client("s3")
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=name, Key="k", Body=b"0123456789")["VersionId"]
    s3.put_object(Bucket=name, Key="k", Body=b"other")
    found: bytes = s3.get_object(Bucket=name, Key="k", VersionId=version, Range=asked)[
        "Body"
    ].read()
    return found


def test_a_range_of_a_version_is_ignored_as_it_comes(plain: LocalAws) -> None:
    assert ranged(plain, "bytes=2-4") == b"0123456789"


@pytest.mark.parametrize(
    ("asked", "found"),
    [("bytes=2-4", b"234"), ("bytes=8-100", b"89"), ("bytes=7-", b"789"), ("bytes=-2", b"89")],
)
def test_a_range_of_a_version_is_that_range(aws: LocalAws, asked: str, found: bytes) -> None:
    assert ranged(aws, asked) == found


def test_a_range_behind_the_end_of_a_version_is_refused(aws: LocalAws) -> None:
    with pytest.raises(ClientError, match="InvalidRange"):
        ranged(aws, "bytes=10-20")


def test_loopback_counts_as_tls(aws: LocalAws) -> None:
    name = bucket_for_tls_only(aws)
    client_with(aws, "s3", [allow("s3:*", "*")]).list_objects_v2(Bucket=name)


def test_rights_are_still_enforced_on_loopback(aws: LocalAws) -> None:
    name = bucket_for_tls_only(aws)
    with refused("AccessDenied"):
        client_with(aws, "s3", [allow("s3:GetObject", "*")]).list_objects_v2(Bucket=name)


def test_kms_without_a_key_is_refused_as_it_comes(plain: LocalAws) -> None:
    with refused("InvalidArgument") as message:
        plain.client("s3").put_object(
            Bucket=bucket(plain), Key="a", Body=b"", ServerSideEncryption="aws:kms"
        )
    assert "requires a key id" in message[0]


def test_kms_without_a_key_takes_the_accounts_own(aws: LocalAws) -> None:
    name = bucket(aws)
    aws.client("s3").put_object(Bucket=name, Key="a", Body=b"", ServerSideEncryption="aws:kms")
    assert (
        aws.client("s3").head_object(Bucket=name, Key="a")["SSEKMSKeyId"].endswith("alias/aws/s3")
    )


def encrypted_bucket(aws: LocalAws) -> tuple[str, str]:
    """A bucket with one object, and the ARN of the key that encrypts it."""
    key: str = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    name = bucket(aws)
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}
    s3 = aws.client("s3")
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_object(Bucket=name, Key="a", Body=b"hidden")
    return name, key


def test_reading_needs_no_right_on_the_key_as_it_comes(plain: LocalAws) -> None:
    name, _ = encrypted_bucket(plain)
    client_with(plain, "s3", [allow("s3:GetObject", "*")]).get_object(Bucket=name, Key="a")


def test_reading_needs_decrypt_on_the_key(aws: LocalAws) -> None:
    name, key = encrypted_bucket(aws)
    with refused("AccessDenied") as message:
        client_with(aws, "s3", [allow("s3:GetObject", "*")]).get_object(Bucket=name, Key="a")
    assert "kms:Decrypt" in message[0]
    assert key in message[0]


def test_decrypt_through_s3_is_enough_to_read(aws: LocalAws) -> None:
    name, key = encrypted_bucket(aws)
    policy = [allow("s3:GetObject", "*"), allow("kms:Decrypt", key, Condition=through("s3"))]
    body = client_with(aws, "s3", policy).get_object(Bucket=name, Key="a")["Body"].read()
    assert body == b"hidden"


def test_decrypt_through_another_service_is_not(aws: LocalAws) -> None:
    name, key = encrypted_bucket(aws)
    elsewhere = allow("kms:Decrypt", key, Condition=through("dynamodb"))
    policy = [allow("s3:GetObject", "*"), elsewhere]
    with refused("AccessDenied"):
        client_with(aws, "s3", policy).get_object(Bucket=name, Key="a")


@pytest.mark.parametrize("action", ["kms:Decrypt", "kms:GenerateDataKey"])
def test_writing_needs_a_data_key_and_not_decrypt(aws: LocalAws, action: str) -> None:
    name, key = encrypted_bucket(aws)
    writer = client_with(aws, "s3", [allow("s3:PutObject", "*"), allow(action, key)])
    if action == "kms:GenerateDataKey":
        writer.put_object(Bucket=name, Key="b", Body=b"")
    else:
        with refused("AccessDenied"):
            writer.put_object(Bucket=name, Key="b", Body=b"")


def encrypted_topic(aws: LocalAws) -> tuple[str, str]:
    """A topic and the ARN of the key that encrypts it."""
    key: str = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    topic: str = aws.client("sns").create_topic(
        Name=unique("topic"), Attributes={"KmsMasterKeyId": key}
    )["TopicArn"]
    return topic, key


def encrypted_table(aws: LocalAws) -> tuple[str, str]:
    """A table and the ARN of the key that encrypts it."""
    key: str = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    name = unique("table")
    aws.client("dynamodb").create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key},
    )
    return name, key


def test_messages_and_rows_need_no_right_on_the_key_as_it_comes(plain: LocalAws) -> None:
    topic, _ = encrypted_topic(plain)
    client_with(plain, "sns", [allow("sns:Publish", "*")]).publish(TopicArn=topic, Message="a")
    table, _ = encrypted_table(plain)
    reader = client_with(plain, "dynamodb", [allow("dynamodb:GetItem", "*")])
    reader.get_item(TableName=table, Key={"id": {"S": "a"}})


@pytest.mark.parametrize("actions", [["kms:Decrypt"], ["kms:GenerateDataKey"], []])
def test_publishing_to_an_encrypted_topic_needs_both_rights(
    aws: LocalAws, actions: list[str]
) -> None:
    topic, key = encrypted_topic(aws)
    policy = [allow("sns:Publish", "*"), *([allow(actions, key)] if actions else [])]
    with refused("KMSAccessDenied") as message:
        client_with(aws, "sns", policy).publish(TopicArn=topic, Message="a")
    assert key in message[0]


def test_the_key_through_sns_is_enough_to_publish(aws: LocalAws) -> None:
    topic, key = encrypted_topic(aws)
    rights = allow(["kms:Decrypt", "kms:GenerateDataKey"], key, Condition=through("sns"))
    client_with(aws, "sns", [allow("sns:Publish", "*"), rights]).publish(
        TopicArn=topic, Message="a"
    )


@pytest.mark.parametrize("service", ["dynamodb", "s3"])
def test_rows_of_an_encrypted_table_need_the_key_through_dynamodb(
    aws: LocalAws, service: str
) -> None:
    table, key = encrypted_table(aws)
    rights = allow("kms:Decrypt", key, Condition=through(service))
    reader = client_with(aws, "dynamodb", [allow("dynamodb:GetItem", "*"), rights])
    if service == "dynamodb":
        reader.get_item(TableName=table, Key={"id": {"S": "a"}})
    else:
        with refused("AccessDeniedException") as message:
            reader.get_item(TableName=table, Key={"id": {"S": "a"}})
        assert "KMS key access denied error" in message[0]


def watched_bucket(aws: LocalAws) -> tuple[str, str]:
    """A versioned bucket whose events reach a queue; its name and the queue's URL."""
    name = bucket(aws)
    s3, events = aws.client("s3"), aws.client("events")
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_notification_configuration(
        Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    url, arn = queue(aws)
    pattern = {
        "source": ["aws.s3"],
        "detail": {"bucket": {"name": [name]}, "object": {"key": ["pets/manifest.jsonl"]}},
    }
    rule = unique("rule")
    events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=rule, Targets=[{"Id": "q", "Arn": arn}])
    return name, url


def uploaded(aws: LocalAws) -> tuple[str, dict[str, Any]]:
    """The version of an upload, and the object as its event tells it."""
    name, url = watched_bucket(aws)
    s3 = aws.client("s3")
    s3.put_object(Bucket=name, Key="pets/other.jsonl", Body=b"")
    version = s3.put_object(Bucket=name, Key="pets/manifest.jsonl", Body=b"x")["VersionId"]
    messages = eventually(lambda: received(aws, url))
    assert len(messages) == 1
    return version, json.loads(messages[0]["Body"])["detail"]["object"]


def test_the_event_of_an_upload_has_no_version_as_it_comes(plain: LocalAws) -> None:
    _, told = uploaded(plain)
    assert "version-id" not in told


def test_the_event_of_an_upload_has_its_version(aws: LocalAws) -> None:
    version, told = uploaded(aws)
    assert told["version-id"] == version


@pytest.mark.parametrize(
    ("kind", "details", "arrive"), [("event-twice", {}, 2), ("event-late", {"seconds": 1}, 1)]
)
def test_an_event_comes_twice_or_late_where_that_is_ordered(
    aws: LocalAws, kind: str, details: dict[str, int], arrive: int
) -> None:
    name, queue = watched_bucket(aws)
    aws.faults.order(kind, **details)
    began = time.monotonic()
    aws.client("s3").put_object(Bucket=name, Key="pets/manifest.jsonl", Body=b"{}")
    sqs, bodies = aws.client("sqs"), list[str]()
    while len(bodies) < arrive and time.monotonic() < began + 30:
        answer = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1, MaxNumberOfMessages=10)
        bodies += [each["Body"] for each in answer.get("Messages", [])]
    assert len(bodies) == arrive
    assert len(set(bodies)) == 1
    assert kind != "event-late" or time.monotonic() - began >= 1


def rule_that_starts(aws: LocalAws, machine_arn: str, role_arn: str) -> tuple[str, str]:
    """The source of events that start the machine, and its dead-letter queue's URL."""
    url, queue_arn = queue(aws)
    source, events = unique("test.source"), aws.client("events")
    events.put_rule(Name=source, EventPattern=json.dumps({"source": [source]}))
    target = {
        "Id": "m",
        "Arn": machine_arn,
        "RoleArn": role_arn,
        "DeadLetterConfig": {"Arn": queue_arn},
    }
    events.put_targets(Rule=source, Targets=[target])
    return source, url


def send(aws: LocalAws, source: str) -> None:
    entry = {"Source": source, "DetailType": "t", "Detail": "{}"}
    aws.client("events").put_events(Entries=[entry])


def executions(aws: LocalAws, machine_arn: str) -> list[Any]:
    found: list[Any] = aws.client("stepfunctions").list_executions(stateMachineArn=machine_arn)[
        "executions"
    ]
    return found


def test_a_rule_needs_no_right_to_start_a_machine_as_it_comes(plain: LocalAws) -> None:
    started = machine(plain, PASS)
    source, _ = rule_that_starts(plain, started, role(plain, "events.amazonaws.com"))
    send(plain, source)
    eventually(lambda: executions(plain, started))


def test_a_rule_whose_role_may_start_the_machine_starts_it(aws: LocalAws) -> None:
    started = machine(aws, PASS)
    condition = {"ArnLike": {"aws:SourceArn": f"arn:aws:events:{REGION}:{LOCAL_ACCOUNT}:rule/*"}}
    policy = [allow("states:StartExecution", started)]
    role_arn = role(aws, "events.amazonaws.com", policy, condition=condition)
    source, dead_letters = rule_that_starts(aws, started, role_arn)
    send(aws, source)
    eventually(lambda: executions(aws, started))
    assert received(aws, dead_letters) == []


@pytest.mark.parametrize("service", ["events.amazonaws.com", "states.amazonaws.com"])
def test_a_refused_event_goes_to_the_dead_letter_queue(aws: LocalAws, service: str) -> None:
    """Refused for lack of the right, and for a role that does not trust EventBridge."""
    started = machine(aws, PASS)
    policy = [] if service == "events.amazonaws.com" else [allow("states:StartExecution", started)]
    source, dead_letters = rule_that_starts(aws, started, role(aws, service, policy))
    send(aws, source)
    message = eventually(lambda: received(aws, dead_letters))[0]
    attributes = message["MessageAttributes"]
    assert attributes["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"
    assert attributes["TARGET_ARN"]["StringValue"] == started
    assert executions(aws, started) == []


def undeliverable(aws: LocalAws, condition: Any) -> tuple[str, str]:
    """Sends an event that only the dead-letter queue can take; the rule's name and the queue's URL.

    condition: on which the queue's key lets EventBridge in.
    """
    here = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{LOCAL_ACCOUNT}:root"}}
    sender = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}}
    usable = {**sender, "Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Condition": condition}
    statements = [{**here, "Action": "kms:*"}, usable]
    policy = json.dumps({"Statement": [{**one, "Resource": "*"} for one in statements]})
    key = aws.client("kms").create_key(Policy=policy)["KeyMetadata"]["KeyId"]
    source, url = rule_that_starts(aws, machine(aws, PASS), role(aws, "events.amazonaws.com"))
    aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": key})
    send(aws, source)
    return source, url


def test_a_dead_letter_is_kept_under_a_key_that_asks_for_no_source(aws: LocalAws) -> None:
    _, url = undeliverable(aws, {})
    assert len(eventually(lambda: received(aws, url))) == 1


def test_a_dead_letter_is_lost_under_a_key_that_asks_for_a_source(aws: LocalAws) -> None:
    rule, url = undeliverable(aws, {"StringEquals": {"aws:SourceAccount": LOCAL_ACCOUNT}})
    eventually(lambda: f"rule/{rule} is lost" in aws.layout.log.read_text())
    assert received(aws, url) == []


def test_credentials_of_a_role_are_not_root(aws: LocalAws) -> None:
    """The other tests mean nothing if this does not hold."""
    arn = role(aws, "account", [allow("s3:ListAllMyBuckets", "*")])
    identity = aws.client("sts", **acting_as(aws, arn)).get_caller_identity()
    assert f":assumed-role/{arn.rpartition('/')[2]}/" in identity["Arn"]


def _denial(aws: LocalAws, service: str, operation: str, **arguments: Any) -> str:
    with pytest.raises(Exception, match="is not authorized to perform") as caught:
        getattr(client_with(aws, service, []), operation)(**arguments)
    return str(caught.value)


def test_denials_name_no_resource_as_it_comes(plain: LocalAws) -> None:
    name = bucket(plain)
    assert "on resource" not in _denial(plain, "s3", "get_object", Bucket=name, Key="a")


def test_denials_name_the_resource(aws: LocalAws) -> None:
    name = bucket(aws)
    aws.client("s3").put_object(Bucket=name, Key="a b", Body=b"")
    said = _denial(aws, "s3", "get_object", Bucket=name, Key="a b")
    assert f'perform: s3:GetObject on resource: "arn:aws:s3:::{name}/a b" because no iden' in said
    said = _denial(aws, "dynamodb", "get_item", TableName="runs", Key={"id": {"S": "1"}})
    table = f"arn:aws:dynamodb:{REGION}:{LOCAL_ACCOUNT}:table/runs"
    assert f"perform: dynamodb:GetItem on resource: {table} because no identity-based" in said


def test_the_denial_of_a_copys_source_names_the_source(aws: LocalAws) -> None:
    source, target = bucket(aws), bucket(aws)
    aws.client("s3").put_object(Bucket=source, Key="a", Body=b"")
    client = client_with(aws, "s3", [allow("s3:PutObject", f"arn:aws:s3:::{target}/*")])
    with pytest.raises(Exception, match=f's3:GetObject on resource: "arn:aws:s3:::{source}/a"'):
        client.copy_object(Bucket=target, Key="b", CopySource={"Bucket": source, "Key": "a"})
