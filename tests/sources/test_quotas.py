"""The quotas of an account and what is in use of them, as AWS answers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bedrock_tuning.config.customization import load_all
from bedrock_tuning.run.quotas import Counted
from bedrock_tuning.sources.quotas import in_use, lacking, value_of

SEARCH = load_all(Path(__file__).parents[2] / "customizations")["pets-search"]
MODEL, BASE = "arn:aws:bedrock:us-east-1:1:custom-model/a/b", "arn:aws:bedrock::f-m/a"
NAME = "dev-pets-search"


class NoSuchResourceError(Exception):
    """What Service Quotas answers for a code that it does not list."""


class ServiceQuotas:
    """changed: for the account; defaults: of all."""

    exceptions = type("", (), {"NoSuchResourceException": NoSuchResourceError})

    def __init__(self, changed: dict[str, float], defaults: dict[str, float]) -> None:
        self._changed, self._defaults = changed, defaults
        self.asked: list[dict[str, str]] = []

    def _quota(self, known: dict[str, float], asked: dict[str, str]) -> Any:
        self.asked.append(asked)
        if asked["QuotaCode"] not in known:
            raise NoSuchResourceError
        return {"Quota": {"Value": known[asked["QuotaCode"]]}}

    def get_service_quota(self, **asked: str) -> Any:
        return self._quota(self._changed, asked)

    def get_aws_default_service_quota(self, **asked: str) -> Any:
        return self._quota(self._defaults, asked)


class Bedrock:
    """Lists what there is, one on a page."""

    meta = type("", (), {"region_name": "us-east-1"})
    _ROWS = (
        ("list_custom_models", "modelSummaries"),
        ("list_custom_model_deployments", "modelDeploymentSummaries"),
        ("list_provisioned_model_throughputs", "provisionedModelSummaries"),
    )

    def __init__(self, **there: list[dict[str, Any]]) -> None:
        self._there = there

    def get_paginator(self, operation: str) -> Any:
        rows = dict(self._ROWS)[operation]

        def paginate() -> Iterator[dict[str, Any]]:
            for each in self._there.get(rows, []):
                yield {rows: [each]}

        return type("", (), {"paginate": staticmethod(paginate)})


def throughput(name: str, units: int = 1, **changes: Any) -> dict[str, Any]:
    return {"provisionedModelName": name, "modelUnits": units, "modelArn": MODEL, **changes}


def test_a_quota_is_the_accounts_or_else_its_default() -> None:
    quotas = ServiceQuotas({"L-1": 3.0}, {"L-1": 0.0, "L-2": 2.0})
    assert [value_of(quotas, code) for code in ("L-1", "L-2", "L-3")] == [3, 2, None]
    assert quotas.asked[0] == {"ServiceCode": "bedrock", "QuotaCode": "L-1"}


def test_a_quota_without_a_code_is_asked_of_nobody() -> None:
    quotas = ServiceQuotas({"": 3.0}, {})
    assert value_of(quotas, "") is None
    assert quotas.asked == []


@pytest.mark.parametrize(
    ("counted", "used"),
    [
        ("custom models", 2),
        # All but a run's own, which it swaps.
        ("deployments", 3),
        # Those of custom models without a commitment, by their units.
        ("throughput units", 6),
        ("", 0),
    ],
)
def test_what_is_in_use_is_counted_on_every_page(counted: Counted, used: int) -> None:
    names = [f"{NAME}-0af9", f"{NAME}-x", f"{NAME}s-0af9", f"a-{NAME}-0af9"]
    there = Bedrock(
        modelSummaries=[{}, {}],
        modelDeploymentSummaries=[{"customModelDeploymentName": each} for each in names],
        provisionedModelSummaries=[
            throughput("a", 2),
            throughput("b", 4),
            throughput("c", 8, commitmentDuration="OneMonth"),
            throughput("d", 16, modelArn=BASE),
            throughput(names[0], 32),
        ],
    )
    assert in_use(there, counted, but=NAME) == used


def test_names_of_endpoints_are_no_patterns() -> None:
    there = Bedrock(modelDeploymentSummaries=[{"customModelDeploymentName": "dev-pets-0af9"}])
    assert in_use(there, "deployments", but="dev.pets") == 1


def test_what_an_account_lacks_is_told_with_what_is_in_use_and_where_to_ask() -> None:
    units = "L-BE77399C"
    mine, others = throughput(f"{NAME}-0af9"), throughput("prod-pets-search-0af9", 2)

    def lacks(quota: float) -> list[str]:
        return lacking(
            SEARCH,
            environment="dev",
            service_quotas=ServiceQuotas({units: quota}, {}),
            bedrock=Bedrock(provisionedModelSummaries=[mine, others]),
        )

    (lack,) = lacks(2.0)
    assert lack.startswith("2 model units without a commitment (2 in use): ")
    assert "request 3 before you train, it may take days: https://us-east-1.console" in lack
    assert lack.endswith(f"/services/bedrock/quotas/{units}")
    assert lacks(3.0) == []
