"""The lines of `tuning doctor` that probe what is deployed: red for what they are about."""

import json
from typing import Any

import pytest

from tests.cli.support import REGION, WORKFLOW, StubbedAws
from tests.client.doctor.test_doctor import ACCOUNT, ask, aws, called, only, stacks, subject

__all__ = ["aws"]

ROLE = "tuning-dev-pipeline-FunctionsAdmitRole"
ARN = f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"
MODELS = f"arn:aws:bedrock:{REGION}::foundation-model/x"


def deployed(aws: StubbedAws) -> None:
    """One stack with one role."""
    stacks(aws, dev_pipeline="CREATE_COMPLETE")
    path = "tuning-dev-pipeline/Functions/Admit/Role/Resource"
    role = {"Type": "AWS::IAM::Role", "Metadata": {"aws:cdk:path": path}}
    name = {"StackName": "tuning-dev-pipeline"}
    body = json.dumps({"Resources": {"Role": role, "Other": {"Type": "AWS::SNS::Topic"}}})
    aws.answer("cloudformation", "get_template", {"TemplateBody": body}, name)
    rows = [
        {
            "LogicalResourceId": logical,
            "PhysicalResourceId": physical,
            "ResourceType": "AWS::IAM::Role",
            "LastUpdatedTimestamp": "2026-11-01T00:00:00Z",
            "ResourceStatus": "CREATE_COMPLETE",
        }
        for logical, physical in (("Role", ROLE), ("Other", "topic"))
    ]
    answer = {"StackResourceSummaries": rows}
    aws.answer("cloudformation", "list_stack_resources", answer, name)


def simulated(aws: StubbedAws, decision: str, **details: Any) -> None:
    called(aws)
    deployed(aws)
    result = {"EvalActionName": "bedrock:GetFoundationModel", "EvalDecision": decision, **details}
    asked = {
        "PolicySourceArn": ARN,
        "ActionNames": ["bedrock:GetFoundationModel"],
        "ResourceArns": [MODELS],
        "ContextEntries": [],
    }
    aws.answer("iam", "simulate_principal_policy", {"EvaluationResults": [result]}, asked)


def test_a_role_that_may_do_what_its_contract_says_is_well(aws: StubbedAws) -> None:
    simulated(aws, "allowed")
    state, seen, _ = only("permissions", subject(aws))
    assert (state, seen) == ("ok", "1 permissions of 1 role are as their contracts say")


@pytest.mark.parametrize(
    ("decision", "details", "because"),
    [
        ("implicitDeny", {}, "no policy allows it"),
        ("explicitDeny", {}, "a policy denies it"),
        (
            "implicitDeny",
            {"PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": False}},
            "the permissions boundary",
        ),
        (
            "implicitDeny",
            {"OrganizationsDecisionDetail": {"AllowedByOrganizations": False}},
            "a policy of the organization",
        ),
    ],
)
def test_a_role_that_lacks_a_right_is_red_with_who_keeps_it_from_it(
    aws: StubbedAws, decision: str, details: dict[str, Any], because: str
) -> None:
    simulated(aws, decision, **details)
    state, seen, fix = only("permissions", subject(aws))
    assert state == "fail"
    assert seen == f"{ROLE} may not do bedrock:GetFoundationModel on {MODELS}: {because}"
    assert "--revert-drift" in fix


@pytest.mark.parametrize(
    ("found", "state"), [(None, "ok"), ("SUGGESTION", "ok"), ("ERROR", "fail"), ("WARNING", "warn")]
)
def test_what_access_analyzer_finds_in_a_policy_is_told(
    aws: StubbedAws, found: str | None, state: str
) -> None:
    called(aws)
    deployed(aws)
    policy = {"RoleName": ROLE, "PolicyName": "p"}
    aws.answer("iam", "list_role_policies", {"PolicyNames": ["p"]}, {"RoleName": ROLE})
    document = {**policy, "PolicyDocument": json.dumps({"Version": "2012-10-17"})}
    aws.answer("iam", "get_role_policy", document, policy)
    finding = {
        "findingDetails": "an action does not exist",
        "findingType": found,
        "issueCode": "INVALID_ACTION",
        "learnMoreLink": "https://docs",
        "locations": [],
    }
    answer = {"findings": [finding] if found else []}
    aws.answer("access_analyzer", "validate_policy", answer, None)
    answered = only("policies", subject(aws))
    assert answered[0] == state
    assert state == "ok" or f"{ROLE}: INVALID_ACTION" in answered[1]


