"""The patterns of names, tokens, URIs and tags: the published ones' strings, in linear time."""

import itertools
import re
import time
from functools import cache

import botocore.loaders
import pytest
from botocore.model import ServiceModel

from bedrock_tuning.run import job


@cache
def _bedrock() -> ServiceModel:
    loader = botocore.loaders.Loader()
    return ServiceModel(loader.load_service_model("bedrock", "service-2"), "bedrock")


@pytest.mark.parametrize(
    ("field", "value", "accepted"),
    [
        ("jobName", "a" * 63, True),
        ("jobName", "a" * 64, False),
        ("jobName", "a_b", False),
        ("jobName", "-a", False),
        ("jobName", "", False),
        ("jobName", "a\n", False),
        ("customModelName", "a--b", False),
        ("customModelName", "a.b", False),
        ("customModelName", "a-b_c-", True),
        ("clientRequestToken", "a" * 256, True),
        ("clientRequestToken", "a" * 257, False),
        ("clientRequestToken", "a-", False),
        ("clientRequestToken", "a_b", False),
        ("s3Uri", "s3://bucket/dt=2026/manifest.jsonl", False),
        ("s3Uri", "s3://bucket/a//b", False),
        ("s3Uri", "s3://bucket/a b", False),
        ("s3Uri", "s3://bucket/pets/manifest.jsonl", True),
        ("s3Uri", "s3://b/pets", False),
        ("roleArn", "arn:aws-us-gov:iam::000000000000:role/path/name", True),
        ("roleArn", "arn:aws:iam::000000000000:user/name", False),
        ("tagKey", "", False),
        ("tagKey", "k" * 129, False),
        ("tagKey", "kennel\u00a0club", False),
        ("tagValue", "", True),
        ("tagValue", "Ron & Smila", False),
        ("tagValue", "Ron\u2003Smila", False),
    ],
)
def test_what_bedrock_refuses_is_a_problem(field: str, value: str, accepted: bool) -> None:
    problem = job.problem(field, value)

    assert (problem is None) is accepted
    assert problem is None or problem.startswith(f"{field}: ")


PUBLISHED = {
    "jobName": "JobName",
    "customModelName": "CustomModelName",
    "provisionedModelName": "ProvisionedModelName",
    "modelDeploymentName": "ModelDeploymentName",
    "clientRequestToken": "IdempotencyToken",
    "roleArn": "RoleArn",
    "s3Uri": "S3Uri",
    "tagKey": "TagKey",
    "tagValue": "TagValue",
}


def test_every_pattern_of_ours_has_a_published_one_to_agree_with() -> None:
    assert set(PUBLISHED) == set(job.PATTERNS)


@pytest.mark.parametrize("field", PUBLISHED)
def test_our_pattern_takes_what_the_published_one_takes(field: str) -> None:
    """All strings of up to six characters, one of each kind that some pattern tells apart."""
    shape = _bedrock().shape_for(PUBLISHED[field])
    published, longest = re.compile(shape.metadata["pattern"], re.ASCII), shape.metadata["max"]
    start = {"roleArn": "arn:aws:iam::000000000000:role/", "s3Uri": "s3://"}.get(field, "")
    alphabet = "a/.-_" if field == "s3Uri" else "aZ9-+._ \u00a0"
    most = 6 if len(alphabet) < 6 else 4

    assert job.PATTERNS[field][1] == longest
    for length in range(most + 1):
        for characters in itertools.product(alphabet, repeat=length):
            value = start + "".join(characters)
            least = shape.metadata.get("min", 0)
            taken = len(value) >= least and published.fullmatch(value) is not None
            assert (job.problem(field, value) is None) is taken, value


@pytest.mark.parametrize("field", job.PATTERNS)
def test_no_pattern_of_ours_takes_long_for_any_string(field: str) -> None:
    _, longest = job.PATTERNS[field]
    start = {"roleArn": "arn:aws-", "s3Uri": "s3://bucket/"}.get(field, "a")
    hostile = [
        start + filler * ((longest - len(start) - 1) // len(filler)) + "é\n"
        for filler in ("-", "a", "a-", "-a", ".", " ", "/a", "a/")
    ]

    begin = time.process_time()
    for value in hostile:
        assert job.problem(field, value) is not None
    # The published job name pattern needs longer than the universe has left for the first of them.
    assert time.process_time() - begin < 1
