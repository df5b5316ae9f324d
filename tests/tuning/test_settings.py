"""Settings of an environment: all that is wrong in cdk.json is said at once, with its key."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from tuning.errors import SettingsError
from tuning.settings import Settings, read

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
        alarm_email="a@b",
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


@pytest.mark.parametrize("context", [None, [], "dev", {}, {"environments": []}])
def test_a_context_of_another_shape_says_what_is_expected(context: Any) -> None:
    with pytest.raises(SettingsError, match=r'needs "environment" and "environments"'):
        read(context)


def test_an_unknown_environment_lists_the_known_ones() -> None:
    with pytest.raises(SettingsError, match=r"no environment 'test'.*use dev, local, prod"):
        read(CDK, environment="test")


def test_an_environment_that_is_no_object_is_refused() -> None:
    with pytest.raises(SettingsError, match="must be an object"):
        read({"environment": "dev", "environments": {"dev": "us-east-1"}})


def test_everything_wrong_is_said_at_once() -> None:
    found = _problems(log_retention=7, images_per_shard="many", service_role="wide", region=1)

    assert len(found) == 4
    assert all(problem.startswith(WHERE) for problem in found)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"log_retention": 7}, "log_retention: unknown key: did you mean 'log_retention_days'?"),
        ({"colour": "red"}, "colour: unknown key: use region, functions, "),
        ({"name": "prod"}, "name: unknown key"),
        ({"poll_seconds": 0}, "poll_seconds: 0 must be a whole number of at least 1"),
        ({"poll_seconds": 1.5}, "poll_seconds: 1.5 must be a whole number of at least 1"),
        ({"poll_seconds": True}, "poll_seconds: True must be a whole number of at least 1"),
        ({"alarm_email": None}, "alarm_email: None must be text"),
        ({"functions": "docker"}, "functions: 'docker' must be one of lambda, host"),
        ({"service_role": "x"}, "service_role: 'x' must be one of documented, strict"),
        ({"region": ""}, "region: '' is no Region: write, for example, \"us-east-1\""),
        ({"region": "Ohio"}, "region: 'Ohio' is no Region"),
        ({"approval_days": 301}, "approval_days: 301 is more than 300: a workflow lives one year"),
        (
            {"poll_seconds": 1, "serving_timeout_seconds": 7_200},
            "poll_seconds: 1 asks 7,200 times in serving_timeout_seconds, and a workflow's history "
            "has room for 1,000: use at least 8",
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

    assert caught.value.problems == (f'{WHERE}.region is missing: write, for example, "us-east-1"',)


@pytest.mark.parametrize("name", ["p", "production", "Dev", "my-env", "dév", ""])
def test_a_name_that_would_not_fit_into_bedrocks_names_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="must be 2 to 8 lower-case letters or digits"):
        read({"environment": name, "environments": {name: {"region": "us-east-1"}}})


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
        ({"vpc": "yes"}, "vpc: 'yes' must be true or false"),
        ({"vpc": 1}, "vpc: 1 must be true or false"),
        ({"vpc_zones": ["us-east-1a"], "vpc": True}, "vpc_zones: ['us-east-1a'] must be a list of"),
        ({"vpc_subnets": "subnet-01234567", "vpc": True}, "vpc_subnets: 'subnet-01234567' must be"),
        ({"data_roles": ["*"], "deny_others": True}, "data_roles: ['*'] must be a list of names"),
        ({"data_roles": ["a b"], "deny_others": True}, "data_roles: ['a b'] must be a list"),
        ({"deny_others": True}, "data_roles is missing: with deny_others nobody could upload"),
        ({"data_roles": ["Team"]}, "data_roles: without deny_others = true nothing would use it"),
        ({"vpc_zones": ["use1-az1"]}, "vpc_zones: without vpc = true nothing would use it"),
        ({"vpc_subnets": ["subnet-01234567"]}, "vpc_subnets: without vpc = true nothing would"),
        ({"vpc": True, "region": "eu-west-1"}, "vpc_zones is missing: the zones of eu-west-1 are"),
        ({"vpc": True, "vpc_cidr": "10.0.0.0/8"}, "vpc_cidr: '10.0.0.0/8' must be a network"),
        ({"vpc": True, "vpc_cidr": "10.0.0.1/16"}, "vpc_cidr: '10.0.0.1/16' must be a network"),
        ({"vpc": True, "vpc_cidr": "home"}, "vpc_cidr: 'home' must be a network"),
        ({"vpc": True, "vpc_endpoint_zones": 7}, "vpc_endpoint_zones: 7 of 6 zones; use 2, so"),
        ({"vpc": True, "vpc_endpoint_zones": 1}, "vpc_endpoint_zones: 1 of 6 zones; use 2, so"),
        ({"vpc": True, "vpc_zones": ["use1-az1"]}, "vpc_endpoint_zones: 2 of 1 zones; use 2, so"),
        (
            {"vpc": True, "vpc_zones": ["use1-az1", "use1-az2", "use1-az1"]},
            "vpc_zones: a zone is named twice",
        ),
        (
            {"vpc": True, "vpc_subnets": ["subnet-01234567"]},
            "vpc_security_groups is missing: subnets and security groups go together",
        ),
        (
            {"vpc": True, "vpc_security_groups": ["sg-01234567"]},
            "vpc_subnets is missing: subnets and security groups go together",
        ),
        (
            {
                "vpc": True,
                "vpc_subnets": [f"subnet-{n:08x}" for n in range(17)],
                "vpc_security_groups": ["sg-01234567"],
            },
            "vpc_subnets: 17 are more than the 16 that Bedrock takes",
        ),
        (
            {
                "vpc": True,
                "vpc_zones": ["use1-az1", "use1-az2"],
                "vpc_subnets": ["subnet-01234567"],
                "vpc_security_groups": ["sg-01234567"],
            },
            "vpc_zones: your subnets are where they are; leave it out",
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
    with pytest.raises(SettingsError, match="images_per_shard: 499 is less than 500"):
        read(
            {"environments": {"dev": {"region": "us-east-1", "images_per_shard": 499}}},
            environment="dev",
        )
