"""What open runs use: every setting that takes it from them changes it, and nothing else does."""

from dataclasses import replace
from typing import Any

import pytest

from app import ROOT
from bedrock_tuning.catalogue import catalogue
from bedrock_tuning.config import customization, settings
from bedrock_tuning.config.customization import JobChoices
from bedrock_tuning.contracts import contracts
from tests.review.conftest import VARIANTS

FILES = ROOT / "customizations"
WORKFLOW = {"jobs_started_by": "workflow"}
FEW_ZONES = {"vpc": True, "vpc_zones": ["use1-az1", "use1-az2"]}
SUBNETS, YOURS = VARIANTS["subnets"], VARIANTS["yours"]
OTHERS = {**YOURS, "output_bucket": "ml-other"}


def next_key(settings_: dict[str, Any]) -> str:
    return next(iter(settings_))


def uses(*left_out: str, **values: Any) -> set[str]:
    """What runs use with these settings, without some customizations."""
    tuning = {"environments": {"dev": {"region": "us-east-1", **values}}}
    chosen = settings.read(tuning, environment="dev")
    known = {n: e for n, e in customization.load_all(FILES).items() if n not in left_out}
    guard = contracts(chosen, known).places["run-guard"].properties
    return set(guard["Uses"].split(", "))


@pytest.mark.parametrize(
    ("before", "after", "taken"),
    [
        pytest.param({}, WORKFLOW, "role/tuning/dev/start/*", id="jobs_started_by"),
        pytest.param(WORKFLOW, {}, "role/tuning/dev/bedrock/*", id="and back"),
        pytest.param({}, {"role_path": "/org/"}, "role/tuning/dev/start/*", id="role_path"),
        pytest.param({}, YOURS, "training, output, data-key, topic", id="existing resources"),
        pytest.param(YOURS, OTHERS, "output ml-output", id="another bucket"),
        pytest.param({"model_key": True}, {}, "model-key", id="model_key"),
        pytest.param(SUBNETS, {}, "subnet-0123456789abcdef0", id="vpc_subnets"),
        pytest.param({"vpc": True}, FEW_ZONES, "subnet.5", id="zones"),
        pytest.param({"vpc": True}, {}, "subnet.0, group.jobs", id="vpc"),
    ],
)
def test_a_setting_that_takes_something_from_open_runs_is_noticed(
    before: dict[str, Any], after: dict[str, Any], taken: str
) -> None:
    assert set(taken.split(", ")) <= uses(**before) - uses(**after)


@pytest.mark.parametrize(
    "more",
    [
        {"vpc": True},
        {"model_key": True},
        {"tracing": True},
        {"service_role": "strict"},
        {"alarm_email": "ops@example.com"},
        {"role_name_prefix": "org-"},
        {"deny_others": True, "data_roles": ["DataScientist-*"]},
    ],
    ids=next_key,
)
def test_a_setting_that_takes_nothing_is_deployed_beside_open_runs(more: dict[str, Any]) -> None:
    assert uses() <= uses(**more)


def test_no_customization_changes_what_runs_use() -> None:
    assert uses() == uses("pets-style") == uses("pets-style", "pets-search")


def test_what_runs_use_fits_into_a_parameter() -> None:
    """4 KB; the longest: a network of its own in the most zones, and everything existing."""
    most = {**YOURS, "vpc": True, "model_key": True, **WORKFLOW}
    assert len(", ".join(sorted(uses(**most)))) < 4_096 / 2


def of_jobs(**changes: Any) -> set[str]:
    """What jobs of pets-search use, when its file says something else."""
    chosen = settings.read({"environments": {"dev": {"region": "us-east-1"}}}, environment="dev")
    known = replace(customization.load_all(FILES)["pets-search"], **changes)
    uses = contracts(chosen, {known.name: known}).places[f"serving.{known.name}"].properties["Uses"]
    return set(uses.split(", "))


@pytest.mark.parametrize(
    ("changes", "taken"),
    [
        (
            {"base_model": catalogue()["titan-image-generator-v2"]},
            "foundation-model/amazon.titan-embed-image-v1:0",
        ),
        ({"job": JobChoices(output_folder="elsewhere")}, "output/jobs/pets-search/*"),
    ],
    ids=["another base model", "another output folder"],
)
def test_what_a_customization_takes_from_its_jobs_is_noticed(
    changes: dict[str, Any], taken: str
) -> None:
    assert taken in of_jobs() - of_jobs(**changes)


def test_what_a_customization_adds_takes_nothing_from_its_jobs() -> None:
    assert of_jobs() < of_jobs(folders=("pets-search", "more-pictures"))
