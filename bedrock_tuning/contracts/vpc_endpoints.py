"""Which AWS APIs are called from inside the network, by the contracts of the roles that run there.

A network without a way out needs one VPC endpoint for each of them, and its policy may allow what
the contracts name and nothing else: a new permission of a function opens its endpoint by itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bedrock_tuning.config.settings import Settings
from bedrock_tuning.contracts import grants as g
from bedrock_tuning.contracts.contract import Grant, Place, Role
from bedrock_tuning.contracts.statements import document
from bedrock_tuning.contracts.written.vpc import here

# Gateways cost nothing and are routes; all other endpoints are interfaces, billed by the hour.
_GATEWAYS: Final = ("s3", "dynamodb")
# Lambda writes a function's logs and makes its network interfaces itself, from outside.
_BY_THE_PLATFORM: Final = ("logs", "ec2")
_RUNTIME: Final = ("bedrock:InvokeModel",)
# The endpoints' names where they are not the prefix of the service's actions.
_NAMES: Final = {"cloudwatch": "monitoring"}
_OWN = g.equals("aws:PrincipalAccount", "{account}")
_ANSWERS = "arn:{partition}:s3:::cloudformation-custom-resource-response-{region-plain}/*"


@dataclass(frozen=True, slots=True, kw_only=True)
class VpcEndpoint:
    """One endpoint: the service as in com.amazonaws.<region>.<service>, and what goes through.

    actions: on resources of this account; unbound: actions that know no resources.
    """

    service: str
    actions: tuple[str, ...]
    unbound: tuple[str, ...] = ()

    @property
    def is_gateway(self) -> bool:
        """Whether it is a route and not an interface."""
        return self.service in _GATEWAYS


def of_roles(roles: Iterable[Role]) -> tuple[VpcEndpoint, ...]:
    """The endpoints that functions and jobs with these contracts need, by service."""
    services: dict[str, tuple[set[str], set[str]]] = {}
    for role in roles:
        for grant in role.grants:
            for action in grant.actions:
                service = _service(role, grant, action)
                if service:
                    bound, unbound = services.setdefault(service, (set(), set()))
                    (unbound if "*" in grant.resources else bound).add(action)
    return tuple(
        VpcEndpoint(service=service, actions=tuple(sorted(bound)), unbound=tuple(sorted(unbound)))
        for service, (bound, unbound) in sorted(services.items())
    )


def vpc_endpoints(roles: Iterable[Role], settings: Settings) -> dict[str, Place]:
    """By contract name, the endpoints of the app's own network, each with all its properties."""
    subnets = [f"{{subnet.{number}:name}}" for number in range(settings.vpc_endpoint_zones)]
    interface = {
        "VpcEndpointType": "Interface",
        # Where functions stand, under the SDKs' usual names: there is no other way to an API.
        "SubnetIds": subnets,
        "SecurityGroupIds": ["{group.endpoints:name}"],
        "PrivateDnsEnabled": True,
    }
    gateway = {"VpcEndpointType": "Gateway", "RouteTableIds": ["{routes:name}"]}
    return {
        f"endpoint.{endpoint.service}": here(
            f"Endpoint-{endpoint.service}",
            "AWS::EC2::VPCEndpoint",
            VpcId="{vpc:name}",
            ServiceName=f"com.amazonaws.{{region}}.{endpoint.service}",
            PolicyDocument=document(grants(endpoint), str, Principal={"AWS": "*"}),
            **(gateway if endpoint.is_gateway else interface),
        )
        for endpoint in of_roles(roles)
    }


def _service(role: Role, grant: Grant, action: str) -> str:
    """The endpoint through which this role uses this action; "" for none."""
    prefix = action.partition(":")[0]
    is_job = role.service == "bedrock.amazonaws.com"
    is_function = role.service == "lambda.amazonaws.com" and role.place.stack != "network"
    if not (is_job or is_function) or prefix in _BY_THE_PLATFORM:
        return ""
    if prefix == "kms" and not is_job:
        # S3, DynamoDB and SNS use the key for the function, from outside. For jobs AWS advises an
        # endpoint (docs/facts/iam.md#vpc).
        through_service = any(c.key == "kms:ViaService" for c in grant.conditions)
        return "" if through_service else "kms"
    return "bedrock-runtime" if action in _RUNTIME else _NAMES.get(prefix, prefix)


def grants(endpoint: VpcEndpoint) -> tuple[Grant, ...]:
    """All that an endpoint lets through; {region-plain} is the Region without its hyphens."""
    result = []
    if endpoint.actions:
        result.append(
            g.allow("own resources", *endpoint.actions, on=_resources(endpoint.service), when=_OWN)
        )
    if endpoint.unbound:
        result.append(g.allow("without resources", *endpoint.unbound, on="*", when=_OWN))
    if endpoint.service == "s3":
        result.append(
            # Custom resources answer by an address that CloudFormation has signed.
            g.allow("answer CloudFormation", "s3:PutObject", on=_ANSWERS)
        )
    return tuple(result)


def _resources(service: str) -> tuple[str, ...]:
    if service == "s3":
        buckets = ("{output}", "{training}", "{validation}")
        return (*buckets, *(f"{bucket}/*" for bucket in buckets))
    api = f"arn:{{partition}}:{service.removesuffix('-runtime')}:{{region}}"
    pattern = f"{api}:{{account}}:*"
    return (f"{api}::foundation-model/*", pattern) if service == "bedrock" else (pattern,)
