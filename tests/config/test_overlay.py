"""One file for several environments: what each gets, and where a wrong value was written."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from bedrock_tuning.config.customization import CustomizationSettings, LoadResult, scan

REGIONS = {"dev": "us-east-1", "stage": "us-east-1", "prod": "us-west-2"}
HEAD = 'description = "Pets"\nbase_model = "titan-multimodal-embeddings-g1"\n'
BASE = """\
[hyperparameters]
batchSize = 576
[serving]
mode = "provisioned"
lease_hours = 8
[budget]
max_run_usd = 50.0
[tags]
team = "pets"
"""
PROD = """\
[environments.prod]
unset = ["serving.lease_hours"]
[environments.prod.serving]
model_units = 2
commitment = "OneMonth"
[environments.prod.budget]
max_run_usd = 500.0
[environments.prod.tags]
tier = "gold"
"""


def _scan(folder: Path, text: str, regions: Mapping[str, str | None] | None = None) -> LoadResult:
    (folder / "pets.toml").write_text(text, "utf-8")
    return scan(folder, regions=REGIONS if regions is None else regions)


def _read(folder: Path, text: str) -> Mapping[str, CustomizationSettings]:
    found = _scan(folder, text)
    assert found.problems == ()
    return {name: each["pets"] for name, each in found.by_environment.items()}


def _problems(folder: Path, text: str) -> list[str]:
    return [each.partition("/pets.toml:")[2] for each in _scan(folder, text).problems]


def test_an_environment_has_its_own_values_and_shares_the_others(tmp_path: Path) -> None:
    found = _read(tmp_path, HEAD + BASE + PROD)
    assert found["dev"] == found["stage"]
    dev, prod = found["dev"], found["prod"]
    assert (dev.serving.lease_hours, prod.serving.lease_hours) == (8, None)
    assert (dev.serving.model_units, prod.serving.model_units) == (1, 2)
    assert prod.serving.on_delete == "retain"
    assert (dev.budget.max_run_usd, prod.budget.max_run_usd) == (50.0, 500.0)
    assert (dev.tags, prod.tags) == ({"team": "pets"}, {"team": "pets", "tier": "gold"})
    assert prod.hyperparameters["batchSize"] == "576"


def test_a_whole_table_can_be_unset_and_a_new_one_written(tmp_path: Path) -> None:
    text = HEAD + BASE + '[environments.dev]\nunset = ["serving", "tags"]\n'
    text += '[environments.dev.dataset]\nvalidation = "optional"\n'
    found = _read(tmp_path, text)
    assert found["dev"].serving.mode == "none"
    assert found["dev"].tags == {}
    assert found["dev"].validation == "optional"
    assert found["prod"].serving.mode == "provisioned"


@pytest.mark.parametrize(
    ("key", "environments"),
    [
        ("", {"dev", "stage", "prod"}),
        ('only = ["dev", "prod"]', {"dev", "prod"}),
        ('only_regions = ["us-west-2"]', {"prod"}),
        ('only = ["dev", "prod"]\nonly_regions = ["us-east-1"]', {"dev"}),
    ],
)
def test_a_file_says_where_it_is_deployed(tmp_path: Path, key: str, environments: set[str]) -> None:
    assert set(_read(tmp_path, f"{key}\n{HEAD}{BASE}")) == environments


@pytest.mark.parametrize("day", ["2026-12-01", '"2026-12-01"'])
def test_a_retired_customization_is_nowhere_and_its_file_is_named(tmp_path: Path, day: str) -> None:
    found = _scan(tmp_path, f"retired = {day}\n{HEAD}{BASE}")
    assert found.by_environment == {}
    assert [Path(each).name for each in found.retired] == ["pets.toml"]
    assert found.problems == ()


def test_without_environments_a_file_is_read_as_it_is_above(tmp_path: Path) -> None:
    found = _scan(tmp_path, f'only = ["elsewhere"]\n{HEAD}{BASE}{PROD}', regions={})
    assert found.by_environment[""]["pets"].serving.lease_hours == 8
    assert found.problems == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        # A value is named where it was written.
        (
            f"{HEAD}{BASE}[environments.prod.serving]\nmodel_units = 0\n",
            "13: environments.prod.serving.model_units: 0 is below the minimum 1",
        ),
        (
            f"{HEAD}{BASE}[environments.prod]\nlease_hours = 4\n",
            "13: environments.prod.lease_hours: unknown key",
        ),
        (
            f"{HEAD}[environments.prod.serving]\nlease_hours = 4\n",
            "3: environments.prod.serving.mode: is missing",
        ),
        # What only an environment makes wrong says in which.
        (
            f'{HEAD}{BASE}[environments.prod.serving]\ncommitment = "OneMonth"\n',
            "7: serving.lease_hours: in prod: contradicts the commitment",
        ),
        (
            f'{HEAD}{BASE}[environments.prod]\nunset = ["serving.lease_hours"]\n',
            "13: serving.lease_hours: in prod: is missing",
        ),
        (
            f'{HEAD}{BASE}[environments.prod]\nunset = ["description"]\n',
            "13: description: in prod: is missing",
        ),
        # Everywhere wrong is wrong once, and says no environment.
        (
            f"{HEAD}{BASE}{PROD}".replace("= 576", "= 9"),
            "4: hyperparameters.batchSize: 9 ",
        ),
        # What is said about environments themselves.
        (
            f'{HEAD}{BASE}[environments.prd]\nunset = ["serving"]\n',
            '12: environments.prd: cdk.json has no environment "prd"; did you mean prod?',
        ),
        (f'only = ["elsewhere"]\n{HEAD}{BASE}', '1: only: cdk.json has no environment "elsewhere"'),
        (
            f'only = ["dev"]\n{HEAD}{BASE}{PROD}',
            "13: environments.prod: has no effect: only or only_regions leaves it out",
        ),
        (
            f'{HEAD}{BASE}[environments.prod]\nunset = ["serving.lease"]\n',
            '13: environments.prod.unset: "serving.lease" is not set above',
        ),
        (
            f"{HEAD}{BASE}[environments.prod]\nunset = 5\n",
            "13: environments.prod.unset: must be a list of keys, not 5",
        ),
        (
            f'{HEAD}{BASE}[environments.prod]\nonly = ["prod"]\n',
            "13: environments.prod.only: belongs above the first [table]",
        ),
        (f"environments = 5\n{HEAD}{BASE}", "1: environments: must be a table, not 5"),
        (
            f"{HEAD}{BASE}[environments]\nprod = 5\n",
            "13: environments.prod: must be a table, not 5",
        ),
    ],
)
def test_a_problem_names_the_table_that_its_value_came_from(
    tmp_path: Path, text: str, problem: str
) -> None:
    (found,) = _problems(tmp_path, text)
    assert found.startswith(problem)


def test_a_problem_of_two_environments_names_both(tmp_path: Path) -> None:
    one = '[environments.{}.serving]\ncommitment = "OneMonth"\n'
    (found,) = _problems(tmp_path, HEAD + BASE + one.format("dev") + one.format("prod"))
    assert found.startswith("7: serving.lease_hours: in dev, prod: contradicts the commitment")


def test_a_region_without_jobs_is_named_with_its_environments_and_the_way_out(
    tmp_path: Path,
) -> None:
    text = HEAD + BASE
    (tmp_path / "pets.toml").write_text(text, "utf-8")
    regions = {"dev": "us-east-1", "here": "eu-west-1", "there": "eu-west-1"}
    (problem,) = scan(tmp_path, regions=regions).problems
    assert "takes customization jobs in us-east-1, us-west-2 (source UG-ft)" in problem
    assert "not in eu-west-1 (here, there): leave it out there with only or only_regions" in problem
    (tmp_path / "pets.toml").write_text(f'only = ["dev"]\n{text}', "utf-8")
    assert scan(tmp_path, regions=regions).problems == ()
    # Where a Region is not known, it is reported in cdk.json.
    (tmp_path / "pets.toml").write_text(text, "utf-8")
    assert scan(tmp_path, regions={"dev": None}).problems == ()


def test_names_that_do_not_fit_together_are_refused_for_that_environment(tmp_path: Path) -> None:
    (tmp_path / f"{'a' * 30}.toml").write_text(HEAD + BASE, "utf-8")
    (problem,) = scan(tmp_path, regions={"dev": "us-east-1", "production": "us-east-1"}).problems
    assert "the name has 30 characters and the environment production 10" in problem


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"pets": "pets"}, "pets.toml:1: renamed_from: is the name that it has"),
        (
            {"animals": "pets", "pets": ""},
            'animals.toml: renamed_from: "pets" is a customization of its own',
        ),
        (
            {"animals": "pets", "beasts": "pets"},
            'beasts.toml: renamed_from: "pets" is what customizations/animals.toml was, too',
        ),
        ({"animals": "pets", "beasts": "animal"}, ""),
    ],
)
def test_a_former_name_is_nobodys_name_any_more_and_one_takes_it_over(
    tmp_path: Path, files: dict[str, str], problem: str
) -> None:
    folder = tmp_path / "customizations"
    folder.mkdir()
    for name, former in files.items():
        head = f'renamed_from = "{former}"\n' if former else ""
        (folder / f"{name}.toml").write_text(f"{head}{HEAD}{BASE}", "utf-8")
    found = scan(folder, regions=REGIONS).problems
    assert [each for each in found if not problem or problem not in each] == []
    assert len(found) == (1 if problem else 0)
