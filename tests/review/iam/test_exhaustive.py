"""Of all actions of all AWS services, each role can do what is committed, and no other."""

import os

import pytest
import yaml

from tests.review.broken import Synthesized
from tests.review.iam.oracle import exhaustive, simulator


@pytest.fixture(scope="module", autouse=True)
def _simulator() -> None:
    simulator.require()


BEDROCK = {
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:PutObject",
}


@pytest.mark.long
def test_what_each_role_can_do_is_the_committed_list(dev: Synthesized) -> None:
    found = exhaustive.text(dev.evidence())
    assert found == exhaustive.SNAPSHOT.read_text("utf-8"), (
        "read the difference, then: python -m tests.review.iam.oracle.exhaustive"
    )


def test_the_list_has_each_action_that_a_role_is_allowed(dev: Synthesized) -> None:
    listed = yaml.safe_load(exhaustive.SNAPSHOT.read_text("utf-8"))
    missing = {
        (exhaustive.listed_as(role), action)
        for role in dev.evidence().permissions.roles.values()
        for statement in role.policy
        for action in statement.actions
        if statement.effect == "Allow" and "*" not in action
        if action not in listed[exhaustive.listed_as(role)]
    }
    # Whom a role may become is also up to the other role's trust policy.
    assert {action for _, action in missing} <= {"sts:AssumeRole"}


@pytest.mark.skipif(
    "TUNING_EXHAUSTIVE" not in os.environ, reason="half a minute; set TUNING_EXHAUSTIVE=1"
)
def test_of_22000_actions_the_bedrock_role_can_do_five_and_what_everybody_can(
    dev: Synthesized,
) -> None:
    answer = exhaustive.run(dev.evidence(), full=True, only="pets-search/BedrockRole")
    (allowed,) = answer["allowed"].values()
    assert answer["actions"] > 20_000
    assert set(allowed) - {"sts:GetCallerIdentity"} == BEDROCK
