"""Foundation models with their life, custom models, and who may be tuned or sold."""

import datetime

import pytest

from bedrock_tuning.catalogue import catalogue
from tests.local.support import (
    Pets,
    allow,
    bucket,
    jsonl,
    picture,
    refused,
    role,
    set_policy,
    unique,
)

TITAN_IMAGE = "amazon.titan-image-generator-v2:0"


def test_an_open_model_is_active(pets: Pets) -> None:
    bedrock = pets.aws.client("bedrock")
    details = bedrock.get_foundation_model(modelIdentifier="amazon.titan-embed-image-v1:0")
    assert details["modelDetails"]["modelLifecycle"] == {"status": "ACTIVE"}


def test_a_model_past_its_end_is_legacy_with_that_date(pets: Pets) -> None:
    bedrock = pets.aws.client("bedrock")
    arn = f"arn:aws:bedrock:us-east-1::foundation-model/{TITAN_IMAGE}"
    life = bedrock.get_foundation_model(modelIdentifier=arn)["modelDetails"]["modelLifecycle"]
    assert life["status"] == "LEGACY"
    assert life["endOfLifeTime"].astimezone(datetime.UTC).date() == datetime.date(2026, 6, 30)


def test_every_model_of_the_catalogue_is_known_under_each_of_its_ids(pets: Pets) -> None:
    bedrock = pets.aws.client("bedrock")
    for model in catalogue().values():
        for id in {*model.ids.customization, *model.ids.throughput, *model.ids.invoke}:
            found = bedrock.get_foundation_model(modelIdentifier=id)["modelDetails"]
            assert (found["modelId"], found["modelName"]) == (id, model.name)


@pytest.mark.parametrize(
    ("model_id", "code"),
    [
        (TITAN_IMAGE, "ResourceNotFoundException"),
        ("meta.llama3-3-70b-instruct-v1:0:128k", "ValidationException"),
    ],
)
def test_no_job_starts_on_a_closed_model(pets: Pets, model_id: str, code: str) -> None:
    with refused(code) as message:
        pets.start(baseModelIdentifier=model_id, hyperParameters={})
    assert "end of its life" in message[0] or "Legacy" in message[0]


def test_a_closed_model_is_tuned_where_the_server_is_told_to(pets: Pets) -> None:
    aws = pets.aws
    images = bucket(aws, "style")
    s3 = aws.client("s3")
    s3.put_object(Bucket=images, Key="style/a.png", Body=picture())
    record = {"image-ref": f"s3://{images}/style/a.png", "caption": "a style"}
    s3.put_object(Bucket=images, Key="style/manifest.jsonl", Body=jsonl([record] * 5))
    arn = role(aws, "bedrock.amazonaws.com")
    set_policy(aws, arn, [allow("s3:*", "*")])
    request = {
        "baseModelIdentifier": TITAN_IMAGE,
        "roleArn": arn,
        "trainingDataConfig": {"s3Uri": f"s3://{images}/style/manifest.jsonl"},
        "hyperParameters": {"stepCount": "5000"},
    }
    aws.faults.options(allow_closed_models=True)
    try:
        validators = {"validators": [request["trainingDataConfig"]]}
        with refused("ValidationException") as message:
            pets.start(**request, validationDataConfig=validators)
        assert "validation dataset is not supported" in message[0]
        assert pets.finished(pets.start(**request))["status"] == "Completed"
    finally:
        aws.faults.options(allow_closed_models=False)


def test_a_model_is_found_by_name_listed_and_deleted(pets: Pets) -> None:
    bedrock = pets.aws.client("bedrock")
    name = unique("model")
    arn = pets.trained(customModelName=name)
    listed = bedrock.list_custom_models(nameContains=name)["modelSummaries"]
    assert [(row["modelArn"], row["modelStatus"]) for row in listed] == [(arn, "Active")]
    assert bedrock.get_custom_model(modelIdentifier=name)["modelArn"] == arn
    bedrock.delete_custom_model(modelIdentifier=name)
    with refused("ResourceNotFoundException"):
        bedrock.get_custom_model(modelIdentifier=arn)
    assert bedrock.list_custom_models(nameContains=name)["modelSummaries"] == []


def test_tags_of_a_model_are_added_and_changed(pets: Pets) -> None:
    bedrock = pets.aws.client("bedrock")
    arn = pets.trained(customModelTags=[{"key": "a", "value": "1"}])
    bedrock.tag_resource(
        resourceARN=arn, tags=[{"key": "a", "value": "2"}, {"key": "b", "value": "3"}]
    )
    tags = bedrock.list_tags_for_resource(resourceARN=arn)["tags"]
    assert tags == [{"key": "a", "value": "2"}, {"key": "b", "value": "3"}]
