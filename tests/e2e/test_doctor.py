"""`tuning doctor` on the deployed app."""

import json
from typing import Any

import pytest
from click.testing import CliRunner

from bedrock_tuning.cli.__main__ import tuning
from bedrock_tuning.client.doctor import canary_upload
from tests.e2e.world import World


def doctor(world: World, *arguments: str) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(
        tuning, ["doctor", "-e", "local", *arguments, "--json"], obj=world.deployment.aws
    )
    return result.exit_code, {each["id"]: each for each in json.loads(result.stdout)["checks"]}


def test_the_shipped_app_is_well_but_for_what_it_says_itself(world: World) -> None:
    world.nobody_subscribed()
    code, checks = doctor(world)

    assert code == 0
    states = {id: each["state"] for id, each in checks.items() if each["state"] != "ok"}
    # Its second model is closed, nobody subscribed, no model is tuned yet, and none is in the price
    # list.
    assert states.pop("base-model-arn", "skip") == "skip"
    assert states.pop("prices") == "skip"
    # The emulator has no Access Analyzer.
    assert states.pop("policies") == "skip"
    # Every service role is its own.
    assert states.pop("service-roles") == "skip"
    assert states == {"model-open": "warn", "messages": "warn"}


def test_uploads_reach_the_workflow_and_those_that_cannot_are_kept(world: World) -> None:
    before = world.deployed("AWS::Events::Rule")
    code, checks = doctor(world, "canary-upload", "--canary-upload")

    assert code == 0, checks
    assert len(checks["canary-upload"]["answers"]) == 2
    versions = world.aws.client("s3").list_object_versions(
        Bucket=world.bucket("training"), Prefix="doctor-"
    )
    assert "Versions" not in versions
    (rule,) = (name for path, name in before.items() if "ManifestUploaded" in path)
    assert len(world.aws.client("events").list_targets_by_rule(Rule=rule)["Targets"]) == 1


def test_a_dead_letter_queue_that_lets_nobody_in_is_red(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canary_upload, "_PATIENCE", 6.0)
    sqs = world.aws.client("sqs")
    (queue,) = world.deployed("AWS::SQS::Queue").values()
    policy = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])["Attributes"]
    closed = policy["Policy"].replace("events.amazonaws.com", "sns.amazonaws.com")
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": closed})
    try:
        code, checks = doctor(world, "canary-upload", "--canary-upload")
    finally:
        sqs.set_queue_attributes(QueueUrl=queue, Attributes=policy)

    assert code == 1
    upload, letter = checks["canary-upload"]["answers"]
    assert (upload["state"], letter["state"]) == ("ok", "fail")
    assert "policy of the queue" in letter["fix"]


def test_a_role_that_somebody_narrowed_is_red(world: World) -> None:
    iam = world.aws.client("iam")
    (role,) = (
        name
        for path, name in world.deployed("AWS::IAM::Role").items()
        if path.endswith("Functions/Admit/Role/Resource")
    )
    denied = {"Effect": "Deny", "Action": "bedrock:GetFoundationModel", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [denied]})
    iam.put_role_policy(RoleName=role, PolicyName="narrow", PolicyDocument=policy)
    try:
        code, checks = doctor(world, "permissions")
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="narrow")

    assert code == 1
    red = [each for each in checks["permissions"]["answers"] if each["state"] == "fail"]
    assert [each["seen"].partition(" on ")[0] for each in red] == [
        f"{role} may not do bedrock:GetFoundationModel"
    ]


def test_without_model_units_it_is_red(world: World) -> None:
    world.aws.faults.options(model_units=0)
    try:
        code, checks = doctor(world, "quota-model-units")
    finally:
        world.aws.faults.options(model_units=2)

    assert code == 1
    assert "0 model units" in checks["quota-model-units"]["answers"][0]["seen"]


def test_a_job_with_a_wrong_line_shows_that_bedrock_can_use_the_service_role(world: World) -> None:
    code, checks = doctor(world, "canary-job", "--canary-job")

    assert code == 0
    search, style = checks["canary-job"]["answers"]
    assert (search["state"], style["state"]) == ("ok", "warn")
    assert search["seen"] == "pets-search: the role was assumed and the manifest read"
    left = world.aws.client("s3").list_object_versions(
        Bucket=world.bucket("training"), Prefix="pets-search/doctor-"
    )
    assert "Versions" not in left
    assert "DeleteMarkers" not in left


def test_a_role_that_bedrock_may_not_assume_makes_the_canary_red(world: World) -> None:
    iam = world.aws.client("iam")
    (role,) = (
        each
        for each in iam.list_roles(PathPrefix="/tuning/local/bedrock/")["Roles"]
        if "search" in each["RoleName"]
    )
    name, trust = role["RoleName"], role["AssumeRolePolicyDocument"]
    closed = json.loads(json.dumps(trust).replace("bedrock.amazonaws.com", "ec2.amazonaws.com"))
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(closed))
    try:
        code, checks = doctor(world, "canary-job", "--canary-job")
    finally:
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))

    assert code == 1
    answer = checks["canary-job"]["answers"][0]
    assert answer["state"] == "fail"
    assert "trust policy" in answer["fix"]
