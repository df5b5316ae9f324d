"""Environment variables of functions: what a stack writes is what a handler reads."""

from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedrock_tuning.config import lambda_environment
from bedrock_tuning.config.lambda_environment import CheckEnvironment, LambdaEnvironment
from bedrock_tuning.errors import SettingsError
from bedrock_tuning.s3_layout import Buckets

CLASSES = [
    found
    for found in vars(lambda_environment).values()
    if isinstance(found, type) and issubclass(found, LambdaEnvironment)
]
VALUES = {
    str: st.text(),
    int: st.integers(),
    bool: st.booleans(),
    dict[str, str]: st.dictionaries(st.text(), st.text(), max_size=3),
}


@given(data=st.data(), of=st.sampled_from(CLASSES))
def test_what_is_written_is_what_is_read(data: st.DataObject, of: type[LambdaEnvironment]) -> None:
    values: dict[str, Any] = {f.name: data.draw(VALUES[f.type]) for f in fields(of)}
    written = of(**values)

    variables = written.to_env()

    assert of.from_env(variables) == written
    assert all(isinstance(value, str) for value in variables.values())


def test_variables_are_upper_case_and_other_ones_are_left_alone() -> None:
    env = {"ENVIRONMENT": "dev", "AWS_REGION": "us-east-1"}

    assert LambdaEnvironment.from_env(env) == LambdaEnvironment(environment="dev")
    assert LambdaEnvironment(environment="dev").to_env() == {"ENVIRONMENT": "dev"}


def test_every_missing_variable_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        CheckEnvironment.from_env({"ENVIRONMENT": "dev", "TRAINING_BUCKET": "t"})

    assert caught.value.problems == (
        "environment variable VALIDATION_BUCKET is not set",
        "environment variable OUTPUT_BUCKET is not set",
        "environment variable IMAGES_PER_SHARD is not set",
    )


def test_the_three_buckets_keep_their_meaning() -> None:
    env = CheckEnvironment(
        environment="dev",
        training_bucket="t",
        validation_bucket="v",
        output_bucket="o",
        images_per_shard=1,
    )

    assert env.buckets == Buckets(training="t", validation="v", output="o")
