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
    not_found_error = service_quotas.exceptions.NoSuchResourceException
    for get_quota in (
        service_quotas.get_service_quota,
        service_quotas.get_aws_default_service_quota,
    ):
        try:
            return int(get_quota(ServiceCode="bedrock", QuotaCode=code)["Quota"]["Value"])
        except not_found_error:
            continue
    return None


def in_use(bedrock: Any, counted: Counted, *, but: str) -> int:
    """How much of what is counted there is in this account and Region.

    but: the start of the names of endpoints that do not count: a run swaps its own.
    """
    if counted == "custom models":
        return sum(1 for _ in listing.custom_models(bedrock))
    own_name = re.compile(rf"{re.escape(but)}-[0-9a-f]+")
    if counted == "deployments":
        deployments = listing.deployments(bedrock)
        return sum(
            1
            for deployment in deployments
            if not own_name.fullmatch(deployment["customModelDeploymentName"])
        )
    if counted == "throughput units":
        return sum(
            throughput["modelUnits"]
            for throughput in listing.throughputs(bedrock)
            if "commitmentDuration" not in throughput
            and ":custom-model/" in throughput["modelArn"]
            and not own_name.fullmatch(throughput["provisionedModelName"])
        )
    return 0


def lacking(
    customization: CustomizationSettings, *, environment: str, service_quotas: Any, bedrock: Any
) -> list[str]:
    """What the account lacks for a run, each with the link that asks for more.

    Raises botocore's ClientError for what the caller may not ask.
    """
    problems = []
    for need in needed(customization):
        quota = value_of(service_quotas, need.code)
        usage = in_use(bedrock, need.counted, but=f"{environment}-{customization.name}")
        problem = need.lack(quota, used=usage, region=bedrock.meta.region_name)
        if problem is not None:
            problems.append(problem)
    return problems
