"""The network's default security group: it lets nothing in and nothing out, and always answers."""

import pytest

from lambdas import close_default_group
from lambdas._deploying import _cloudformation
from tests.lambdas.aws import Aws
from tests.lambdas.cloudformation import CloudFormation

GROUP, OTHER = "sg-1", "sg-2"


@pytest.fixture
def stack(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> CloudFormation:
    made = CloudFormation(aws, close_default_group.handler, {"GroupId": GROUP}, f"closed/{GROUP}")
    monkeypatch.setattr(_cloudformation.urllib3, "PoolManager", lambda: made)
    aws.ec2.rules = {
        "sgr-1": (GROUP, False),
        "sgr-2": (GROUP, True),
        "sgr-3": (GROUP, False),
        "sgr-4": (OTHER, True),
    }
    return made


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_every_rule_of_the_group_and_of_no_other_is_revoked(
    kind: str, aws: Aws, stack: CloudFormation
) -> None:
    answer = stack.ask(kind)

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", f"closed/{GROUP}")
    assert answer["Reason"] == "3 rules revoked"
    assert aws.ec2.rules == {"sgr-4": (OTHER, True)}


def test_a_group_that_is_closed_already_stays_closed(aws: Aws, stack: CloudFormation) -> None:
    aws.ec2.rules = {}

    assert stack.ask("Create")["Reason"] == "0 rules revoked"


def test_deletion_leaves_the_group_to_its_network(aws: Aws, stack: CloudFormation) -> None:
    assert stack.ask("Delete")["Status"] == "SUCCESS"
    assert aws.ec2.calls == []


def test_a_refusal_is_answered(aws: Aws, stack: CloudFormation) -> None:
    aws.ec2.refuse("RevokeSecurityGroupIngress", "UnauthorizedOperation", "not you")

    answer = stack.ask("Create")

    assert answer["Status"] == "FAILED"
    assert stack.failed == [], "CloudFormation undoes it; Lambda must not call again after that"
    assert "not you" in answer["Reason"]
