"""Provisioned Throughput and on-demand deployments: life, and every rule of changing them."""

from collections.abc import Iterator
from typing import Any

import pytest

from bedrock_tuning.config.names import LOCAL_ACCOUNT
from local.emulator.server import LocalAws
from tests.local.support import (
    Pets,
    allow,
    bucket,
    eventually,
    jsonl,
    refused,
    role,
    set_policy,
    unique,
)

NOVA = "amazon.nova-lite-v1:0:300k"


@pytest.fixture(autouse=True)
def _nothing_left(pets: Pets) -> Iterator[None]:
    """Every test starts and ends without throughput, so that quotas are its own."""
    yield
    pets.aws.faults.clear()
    bedrock = pets.aws.client("bedrock")
    for summary in bedrock.list_provisioned_model_throughputs()["provisionedModelSummaries"]:
        if "commitmentDuration" not in summary and summary["status"] != "Creating":
            bedrock.delete_provisioned_model_throughput(
                provisionedModelId=summary["provisionedModelArn"]
            )


@pytest.fixture
def many_units(pets: Pets) -> Iterator[None]:
    before = pets.aws.faults.options()
    pets.aws.faults.options(model_units=50)
    yield
    pets.aws.faults.options(model_units=before["model_units"])


def buy(pets: Pets, model: str, **changes: Any) -> str:
    request = {"provisionedModelName": unique("pt"), "modelId": model, "modelUnits": 1, **changes}
    arn: str = pets.aws.client("bedrock").create_provisioned_model_throughput(**request)[
        "provisionedModelArn"
    ]
    return arn


def get(pets: Pets, arn: str) -> dict[str, Any]:
    found: dict[str, Any] = pets.aws.client("bedrock").get_provisioned_model_throughput(
        provisionedModelId=arn
    )
    return found


def settled(pets: Pets, arn: str) -> dict[str, Any]:
    """The throughput once no change is under way."""

    def look() -> dict[str, Any] | None:
        found = get(pets, arn)
        return found if found["status"] in ("InService", "Failed") else None

    found = eventually(look)
    assert found is not None
    return found


def test_throughput_is_creating_and_then_in_service(pets: Pets, model: str) -> None:
    with pets.aws.faults.held():
        arn = buy(pets, model, tags=[{"key": "lease", "value": "8h"}])
        assert get(pets, arn)["status"] == "Creating"
    found = settled(pets, arn)
    assert (found["status"], found["modelArn"]) == ("InService", model)
    assert found["foundationModelArn"].endswith("foundation-model/amazon.titan-embed-image-v1:0")
    tags = pets.aws.client("bedrock").list_tags_for_resource(resourceARN=arn)["tags"]
    assert tags == [{"key": "lease", "value": "8h"}]


def test_the_model_behind_it_is_swapped_in_place(pets: Pets, model: str) -> None:
    bedrock = pets.aws.client("bedrock")
    other = pets.trained()
    arn = buy(pets, model)
    settled(pets, arn)
    with pets.aws.faults.held():
        bedrock.update_provisioned_model_throughput(provisionedModelId=arn, desiredModelId=other)
        during = get(pets, arn)
    assert (during["status"], during["modelArn"], during["desiredModelArn"]) == (
        "Updating",
        model,
        other,
    )
    assert settled(pets, arn)["modelArn"] == other


@pytest.mark.parametrize("phase", ["Creating", "Updating"])
def test_during_a_change_there_is_no_other_change(pets: Pets, model: str, phase: str) -> None:
    bedrock = pets.aws.client("bedrock")
    other = pets.trained()
    existing = buy(pets, model)
    settled(pets, existing)
    with pets.aws.faults.held():
        arn = existing if phase == "Updating" else buy(pets, model)
        if phase == "Updating":
            bedrock.update_provisioned_model_throughput(
                provisionedModelId=arn, desiredModelId=other
            )
        with refused("ValidationException") as message:
            bedrock.update_provisioned_model_throughput(
                provisionedModelId=arn, desiredModelId=model
            )
        assert f"is {phase}" in message[0]
        with refused("ConflictException"):
            bedrock.delete_provisioned_model_throughput(provisionedModelId=arn)
    settled(pets, arn)


def test_a_name_is_changed_at_once(pets: Pets, model: str) -> None:
    bedrock = pets.aws.client("bedrock")
    arn = buy(pets, model)
    settled(pets, arn)
    name = unique("renamed")
    bedrock.update_provisioned_model_throughput(
        provisionedModelId=arn, desiredProvisionedModelName=name
    )
    assert (get(pets, name)["provisionedModelArn"], get(pets, arn)["status"]) == (arn, "InService")


