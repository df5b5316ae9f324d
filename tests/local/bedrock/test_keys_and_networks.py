"""Custom models under a customer's key, and jobs inside a customer's VPC: the rights they need."""

import json
from typing import Any

import pytest

from bedrock_tuning.config.names import LOCAL_ACCOUNT
from local.bedrock.jobs import MODEL_KEY_RIGHTS
from local.bedrock.network import DESCRIBE, MANAGE
from local.emulator.layout import REGION
from tests.local.support import (
    Pets,
    allow,
    client_with,
    eventually,
    refused,
    role,
    set_policy,
    unique,
)

VIA_BEDROCK = {"StringEquals": {"kms:ViaService": f"bedrock.{REGION}.amazonaws.com"}}
VPC = {"subnetIds": ["subnet-1", "subnet-2"], "securityGroupIds": ["sg-1"]}
EC2 = f"arn:aws:ec2:{REGION}:{LOCAL_ACCOUNT}"
JOBS = f"arn:aws:bedrock:{REGION}:{LOCAL_ACCOUNT}:model-customization-job/*"


@pytest.fixture(scope="module")
def key(pets: Pets) -> str:
    arn: str = pets.aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    return arn


def submit(pets: Pets, key: str, actions: list[str], condition: Any = VIA_BEDROCK) -> str:
    """The ARN of a job, started by a caller with these rights on the key of its model."""
    everything = [allow("bedrock:*", "*"), allow("iam:PassRole", "*")]
    on_key = [allow(actions, key, Condition=condition)] if actions else []
    bedrock = client_with(pets.aws, "bedrock", [*everything, *on_key])
    arn: str = bedrock.create_model_customization_job(**pets.request(customModelKmsKeyId=key))[
        "jobArn"
    ]
    return arn


def test_a_model_is_encrypted_with_the_key_of_its_job(pets: Pets, key: str) -> None:
    job = pets.finished(submit(pets, key, list(MODEL_KEY_RIGHTS)))
    assert job["outputModelKmsKeyArn"] == key
    bedrock = pets.aws.client("bedrock")
    model = bedrock.get_custom_model(modelIdentifier=job["outputModelArn"])
    assert model["modelKmsKeyArn"] == key


@pytest.mark.parametrize("missing", MODEL_KEY_RIGHTS)
def test_who_submits_a_job_needs_every_right_on_the_models_key(
    pets: Pets, key: str, missing: str
) -> None:
    left = [action for action in MODEL_KEY_RIGHTS if action != missing]
    with refused("AccessDeniedException") as message:
        submit(pets, key, left)
    assert f"not authorized to perform: {missing}" in message[0]


def test_the_key_must_be_usable_through_bedrock(pets: Pets, key: str) -> None:
    elsewhere = {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}
    with refused("AccessDeniedException"):
        submit(pets, key, list(MODEL_KEY_RIGHTS), elsewhere)


def test_who_invokes_an_encrypted_model_needs_to_decrypt(pets: Pets, key: str) -> None:
    model = pets.finished(submit(pets, key, list(MODEL_KEY_RIGHTS)))["outputModelArn"]
    bedrock = pets.aws.client("bedrock")
    pets.aws.faults.options(model_units=50)
    served = bedrock.create_provisioned_model_throughput(
        provisionedModelName=unique("pt"), modelId=model, modelUnits=1
    )["provisionedModelArn"]
    eventually(
        lambda: (
            bedrock.get_provisioned_model_throughput(provisionedModelId=served)["status"]
            == "InService"
        )
    )
    request = {"modelId": served, "body": b'{"inputText": "a"}'}
    invoke = allow("bedrock:InvokeModel", "*")
    with refused("AccessDeniedException") as message:
        client_with(pets.aws, "bedrock-runtime", [invoke]).invoke_model(**request)
    assert "kms:Decrypt" in message[0]
    decrypt = allow("kms:Decrypt", key, Condition=VIA_BEDROCK)
    answer = client_with(pets.aws, "bedrock-runtime", [invoke, decrypt]).invoke_model(**request)
    assert json.load(answer["body"])["embedding"]
    bedrock.delete_provisioned_model_throughput(provisionedModelId=served)


def network_policy() -> dict[str, Any]:
    """The statements of AWS's guide for a job in a VPC, by name."""
    interface = f"{EC2}:network-interface/*"
    requested = {
        "StringEquals": {"aws:RequestTag/BedrockManaged": ["true"]},
        "ArnEquals": {"aws:RequestTag/BedrockModelCustomizationJobArn": [JOBS]},
    }
    owned = {
        "ArnEquals": {
            "ec2:Subnet": [f"{EC2}:subnet/{subnet}" for subnet in VPC["subnetIds"]],
            "ec2:ResourceTag/BedrockModelCustomizationJobArn": [JOBS],
        },
        "StringEquals": {"ec2:ResourceTag/BedrockManaged": "true"},
    }
    tagging = {
        "StringEquals": {"ec2:CreateAction": ["CreateNetworkInterface"]},
        "ForAllValues:StringEquals": {
            "aws:TagKeys": ["BedrockManaged", "BedrockModelCustomizationJobArn"]
        },
    }
    create = "ec2:CreateNetworkInterface"
    places = [f"{EC2}:subnet/{subnet}" for subnet in VPC["subnetIds"]]
    places += [f"{EC2}:security-group/{group}" for group in VPC["securityGroupIds"]]
    return {
        "describe": allow(list(DESCRIBE), "*"),
        "create": allow(create, interface, Condition=requested),
        "create-in": allow(create, places),
        "manage": allow(list(MANAGE), "*", Condition=owned),
        "tag": allow("ec2:CreateTags", interface, Condition=tagging),
    }


def job_in_vpc(pets: Pets, network: dict[str, Any]) -> Any:
    arn = role(pets.aws, "bedrock.amazonaws.com")
    set_policy(pets.aws, arn, [*pets.policy().values(), *network.values()])
    return pets.finished(pets.start(roleArn=arn, vpcConfig=VPC))


def test_a_job_in_a_vpc_succeeds_with_the_rights_of_awss_guide(pets: Pets) -> None:
    job = job_in_vpc(pets, network_policy())
    assert job["status"] == "Completed", job
    assert job["vpcConfig"] == VPC


@pytest.mark.parametrize("missing", sorted(network_policy()))
def test_a_job_in_a_vpc_fails_without_one_of_them(pets: Pets, missing: str) -> None:
    policy = network_policy()
    del policy[missing]
    job = job_in_vpc(pets, policy)
    assert job["status"] == "Failed"
    assert "permissions to use the provided VPC" in job["failureMessage"]
    assert "not authorized to perform: ec2:" in job["failureMessage"]


def test_a_right_for_other_subnets_is_not_enough(pets: Pets) -> None:
    policy = network_policy()
    policy["manage"]["Condition"]["ArnEquals"]["ec2:Subnet"] = [f"{EC2}:subnet/subnet-1"]
    job = job_in_vpc(pets, policy)
    assert "ec2:CreateNetworkInterfacePermission" in job["failureMessage"]