@pytest.mark.parametrize(("result", "state"), [("PASS", "ok"), ("FAIL", "fail")])
def test_a_role_that_may_do_more_than_its_contract_is_red(
    aws: StubbedAws, result: str, state: str
) -> None:
    called(aws)
    deployed(aws)
    policy = {"RoleName": ROLE, "PolicyName": "p"}
    aws.answer("iam", "list_role_policies", {"PolicyNames": ["p"]}, {"RoleName": ROLE})
    there = {"Version": "2012-10-17", "Statement": []}
    aws.answer("iam", "get_role_policy", {**policy, "PolicyDocument": json.dumps(there)}, policy)
    asked: dict[str, Any] = {}

    def checked(params: dict[str, Any], **_: Any) -> None:
        asked.update(params)

    analyzer = aws.access_analyzer
    event = "provide-client-params.accessanalyzer.CheckNoNewAccess"
    analyzer.meta.events.register(event, checked)
    reasons = [{"description": "New access in the statement with sid: Admin."}]
    answer = {"result": result, "message": "m", "reasons": reasons if result == "FAIL" else []}
    aws.answer("access_analyzer", "check_no_new_access", answer, None)
    answered = only("new-access", subject(aws))
    analyzer.meta.events.unregister(event, checked)

    assert answered[0] == state
    # What the contract says is the reference, with what is deployed in place of placeholders.
    (asking,) = [
        each
        for each in json.loads(asked["existingPolicyDocument"])["Statement"]
        if each["Action"] == "bedrock:GetFoundationModel"
    ]
    assert asking["Resource"] == f"arn:aws:bedrock:{REGION}::foundation-model/*"
    assert asked["newPolicyDocument"] == json.dumps(there)
    if state == "fail":
        assert f"{ROLE} may do more than its contract says: New access" in answered[1]
        assert "--revert-drift" in answered[2]


@pytest.mark.parametrize(
    ("code", "state"), [("ResourceNotFoundException", "ok"), ("AccessDeniedException", "fail")]
)
def test_whether_one_may_see_endpoints_is_asked_with_one_that_is_not_there(
    aws: StubbedAws, code: str, state: str
) -> None:
    called(aws)
    made_up = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:provisioned-model/doctor000000"
    aws.stub("bedrock").add_client_error(
        "get_provisioned_model_throughput", code, expected_params={"provisionedModelId": made_up}
    )
    found = only("endpoints-seen", subject(aws))
    assert found[0] == state
    assert state == "ok" or "bedrock:GetProvisionedModelThroughput" in found[2]


def machine(aws: StubbedAws) -> dict[str, Any]:
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::bedrock:createModelCustomizationJob.sync",
        "Parameters": {"JobName.$": "$.start.request.JobName", "Run.$": "$$.Execution.Id"},
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "End"}],
        "Next": "End",
    }
    states = {"Train": state, "End": {"Type": "Succeed"}}
    described = {
        "stateMachineArn": WORKFLOW,
        "name": "w",
        "definition": json.dumps({"States": states}),
        "roleArn": ARN,
        "type": "STANDARD",
        "creationDate": "2026-11-01T00:00:00Z",
    }
    aws.answer("stepfunctions", "describe_state_machine", described, {"stateMachineArn": WORKFLOW})
    return state


@pytest.mark.parametrize(
    ("status", "state"), [("CAUGHT_ERROR", "ok"), ("RETRIABLE", "ok"), ("FAILED", "fail")]
)
def test_a_state_whose_failure_is_not_caught_is_red(
    aws: StubbedAws, status: str, state: str
) -> None:
    asked = {
        "definition": json.dumps(machine(aws)),
        "input": json.dumps({"start": {"request": {"JobName": "x"}}}),
        "context": json.dumps({"Execution": {"Id": "x"}}),
        "mock": {"errorOutput": {"error": "States.TaskFailed", "cause": "asked by tuning doctor"}},
    }
    aws.answer("stepfunctions", "test_state", {"status": status, "error": "X"}, asked)
    found = only("states", subject(aws))
    assert found[0] == state
    assert state == "ok" or found[1].startswith("Train: a failure ends it as FAILED (X")


def test_a_state_that_step_functions_refuses_is_red(aws: StubbedAws) -> None:
    machine(aws)
    aws.stub("stepfunctions").add_client_error("test_state", "InvalidDefinition", "no Resource")
    assert only("states", subject(aws))[:2] == ("fail", "Train: no Resource")


@pytest.mark.parametrize(
    ("status", "reason", "state"),
    [
        ("FAILED", "The submitted information didn't contain changes.", "ok"),
        ("CREATE_COMPLETE", "", "ok"),
        ("FAILED", "the role may not do s3:CreateBucket", "fail"),
    ],
)
def test_a_stack_that_cannot_be_changed_is_red(
    aws: StubbedAws, status: str, reason: str, state: str
) -> None:
    stacks(aws, dev_data="CREATE_COMPLETE", dev_other="ROLLBACK_COMPLETE")
    made = {"ChangeSetName": "arn:set"}
    aws.answer("cloudformation", "create_change_set", {"Id": "arn:set"}, None)
    told = {"Status": status, "StatusReason": reason}
    aws.answer("cloudformation", "describe_change_set", told, made)
    aws.answer("cloudformation", "delete_change_set", {}, made)
    found = only("change-sets", subject(aws))
    assert found[0] == state
    assert reason in found[1] or state == "ok"


def test_before_the_first_deployment_there_is_nothing_to_probe(aws: StubbedAws) -> None:
    for id in ("permissions", "policies", "states", "canary-upload"):
        assert {each.state for each in ask(id, subject(aws, deployment=None))} == {"skip"}
