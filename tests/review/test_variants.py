"""Other settings are proved as the default is: prod, local, strict roles, boundary and mail."""

from collections.abc import Callable

import pytest

from bedrock_tuning import review
from tests.review.broken import Synthesized
from tests.review.conftest import BOUNDARY

Build = Callable[[str], Synthesized]


@pytest.mark.parametrize("name", ["prod", "local", "strict", "bounded"])
def test_an_environment_keeps_its_contracts(synthesized: Build, name: str) -> None:
    assert [str(violation) for violation in synthesized(name).copy().violations()] == []


def test_the_strict_service_role_has_five_actions_and_never_reads_its_output(
    synthesized: Build,
) -> None:
    strict, documented = (
        synthesized(name).copy().policy("pipeline/BedrockRole-pets-search/Role")
        for name in ("strict", "dev")
    )

    def actions(statements: list[dict[str, object]]) -> set[str]:
        listed = [s["Action"] for s in statements]
        return {
            str(action)
            for each in listed
            for action in (each if isinstance(each, list) else [each])
        }

    five = {"s3:GetObject", "s3:ListBucket", "s3:PutObject", "kms:Decrypt", "kms:GenerateDataKey"}
    assert actions(strict) == actions(documented) == five
    assert len(documented) - len(strict) == 2


def test_a_documented_role_is_too_wide_for_the_strict_contract(synthesized: Build) -> None:
    role = "pipeline/BedrockRole-pets-search/Role"
    copy = synthesized("strict").copy()
    wide = synthesized("dev").copy()
    copy.policy(role).append(
        {
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": wide.statement(role, "ReadOutput")["Resource"],
        }
    )
    assert "P304" in {violation.check for violation in copy.violations()}


def test_a_role_without_the_boundary_or_the_name_that_the_settings_demand_is_noticed(
    synthesized: Build,
) -> None:
    copy = synthesized("bounded").copy()
    properties = copy.properties("pipeline/WorkflowRole")
    assert properties["PermissionsBoundary"] == BOUNDARY
    del properties["PermissionsBoundary"]
    properties["RoleName"] = "another"
    found = [violation for violation in copy.violations() if violation.check == "P303"]
    assert len(found) == 2


def test_a_subscription_that_cannot_deliver_is_noticed(synthesized: Build) -> None:
    copy = synthesized("bounded").copy()
    copy.add(
        "pipeline",
        "Listener",
        "AWS::SNS::Subscription",
        TopicArn={"Ref": copy.logical_id("pipeline/Messages/Topic")},
        Protocol="sqs",
        Endpoint={"Fn::GetAtt": [copy.logical_id("pipeline/Messages/DeadLetters"), "Arn"]},
    )
    assert {violation.check for violation in copy.violations()} == {"W529"}


def test_a_stack_with_data_without_termination_protection_is_noticed(dev: Synthesized) -> None:
    evidence = dev.evidence()
    evidence.assembly.protected["tuning-dev-data"] = False
    evidence.assembly.protected["tuning-dev-serving"] = True
    found = [violation for violation in review.violations(evidence) if violation.check == "S611"]
    assert {violation.where for violation in found} == {"tuning-dev-data", "tuning-dev-serving"}


def test_a_role_that_outgrows_iam_is_noticed(dev: Synthesized) -> None:
    copy = dev.copy()
    copy.statement("pipeline/WorkflowRole", "StartJobs")["Resource"] += [
        f"arn:aws:bedrock:us-east-1::foundation-model/{number:0100}" for number in range(60)
    ]
    assert "P310" in {violation.check for violation in copy.violations()}


def test_everything_is_proved_in_less_than_two_seconds(dev: Synthesized) -> None:
    import time

    started = time.process_time()
    review.violations(dev.evidence())
    assert time.process_time() - started < 2


def test_every_check_has_an_id_of_its_own_and_a_sentence() -> None:
    ids = [check.id for check in review.CHECKS]
    assert len(set(ids)) == len(ids)
    assert all(check.sentence.endswith(".") for check in review.CHECKS)