def test_a_model_of_another_base_cannot_be_swapped_in(pets: Pets, model: str, nova: str) -> None:
    arn = buy(pets, model)
    settled(pets, arn)
    with refused("ValidationException") as message:
        pets.aws.client("bedrock").update_provisioned_model_throughput(
            provisionedModelId=arn, desiredModelId=nova
        )
    assert "is not of the base model" in message[0]


def test_units_and_commitment_cannot_be_changed(pets: Pets, model: str) -> None:
    """The API has no members for them: only the name and the model are the caller's to change."""
    shape = (
        pets.aws.client("bedrock")
        .meta.service_model.operation_model("UpdateProvisionedModelThroughput")
        .input_shape
    )
    assert set(shape.members) == {
        "provisionedModelId",
        "desiredProvisionedModelName",
        "desiredModelId",
    }


def test_throughput_of_a_base_model_is_not_updated(pets: Pets) -> None:
    arn = buy(pets, "amazon.titan-embed-image-v1:0")
    settled(pets, arn)
    with refused("ValidationException"):
        pets.aws.client("bedrock").update_provisioned_model_throughput(
            provisionedModelId=arn, desiredProvisionedModelName=unique("pt")
        )


@pytest.mark.usefixtures("many_units")
def test_a_commitment_keeps_it_from_being_deleted(pets: Pets, model: str) -> None:
    bedrock = pets.aws.client("bedrock")
    arn = buy(pets, model, commitmentDuration="OneMonth")
    found = settled(pets, arn)
    assert 29 <= (found["commitmentExpirationTime"] - found["creationTime"]).days <= 31
    with refused("ConflictException") as message:
        bedrock.delete_provisioned_model_throughput(provisionedModelId=arn)
    assert "commitment" in message[0]


@pytest.mark.usefixtures("many_units")
def test_a_used_model_cannot_be_deleted_until_its_throughput_is(pets: Pets) -> None:
    bedrock = pets.aws.client("bedrock")
    model = pets.trained()
    arn = buy(pets, model)
    settled(pets, arn)
    with refused("ConflictException") as message:
        bedrock.delete_custom_model(modelIdentifier=model)
    assert arn in message[0]
    bedrock.delete_provisioned_model_throughput(provisionedModelId=arn)
    bedrock.delete_custom_model(modelIdentifier=model)


def test_more_units_than_the_quota_are_refused(pets: Pets, model: str) -> None:
    limit = pets.aws.faults.options()["model_units"]
    with refused("ServiceQuotaExceededException"):
        buy(pets, model, modelUnits=limit + 50)


def test_nothing_is_bought_until_the_quota_is_raised(aws: LocalAws) -> None:
    """That it is 0 in a new account: test_fresh_forgets_what_was_there."""
    before = aws.faults.options()["model_units"]
    aws.faults.options(model_units=0)
    try:
        with refused("ServiceQuotaExceededException") as message:
            aws.client("bedrock").create_provisioned_model_throughput(
                provisionedModelName="first", modelId="amazon.titan-embed-image-v1:0", modelUnits=1
            )
    finally:
        aws.faults.options(model_units=before)
    assert "limit is 0" in message[0]


@pytest.mark.usefixtures("many_units")
def test_the_same_token_buys_once(pets: Pets, model: str) -> None:
    token = unique("token")
    name = unique("pt")
    first = buy(pets, model, clientRequestToken=token, provisionedModelName=name)
    assert buy(pets, model, clientRequestToken=token, provisionedModelName=name) == first


@pytest.mark.usefixtures("many_units")
def test_a_used_name_is_refused_and_not_a_conflict(pets: Pets, model: str) -> None:
    name = unique("pt")
    settled(pets, buy(pets, model, provisionedModelName=name))
    with refused("ValidationException"):
        buy(pets, model, provisionedModelName=name)


@pytest.mark.usefixtures("many_units")
def test_throughputs_are_listed_by_model_and_status(pets: Pets) -> None:
    bedrock = pets.aws.client("bedrock")
    model = pets.trained()
    arn = buy(pets, model)
    settled(pets, arn)
    listed = bedrock.list_provisioned_model_throughputs(
        modelArnEquals=model, statusEquals="InService"
    )["provisionedModelSummaries"]
    assert [row["provisionedModelArn"] for row in listed] == [arn]
    none = bedrock.list_provisioned_model_throughputs(modelArnEquals=model, statusEquals="Failed")
    assert none["provisionedModelSummaries"] == []


