"""No setting and no key of a customization file without a test: a bad value, and what is said."""

from dataclasses import MISSING, fields
from datetime import date, time
from typing import Any

import pytest

from bedrock_tuning.config.customization import load
from bedrock_tuning.config.customization_fields import TABLES
from bedrock_tuning.config.fields import Field
from bedrock_tuning.config.messages import shown
from bedrock_tuning.config.settings import Settings, check
from bedrock_tuning.config.settings_fields import SETTINGS
from bedrock_tuning.errors import CustomizationError

# Of each setting: a bad value, what its message must say of the limit, and of the fix. A setting
# without a row fails below.
BAD_SETTINGS: dict[str, tuple[Any, str, str]] = {
    "region": ("Ohio", "must be a Region", 'write, for example, "us-east-1"'),
    "functions": ("docker", 'must be "lambda" or "host"', 'not "docker"'),
    "service_role": ("wide", 'must be "documented" or "strict"', 'not "wide"'),
    "jobs_started_by": ("starters", 'must be "starter" or "workflow"', "did you mean starter?"),
    "log_retention_days": (8, "CloudWatch Logs takes no other number", "must be 1, 3, 5, 7,"),
    "noncurrent_days": (0, "below the minimum 1", "use 1 to 3653"),
    "work_days": (3_654, "above the maximum 3653 (ten years", "use 1 to 3653"),
    "images_per_shard": (499, "below the minimum 500 (more shards", "use 500 to 50000"),
    "poll_seconds": (3_601, "above the maximum 3600 (an endpoint is billed", "use 1 to 3600"),
    "serving_timeout_seconds": (86_401, "above the maximum 86400 (Provisioned", "use 1 to 86400"),
    "approval_days": (301, "above the maximum 300 (an execution ends", "use 1 to 300"),
    "alarm_email": ("team", "must be an e-mail address", 'for example, "ml-platform@example.com"'),
    "slack_workspace": ("#ml", "must be the id of a Slack workspace", '"T0EXAMPLE"'),
    "slack_channel": ("#ml", "must be the id of a Slack channel", '"C0EXAMPLE"'),
    "tracing": ("on", "must be true or false", 'not "on"'),
    "account": ("1111", "must be the twelve digits of an AWS account", '"111122223333"'),
    "attestation": ("prod", "must be a file of JSON", 'example, "attestations/prod.json"'),
    "max_hourly_usd": (-1, "below the minimum 0", "use 0 to 999999999"),
    "protected": (1, "must be true or false", "not 1"),
    "permissions_boundary": ("Boundary", "must be the ARN of a managed policy", '"arn:aws:iam::'),
    "role_name_prefix": ("p" * 33, "the maximum is 32", "shorten it"),
    "role_path": ("team/", "must be a path that begins and ends", 'example, "/ml-platform/"'),
    "tags": ({"aws:x": "y"}, '"aws:x": starts with a reserved prefix', "rename it"),
    "training_bucket": ("a.b", "must be the name of a bucket", 'example, "ml-training-data"'),
    "validation_bucket": ("A", "must be the name of a bucket", 'example, "ml-training-data"'),
    "output_bucket": ("b" * 64, "the maximum is 63", "shorten it"),
    "data_key": ("alias/key", "must be the ARN of a KMS key", '"arn:aws:kms:us-east-1:'),
    "data_account": ("1111", "must be the twelve digits of an AWS account", '"111122223333"'),
    "operations_key": ("key", "must be the ARN of a KMS key", '"arn:aws:kms:us-east-1:'),
    "topic": ("topic", "must be the ARN of an SNS topic", '"arn:aws:sns:us-east-1:'),
    "vpc": ("yes", "must be true or false", 'not "yes"'),
    "vpc_cidr": (
        "10.0.0.0/8",
        "a private IPv4 network from /16 to /24",
        'for example "10.42.0.0/16"',
    ),
    "vpc_zones": (["us-east-1a"], "the id of an Availability Zone", '["use1-az1"]'),
    "vpc_endpoint_zones": (1, "below the minimum 2 (one of them may fail)", "use 2 to 16"),
    "vpc_subnets": (["a"], "the id of a subnet", '["subnet-0123456789abcdef0"]'),
    "vpc_security_groups": (["a"], "the id of a security group", '["sg-0123456789abcdef0"]'),
    "model_key": (1, "must be true or false", "not 1"),
    "deny_others": ("no", "must be true or false", 'not "no"'),
    "people": (["approver"], "then = and the name of a role", '["approver=Finance-*"]'),
    "data_roles": (["*"], "the name of a role", '["DataScientist-*"]'),
}
# Of each key of a customization file, as it is written there.
BAD_KEYS: dict[str, tuple[str, str, str]] = {
    "description": (f'"{"x" * 201}"', "the maximum is 200", "shorten it"),
    "base_model": ('"titan-multimodal-embeddings"', "not in the catalogue", "did you mean titan-"),
    "customization_type": ('"DISTILLATION"', "not offered for", 'use "FINE_TUNING"'),
    "allow_closed_model": ("1", "must be true or false", "not 1"),
    "only": ('["Dev"]', "is not the name of an environment", '["dev"]'),
    "only_regions": ('["Virginia"]', "is not a Region", '["us-east-1"]'),
    "retired": ('"yesterday"', "must be a day, for example 2026-12-01", 'not "yesterday"'),
    "renamed_from": ('"Pets!"', "must be the name of a customization", 'example, "pets"'),
    "dataset.validation": ('"always"', 'must be "required", "optional" or', 'not "always"'),
    "serving.mode": ('"prov"', 'must be "provisioned",', "did you mean provisioned?"),
    "serving.model_units": ("101", "above the maximum 100 (each is billed", "use 1 to 100"),
    "serving.commitment": ('"OneYear"', 'must be "OneMonth" or "SixMonths"', 'not "OneYear"'),
    "serving.lease_hours": ("721", "above the maximum 720 (30 days", "use 1 to 720"),
    "serving.strategy": ('"canary"', 'must be "swap" or "blue-green"', 'not "canary"'),
    "serving.idle_hours": ("0", "below the minimum 1", "use 1 to 720"),
    "serving.on_delete": ('"keep"', 'must be "delete" or "retain"', 'not "keep"'),
    "serving.smoke_text": ('""', "is empty", 'write, for example, "a dog"'),
    "serving.embedding_length": ("0", "below the minimum 1", "use 1 to"),
    "custom_model": ('"nova"', "must be the ARN of a custom model", "write, for example"),
    "grader": ('"reward"', "must be the ARN of a Lambda function", "write, for example"),
    "teacher": ('"Nova Pro"', "must be the id of a model", "write, for example"),
    "teacher_tokens": ("0", "below the minimum 1", "use 1 to"),
    "dataset.folders": (
        '["s3://pets/cats"]',
        "is not a folder without a slash at its",
        "write, for",
    ),
    "job.job_name": ('"ron_and_smila"', "must be letters, digits, plus signs", "write, for"),
    "job.model_name": ('"ron--smila"', "must be letters and digits, with single", "write, for"),
    "job.output_folder": ('"/metrics/"', "must be a folder without a slash at its", "write, for"),
    "job.service_role": ('"BedrockRole"', "must be the ARN of a role", "write, for"),
    "budget.max_run_usd": ("0", "below the minimum 0.01", "use 0.01 to 999999999"),
    "budget.approval": ('"often"', 'must be "over-budget", "always" or "never"', 'not "often"'),
    "evaluation.min_recall": (
        "60",
        "above the maximum 1 (a share of the questions",
        "use 0.01 to 1",
    ),
    "evaluation.not_worse_than_base": ('"yes"', "must be true or false", 'not "yes"'),
    "evaluation.not_worse_than_published": ("1", "must be true or false", "not 1"),
    "evaluation.recall_at": ("11", "above the maximum 10 (nobody looks further)", "use 1 to 10"),
    "evaluation.pictures": ("19", "below the minimum 20", "use 20 to 500"),
    "budget.monthly_usd": ("0", "below the minimum 0.01", "use 0.01 to 999999999"),
    "rules.NAME.severity": ('"error"', 'must be "warning" or "silent"', 'not "error"'),
    "rules.NAME.reason": ("[]", "must be text in quotes", "write, for example, "),
}
KEYS = {
    f"{table}.{key}" if table else key: known
    for table, known_keys in TABLES.items()
    for key, known in known_keys.items()
}


