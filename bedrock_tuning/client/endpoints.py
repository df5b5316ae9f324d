"""What is served and billed by the hour: every Provisioned Throughput of a deployment."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from bedrock_tuning.catalogue import BaseModel, catalogue, key_of
from bedrock_tuning.client.aws import Aws
from bedrock_tuning.config.tags import CUSTOMIZATION_TAG, ENVIRONMENT_TAG, EXPIRES_TAG
from bedrock_tuning.sources.listing import throughputs

_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"
_PRICES: Final = {
    None: "throughput_per_unit_hour",
    "OneMonth": "throughput_one_month",
    "SixMonths": "throughput_six_months",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionedEndpoint:
    """One Provisioned Throughput.

    created: when billing began. lease_end: when it is deleted; None without a lease.
    committed_until: the end of its commitment; None without one.
    usd_per_hour: None when no price is known. environment, customization: "" if it is not ours.
    """

    arn: str
    name: str
    status: str
    environment: str
    customization: str
    model: str
    units: int
    commitment: str | None
    created: datetime
    lease_end: str | None
    committed_until: datetime | None
    usd_per_hour: float | None

    @property
    def is_ending(self) -> bool:
        """Whether its lease is over: the lease keeper deletes it at its next run."""
        return self.lease_end is not None and self.lease_end <= f"{_now():{_TIME}}"

    @property
    def ends(self) -> str | None:
        """When its lease or its commitment ends; None without either."""
        end = self.committed_until
        return self.lease_end or (f"{end:{_TIME}}" if end else None)


def _now() -> datetime:
    return datetime.now(UTC)


def endpoints(aws: Aws, *, environment: str | None) -> Iterator[ProvisionedEndpoint]:
    """Those of an environment, found by tag; all of the account and Region for None."""
    for summary in throughputs(aws.bedrock):
        tags = tags_of(aws, summary["provisionedModelArn"])
        if tags is not None and environment in (None, tags.get(ENVIRONMENT_TAG)):
            yield _endpoint(dict(summary), tags)


def tags_of(aws: Aws, arn: str) -> dict[str, str] | None:
    """The tags of something of Bedrock's; None if it was deleted since it was listed."""
    try:
        tags = aws.bedrock.list_tags_for_resource(resourceARN=arn).get("tags", [])
    except aws.bedrock.exceptions.ResourceNotFoundException:
        return None
    return {tag["key"]: tag["value"] for tag in tags}


def _endpoint(summary: Mapping[str, Any], tags: Mapping[str, str]) -> ProvisionedEndpoint:
    commitment = summary.get("commitmentDuration")
    units = summary["modelUnits"]
    price = _price(catalogue().get(key_of(summary["foundationModelArn"])), commitment)
    return ProvisionedEndpoint(
        arn=summary["provisionedModelArn"],
        name=summary["provisionedModelName"],
        status=summary["status"],
        environment=tags.get(ENVIRONMENT_TAG, ""),
        customization=tags.get(CUSTOMIZATION_TAG, ""),
        model=summary.get("desiredModelArn") or summary["modelArn"],
        units=units,
        commitment=commitment,
        created=summary["creationTime"],
        lease_end=tags.get(EXPIRES_TAG),
        committed_until=summary.get("commitmentExpirationTime"),
        usd_per_hour=None if price is None else round(price * units, 4),
    )


def _price(model: BaseModel | None, commitment: str | None) -> float | None:
    price = getattr(model.prices, _PRICES[commitment]) if model is not None else None
    return None if price is None else float(price)
