"""Whatever is wrong, in whichever file: one synthesis says all of it, and nothing twice."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from app import build_app, read_context
from bedrock_tuning.contracts import project as reading
from bedrock_tuning.errors import ConfigurationError
from tests.support.problems import without_lines

SEARCH = """\
description = "Pets"
base_model = "titan-multimodal-embeddings-g1"
[hyperparameters]
batchSize = 576
[serving]
mode = "provisioned"
lease_hours = 8
embedding_length = 1024
[budget]
max_run_usd = 50.0
[tags]
team = "pets"
"""
# A wrong key with a right value, which is another fault if the value is wrong.
WARM = "learning_rate = 0.1\n[serving]"
RULES = '[rules]\nduplicate-key = "silent"\n[tags]'


@dataclass
class Project:
    """What a user edits: the settings of two environments, and customization files."""

    tuning: dict[str, Any] = field(
        default_factory=lambda: {
            "environment": "dev",
            "environments": {"dev": {"region": "us-east-1"}, "prod": {"region": "us-west-2"}},
        }
    )
    files: dict[str, str] = field(
        default_factory=lambda: {"pets.toml": SEARCH, "cats.toml": SEARCH, "odd.toml": SEARCH}
    )

    def problems(self, folder: Path) -> tuple[str, ...]:
        """All that is said about it; folder takes its files."""
        folder.mkdir(exist_ok=True)
        for name, text in self.files.items():
            (folder / name).write_text(text, "utf-8")
        with pytest.raises(ConfigurationError) as caught:
            reading.read(self.tuning, environment="dev", customizations=folder)
        return without_lines(caught.value.problems)


Seed = Callable[[Project], None]


def dev(**settings: Any) -> Seed:
    """Settings of the environment dev."""
    return lambda project: project.tuning["environments"]["dev"].update(settings)


def prod(**settings: Any) -> Seed:
    """Settings of the environment prod, which is not chosen."""
    return lambda project: project.tuning["environments"]["prod"].update(settings)


def beside(**keys: Any) -> Seed:
    """Keys beside the environments."""
    return lambda project: project.tuning.update(keys)


def pets(old: str, new: str, file: str = "pets.toml") -> Seed:
    """A text of a file replaced."""

    def seed(project: Project) -> None:
        assert old in project.files[file]
        project.files[file] = project.files[file].replace(old, new)

    return seed


def written(file: str, text: str) -> Seed:
    """A file more, or another text in it."""
    return lambda project: project.files.update({file: text})


# Faults that do not touch the same value, each with what its problem says.
FAULTS: Mapping[str, Seed] = {
    "dev.log_retention_days: must be 1, 3, 5,": dev(log_retention_days=8),
    "dev.alarm_email:": dev(alarm_email="nobody"),
    "dev.role_name_prefix:": dev(role_name_prefix="a b"),
    "dev.permissions_boundary:": dev(permissions_boundary="Boundary"),
    "dev.poll_seconds: 1000000000000 is above": dev(poll_seconds=10**12),
    'dev.vpc_subnets: has no effect without "vpc"': dev(vpc_subnets=["subnet-01234567"]),
    "dev.data_roles: is missing": dev(deny_others=True),
    "dev.colour: unknown key": dev(colour="red"),
    "prod.poll_seconds: 1 means": prod(poll_seconds=1),
    "prod.vpc_zones:": prod(vpc=True, vpc_zones=["use1-az1", "use1-az2"]),
    "prod.approvaldays: unknown key": prod(approvaldays=3),
    "tuning.enviroments: unknown key": beside(enviroments={}),
    "environments.x: the name must have": lambda project: project.tuning["environments"].update(
        {"x": {"region": "us-east-1"}}
    ),
    "pets.toml: description: is empty": pets('"Pets"', '""'),
    "pets.toml: hyperparameters.batchSize: 9": pets("= 576", "= 9"),
    "pets.toml: hyperparameters.colour: ": pets("batchSize", "colour = 1\nbatchSize"),
    "pets.toml: serving.mode: ": pets('"provisioned"', '"prov"'),
    "pets.toml: serving.embedding_length: 7": pets("= 1024", "= 7"),
    "pets.toml: serving.lease_hours: 0": pets("lease_hours = 8", "lease_hours = 0"),
    "pets.toml: budget.max_run_usd: ": pets("50.0", '"fifty"'),
    "pets.toml: budget.approval: ": pets("max_run_usd", 'approval = "perhaps"\nmax_run_usd'),
    "pets.toml: rules.duplicate-key: must be a table": pets("[tags]", RULES),
    "pets.toml: tags.team: ": pets('team = "pets"', "team = 5"),
    'pets.toml: tags."a&b": ': pets("[tags]", '[tags]\n"a&b" = "x"'),
    "cats.toml: serving.mode: ": pets('"provisioned"', '"zzz"', "cats.toml"),
    "cats.toml: serving.embedding_length: 7": pets("= 1024", "= 7", "cats.toml"),
    "cats.toml: hyperparameters.learning_rate: ": pets("[serving]", WARM, "cats.toml"),
    "cats.toml: base_model: ": pets("-g1", "-g2", "cats.toml"),
    "cats.toml: hyperparameters.batchSize: 9": pets("= 576", "= 9", "cats.toml"),
    "odd.toml: base_model: ": pets("titan-multimodal-embeddings-g1", "zzz", "odd.toml"),
    "odd.toml: hyperparameters.batchSize: ": pets("= 576", "= true", "odd.toml"),
    "odd.toml: hyperparameters.batchsise: ": pets(
        "[serving]", "batchsise = 1\n[serving]", "odd.toml"
    ),
    "odd.toml: customization_type: ": pets(
        "[hyper", 'customization_type = "x"\n[hyper', "odd.toml"
    ),
    "odd.toml: serving.embedding_length: 7": pets("= 1024", "= 7", "odd.toml"),
    "broken.toml: is not TOML": written("broken.toml", "a = "),
    'Broken.toml: the name "Broken"': written("Broken.toml", SEARCH),
    "dogs.yaml: only files that end in .toml": written("dogs.yaml", ""),
}


def test_of_any_two_faults_both_are_said_and_nothing_else(tmp_path: Path) -> None:
    for number, (first, second) in enumerate(combinations(FAULTS, 2)):
        project = Project()
        FAULTS[first](project)
        FAULTS[second](project)
        problems = project.problems(tmp_path / str(number))
        for expected in (first, second):
            assert [each for each in problems if expected in each], (first, second, problems)
        assert len(problems) == 2, (first, second, problems)


def test_all_faults_together_are_said_in_one_synthesis(tmp_path: Path) -> None:
    project = Project()
    for seed in FAULTS.values():
        seed(project)
    problems = project.problems(tmp_path)
    assert not [each for each in FAULTS if not any(each in problem for problem in problems)]
    assert len(set(problems)) == len(problems) == len(FAULTS)


def test_one_fault_stays_one_sentence(tmp_path: Path) -> None:
    for number, (expected, seed) in enumerate(FAULTS.items()):
        project = Project()
        seed(project)
        (problem,) = project.problems(tmp_path / str(number))
        assert expected in problem


def test_a_region_in_which_no_job_can_run_is_said_beside_other_faults(tmp_path: Path) -> None:
    project = Project()
    dev(region="eu-west-1", work_days=0)(project)
    pets("= 576", "= 9")(project)
    said = "\n".join(project.problems(tmp_path))
    assert "dev.work_days: 0" in said
    assert "pets.toml: hyperparameters.batchSize: 9" in said
    assert said.count("not in eu-west-1") == len(project.files)


def test_synthesis_raises_the_problems_of_both_kinds_of_files_together(tmp_path: Path) -> None:
    (tmp_path / "pets.toml").write_text("x = 1\n", "utf-8")
    context = read_context()
    context["tuning"]["environments"]["prod"]["poll_seconds"] = 0
    with pytest.raises(ConfigurationError) as caught:
        build_app(context, outdir=str(tmp_path / "out"), customizations=tmp_path)
    said = "\n".join(without_lines(caught.value.problems))
    assert "cdk.json: context.tuning.environments.prod.poll_seconds: 0" in said
    assert "pets.toml: x: unknown key" in said