def said_of_setting(key: str) -> str:
    """The one sentence about a bad value of a setting."""
    value, *_ = BAD_SETTINGS[key]
    dev = {"region": "us-east-1", "vpc": True, key: value}
    checked = check({"environment": "dev", "environments": {"dev": dev}})
    (problem,) = [each for each in checked.problems if f".dev.{key}: " in each]
    return problem


def said_of_key(key: str) -> str:
    """The one sentence about a bad value of a key of a customization file."""
    value, *_ = BAD_KEYS[key]
    *table, name = key.replace("NAME", "duplicate-key").split(".")
    lines = {"description": '"x"', "base_model": '"titan-multimodal-embeddings-g1"'}
    inside = ""
    if table:
        inside = f"[{'.'.join(table)}]\n{name} = {value}\n"
    else:
        lines[name] = value
    text = "".join(f"{each} = {written}\n" for each, written in lines.items()) + inside
    with pytest.raises(CustomizationError) as caught:
        load(text, file="customizations/pets.toml")
    path = ".".join((*table, name))
    (problem,) = [each for each in caught.value.problems if f": {path}: " in each]
    return problem


def test_every_setting_and_every_key_has_a_bad_value_here() -> None:
    assert set(BAD_SETTINGS) == set(SETTINGS)
    assert set(BAD_KEYS) == set(KEYS)


