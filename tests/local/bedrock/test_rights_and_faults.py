"""Callers are authorized on the exact resource; ordered faults come true once."""

from typing import Any

import pytest

from bedrock_tuning.config.names import LOCAL_ACCOUNT
from local.emulator.faults import FaultError
from local.emulator.layout import REGION
from tests.local.support import (
    Pets,
    acting_as,
    allow,
    client_with,
    eventually,
    refused,
    role,
    unique,
)

ARN = f"arn:aws:bedrock:{REGION}:{LOCAL_ACCOUNT}"
BASE = f"arn:aws:bedrock:{REGION}::foundation-model/amazon.titan-embed-image-v1:0"
CREATE = "bedrock:CreateModelCustomizationJob"
JOBS, MODELS = f"{ARN}:model-customization-job/*", f"{ARN}:custom-model/*"


def pass_role(pets: Pets, service: str = "bedrock.amazonaws.com") -> Any:
    passed = {"StringEquals": {"iam:PassedToService": service}}
    return allow("iam:PassRole", pets.role_arn, Condition=passed)


def create_as(pets: Pets, policy: list[Any], **changes: Any) -> None:
    bedrock = client_with(pets.aws, "bedrock", policy)
    bedrock.create_model_customization_job(**pets.request(**changes))


def test_a_job_needs_the_base_model_the_job_and_the_model(pets: Pets) -> None:
    create_as(pets, [allow(CREATE, [BASE, JOBS, MODELS]), pass_role(pets)])


@pytest.mark.parametrize("missing", [BASE, JOBS, MODELS])
def test_a_job_without_one_of_its_resources_is_denied(pets: Pets, missing: str) -> None:
    left = [resource for resource in (BASE, JOBS, MODELS) if resource != missing]
    with refused("AccessDeniedException") as message:
        create_as(pets, [allow(CREATE, left), pass_role(pets)])
    assert f"not authorized to perform: {CREATE} on resource:" in message[0]


def test_a_job_needs_its_role_to_be_passed_to_bedrock(pets: Pets) -> None:
    with refused("AccessDeniedException") as message:
        create_as(pets, [allow(CREATE, "*")])
    assert f"iam:PassRole on resource: {pets.role_arn}" in message[0]
    with refused("AccessDeniedException"):
        create_as(pets, [allow(CREATE, "*"), pass_role(pets, "lambda.amazonaws.com")])


def test_a_role_that_was_just_made_is_refused_the_first_time(pets: Pets) -> None:
    pets.aws.faults.options(new_role_seconds=86_400)
    try:
        with refused("ValidationException") as message:
            pets.start()
        assert "Could not assume provided IAM role" in message[0]
        pets.start()
    finally:
        pets.aws.faults.options(new_role_seconds=0)


def test_tags_of_a_job_need_the_right_to_tag(pets: Pets) -> None:
    tags = [{"key": "team", "value": "pets"}]
    policy = [allow(CREATE, "*"), pass_role(pets)]
    with refused("AccessDeniedException") as message:
        create_as(pets, policy, jobTags=tags)
    assert "bedrock:TagResource" in message[0]
    create_as(pets, [*policy, allow("bedrock:TagResource", JOBS)], jobTags=tags)


def test_a_condition_on_request_tags_counts(pets: Pets) -> None:
    wanted = {"StringEquals": {"aws:RequestTag/team": "pets"}}
    policy = [allow([CREATE, "bedrock:TagResource"], "*", Condition=wanted), pass_role(pets)]
    create_as(pets, policy, jobTags=[{"key": "team", "value": "pets"}])
    with refused("AccessDeniedException"):
        create_as(pets, policy, jobTags=[{"key": "team", "value": "cars"}])


def test_a_condition_on_a_resources_tags_counts(pets: Pets) -> None:
    mine = pets.trained(customModelTags=[{"key": "team", "value": "pets"}])
    other = pets.trained(customModelTags=[{"key": "team", "value": "cars"}])
    owned = {"StringEquals": {"aws:ResourceTag/team": "pets"}}
    reader = client_with(
        pets.aws, "bedrock", [allow("bedrock:GetCustomModel", MODELS, Condition=owned)]
    )
    assert reader.get_custom_model(modelIdentifier=mine)["modelArn"] == mine
    with refused("AccessDeniedException"):
        reader.get_custom_model(modelIdentifier=other)


