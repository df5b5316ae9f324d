"""A refusal in AWS's own words becomes who, what, on what, by which policy, and what to do."""

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedrock_tuning.access_denied import Denial, denial

ROLE = "tuning-dev-pipeline-FunctionsMergeRole0000-000000000000"
SESSION = f"arn:aws:sts::000000000000:assumed-role/{ROLE}/tuning-dev-pipeline-FunctionsMerge"
TABLE = "arn:aws:dynamodb:us-east-1:000000000000:table/runs"


def _refused(action: str = "dynamodb:PutItem", *, on: str = TABLE, why: str = "") -> str:
    resource = f" on resource: {on}" if on else ""
    return f"User: {SESSION} is not authorized to perform: {action}{resource}{why}"


def _found(message: str) -> Denial:
    found = denial(message)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("why", "policy", "explicit", "fix"),
    [
        (
            " because no identity-based policy allows the dynamodb:PutItem action",
            "identity-based policy",
            False,
            "--revert-drift",
        ),
        (
            " with an explicit deny in an identity-based policy",
            "identity-based policy",
            True,
            "--revert-drift",
        ),
        (
            " with an explicit deny in a service control policy",
            "service control policy",
            True,
            "administrator of the organization",
        ),
        (
            " because no resource control policy allows the dynamodb:PutItem action",
            "resource control policy",
            False,
            "administrator of the organization",
        ),
        (
            " because no permissions boundary allows the dynamodb:PutItem action",
            "permissions boundary",
            False,
            "permissions_boundary",
        ),
        (
            " because no VPC endpoint policy allows the dynamodb:PutItem action",
            "VPC endpoint policy",
            False,
            "VPC endpoint",
        ),
        (
            " with an explicit deny in a resource-based policy",
            "resource-based policy",
            True,
            "deny_others",
        ),
        ("", "", False, "--revert-drift"),
    ],
)
def test_the_policy_that_decided_decides_what_to_do(
    why: str, policy: str, explicit: bool, fix: str
) -> None:
    found = _found(_refused(why=why))

    assert found.principal == f"role {ROLE}"
    assert (found.action, found.resource) == ("dynamodb:PutItem", TABLE)
    assert (found.policy, found.explicit) == (policy, explicit)
    assert fix in found.fix
    for told in (ROLE, "dynamodb:PutItem", TABLE, policy):
        assert told in found.cause


def test_a_refusal_is_found_inside_what_a_client_says_around_it() -> None:
    message = (
        "An error occurred (AccessDeniedException) when calling the PutItem operation: "
        f"{_refused(why=' because no identity-based policy allows the dynamodb:PutItem action')} "
        "(Service: DynamoDB, Status Code: 403)"
    )

    assert _found(message).resource == TABLE


def test_s3_quotes_its_resources_and_keys_may_have_blanks() -> None:
    message = _refused("s3:GetObject", on='"arn:aws:s3:::bucket/my pets/a.png"')

    assert _found(message).resource == "arn:aws:s3:::bucket/my pets/a.png"


def test_a_refusal_that_names_no_resource_is_one_all_the_same() -> None:
    found = _found(_refused(on="", why=" because no identity-based policy allows it"))

    assert found.resource == ""
    assert found.cause == (
        f"the role {ROLE} may not do dynamodb:PutItem: no identity-based policy allows it"
    )


def test_a_person_is_told_whom_to_ask_instead_of_how_to_deploy() -> None:
    message = (
        "User: arn:aws:iam::000000000000:user/team/ron is not authorized to perform: iam:PassRole "
        "on resource: arn:aws:iam::000000000000:role/x because no identity-based policy allows "
        "the iam:PassRole action"
    )

    found = _found(message)

    assert found.principal == "user ron"
    assert "ask the administrator of the account" in found.fix


@pytest.mark.parametrize(
    ("why", "of_caller"),
    [
        (" because no identity-based policy allows the s3:GetObject action", True),
        (" because no permissions boundary allows the s3:GetObject action", True),
        (" with an explicit deny in a resource-based policy", False),
        ("", False),
    ],
)
def test_a_refusal_by_the_callers_own_policies_is_about_the_caller(
    why: str, of_caller: bool
) -> None:
    assert _found(_refused("s3:GetObject", why=why)).of_caller == of_caller


@pytest.mark.parametrize(
    "message", ["", "Access Denied", "User: ron is not authorized to perform: magic", "403"]
)
def test_other_words_are_not_taken_for_a_refusal(message: str) -> None:
    assert denial(message) is None


@given(st.text())
def test_any_text_is_read(message: str) -> None:
    found = denial(message)

    assert found is None or found.cause


@pytest.mark.slow
@pytest.mark.parametrize("part", ["arn:aws:sts::000000000000:a", " is not authorized", "a-"])
def test_a_huge_message_is_read_at_once(part: str) -> None:
    before = process_time()
    assert denial(part * 100_000) is None
    assert process_time() - before < 5


def test_a_task_that_may_not_become_its_role_says_who_and_whom() -> None:
    """Step Functions' own sentence; it blames neither the caller's policy nor the role's trust."""
    workflow, starter = (
        f"arn:aws:iam::000000000000:role/{name}"
        for name in ("tuning-dev-workflow", "tuning/dev/start/tuning-dev-pets-search")
    )
    found = _found(
        f"The role {workflow} is not authorized to assume the task state's role, {starter}."
    )
    assert found == Denial(
        principal="role tuning-dev-workflow", action="sts:AssumeRole", resource=starter
    )
    assert "--revert-drift" in found.fix
