"""Resources are reached with TLS, by signed calls, and keep messages under our key."""

import pytest

from bedrock_tuning.config.settings import Settings
from bedrock_tuning.contracts import Condition, contracts

ENVIRONMENT = contracts(Settings(name="dev", region="us-east-1", slack_channel="C0EXAMPLE"), {})
KINDS = {
    "AWS::S3::Bucket": "s3:*",
    "AWS::SNS::Topic": "sns:Publish",
    "AWS::SQS::Queue": "sqs:*",
}
REACHED = {name: each.type for name, each in ENVIRONMENT.places.items() if each.type in KINDS}


def test_there_is_one_of_each_kind() -> None:
    assert {*REACHED.values()} == {*KINDS}


@pytest.mark.parametrize("name", REACHED)
def test_everybody_is_refused_without_tls(name: str) -> None:
    plain = Condition.of("Bool", "aws:SecureTransport", "false")
    whole = {f"{{{name}}}", f"{{{name}}}/*"} if "S3" in REACHED[name] else {f"{{{name}}}"}
    assert any(
        refusal.effect == "Deny"
        and refusal.conditions == (plain,)
        and refusal.actions == (KINDS[REACHED[name]],)
        and {*refusal.resources} == whole
        for refusal in ENVIRONMENT.resource(name).refusals
    )


@pytest.mark.parametrize("name", [name for name, kind in REACHED.items() if "S3" in kind])
def test_buckets_refuse_a_tls_older_than_1_2(name: str) -> None:
    old = Condition.of("NumericLessThan", "s3:TlsVersion", "1.2")
    refusals = ENVIRONMENT.resource(name).refusals
    assert [each.actions for each in refusals if each.conditions == (old,)] == [("s3:*",)]


def test_messages_are_encrypted_with_our_key_and_dead_letters_kept_as_long_as_sqs_can() -> None:
    places = ENVIRONMENT.places
    for name in ("topic", "chat-topic", "dead-letters"):
        assert places[name].properties["KmsMasterKeyId"] == "{operations-key}"
    assert places["dead-letters"].properties["MessageRetentionPeriod"] == 14 * 24 * 3_600


def test_who_calls_a_function_by_its_address_signs() -> None:
    urls = [each for each in ENVIRONMENT.places.values() if each.type == "AWS::Lambda::Url"]
    assert urls
    assert {url.properties["AuthType"] for url in urls} == {"AWS_IAM"}