def test_the_right_to_invoke_one_model_is_not_the_right_to_invoke_another(pets: Pets) -> None:
    titan = "amazon.titan-embed-image-v1"
    body = b'{"inputText": "a"}'
    allowed = f"arn:aws:bedrock:{REGION}::foundation-model/{titan}"
    runtime = client_with(pets.aws, "bedrock-runtime", [allow("bedrock:InvokeModel", allowed)])
    runtime.invoke_model(modelId=titan, body=body)
    nobody = client_with(
        pets.aws, "bedrock-runtime", [allow("bedrock:InvokeModel", f"{ARN}:provisioned-model/*")]
    )
    with refused("AccessDeniedException") as message:
        nobody.invoke_model(modelId=titan, body=body)
    assert allowed in message[0]


def test_a_wrong_signature_is_refused(pets: Pets) -> None:
    credentials = acting_as(pets.aws, role(pets.aws, "account", [allow("*", "*")]))
    forged = pets.aws.client("bedrock", **{**credentials, "aws_secret_access_key": "wrong"})
    with refused("InvalidSignatureException"):
        forged.list_custom_models()


def test_the_next_job_fails_as_ordered_and_the_one_after_does_not(pets: Pets) -> None:
    pets.aws.faults.order("fail-job", message="the GPUs are on strike")
    done = pets.finished(pets.start())
    assert done["failureMessage"] == "[Bedrock simulator] the GPUs are on strike"
    assert done["statusDetails"]["dataProcessingDetails"]["status"] == "Completed"
    assert done["statusDetails"]["trainingDetails"]["status"] == "Failed"
    assert pets.finished(pets.start())["status"] == "Completed"


def test_a_job_stops_by_itself_as_ordered(pets: Pets) -> None:
    pets.aws.faults.order("stop-job")
    assert pets.finished(pets.start())["status"] == "Stopped"


def test_so_many_calls_are_throttled_as_ordered(pets: Pets) -> None:
    bedrock = pets.aws.client("bedrock")
    pets.aws.faults.refuse("ListCustomModels", times=2)
    for _ in range(2):
        with refused("ThrottlingException"):
            bedrock.list_custom_models()
    bedrock.list_custom_models()


def test_an_invocation_fails_as_ordered(pets: Pets) -> None:
    pets.aws.faults.refuse("InvokeModel", code="ModelErrorException", message="no smoke, no fire")
    runtime = pets.aws.client("bedrock-runtime")
    request = {"modelId": "amazon.titan-embed-image-v1", "body": b'{"inputText": "a"}'}
    with refused("ModelErrorException") as message:
        runtime.invoke_model(**request)
    assert "no smoke, no fire" in message[0]
    runtime.invoke_model(**request)


def buy(pets: Pets, model: str) -> str:
    arn: str = pets.aws.client("bedrock").create_provisioned_model_throughput(
        provisionedModelName=unique("pt"), modelId=model, modelUnits=1
    )["provisionedModelArn"]
    return arn


def status(pets: Pets, arn: str) -> Any:
    found = pets.aws.client("bedrock").get_provisioned_model_throughput(provisionedModelId=arn)
    return found["status"], found.get("failureMessage")


def test_throughput_fails_as_ordered_and_can_be_deleted(pets: Pets, model: str) -> None:
    pets.aws.faults.order("throughput-fails", message="no capacity")
    arn = buy(pets, model)
    eventually(lambda: status(pets, arn) == ("Failed", "[Bedrock simulator] no capacity"))
    pets.aws.client("bedrock").delete_provisioned_model_throughput(provisionedModelId=arn)


def test_throughput_never_comes_into_service_as_ordered(pets: Pets, model: str) -> None:
    pets.aws.faults.options(model_units=50)
    pets.aws.faults.order("throughput-stuck")
    stuck, sound = buy(pets, model), buy(pets, model)
    eventually(lambda: status(pets, sound)[0] == "InService")
    assert status(pets, stuck)[0] == "Creating"


def test_orders_are_seen_and_taken_back(pets: Pets) -> None:
    faults = pets.aws.faults
    faults.clear()
    faults.refuse("GetCustomModel", times=3)
    (pending,) = faults.pending()
    assert (pending["operation"], pending["times"]) == ("GetCustomModel", 3)
    faults.clear()
    assert faults.pending() == []


@pytest.mark.parametrize(
    "order",
    [
        lambda faults: faults.refuse("GetCustomModle"),
        lambda faults: faults.refuse("GetCustomModel", times=0),
        lambda faults: faults.refuse("GetCustomModel", code="NoSuchException", message=""),
        lambda faults: faults.options(no_such_option=1),
    ],
)
def test_an_order_that_could_never_come_true_is_refused(pets: Pets, order: Any) -> None:
    with pytest.raises(FaultError):
        order(pets.aws.faults)
