"""When Bedrock, a person or the clock says no: the end is clear and nothing is left billing."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image

from bedrock_tuning.client import approvals
from bedrock_tuning.config.names import LOCAL_ACCOUNT
from bedrock_tuning.run.approvals import ApprovalAnswer
from local.demo import dataset
from local.demo.deploy import deploy, destroy
from tests.e2e import following
from tests.e2e.following import upload_manifest, upload_pictures
from tests.e2e.world import NAME, World, eventually

pytestmark = pytest.mark.e2e

ROOT = f"arn:aws:iam::{LOCAL_ACCOUNT}:root"


def test_a_declined_price_starts_nothing_and_may_be_asked_again(world: World) -> None:
    before = world.jobs()
    arn = world.execution(world.upload("training", world.rows(salt=" declined")))
    assert eventually(lambda: following.waits(world.aws, world.deployment, arn))
    run = (following.run_of(world.aws, world.deployment, arn) or {})["run"]
    decline = ApprovalAnswer(run=run, decision="decline", reason="too expensive")
    approvals.send_decision(world.deployment, decline)
    ended = world.end_of(arn, approve=False)
    assert ended.outcome == "declined"
    (kept,) = (
        each
        for each in approvals.decisions(world.deployment, customization=NAME)
        if each.run == run
    )
    assert (kept.past, kept.by, kept.reason) == ("declined", ROOT, "too expensive")
    assert world.jobs() == before
    again = world.follow(world.upload("training", world.rows(salt=" declined")))
    assert again.outcome == "served"


def test_an_aborted_run_is_closed_and_told_and_its_data_may_be_tried_again(world: World) -> None:
    """Aborted while it waits for approval: nobody else would close it for a week."""
    states = world.aws.client("stepfunctions")
    arn = world.execution(world.upload("training", world.rows(salt=" aborted")))

    def row() -> dict[str, str]:
        return following.run_of(world.aws, world.deployment, arn) or {}

    assert eventually(lambda: following.waits(world.aws, world.deployment, arn))
    states.stop_execution(executionArn=arn, cause="wrong file")

    assert eventually(lambda: row().get("status") == "aborted")
    assert "its execution was aborted: wrong file" in row()["message"]
    again = world.follow(world.upload("training", world.rows(salt=" aborted")))
    assert again.outcome == "served"


def test_a_run_that_bedrock_has_no_slot_for_waits_and_is_served(world: World) -> None:
    world.aws.faults.refuse(
        "CreateModelCustomizationJob", code="ServiceQuotaExceededException", times=3
    )
    arn = world.execution(world.upload("training", world.rows(salt=" queued")))
    ended = world.end_of(arn)
    assert ended.outcome == "served"
    row = world.row(ended)
    assert "queued_since" in row
    assert row["approved_by"]


def test_a_failed_job_says_what_failed_and_its_data_may_be_tried_again(world: World) -> None:
    world.aws.faults.order("fail-job", message="Unable to read training data: access denied")
    ended = world.run(" fails once")
    assert ended.status == "FAILED"
    assert "access denied" in ended.cause.lower()
    assert "What to do" in ended.cause
    assert world.row(ended)["status"] == "failed"
    assert (
        world.follow(world.upload("training", world.rows(salt=" fails once"))).outcome == "served"
    )


def test_a_base_model_past_its_end_of_life_is_named_with_its_date(world: World) -> None:
    """pets-style asks for one; without extended access Bedrock refuses the job."""
    before = world.jobs()
    place = {"bucket": world.deployment.buckets.training, "customization": "pets-style"}
    folder = world.folder / "style"
    pictures = list(dataset.draw_pictures(folder, count=8, seed=3, prefix="style"))
    for each in pictures:
        Image.open(folder / each.path).resize((512, 512)).save(folder / each.path)
    upload_pictures(world.aws, folder, pictures, **place)
    body = dataset.manifest(pictures, **place)
    ended = world.follow(upload_manifest(world.aws, body, **place))
    assert ended.status == "FAILED", ended.why
    assert "Titan Image Generator G1 v2 is past its end-of-life date, 2026-06-30" in ended.cause
    assert "What to do: choose an open model" in ended.cause
    assert world.jobs() == before


def test_a_failed_smoke_test_brings_the_previous_model_back(world: World) -> None:
    first = world.run(" good")
    assert first.outcome == "served"
    good = world.pointer("model")
    world.aws.faults.refuse("InvokeModel", code="ModelErrorException", times=20)
    ended = world.run(" bad")
    assert ended.status == "FAILED"
    assert world.row(ended)["status"] == "serving-failed"
    assert world.pointer("model") == good
    (throughput,) = world.throughputs()
    bedrock = world.aws.client("bedrock")

    def served_again() -> bool:
        found = bedrock.get_provisioned_model_throughput(
            provisionedModelId=throughput["provisionedModelArn"]
        )
        return bool(found["desiredModelArn"] == good)

    assert eventually(served_again)


def test_an_ended_lease_ends_billing(world: World) -> None:
    assert world.run(" leased").outcome == "served"
    (throughput,) = world.throughputs()
    arn = throughput["provisionedModelArn"]
    past = (datetime.now(UTC) - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    world.aws.client("bedrock").tag_resource(
        resourceARN=arn, tags=[{"key": "bedrock-tuning:expires", "value": past}]
    )
    assert world.call("KeepLeases", {})["deleted"] == [arn]
    assert world.throughputs() == []
    assert world.pointer("endpoint") is None


def test_a_throughput_that_never_starts_is_deleted(world: World) -> None:
    world.aws.faults.order("throughput-fails", message="No capacity")
    ended = world.run(" no capacity")
    assert ended.status == "FAILED"
    assert "No capacity" in json.dumps([ended.cause, world.row(ended)])
    assert world.throughputs() == []


def test_deleting_a_customizations_stack_ends_billing_and_deploying_buys_nothing(
    world: World,
) -> None:
    assert world.run(" until deleted").outcome == "served"
    assert len(world.throughputs()) == 1
    templates = str(world.folder / "cdk.out")
    destroy(world.aws, world.folder, stack="tuning-local-pets-search", app=templates)
    assert world.throughputs() == []
    before = world.executions()
    deploy(world.aws, world.folder, say=lambda text: None, app=templates)
    assert (world.executions(), world.throughputs()) == (before, [])
    assert world.pointer("model") is not None