@pytest.mark.parametrize("key", SETTINGS)
def test_a_bad_setting_is_reported_with_its_limit_and_its_fix(key: str) -> None:
    _, limit, fix = BAD_SETTINGS[key]
    problem = said_of_setting(key)
    assert problem.startswith(f"cdk.json: context.tuning.environments.dev.{key}: ")
    assert limit in problem
    assert fix in problem


@pytest.mark.parametrize("key", KEYS)
def test_a_bad_key_is_reported_with_its_line_its_limit_and_its_fix(key: str) -> None:
    _, limit, fix = BAD_KEYS[key]
    problem = said_of_key(key)
    line = 1 if key == "description" else 2 if key == "base_model" else 4 if "." in key else 3
    assert problem.startswith(f"customizations/pets.toml:{line}: ")
    assert limit in problem
    assert fix in problem


@pytest.mark.parametrize("known", [*SETTINGS.values(), *KEYS.values()], ids=[*SETTINGS, *KEYS])
def test_a_default_is_allowed_and_a_description_is_a_sentence(known: Field) -> None:
    assert known.meaning[0].isupper()
    assert known.meaning.endswith(".")
    if known.default not in (MISSING, None):
        assert known.kind.problem(known.default) == ""


def test_every_setting_is_in_the_table() -> None:
    assert [each.name for each in fields(Settings)] == ["name", *SETTINGS]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (date(2026, 12, 1), "2026-12-01"),
        ([time(9, 30)], "[09:30:00]"),
        ([None, True], "[null, true]"),
        ({"a": "it's"}, '{"a": "it\'s"}'),
        ("x" * 100, f'"{"x" * 57}…"'),
    ],
)
def test_a_value_is_shown_as_its_author_wrote_it(value: object, text: str) -> None:
    assert shown(value) == text
