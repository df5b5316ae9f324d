"""What a run needs room for in the quotas of an account."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bedrock_tuning.config.customization import CustomizationSettings, load_all
from bedrock_tuning.run.quotas import Need, needed

SEARCH = load_all(Path(__file__).parents[2] / "customizations")["pets-search"]


def serving(**changes: Any) -> CustomizationSettings:
    return replace(SEARCH, serving=replace(SEARCH.serving, **changes))


def rows(customization: CustomizationSettings) -> list[tuple[str, str, int, str]]:
    return [
        (each.what, each.code, each.wanted, each.counted)
        for each in needed(customization)
        if each.path not in ("quotas.scheduled_jobs", "quotas.custom_models")
    ]


def test_every_run_needs_a_job_and_room_for_its_model() -> None:
    found = needed(serving(mode="none"))
    assert [(each.path, each.code, each.what, each.wanted, each.counted) for each in found] == [
        ("quotas.scheduled_jobs", "L-0406044C", "jobs at once", 1, ""),
        ("quotas.custom_models", "L-CB5B847D", "custom models", 1, "custom models"),
    ]
    assert [each.otherwise for each in found] == [
        "no job can start",
        "you would pay for a model that is not kept",
    ]


UNITS = ("model units of Titan Multimodal Embeddings G1", "L-32F732DE")
ALL_UNITS = ("model units without a commitment", "L-BE77399C")


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, [(*UNITS, 1, ""), (*ALL_UNITS, 1, "throughput units")]),
        ({"model_units": 3}, [(*UNITS, 3, ""), (*ALL_UNITS, 3, "throughput units")]),
        ({"strategy": "blue-green"}, [(*UNITS, 2, ""), (*ALL_UNITS, 2, "throughput units")]),
        (
            {"strategy": "blue-green", "model_units": 3},
            [(*UNITS, 6, ""), (*ALL_UNITS, 6, "throughput units")],
        ),
        ({"commitment": "OneMonth"}, [(*UNITS, 1, "")]),
    ],
)
def test_a_throughput_needs_units_of_its_model_and_of_all_without_a_commitment(
    changes: dict[str, Any], found: list[tuple[str, str, int, str]]
) -> None:
    assert rows(serving(**changes)) == found


@pytest.mark.parametrize(("strategy", "wanted"), [("swap", 1), ("blue-green", 2)])
def test_a_model_on_demand_needs_a_deployment_and_no_units(strategy: str, wanted: int) -> None:
    (found,) = rows(serving(mode="on-demand", strategy=strategy))
    assert (found[0], found[2], found[3]) == ("on-demand deployments", wanted, "deployments")


NEED = Need(path="p", code="L-1", what="things", otherwise="nothing works", wanted=2)


@pytest.mark.parametrize(
    ("quota", "used", "said"),
    [
        (None, 9, None),
        (2, 0, None),
        (5, 3, None),
        (4, 3, "4 things (3 in use): nothing works; request 5 before you train, "),
        (1, 0, "1 things: nothing works; request 2 before you train, "),
        (0, 0, "0 things: nothing works; request 2 before you train, "),
    ],
)
def test_what_is_missing_is_said_with_what_to_request(
    quota: int | None, used: int, said: str | None
) -> None:
    lack = NEED.lack(quota, used=used, region="eu-west-1")
    assert (lack is None) == (said is None)
    assert lack is None or lack == (
        f"{said}it may take days: https://eu-west-1.console.aws.amazon.com/servicequotas/home/"
        "services/bedrock/quotas/L-1"
    )
