"""From an upload to a served model, and what must not happen twice. Tests run in their order."""

import json
from typing import Any

import pytest

from bedrock_tuning import s3_layout
from bedrock_tuning.config.names import LOCAL_ACCOUNT
from tests.e2e.world import NAME, TRAINING, VALIDATION, World, eventually

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def served(world: World) -> Any:
    """A dataset, followed to its end."""
    ended = world.run(" served")
    return {"ended": ended, "jobs": world.jobs()}


def test_a_validation_manifest_alone_waits_for_the_training_manifest(world: World) -> None:
    assert world.waiting is not None
    assert world.waiting.outcome == "waiting"
    assert world.waiting.status == "SUCCEEDED"


def test_an_upload_becomes_a_served_model(world: World, served: Any) -> None:
    ended = served["ended"]
    assert ended.outcome == "served", ended.cause
    row = world.row(ended)
    assert row["status"] == "served"
    (throughput,) = world.throughputs()
    assert throughput["status"] == "InService"
    assert throughput["modelArn"] == row["model_arn"] == world.pointer("model")
    assert throughput["provisionedModelArn"] == row["endpoint_arn"] == world.pointer("endpoint")


def test_nothing_started_before_its_price_was_approved(served: Any) -> None:
    start = served["ended"].state["start"]
    assert start["decision"] == "approve"
    assert "no price is known" in start["reason"]


def test_an_approval_says_by_whom_and_for_exactly_what(world: World, served: Any) -> None:
    row = world.row(served["ended"])
    about = json.loads(row["decided_about"])
    start = served["ended"].state["start"]
    assert row["approved_by"] == f"arn:aws:iam::{LOCAL_ACCOUNT}:root"
    assert row["decided_price"] == start["estimate"]
    assert about["model"] == start["request"]["BaseModelIdentifier"]
    assert about["hyperparameters"] == start["request"]["HyperParameters"]
    version = served["ended"].state["admission"]["training_version"]
    assert about["datasets"]["training"]["version"] == version


def test_the_report_counts_every_record_of_both_manifests(world: World, served: Any) -> None:
    report = world.report(served["ended"])
    assert report["valid"]
    assert report["records"] == TRAINING + VALIDATION
    assert report["errors"] == 0


def test_bedrock_read_the_checked_copy_not_the_upload(world: World, served: Any) -> None:
    row = world.row(served["ended"])
    job = world.aws.client("bedrock").get_model_customization_job(jobIdentifier=row["job_arn"])
    key = s3_layout.checked_manifest_key(NAME, row["run"], "training")
    uri = s3_layout.uri(world.deployment.buckets.training, key)
    assert job["trainingDataConfig"]["s3Uri"] == uri
    assert job["roleArn"].startswith("arn:aws:iam::000000000000:role/tuning/local/bedrock/")


def test_metrics_lie_beside_the_report(world: World, served: Any) -> None:
    bucket, key = s3_layout.split_uri(world.row(served["ended"])["metrics"])
    metrics = json.loads(world.aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
    steps = [rows for name, rows in metrics["files"].items() if "step_wise" in name]
    assert steps
    assert "training_loss" in steps[0][0]


def test_a_throughput_without_commitment_has_a_lease(world: World, served: Any) -> None:
    (throughput,) = world.throughputs()
    tags = world.aws.client("bedrock").list_tags_for_resource(
        resourceARN=throughput["provisionedModelArn"]
    )["tags"]
    assert "bedrock-tuning:expires" in {tag["key"] for tag in tags}


def test_ten_copies_of_an_event_make_no_second_job(world: World, served: Any) -> None:
    states = world.aws.client("stepfunctions")
    event = states.describe_execution(executionArn=served["ended"].arn)["input"]
    arns = [
        states.start_execution(stateMachineArn=world.deployment.workflow_arn, input=event)[
            "executionArn"
        ]
        for _ in range(10)
    ]
    assert {world.end_of(arn).outcome for arn in arns} == {"duplicate"}
    assert world.jobs() == served["jobs"]
    assert len(world.throughputs()) == 1


def test_ten_copies_of_a_new_event_make_one_job(world: World, served: Any) -> None:
    """EventBridge itself delivers it twice."""
    states = world.aws.client("stepfunctions")
    before, earlier = set(world.jobs()), set(world.executions())
    world.aws.faults.order("event-twice")
    version = world.upload("training", world.rows(salt=" again"))
    event = states.describe_execution(executionArn=world.execution(version))["input"]
    assert eventually(lambda: len(set(world.executions()) - earlier) == 2)
    for _ in range(9):
        states.start_execution(stateMachineArn=world.deployment.workflow_arn, input=event)
    copies = set(world.executions()) - earlier
    outcomes = sorted(world.end_of(arn).outcome for arn in copies)
    assert outcomes == ["duplicate"] * 10 + ["served"]
    assert len(set(world.jobs()) - before) == 1
    assert len(world.throughputs()) == 1, "the new model was swapped in place"


def test_the_same_data_again_points_to_its_model(world: World, served: Any) -> None:
    before = world.jobs()
    ended = world.run(" served")
    assert ended.outcome == "already-trained"
    assert world.row(served["ended"])["model_arn"] in ended.state["start"]["reason"]
    assert world.jobs() == before


def test_a_new_validation_manifest_alone_starts_no_job(world: World, served: Any) -> None:
    before = world.jobs()
    version = world.upload("validation", world.rows("validation", salt=" new"))
    assert world.follow(version, kind="validation").outcome == "duplicate"
    assert world.jobs() == before


def test_a_file_of_another_name_starts_nothing(world: World, served: Any) -> None:
    before = world.executions()
    s3 = world.aws.client("s3")
    for key in (f"{NAME}/manifest.json", "manifest.jsonl"):
        s3.put_object(Bucket=world.deployment.buckets.training, Key=key, Body=b"{}\n")
    later = world.follow(world.upload("training", b"\n"))
    assert later.outcome == "rejected"
    assert len(world.executions()) == len(before) + 1


def test_a_manifest_in_a_folder_of_nobodys_ends_without_a_function(
    world: World, served: Any
) -> None:
    before = set(world.executions())
    s3 = world.aws.client("s3")
    s3.put_object(Bucket=world.deployment.buckets.training, Key="nobodys/manifest.jsonl", Body=b"")
    assert eventually(lambda: set(world.executions()) - before)
    (arn,) = set(world.executions()) - before
    states = world.aws.client("stepfunctions")
    assert eventually(lambda: states.describe_execution(executionArn=arn)["status"] == "SUCCEEDED")
    events = states.get_execution_history(executionArn=arn)["events"]
    entered = [
        e["stateEnteredEventDetails"]["name"] for e in events if "stateEnteredEventDetails" in e
    ]
    assert entered == ["Upload or deployment?", "Load settings", "Not a customization"]
