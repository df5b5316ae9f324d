"""Settings of an environment: all that is wrong in cdk.json is said at once, with its key."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from bedrock_tuning.config.settings import Settings, read
from bedrock_tuning.errors import SettingsError

CDK = json.loads((Path(__file__).parents[2] / "cdk.json").read_text())["context"]["tuning"]
WHERE = "cdk.json: context.tuning.environments.dev"


def _problems(**dev: Any) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        read(
            {"environment": "dev", "environments": {"dev": {"region": "us-east-1", **dev}}},
        )
    return caught.value.problems


@pytest.mark.parametrize("name", CDK["environments"])
def test_every_shipped_environment_is_read(name: str) -> None:
    assert read(CDK, environment=name).name == name


def test_the_default_environment_is_the_one_that_the_context_names() -> None:
    assert read(CDK).name == CDK["environment"]


def test_a_region_is_enough() -> None:
    least = read({"environment": "dev", "environments": {"dev": {"region": "eu-west-1"}}})

    assert least == Settings(name="dev", region="eu-west-1")


def test_every_setting_can_be_set() -> None:
    wanted = Settings(
        name="dev",
        region="us-west-2",
        functions="host",
        service_role="strict",
        log_retention_days=7,
        noncurrent_days=1,
        work_days=2,
        images_per_shard=600,
        poll_seconds=4,
        serving_timeout_seconds=4_000,
        approval_days=6,
        alarm_email="a@b.example",
        account="111122223333",
        max_hourly_usd=40,
        protected=True,
        permissions_boundary="arn:aws:iam::000000000000:policy/p",
        role_name_prefix="team-",
        vpc=True,
        vpc_cidr="10.1.0.0/20",
        vpc_zones=("usw2-az2", "usw2-az1"),
        vpc_endpoint_zones=2,
        model_key=True,
        deny_others=True,
        data_roles=("team/DataScientist-*",),
    )
    raw = {f.name: getattr(wanted, f.name) for f in fields(Settings) if f.name != "name"}

    del raw["vpc_subnets"], raw["vpc_security_groups"]  # tested below: they exclude vpc_zones

    assert read({"environments": {"dev": raw}}, environment="dev") == wanted


@pytest.mark.parametrize(
    ("context", "said"),
    [
        (None, ": is missing: write {"),
        ([], ": must be an object, not []: write {"),
        ("dev", ': must be an object, not "dev": write {'),
        ({}, ".environments: is missing: write {"),
        ({"environments": []}, ".environments: must be an object, not []: write {"),
        ({"environments": {}}, ".environments: is empty: write at least one, for example {"),
        ({"environments": None}, ".environments: must be an object, not null"),
    ],
)
def test_a_context_of_another_shape_says_what_is_expected(context: Any, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(context)

    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].startswith(f"cdk.json: context.tuning{said}")


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("enviroment", "unknown key; did you mean environment?"),
        ("colour", "unknown key: use environment and environments"),
        ("alarm_email", "belongs to an environment: move it to context.tuning.environments.NAME."),
    ],
)
def test_an_unknown_key_beside_the_environments_is_refused(key: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read({**CDK, key: "x"})

    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].startswith(f"cdk.json: context.tuning.{key}: {said}")


def test_an_unknown_environment_lists_the_known_ones() -> None:
    with pytest.raises(SettingsError, match=r'environment=test: .*"test".*use one of dev, local,'):
        read(CDK, environment="test")


def test_an_empty_choice_of_environment_is_not_the_default() -> None:
    with pytest.raises(SettingsError, match=r"environment= is empty: use one of dev, local, prod"):
        read(CDK, environment="")


def test_without_a_default_an_environment_must_be_chosen() -> None:
    context = {"environments": CDK["environments"]}

    with pytest.raises(SettingsError) as caught:
        read(context)

    assert caught.value.problems == (
        "cdk.json: context.tuning.environment: is missing: write one of "
        "dev, local, prod, or add --context environment=NAME to the command",
    )
    assert read(context, environment="prod").name == "prod"


@pytest.mark.parametrize("default", ["test", 5, ["dev"]])
def test_a_default_that_is_no_environment_is_refused_even_if_another_is_chosen(
    default: Any,
) -> None:
    with pytest.raises(SettingsError, match=r"tuning\.environment: .* use dev, local, prod"):
        read({**CDK, "environment": default}, environment="dev")


def test_an_environment_that_is_no_object_is_refused() -> None:
    with pytest.raises(SettingsError, match='dev: must be an object, not "us-east-1"'):
        read({"environment": "dev", "environments": {"dev": "us-east-1"}})


def test_what_is_wrong_in_the_environments_that_are_not_chosen_is_said_too() -> None:
    environments = {
        "dev": {"region": "us-east-1", "poll_seconds": 0},
        "prod": {"region": "us-east-1", "log_retention": 7},
        "test": [],
    }
    with pytest.raises(SettingsError) as caught:
        read({"environment": "dev", "environments": environments}, environment="dev")

    paths = [problem.split(": ")[1] for problem in caught.value.problems]
    assert paths == [
        f"context.tuning.environments.{path}"
        for path in ("dev.poll_seconds", "prod.log_retention", "test")
    ]


def test_a_wrong_value_hides_no_contradiction_between_others() -> None:
    found = _problems(
        poll_secondss=10**12, data_roles=["Team"], vpc=True, region="eu-west-1", work_days=0
    )

    assert [problem.removeprefix(f"{WHERE}.").split(":")[0].split(" ")[0] for problem in found] == [
        "poll_secondss",  # unknown, and its value would be too much for what was meant
        "poll_secondss",
        "work_days",
        "vpc_zones",
        "data_roles",
    ]


def test_nothing_is_said_about_what_depends_on_a_wrong_value() -> None:
    found = _problems(
        vpc="yes", vpc_zones=["use1-az1", "use1-az2"], deny_others=1, data_roles=["T"]
    )

    assert {problem.removeprefix(f"{WHERE}.").split(":")[0] for problem in found} == {
        "vpc",
        "deny_others",
        "data_roles",
    }


def test_everything_wrong_is_said_at_once() -> None:
    found = _problems(log_retention=7, images_per_shard="many", service_role="wide", region=1)

    assert len(found) == 4
    assert all(problem.startswith(WHERE) for problem in found)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"log_retention": 7}, "log_retention: unknown key; did you mean log_retention_days?"),
        (
            {"Region": "us-east-1"},
            "Region: unknown key; region is set already: remove one of the two",
        ),
        ({"colour": "red"}, "colour: unknown key: use functions, "),
        ({"name": "prod"}, "name: unknown key"),
        ({"poll_seconds": 0}, "poll_seconds: 0 is below the minimum 1: use 1 to 3600"),
        ({"poll_seconds": 1.5}, "poll_seconds: must be a whole number, not 1.5: use 1 to 3600"),
        ({"poll_seconds": True}, "poll_seconds: must be a whole number, not true: use 1 to 3600"),
        (
            {"poll_seconds": 10**12},
            "poll_seconds: 1000000000000 is above the maximum 3600 (an endpoint is billed from the "
            "moment it is ready): use 1 to 3600",
        ),
        (
            {"poll_seconds": 60, "serving_timeout_seconds": 59},
            "poll_seconds: 60 is more than serving_timeout_seconds (59)",
        ),
        (
            {"serving_timeout_seconds": 86_401},
            "serving_timeout_seconds: 86401 is above the maximum",
        ),
        ({"noncurrent_days": 3_654}, "noncurrent_days: 3654 is above the maximum 3653"),
        (
            {"work_days": "14"},
            'work_days: must be a whole number without quotes, not "14": use 1 to 3653',
        ),
        (
            {"log_retention_days": 15},
            "log_retention_days: must be 1, 3, 5, 7, 14, 30, 60, 90, 120, ",
        ),
        ({"log_retention_days": True}, "log_retention_days: must be 1, 3,"),
        ({"alarm_email": None}, "alarm_email: must be text in quotes, not null"),
        (
            {"alarm_email": "team"},
            'alarm_email: must be an e-mail address, not "team": write, for ex',
        ),
        ({"alarm_email": "a@b"}, 'alarm_email: must be an e-mail address, not "a@b"'),
        ({"alarm_email": "a b@c.de"}, 'alarm_email: must be an e-mail address, not "a b@c.de"'),
        ({"alarm_email": "a@c.de,b@c.de"}, "alarm_email: "),
        ({"alarm_email": "jörg@c.de"}, 'alarm_email: must be an e-mail address, not "jörg@c.de"'),
        ({"alarm_email": f"{'a' * 250}@c.de"}, "alarm_email: has 255 characters, the maximum is"),
        (
            {"permissions_boundary": "Boundary"},
            'permissions_boundary: must be the ARN of a managed policy, not "Boundary": write, for '
            'example, "arn:aws:iam::111122223333:policy/Boundary"',
        ),
        ({"permissions_boundary": "arn:aws:iam::1:policy/p"}, "permissions_boundary: "),
        ({"permissions_boundary": "arn:aws:iam::111122223333:role/p"}, "permissions_boundary: "),
        (
            {"role_name_prefix": "my team/"},
            'role_name_prefix: must be letters, digits and + = , . @ _ - only, not "my team/"',
        ),
        (
            {"role_name_prefix": "p" * 33},
            "role_name_prefix: has 33 characters, the maximum is 32: shorten it",
        ),
        ({"functions": "docker"}, 'functions: must be "lambda" or "host", not "docker"'),
        ({"service_role": "x"}, 'service_role: must be "documented" or "strict", not "x"'),
        ({"region": ""}, 'region: is empty: write, for example, "us-east-1"'),
        ({"region": "Ohio"}, 'region: must be a Region, not "Ohio"'),
        (
            {"images_per_shard": 50_001},
            "images_per_shard: 50001 is above the maximum 50000 (a func",
        ),
        (
            {"approval_days": 301},
            "approval_days: 301 is above the maximum 300 (an execution ends after a year",
        ),
        (
            {"poll_seconds": 1, "serving_timeout_seconds": 7_200},
            "poll_seconds: 1 means 7,200 polls within serving_timeout_seconds, and the history of "
            "an execution holds 1,000: use at least 8",
        ),
    ],
)
def test_each_mistake_is_told_with_its_fix(setting: dict[str, Any], said: str) -> None:
    found = _problems(**setting)

    assert len(found) == 1
    assert found[0].startswith(f"{WHERE}.{said}")


def test_a_missing_region_is_told_with_an_example() -> None:
    with pytest.raises(SettingsError) as caught:
        read({"environment": "dev", "environments": {"dev": {}}})

    assert caught.value.problems == (
        f'{WHERE}.region: is missing: write, for example, "us-east-1"',
    )


@pytest.mark.parametrize("name", ["p", "Dev", "my--env", "env-", "dév", "", "a" * 21])
def test_a_name_that_would_not_fit_into_bedrocks_names_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="must have 2 to 20 characters: lower-case"):
        read({"environment": name, "environments": {name: {"region": "us-east-1"}}})


@pytest.mark.parametrize("name", ["production", "team-a", "ab", "a" * 20])
def test_longer_names_and_names_with_hyphens_are_environments(name: str) -> None:
    assert read({"environments": {name: {"region": "us-east-1"}}}, environment=name).name == name


def test_an_environment_cannot_be_the_beginning_of_another_one() -> None:
    regions = {name: {"region": "us-east-1"} for name in ("team-a", "team", "teams")}
    with pytest.raises(SettingsError) as caught:
        read({"environments": regions}, environment="teams")
    (problem,) = caught.value.problems
    assert problem.startswith('cdk.json: context.tuning.environments.team: "team-a" begins with')


def test_json_lists_are_read_like_any_other_value() -> None:
    raw = {
        "region": "eu-west-1",
        "vpc": True,
        "vpc_subnets": ["subnet-0123456789abcdef0", "subnet-01234567"],
        "vpc_security_groups": ["sg-0123456789abcdef0"],
    }

    found = read({"environments": {"dev": raw}}, environment="dev")

    assert found.vpc_subnets == ("subnet-0123456789abcdef0", "subnet-01234567")
    assert not found.own_network


def test_a_network_of_the_app_spans_all_zones_of_its_region_unless_told_otherwise() -> None:
    def zones(**dev: Any) -> tuple[str, ...]:
        raw = {"region": "us-west-2", "vpc": True, **dev}
        return read({"environments": {"dev": raw}}, environment="dev").zones

    assert zones() == ("usw2-az1", "usw2-az2", "usw2-az3", "usw2-az4")
    assert zones(vpc_zones=["usw2-az4", "usw2-az2"]) == ("usw2-az4", "usw2-az2")


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"vpc": "yes"}, 'vpc: must be true or false, not "yes"'),
        ({"vpc": 1}, "vpc: must be true or false, not 1"),
        (
            {"vpc_zones": ["use1-az1", "us-east-1a"], "vpc": True},
            'vpc_zones: "us-east-1a" is not the id of an Availability Zone: write, for example',
        ),
        (
            {"vpc_zones": ["usw2-az1", "usw2-az2"], "vpc": True},
            'vpc_zones: "usw2-az1" is not in us-east-1: use some of use1-az1, use1-az2',
        ),
        (
            {"vpc_subnets": "subnet-01234567", "vpc": True},
            'vpc_subnets: must be a list, not "subnet-01234567": write, for example',
        ),
        (
            {"data_roles": ["*"], "deny_others": True},
            'data_roles: "*" is not the name of a role with',
        ),
        (
            {"data_roles": ["a b"], "deny_others": True},
            'data_roles: "a b" is not the name of a role',
        ),
        (
            {"data_roles": [f"{n:02}{'r' * 199}" for n in range(50)], "deny_others": True},
            "data_roles: 10050 characters in total, the maximum is 8000 (a bucket's policy holds",
        ),
        ({"vpc_cidr": "10.1.0.0/16"}, 'vpc_cidr: has no effect without "vpc": true'),
        ({"vpc_endpoint_zones": 3}, 'vpc_endpoint_zones: has no effect without "vpc": true'),
        (
            {"people": ["approver=Finance-*", "uploader=Finance-Ann"]},
            'people: "Finance-Ann" may become an uploader and "Finance-*" an approver, and one',
        ),
        (
            {"people": ["approver=Team-*-lead", "uploader.pets=Team-A-*"]},
            'people: "Team-A-*" may become an uploader and "Team-*-lead" an approver, and one',
        ),
        (
            {"people": ["operator=Al"]},
            'people: "operator=Al" is not one of reader, uploader, approver, operator, auditor, '
            "deployer or uploader.CUSTOMIZATION, then = and the name of a role with its path, of "
            "at least 3 characters",
        ),
        ({"people": ["owner=Ann"]}, 'people: "owner=Ann" is not one of reader, uploader, '),
        ({"deny_others": True}, "data_roles: is missing: with deny_others, nobody else can"),
        ({"data_roles": ["Team"]}, 'data_roles: has no effect without "deny_others": true'),
        ({"vpc_zones": ["use1-az1"]}, 'vpc_zones: has no effect without "vpc": true'),
        ({"vpc_subnets": ["subnet-01234567"]}, 'vpc_subnets: has no effect without "vpc": true'),
        ({"vpc": True, "region": "eu-west-1"}, "vpc_zones: is missing: the zones of eu-west-1 are"),
        (
            {"vpc": True, "vpc_cidr": "10.0.0.0/8"},
            "vpc_cidr: must be a private IPv4 network from /16 to /24, for example",
        ),
        ({"vpc": True, "vpc_cidr": "10.0.0.1/16"}, "vpc_cidr: must be a private IPv4 network"),
        ({"vpc": True, "vpc_cidr": "home"}, "vpc_cidr: must be a private IPv4 network"),
        ({"vpc": True, "vpc_cidr": "54.0.0.0/16"}, "vpc_cidr: must be a private IPv4 network"),
        ({"vpc": True, "vpc_endpoint_zones": 7}, "vpc_endpoint_zones: 7 of 6 zones: use 2, so"),
        (
            {"vpc": True, "vpc_endpoint_zones": 1},
            "vpc_endpoint_zones: 1 is below the minimum 2 (one",
        ),
        ({"vpc": True, "vpc_zones": ["use1-az1"]}, "vpc_endpoint_zones: 2 of 1 zones: use 2, so"),
        (
            {"vpc": True, "vpc_zones": ["use1-az1", "use1-az2", "use1-az1"]},
            'vpc_zones: "use1-az1" is listed twice: list it once',
        ),
        (
            {"slack_channel": "C0EXAMPLE"},
            "slack_workspace: is missing: the workspace and the channel are set together",
        ),
        (
            {"slack_workspace": "T0EXAMPLE"},
            "slack_channel: is missing: the workspace and the channel are set together",
        ),
        (
            {"vpc": True, "vpc_subnets": ["subnet-01234567"]},
            "vpc_security_groups: is missing: subnets and security groups are set together",
        ),
        (
            {"vpc": True, "vpc_security_groups": ["sg-01234567"]},
            "vpc_subnets: is missing: subnets and security groups are set together",
        ),
        (
            {
                "vpc": True,
                "vpc_subnets": [f"subnet-{n:08x}" for n in range(17)],
                "vpc_security_groups": ["sg-01234567"],
            },
            "vpc_subnets: has 17 items, the maximum is 16 (Bedrock's jobs take no more): use fewer",
        ),
        (
            {
                "vpc": True,
                "vpc_zones": ["use1-az1", "use1-az2"],
                "vpc_subnets": ["subnet-01234567"],
                "vpc_security_groups": ["sg-01234567"],
            },
            "vpc_zones: has no effect with vpc_subnets: remove it",
        ),
    ],
)
def test_each_mistake_about_network_and_access_is_told_with_its_fix(
    setting: dict[str, Any], said: str
) -> None:
    found = _problems(**setting)

    assert len(found) == 1
    assert found[0].startswith(f"{WHERE}.{said}")


def test_shards_too_small_for_the_workflow_are_refused() -> None:
    with pytest.raises(SettingsError, match="images_per_shard: 499 is below the minimum 500"):
        read(
            {"environments": {"dev": {"region": "us-east-1", "images_per_shard": 499}}},
            environment="dev",
        )
