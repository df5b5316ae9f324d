"""What an environment costs now, by customization: served and stored, and what was billed."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final

from bedrock_tuning.client.deployment import DeploymentClient
from bedrock_tuning.client.endpoints import ProvisionedEndpoint, endpoints
from bedrock_tuning.client.inventory import models
from bedrock_tuning.config.tags import OWN_TAG_PREFIX

_TEAM: Final = "team"
_HOUR: Final = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One Provisioned Throughput. ends: of its lease or commitment; None for neither.

    so_far_usd: since it was made. until_end_usd: from now to its end. None where no price is known,
    or no end.
    """

    name: str
    usd_per_hour: float | None
    ends: str | None
    so_far_usd: float | None
    until_end_usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """Of one customization. models: stored ones. stored_usd_per_month: None if a price is missing.

    billed_usd: in this month, by its tag, as Cost Explorer has it; None where it was not asked.
    """

    customization: str
    team: str
    served: list[Served] = field(default_factory=list)
    models: int = 0
    stored_usd_per_month: float | None = 0.0
    billed_usd: float | None = None


def spending(deployment: DeploymentClient, *, billed: bool) -> list[Spending]:
    """By customization, deployed ones and those that something is left of.

    billed: also ask Cost Explorer, which bills each request.
    """
    served_by_owner: dict[str, list[Served]] = defaultdict(list)
    for endpoint in endpoints(deployment.aws, environment=deployment.environment):
        served_by_owner[endpoint.customization].append(_spend_of(endpoint, now=datetime.now(UTC)))
    stored_by_owner: dict[str, list[float | None]] = defaultdict(list)
    for owner, model in models(deployment.aws, deployment.environment):
        stored_by_owner[owner].append(model.usd_per_month)
    bills: dict[str, float] = {}
    if billed:
        # This month's bill, as far as the tags were activated for billing.
        since = datetime.now(UTC).date().replace(day=1)
        bills = _bill(deployment, since=since, by="customization", tags={})
    teams = {
        name: customization.tags.get(_TEAM, "")
        for name, customization in deployment.customizations.items()
    }
    return [
        Spending(
            customization=name,
            team=teams.get(name, ""),
            served=served_by_owner.get(name, []),
            models=len(stored_by_owner.get(name, [])),
            stored_usd_per_month=_sum(stored_by_owner.get(name, [])),
            billed_usd=bills.get(name, 0.0) if billed else None,
        )
        for name in sorted(
            {*deployment.customizations, *served_by_owner, *stored_by_owner, *bills} - {""}
        )
    ]


def _sum(prices: list[float | None]) -> float | None:
    known_prices = [price for price in prices if price is not None]
    return round(sum(known_prices), 2) if len(known_prices) == len(prices) else None


def _spend_of(endpoint: ProvisionedEndpoint, *, now: datetime) -> Served:
    price, hours_left = endpoint.usd_per_hour, None
    if endpoint.ends is not None:
        hours_left = max(0.0, (datetime.fromisoformat(endpoint.ends) - now).total_seconds() / _HOUR)
    hours = (now - endpoint.created).total_seconds() / _HOUR
    return Served(
        name=endpoint.name,
        usd_per_hour=price,
        ends=endpoint.ends,
        so_far_usd=None if price is None else round(price * hours, 2),
        until_end_usd=None if price is None or hours_left is None else round(price * hours_left, 2),
    )


def billed_for(deployment: DeploymentClient, run: str) -> float | None:
    """What is billed for a run's job, model and endpoint in USD; None where no bill has its tag.

    AWS bills each such request. Bills are a day late.
    """
    began = datetime.strptime(run[:8], "%Y%m%d").replace(tzinfo=UTC).date()
    return _bill(deployment, since=began, by="run", tags={"run": run}).get(run)


def _bill(
    deployment: DeploymentClient, *, since: date, by: str, tags: Mapping[str, str]
) -> dict[str, float]:
    """USD by the values of one of our tags, of what also has these."""
    tag_values = {"environment": deployment.environment, **tags}
    filters = [
        {"Tags": {"Key": f"{OWN_TAG_PREFIX}{name}", "Values": [value]}}
        for name, value in tag_values.items()
    ]
    # The end is exclusive, and a period must not be empty on its first day.
    end = date.fromordinal(datetime.now(UTC).date().toordinal() + 1)
    request: dict[str, Any] = {
        "TimePeriod": {"Start": f"{since}", "End": f"{end}"},
        "Granularity": "MONTHLY",
        "Metrics": ["UnblendedCost"],
        "Filter": filters[0] if len(filters) == 1 else {"And": filters},
        "GroupBy": [{"Type": "TAG", "Key": f"{OWN_TAG_PREFIX}{by}"}],
    }
    amounts: dict[str, float] = {}
    while True:
        answer = deployment.aws.cost_explorer.get_cost_and_usage(**request)
        for period in answer["ResultsByTime"]:
            for group in period["Groups"]:
                # "bedrock-tuning:customization$pets-search"; without a name what has no tag.
                name = group["Keys"][0].partition("$")[2]
                amount = float(group["Metrics"]["UnblendedCost"]["Amount"])
                amounts[name] = round(amounts.get(name, 0.0) + amount, 2)
        if "NextPageToken" not in answer:
            return amounts
        request["NextPageToken"] = answer["NextPageToken"]
