"""Requests that Bedrock would refuse are refused with its error class, and say why."""

import itertools
import json
import re
import time
from typing import Any

import pytest

from local.bedrock import shapes
from local.bedrock.errors import BedrockError
from local.emulator.requests import ServiceRequest
from tests.local.support import Pets, refused, unique

PUBLISHED_JOB_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9\+\-\.])*")
JOB = {
    "jobName": "a",
    "customModelName": "a",
    "roleArn": "arn:aws:iam::000000000000:role/a",
    "baseModelIdentifier": "amazon.titan-embed-image-v1:0",
    "trainingDataConfig": {"s3Uri": "s3://data/a.jsonl"},
    "outputDataConfig": {"s3Uri": "s3://data/out/"},
}


def parse_job(**changes: Any) -> None:
    """Check a request to create a job against the service's model alone."""
    body = json.dumps({**JOB, **changes}).encode()
    shapes.parse(ServiceRequest("bedrock", "POST", "/model-customization-jobs", {}, body, {}))


@pytest.mark.parametrize(
    ("member", "value", "why"),
    [
        ("jobName", "under_score", "'jobName' failed to satisfy constraint"),
        ("jobName", "a" * 64, "length less than or equal to 63"),
        ("customModelName", "with.dot", "'customModelName' failed"),
        ("customModelName", "double--dash", "'customModelName' failed"),
        ("clientRequestToken", "under_score", "'clientRequestToken' failed"),
        ("roleArn", "arn:aws:iam::1:role/short", "'roleArn' failed"),
        ("customizationType", "PRE_TRAINING", "enum value set: [FINE_TUNING"),
        ("customizationType", "DISTILLATION", "does not support the customization type"),
        ("trainingDataConfig", {"s3Uri": "s3://data/dt=1/a.jsonl"}, "'trainingDataConfig.s3Uri'"),
        ("trainingDataConfig", {"s3Uri": "https://data/a"}, "expression pattern: s3://"),
        ("outputDataConfig", {"s3Uri": "s3://data//a"}, "'outputDataConfig.s3Uri' failed"),
        ("hyperParameters", {"epochs": "3"}, "unknown epochs"),
        ("hyperParameters", {"epochCount": "101"}, "epochCount must be between 1 and 100"),
        ("hyperParameters", {"epochCount": "many"}, "epochCount must be an integer"),
        ("hyperParameters", {"batchSize": "576"}, "epochCount is required"),
        ("baseModelIdentifier", "amazon.titan-embed-image-v1", "customized as"),
        ("jobTags", [{"key": "a;b", "value": ""}], "'jobTags.1.member.key'"),
        ("validationDataConfig", {"validators": [{"s3Uri": "no"}]}, "validators.1.member.s3Uri'"),
        ("roleArn", "arn:aws:iam::000000000000:role/nobody", "Could not assume provided IAM role"),
    ],
)
def test_a_wrong_member_is_refused_and_named(pets: Pets, member: str, value: Any, why: str) -> None:
    with refused("ValidationException") as message:
        pets.start(**{member: value})
    assert why in message[0]


def test_every_wrong_member_is_named_at_once(pets: Pets) -> None:
    with refused("ValidationException") as message:
        pets.start(jobName="a_b", customModelName="a.b")
    assert message[0].startswith("2 validation errors detected: Value 'a_b' at 'jobName'")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"jobName": None}, "Invalid type for parameter jobName"),
        ({"jobName": ""}, "Invalid length for parameter jobName, value: 0, valid min length: 1"),
        ({"jobName": 7}, "Invalid type for parameter jobName, value: 7"),
        ({"jobname": "a"}, 'Unknown parameter in input: "jobname"'),
        ({"jobTags": [{"key": "a"}]}, 'Missing required parameter in jobTags[0]: "value"'),
        (
            {"vpcConfig": {"subnetIds": [], "securityGroupIds": ["sg-1"]}},
            "Invalid length for parameter vpcConfig.subnetIds",
        ),
    ],
)
def test_what_an_sdk_would_not_send_is_refused_too(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(BedrockError, match=re.escape(why)) as caught:
        parse_job(**changes)
    assert caught.value.code == "ValidationException"


def test_an_unknown_base_model_is_not_found(pets: Pets) -> None:
    with refused("ResourceNotFoundException"):
        pets.start(baseModelIdentifier="amazon.titan-unheard-of-v9:0")


def test_a_job_name_that_sends_the_published_pattern_astray_is_answered_at_once() -> None:
    began = time.process_time()
    with pytest.raises(BedrockError):
        parse_job(jobName="a" + "-" * 61 + "_")
    assert time.process_time() - began < 1


def test_the_safe_pattern_of_job_names_accepts_just_what_the_published_one_does() -> None:
    safe = shapes._pattern(PUBLISHED_JOB_NAME.pattern)
    assert safe.pattern != PUBLISHED_JOB_NAME.pattern
    for length in range(1, 6):
        for characters in itertools.product("aZ9-+._/", repeat=length):
            name = "".join(characters)
            assert bool(safe.fullmatch(name)) == bool(PUBLISHED_JOB_NAME.fullmatch(name)), name


def test_more_than_fifty_tags_are_too_many(pets: Pets) -> None:
    tags = [{"key": f"k{number}", "value": "v"} for number in range(51)]
    with refused("TooManyTagsException"):
        pets.start(jobTags=tags)


def test_an_operation_that_is_not_simulated_says_so(pets: Pets) -> None:
    with refused("ValidationException") as message:
        pets.aws.client("bedrock").list_guardrails()
    assert "The Bedrock simulator does not know ListGuardrails" in message[0]


def test_a_used_job_name_is_a_conflict(pets: Pets) -> None:
    name = unique("twice")
    pets.start(jobName=name)
    with refused("ConflictException") as message:
        pets.start(jobName=name)
    assert message[0] == "The provided job name is currently in use."


def test_a_used_model_name_is_a_conflict_even_before_the_model_exists(pets: Pets) -> None:
    name = unique("twice")
    pets.start(customModelName=name)
    with refused("ConflictException"):
        pets.start(customModelName=name)


def test_the_same_token_is_the_same_job(pets: Pets) -> None:
    token = unique("token")
    request = pets.request(clientRequestToken=token)
    bedrock = pets.aws.client("bedrock")
    first = bedrock.create_model_customization_job(**request)["jobArn"]
    assert bedrock.create_model_customization_job(**request)["jobArn"] == first
