"""The contract of each VPC endpoint's policy: who may get through, to do what, to what."""

from bedrock_tuning.contracts.contract import Condition, Grant
from bedrock_tuning.contracts.vpc_endpoints import VpcEndpoint

_OWN = Condition(operator="StringEquals", key="aws:PrincipalAccount", values=("{account}",))
_ANSWERS = "arn:{partition}:s3:::cloudformation-custom-resource-response-{region-plain}/*"


def grants(endpoint: VpcEndpoint) -> tuple[Grant, ...]:
    """All that an endpoint lets through; {region-plain} is the Region without its hyphens."""
    found = []
    if endpoint.actions:
        found.append(
            Grant(
                why="own resources",
                actions=endpoint.actions,
                resources=_resources(endpoint.service),
                conditions=(_OWN,),
            )
        )
    if endpoint.unbound:
        found.append(
            Grant(
                why="without resources",
                actions=endpoint.unbound,
                resources=("*",),
                conditions=(_OWN,),
            )
        )
    if endpoint.service == "s3":
        found.append(
            Grant(
                why="answer CloudFormation",
                actions=("s3:PutObject",),
                # Custom resources answer by an address that CloudFormation has signed.
                resources=(_ANSWERS,),
            )
        )
    return tuple(found)


def _resources(service: str) -> tuple[str, ...]:
    if service == "s3":
        buckets = ("{training}", "{validation}", "{output}")
        return tuple(text for bucket in buckets for text in (bucket, f"{bucket}/*"))
    api = f"arn:{{partition}}:{service.removesuffix('-runtime')}:{{region}}"
    ours = f"{api}:{{account}}:*"
    return (ours, f"{api}::foundation-model/*") if service == "bedrock" else (ours,)
