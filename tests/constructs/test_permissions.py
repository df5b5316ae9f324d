"""Contracts become policies: every part of a grant is in its statement, under a name of its own."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam

from app import read_context
from bedrock_tuning.config import customization, settings
from bedrock_tuning.constructs.permissions import Permissions
from bedrock_tuning.contracts import Condition, Grant, contracts
from bedrock_tuning.contracts.statements import statement_id

BUCKET = "arn:aws:s3:::pets"
READ = Grant(
    why="read the pets",
    actions=("s3:GetObject", "s3:GetObjectVersion"),
    resources=("{pets}/dogs/*", "{pets}/cats/*"),
    services=("events.amazonaws.com",),
    conditions=(
        Condition(operator="StringEquals", key="aws:ResourceAccount", values=("{account}",)),
        Condition(operator="StringEquals", key="aws:SourceVpc", values=("vpc-1", "vpc-2")),
        Condition(operator="ArnLike", key="aws:PrincipalArn", values=("{pets:owner}",)),
    ),
)
REFUSE = Grant(why="nothing without TLS", actions=("s3:*",), resources=("*",), effect="Deny")


@pytest.fixture
def stack() -> cdk.Stack:
    return cdk.Stack(
        cdk.App(analytics_reporting=False), "pets", env=cdk.Environment(region="eu-west-1")
    )


@pytest.fixture
def permissions() -> Permissions:
    chosen = settings.read(read_context()["tuning"], environment="dev")
    customizations = customization.load_all(Path(__file__).parents[2] / "customizations")
    found = Permissions(contracts(chosen, customizations))
    found.register("pets", arn=BUCKET, owner="arn:aws:iam::1:role/owner")
    return found


def _rendered(stack: cdk.Stack, statement: iam.PolicyStatement) -> Any:
    return stack.resolve(statement.to_statement_json())


def test_a_grant_becomes_a_statement_with_all_that_it_says(
    stack: cdk.Stack, permissions: Permissions
) -> None:
    (statement,) = permissions.statements([READ], stack)
    assert _rendered(stack, statement) == {
        "Sid": "ReadPets",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": ["s3:GetObject", "s3:GetObjectVersion"],
        "Resource": [f"{BUCKET}/dogs/*", f"{BUCKET}/cats/*"],
        "Condition": {
            "StringEquals": {
                "aws:ResourceAccount": {"Ref": "AWS::AccountId"},
                "aws:SourceVpc": ["vpc-1", "vpc-2"],
            },
            "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::1:role/owner"},
        },
    }


def test_a_refusal_denies(stack: cdk.Stack, permissions: Permissions) -> None:
    (statement,) = permissions.statements([REFUSE], stack)
    rendered = _rendered(stack, statement)
    assert (rendered["Effect"], rendered["Principal"]) == ("Deny", {"AWS": "*"})


def test_a_resource_grants_nothing_to_nobody_in_particular(
    stack: cdk.Stack, permissions: Permissions
) -> None:
    with pytest.raises(ValueError, match="read the pets: a policy of a resource"):
        permissions.statements([replace(READ, services=())], stack)


def test_a_service_is_the_principal_of_its_grant(
    stack: cdk.Stack, permissions: Permissions
) -> None:
    grant = replace(READ, services=("logs.{region}.amazonaws.com",))
    (statement,) = permissions.statements([grant], stack)
    assert _rendered(stack, statement)["Principal"] == {"Service": "logs.eu-west-1.amazonaws.com"}


def test_two_grants_for_one_reason_have_two_names(
    stack: cdk.Stack, permissions: Permissions
) -> None:
    statements = permissions.statements([READ, READ, REFUSE], stack)
    assert [each.sid for each in statements] == ["ReadPets", "ReadPets2", "NothingWithoutTLS"]


def test_a_resource_that_nobody_registered_is_named(
    stack: cdk.Stack, permissions: Permissions
) -> None:
    grant = replace(READ, resources=("{birds}/*",))
    with pytest.raises(KeyError, match=r"\{birds\} in '\{birds\}/\*': nothing is registered"):
        permissions.statements([grant], stack)


@pytest.mark.parametrize(
    ("why", "sid"),
    [
        ("read the dataset", "ReadDataset"),
        ("use the runs' key", "UseRunsKey"),
        ("an S3 log's end", "S3LogsEnd"),
    ],
)
def test_a_statement_is_named_after_its_reason(why: str, sid: str) -> None:
    assert statement_id(why) == sid
