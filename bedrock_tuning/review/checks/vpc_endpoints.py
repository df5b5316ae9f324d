"""Checks of VPC endpoints: every API that is needed can be reached, and only those."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from bedrock_tuning.contracts import vpc_endpoints as endpoints
from bedrock_tuning.contracts.vpc_endpoints import VpcEndpoint, of_roles
from bedrock_tuning.review.assembly.json_path import get
from bedrock_tuning.review.bound_contracts import as_statement
from bedrock_tuning.review.check import Evidence, Violation, check, found, mismatches
from bedrock_tuning.review.iam.access import administrator
from bedrock_tuning.review.iam.containment import beyond, short_of
from bedrock_tuning.review.iam.policy import Statement

_FIX: Final = "Write it as constructs/network.py does"


def _contract_endpoints(evidence: Evidence) -> dict[str, VpcEndpoint]:
    region = evidence.bound.region
    vpc_endpoints = of_roles(evidence.bound.contracts.callers)
    return {f"com.amazonaws.{region}.{endpoint.service}": endpoint for endpoint in vpc_endpoints}


@check("N901", "There is an endpoint for every API that functions and jobs call, and for no other.")
def reachable(evidence: Evidence) -> Iterator[Violation]:
    vpc = evidence.contracted.get("vpc")
    deployed_endpoints = {
        endpoint.service: endpoint.resource for endpoint in evidence.permissions.endpoints
    }
    contract_endpoints = _contract_endpoints(evidence) if vpc else {}
    for service in sorted(set(contract_endpoints) - set(deployed_endpoints)):
        yield found(
            vpc or "network",
            f"there is no endpoint for {service}",
            "functions and jobs call it, and the network has no internet access",
            _FIX,
        )
    for service in sorted(set(deployed_endpoints) - set(contract_endpoints)):
        yield found(
            deployed_endpoints[service],
            f"an endpoint for {service}",
            "no function or job calls it, and it is billed by the hour",
            "Remove it",
        )


@check(
    "N902",
    "Every endpoint policy allows what the contracts name, for this account, no more.",
    limit="what the contracts name, by principals of this account",
    fix="Write the policy as contracts/vpc_endpoints.py says",
)
def endpoint_policies(evidence: Evidence) -> Iterator[Violation]:
    contract_endpoints = _contract_endpoints(evidence)
    for endpoint in evidence.permissions.endpoints:
        contract = contract_endpoints.get(endpoint.service)
        if contract is None:
            continue
        promises = [_anybody(evidence, grant) for grant in endpoints.grants(contract)]
        statements = [
            statement
            for statement in endpoint.policy or _open_policy()
            if statement.effect == "Allow"
        ]
        for problem in (*beyond(statements, promises), *short_of(promises, statements)):
            yield found(endpoint.resource, problem)


def _anybody(evidence: Evidence, grant: Any) -> Statement:
    plain = evidence.bound.region.replace("-", "")
    resources = tuple(text.replace("{region-plain}", plain) for text in grant.resources)
    bound_grant = evidence.bound.grant(replace(grant, resources=resources))
    return replace(as_statement(bound_grant, where="contract"), principals={"AWS": ("*",)})


def _open_policy() -> list[Statement]:
    """What an endpoint without a policy lets through."""
    return [replace(statement, principals={"AWS": ("*",)}) for statement in administrator()]


@check(
    "N904",
    "Endpoints are in the functions' subnets, under the SDKs' names (private DNS).",
    limit="without its endpoint, a function cannot reach an API: there is no other way out",
    fix=_FIX,
)
def endpoint_places(evidence: Evidence) -> Iterator[Violation]:
    vpc, group = evidence.contracted.get("vpc"), evidence.contracted.get("group.endpoints")
    function = evidence.contracted.get("function.Admit")
    if vpc is None or group is None:
        return
    # Functions stand in the first subnets, as many as an endpoint has.
    subnets = get(function.properties, "VpcConfig", "SubnetIds") if function else None
    tables = [table.name for table in evidence.assembly.of_type("AWS::EC2::RouteTable")]
    for endpoint in evidence.permissions.endpoints:
        contract = _contract_endpoints(evidence).get(endpoint.service)
        expected: dict[str, Any] = {
            "VpcEndpointType": "Interface",
            "PrivateDnsEnabled": True,
            "SubnetIds": subnets or [],
            "SecurityGroupIds": [group.name],
        }
        if contract is not None and contract.is_gateway:
            no_settings = dict.fromkeys(("PrivateDnsEnabled", "SecurityGroupIds", "SubnetIds"))
            expected = {"VpcEndpointType": "Gateway", "RouteTableIds": tables, **no_settings}
        expected["VpcId"] = vpc.name
        yield from mismatches(endpoint.resource, expected)
