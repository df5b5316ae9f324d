"""Settings and customizations together: a limit in cdk.json holds for all that is deployed."""

from pathlib import Path
from typing import Any

import pytest

from bedrock_tuning.contracts import project
from bedrock_tuning.errors import ConfigurationError

PRICED = """
description = "x"
base_model = "titan-image-generator-v2"
allow_closed_model = true
[hyperparameters]
stepCount = 500
[serving]
mode = "provisioned"
lease_hours = 4
"""
UNPRICED = PRICED.replace("titan-image-generator-v2", "titan-multimodal-embeddings-g1").replace(
    "allow_closed_model = true\n[hyperparameters]\nstepCount = 500\n", ""
)


def _read(folder: Path, **settings: Any) -> project.Project:
    environments = {"dev": {"region": "us-east-1"}, "prod": {"region": "us-east-1", **settings}}
    return project.read({"environments": environments}, environment="dev", customizations=folder)


def _problem(folder: Path, **settings: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        _read(folder, **settings)
    (problem,) = caught.value.problems
    return problem


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Two customizations whose throughput has a published price."""
    for name in ("cats", "dogs"):
        (tmp_path / f"{name}.toml").write_text(PRICED, "utf-8")
    return tmp_path


def test_what_all_may_cost_by_the_hour_is_limited_also_where_it_is_not_deployed_now(
    two: Path,
) -> None:
    problem = _problem(two, max_hourly_usd=1)
    assert problem.startswith("cdk.json: context.tuning.environments.prod.max_hourly_usd: 1.00 USD")
    assert "(cats " in problem
    assert ", dogs " in problem
    assert set(_read(two, max_hourly_usd=1_000).customizations) == {"cats", "dogs"}


def test_problems_of_a_file_follow_its_lines_whichever_check_finds_them(tmp_path: Path) -> None:
    (tmp_path / "cats.toml").write_text(
        PRICED.replace("500", "0").replace("\nlease_hours = 4", "\nlease_hours = 1000"), "utf-8"
    )
    (tmp_path / "dogs.toml").write_text(PRICED.replace("500", "0"), "utf-8")
    with pytest.raises(ConfigurationError) as caught:
        _read(tmp_path, max_hourly_usd=-1)
    places = [each.split(": ")[0].rpartition("/")[2] for each in caught.value.problems]
    assert places == ["cdk.json", "cats.toml:6", "cats.toml:9", "dogs.toml:6"]


def test_the_limit_itself_may_be_reached(two: Path) -> None:
    words = _problem(two, max_hourly_usd=1).split("may cost ")[1]
    exactly = float(words.split(" USD")[0])
    assert _read(two, max_hourly_usd=exactly).customizations
    assert _problem(two, max_hourly_usd=exactly - 0.01)


def test_a_price_that_is_not_known_could_exceed_every_limit(two: Path) -> None:
    (two / "birds.toml").write_text(UNPRICED, "utf-8")
    assert "no hourly price is known for birds" in _problem(two, max_hourly_usd=10_000)
    (two / "birds.toml").write_text(f'only = ["dev"]\n{UNPRICED}', "utf-8")
    assert "birds" in _read(two, max_hourly_usd=10_000).customizations


def test_a_workflow_that_starts_jobs_itself_passes_no_role_that_exists_already(
    tmp_path: Path,
) -> None:
    role = "arn:aws:iam::111122223333:role/ml/BedrockCustomization"
    file = tmp_path / "cats.toml"
    file.write_text(f'{UNPRICED}[job]\nservice_role = "{role}"\n', "utf-8")
    assert "cats" in _read(tmp_path).customizations
    problem = _problem(tmp_path, jobs_started_by="workflow")
    assert 'cats.toml: job.service_role: cannot be used in prod, where "jobs_started_by"' in problem
    assert 'remove it, or set "jobs_started_by": "starter" in cdk.json' in problem


def test_where_the_workflow_starts_jobs_their_tags_count_twice_in_a_parameter(
    tmp_path: Path,
) -> None:
    tags = "".join(f'key-{number} = "{"x" * 100}"\n' for number in range(15))
    (tmp_path / "cats.toml").write_text(f"{UNPRICED}[tags]\n{tags}", "utf-8")
    assert "cats" in _read(tmp_path).customizations
    assert "shorten smoke_text, the reasons of rules, tags" in _problem(
        tmp_path, jobs_started_by="workflow"
    )