@pytest.fixture(scope="module")
def nova(pets: Pets) -> str:
    """A custom model of Nova Lite, which can be deployed on demand."""
    aws = pets.aws
    data = bucket(aws, "nova")
    turns = [{"role": role, "content": [{"text": "hello"}]} for role in ("user", "assistant")]
    record = {"schemaVersion": "bedrock-conversation-2024", "messages": turns}
    aws.client("s3").put_object(Bucket=data, Key="a.jsonl", Body=jsonl([record] * 8))
    arn = role(aws, "bedrock.amazonaws.com")
    set_policy(aws, arn, [allow("s3:*", "*")])
    return pets.trained(
        baseModelIdentifier=NOVA,
        roleArn=arn,
        trainingDataConfig={"s3Uri": f"s3://{data}/a.jsonl"},
        hyperParameters={"epochCount": "2"},
    )


def deploy(pets: Pets, model: str, **changes: Any) -> str:
    request = {"modelDeploymentName": unique("deployment"), "modelArn": model, **changes}
    arn: str = pets.aws.client("bedrock").create_custom_model_deployment(**request)[
        "customModelDeploymentArn"
    ]
    return arn


def active(pets: Pets, arn: str) -> dict[str, Any]:
    """The deployment once no change is under way."""
    bedrock = pets.aws.client("bedrock")

    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = bedrock.get_custom_model_deployment(
            customModelDeploymentIdentifier=arn
        )
        changing = found.get("updateDetails", {}).get("updateStatus") == "Updating"
        return found if found["status"] == "Active" and not changing else None

    found = eventually(look)
    assert found is not None
    return found


def test_a_deployment_is_created_updated_and_deleted(pets: Pets, nova: str) -> None:
    bedrock = pets.aws.client("bedrock")
    with pets.aws.faults.held():
        arn = deploy(pets, nova, description="for the pets")
        with refused("ConflictException"):
            bedrock.delete_custom_model_deployment(customModelDeploymentIdentifier=arn)
    assert active(pets, arn)["description"] == "for the pets"
    bedrock.update_custom_model_deployment(customModelDeploymentIdentifier=arn, modelArn=nova)
    assert active(pets, arn)["updateDetails"]["updateStatus"] == "UpdateCompleted"
    bedrock.delete_custom_model_deployment(customModelDeploymentIdentifier=arn)
    listed = bedrock.list_custom_model_deployments(modelArnEquals=nova)
    assert listed["modelDeploymentSummaries"] == []


def said(pets: Pets, model_id: str, text: str = "What is a dog?", **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = pets.aws.client("bedrock-runtime").converse(
        modelId=model_id, messages=[{"role": "user", "content": [{"text": text}]}], **more
    )
    return answer


def test_a_model_of_text_answers_by_itself_and_to_what_was_said(pets: Pets, nova: str) -> None:
    arn = deploy(pets, nova)
    active(pets, arn)
    tuned, again, other = said(pets, arn), said(pets, arn), said(pets, arn, "Name a cat!")
    base = said(pets, NOVA.removesuffix(":300k"))
    texts = [each["output"]["message"]["content"][0]["text"] for each in (tuned, other, base)]
    assert tuned["output"] == again["output"]
    assert len(set(texts)) == 3
    assert all(text.startswith("[Bedrock simulator]") for text in texts)
    assert tuned["stopReason"] == "end_turn"
    cut = said(pets, arn, inferenceConfig={"maxTokens": 5})
    assert (cut["stopReason"], cut["usage"]["outputTokens"]) == ("max_tokens", 5)
    pets.aws.client("bedrock").delete_custom_model_deployment(customModelDeploymentIdentifier=arn)


def test_a_conversation_that_bedrock_does_not_take_is_refused(pets: Pets) -> None:
    runtime = pets.aws.client("bedrock-runtime")
    hello = {"role": "user", "content": [{"text": "hello"}]}
    base = NOVA.removesuffix(":300k")
    for turns in ([], [{**hello, "role": "assistant"}], [hello, hello]):
        with refused("ValidationException"):
            runtime.converse(modelId=base, messages=turns)
    with refused("ValidationException"):
        said(pets, base, " ")
    with refused("ValidationException") as message:
        said(pets, "amazon.titan-embed-image-v1")
    assert "does not support Converse" in message[0]


def test_a_model_that_needs_throughput_is_not_deployed_on_demand(pets: Pets, model: str) -> None:
    with refused("ValidationException") as message:
        deploy(pets, model)
    assert "need Provisioned Throughput" in message[0]


def test_an_unknown_throughput_is_not_found(pets: Pets) -> None:
    arn = f"arn:aws:bedrock:us-east-1:{LOCAL_ACCOUNT}:provisioned-model/aaaaaaaaaaaa"
    with refused("ResourceNotFoundException"):
        get(pets, arn)
