"""The life of a job: phases, metrics, events, stop, lists, a second round on a custom model."""

import json
from typing import Any

import pytest

from bedrock_tuning.config.names import LOCAL_ACCOUNT
from tests.local.support import (
    Pets,
    eventually,
    queue,
    received,
    refused,
    unique,
)


def test_a_job_goes_through_its_phases_to_a_model(pets: Pets) -> None:
    bedrock = pets.aws.client("bedrock")
    with pets.aws.faults.held():
        arn = pets.start(customModelTags=[{"key": "team", "value": "pets"}])
        first = bedrock.get_model_customization_job(jobIdentifier=arn)
    assert first["status"] == "InProgress"
    assert "outputModelArn" not in first
    done = pets.finished(arn)
    assert done["status"] == "Completed"
    assert {phase["status"] for phase in done["statusDetails"].values()} == {"Completed"}
    assert done["endTime"] > done["creationTime"]
    model = bedrock.get_custom_model(modelIdentifier=done["outputModelArn"])
    assert model["jobArn"] == arn
    assert model["trainingMetrics"]["trainingLoss"] == done["trainingMetrics"]["trainingLoss"]
    tags = bedrock.list_tags_for_resource(resourceARN=model["modelArn"])["tags"]
    assert tags == [{"key": "team", "value": "pets"}]


def test_bedrock_writes_its_access_check_and_its_metrics_below_the_output(pets: Pets) -> None:
    validation = pets.manifest(pets_records(pets, 8))
    arn = pets.start(validationDataConfig={"validators": [{"s3Uri": validation}]})
    done = pets.finished(arn)
    assert done["status"] == "Completed", done
    folder = f"jobs/pets/model-customization-job-{arn.rpartition('/')[2]}"
    s3 = pets.aws.client("s3")
    head = {}
    for name in (
        "training_artifacts/step_wise_training_metrics.csv",
        "validation_artifacts/post_fine_tuning_validation/validation_metrics.csv",
    ):
        body = s3.get_object(Bucket=pets.output, Key=f"{folder}/{name}")["Body"].read().decode()
        head[name.partition("_")[0]] = body.splitlines()[0]
    assert head == {
        "training": "step_number,epoch_number,training_loss,perplexity",
        "validation": "step_number,epoch_number,validation_loss,perplexity",
    }
    s3.head_object(Bucket=pets.output, Key="jobs/pets/.write_access_check_file.tmp")
    assert done["validationMetrics"][0]["validationLoss"] > 0


def pets_records(pets: Pets, count: int) -> bytes:
    record = {"image-ref": f"s3://{pets.training}/pets/images/cat.png", "caption": "a cat"}
    return f"{json.dumps(record)}\n".encode() * count


def test_every_change_of_a_job_is_an_event(pets: Pets) -> None:
    url, arn = queue(pets.aws)
    events = pets.aws.client("events")
    name = unique("told")
    pattern = {
        "source": ["aws.bedrock"],
        "detail-type": ["Model Customization Job State Change"],
        "detail": {"jobName": [name]},
    }
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "q", "Arn": arn}])
    job = pets.start(jobName=name)
    told: list[dict[str, Any]] = []

    def both() -> bool:
        told.extend(json.loads(message["Body"]) for message in received(pets.aws, url))
        return len(told) == 2

    eventually(both)
    first, last = sorted(told, key=lambda event: str(event["detail"]["lastModifiedTime"]))
    assert (first["detail"]["jobStatus"], last["detail"]["jobStatus"]) == (
        "InProgress",
        "Completed",
    )
    assert last["resources"] == [job]
    assert "status" not in last["detail"]
    assert last["detail"]["outputModelArn"].startswith(
        f"arn:aws:bedrock:us-east-1:{LOCAL_ACCOUNT}:custom"
    )
    assert last["detail"]["trainingDataConfig"]["s3Uri"].startswith("s3://")


def test_a_stopped_job_makes_no_model(pets: Pets) -> None:
    bedrock = pets.aws.client("bedrock")
    with pets.aws.faults.held():
        arn = pets.start()
        bedrock.stop_model_customization_job(jobIdentifier=arn)
    stopping = bedrock.get_model_customization_job(jobIdentifier=arn)["status"]
    assert stopping in ("Stopping", "Stopped")
    done = pets.finished(arn)
    assert done["status"] == "Stopped"
    with refused("ResourceNotFoundException"):
        bedrock.get_custom_model(modelIdentifier=done["outputModelName"])


def test_a_finished_job_cannot_be_stopped(pets: Pets, model: str) -> None:
    bedrock = pets.aws.client("bedrock")
    job = bedrock.get_custom_model(modelIdentifier=model)["jobArn"]
    with refused("ConflictException"):
        bedrock.stop_model_customization_job(jobIdentifier=job)


def test_a_custom_model_can_be_tuned_again(pets: Pets, model: str) -> None:
    done = pets.finished(pets.start(baseModelIdentifier=model))
    assert done["status"] == "Completed"
    again = pets.aws.client("bedrock").get_custom_model(modelIdentifier=done["outputModelArn"])
    assert again["baseModelArn"] == model
    # The API's pattern allows the foundation model, too; what reads it has to cope with both.
    assert done["baseModelArn"] == model


def test_jobs_are_listed_by_name_and_status_in_pages(pets: Pets) -> None:
    bedrock = pets.aws.client("bedrock")
    stem = unique("listed")
    arns = [pets.start(jobName=f"{stem}-{number}") for number in range(3)]
    for arn in arns:
        pets.finished(arn)
    pages = bedrock.get_paginator("list_model_customization_jobs").paginate(
        nameContains=stem.upper(),
        statusEquals="Completed",
        sortBy="CreationTime",
        sortOrder="Ascending",
        PaginationConfig={"PageSize": 2},
    )
    sizes, found = [], []
    for page in pages:
        rows = page["modelCustomizationJobSummaries"]
        sizes.append(len(rows))
        found += [row["jobArn"] for row in rows]
        assert all(":custom-model/" in row["customModelArn"] for row in rows)
    assert (sizes, found) == ([2, 1], arns)
    none = bedrock.list_model_customization_jobs(nameContains=stem, statusEquals="Failed")
    assert none["modelCustomizationJobSummaries"] == []


def test_a_wrong_page_token_is_refused(pets: Pets) -> None:
    with refused("ValidationException"):
        pets.aws.client("bedrock").list_model_customization_jobs(nextToken="nonsense")


def test_a_job_is_found_by_its_name(pets: Pets) -> None:
    name = unique("named")
    arn = pets.start(jobName=name)
    found = pets.aws.client("bedrock").get_model_customization_job(jobIdentifier=name)
    assert found["jobArn"] == arn


@pytest.mark.parametrize(
    "identifier", ["no-such-job", f"arn:aws:bedrock:us-east-1:{LOCAL_ACCOUNT}:x/y"]
)
def test_an_unknown_job_is_not_found_or_invalid(pets: Pets, identifier: str) -> None:
    code = "ValidationException" if ":" in identifier else "ResourceNotFoundException"
    with refused(code):
        pets.aws.client("bedrock").get_model_customization_job(jobIdentifier=identifier)
