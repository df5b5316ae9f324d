"""The quotas of an account, and what is in use of them, as AWS answers."""

import re
from typing import Any

from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.run.quotas import Counted, needed
from bedrock_tuning.sources import listing


def value_of(service_quotas: Any, code: str) -> int | None:
    """A quota of Amazon Bedrock for this account; None if Service Quotas lists none.

    A quota that was never changed can have a default only.
    """
    if not code:
        return None
    missing = service_quotas.exceptions.NoSuchResourceException
    for ask in (service_quotas.get_service_quota, service_quotas.get_aws_default_service_quota):
        try:
            return int(ask(ServiceCode="bedrock", QuotaCode=code)["Quota"]["Value"])
        except missing:
            continue
    return None


def in_use(bedrock: Any, counted: Counted, *, but: str) -> int:
    """How much of what is counted there is in this account and Region.

    but: the start of the names of endpoints that do not count: a run swaps its own.
    """
    if counted == "custom models":
        return sum(1 for _ in listing.custom_models(bedrock))
    own = re.compile(rf"{re.escape(but)}-[0-9a-f]+")
    if counted == "deployments":
        found = listing.deployments(bedrock)
        return sum(1 for each in found if not own.fullmatch(each["customModelDeploymentName"]))
    if counted == "throughput units":
        return sum(
            each["modelUnits"]
            for each in listing.throughputs(bedrock)
            if "commitmentDuration" not in each
            and ":custom-model/" in each["modelArn"]
            and not own.fullmatch(each["provisionedModelName"])
        )
    return 0


def lacking(
    customization: CustomizationSettings, *, environment: str, service_quotas: Any, bedrock: Any
) -> list[str]:
    """What the account lacks for a run, each with the link that asks for more.

    Raises botocore's ClientError for what the caller may not ask.
    """
    found = []
    for need in needed(customization):
        quota = value_of(service_quotas, need.code)
        used = in_use(bedrock, need.counted, but=f"{environment}-{customization.name}")
        lack = need.lack(quota, used=used, region=bedrock.meta.region_name)
        if lack is not None:
            found.append(lack)
    return found
