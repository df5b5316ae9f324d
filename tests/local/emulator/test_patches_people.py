"""Gaps of the emulator in what tells people apart: items, writes and addresses of functions.

When a `…_as_it_comes` assertion fails, upstream has closed the gap: delete the patch.
"""

import json
from typing import Any

import boto3
import pytest

from bedrock_tuning.client.aws import Aws
from bedrock_tuning.config.names import LOCAL_ACCOUNT
from local.emulator.layout import REGION
from local.emulator.server import LocalAws
from tests.local.support import acting_as, allow, bucket, function, refused, role, unique

ECHO = (
    "def handler(event, _):\n    return event['requestContext']['authorizer']['iam']['userArn']\n"
)


def read_as(aws: LocalAws, key: str) -> None:
    """Reads an item as a role that may read items whose keys begin with run#."""
    table = unique("table")
    aws.client("dynamodb").create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    condition = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": "run#*"}}
    resource = f"arn:aws:dynamodb:{REGION}:{LOCAL_ACCOUNT}:table/{table}"
    reader = role(aws, "account", [allow("dynamodb:GetItem", resource, Condition=condition)])
    client = aws.client("dynamodb", **acting_as(aws, reader))
    client.get_item(TableName=table, Key={"id": {"S": key}})


def test_items_of_another_kind_are_read_as_it_comes(plain: LocalAws) -> None:
    read_as(plain, "approval#1")


def test_items_of_another_kind_are_refused(aws: LocalAws) -> None:
    read_as(aws, "run#1")
    with refused("AccessDeniedException"):
        read_as(aws, "approval#1")


def send_as(aws: LocalAws, source: str) -> None:
    """Sends an event as a role that may send those of our source."""
    bus = f"arn:aws:events:{REGION}:{LOCAL_ACCOUNT}:event-bus/default"
    own = {"ForAllValues:StringEquals": {"events:source": "ours", "events:detail-type": ["a", "b"]}}
    sender = role(aws, "account", [allow("events:PutEvents", bus, Condition=own)])
    entry = {"Source": source, "DetailType": "a", "Detail": "{}"}
    aws.client("events", **acting_as(aws, sender)).put_events(Entries=[entry])


def test_events_of_any_source_are_taken_as_it_comes(plain: LocalAws) -> None:
    send_as(plain, "theirs")


def test_events_of_another_source_are_refused(aws: LocalAws) -> None:
    send_as(aws, "ours")
    with refused("AccessDeniedException"):
        send_as(aws, "theirs")


def write_once(aws: LocalAws, **more: str) -> None:
    """Writes into a bucket that nobody may write over anything in."""
    name = bucket(aws)
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{name}/*",
        "Condition": {"Null": {"s3:if-none-match": "true"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.client("s3").put_bucket_policy(Bucket=name, Policy=policy)
    writer = role(aws, "account", [allow("s3:PutObject", f"arn:aws:s3:::{name}/*")])
    client = aws.client("s3", **acting_as(aws, writer))
    client.put_object(Bucket=name, Key="a", Body=b"", **more)


def test_a_write_that_replaces_nothing_is_refused_as_it_comes(plain: LocalAws) -> None:
    with refused("AccessDenied"):
        write_once(plain, IfNoneMatch="*")


def test_only_a_write_that_replaces_nothing_is_allowed(aws: LocalAws) -> None:
    write_once(aws, IfNoneMatch="*")
    with refused("AccessDenied"):
        write_once(aws)


def ask(aws: LocalAws, *actions: str) -> tuple[int, str, str]:
    """What a function's address answers a role with these rights, and who that role is."""
    arn = function(aws, ECHO)
    made = aws.client("lambda").create_function_url_config(FunctionName=arn, AuthType="AWS_IAM")
    caller = role(aws, "account", [allow(list(actions), arn)])
    keys = acting_as(aws, caller)

    class Caller(Aws):
        session: Any = boto3.Session(region_name=REGION, **keys)

    status, body = Caller(region=REGION).signed_post(made["FunctionUrl"], "{}", service="lambda")
    return status, body, caller.rpartition("/")[2]


def test_a_function_learns_from_the_signature_who_calls_its_address(aws: LocalAws) -> None:
    status, body, caller = ask(aws, "lambda:InvokeFunctionUrl", "lambda:InvokeFunction")
    assert status == 200
    assert f":assumed-role/{caller}/" in body


@pytest.mark.parametrize("action", ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"])
def test_its_address_asks_for_both_rights(aws: LocalAws, action: str) -> None:
    assert ask(aws, action)[0] == 403
