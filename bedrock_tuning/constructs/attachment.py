"""Where functions run in a network."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import aws_lambda as lambda_

from bedrock_tuning.config.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """Ids of the functions' subnets and security groups.

    closer: the network's own function, whose failures the pipeline's topic tells.
    """

    function_subnets: Sequence[str]
    function_groups: Sequence[str]
    closer: lambda_.IFunction | None = None


def existing(settings: Settings) -> Attachment | None:
    """The subnets that the settings name; None when they name none."""
    if not settings.vpc_subnets:
        return None
    return Attachment(
        function_subnets=settings.vpc_subnets,
        function_groups=settings.vpc_security_groups,
    )
