"""Checks of policies' form, and of the resources that have a policy of their own."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from bedrock_tuning.contracts import Guarded, Role
from bedrock_tuning.review.assembly.template import Resource
from bedrock_tuning.review.bound_contracts import Bound, as_statement
from bedrock_tuning.review.check import Evidence, Placed, Violation, check, found
from bedrock_tuning.review.iam.containment import beyond, short_of
from bedrock_tuning.review.iam.policy import Statement

_FIX = (
    "Write the policy as contracts/resources.py says, or change the contract there; review.toml "
    "permits a Deny ([[deny]]), and what a role in a stack of yours may do ([[stack]])"
)


def promised(bound: Bound, contract: Role | Guarded, effect: str) -> list[Statement]:
    """All that a contract grants ("Allow") or refuses ("Deny"), as statements."""
    grants = contract.grants if effect == "Allow" else contract.refusals
    statements = [as_statement(bound.grant(grant), where=contract.name) for grant in grants]
    # Identity policies name no principal.
    return [
        replace(statement, principals=None) if isinstance(contract, Role) else statement
        for statement in statements
    ]


def having(effect: str, statements: Iterable[Statement]) -> list[Statement]:
    """Those statements that allow, or that deny."""
    return [statement for statement in statements if statement.effect == effect]


def _policies(evidence: Evidence) -> Iterator[tuple[Placed, str, list[Statement]]]:
    """Every policy: what it stands in, the path of what it decides about, its statements."""
    permissions = evidence.permissions
    for role in permissions.roles.values():
        yield role, role.path, [*role.trust, *role.policy]
    for arn, statements in permissions.policies.items():
        owner, resource = permissions.owners[arn][0], evidence.assembly.by_arn(arn)
        yield owner, resource.path if resource else owner.path, statements
    for endpoint in permissions.endpoints:
        yield endpoint.resource, endpoint.resource.path, endpoint.policy


@check(
    "R401",
    "Every policy is well-formed: known elements, the current version, one of each.",
    limit="IAM rejects the policy, or reads it differently than a person does",
    fix="Correct the policy document",
)
def well_formed(evidence: Evidence) -> Iterator[Violation]:
    for where, problem in evidence.permissions.problems:
        yield found(where, problem)


def _guarded_resources(evidence: Evidence) -> Iterator[tuple[Guarded, Resource, list[Statement]]]:
    for contract in evidence.bound.contracts.guarded:
        resource = evidence.contracted.get(contract.name)
        if resource is not None:
            yield contract, resource, evidence.permissions.policies.get(resource.arn, [])


@check("R404", "No resource policy allows anything beyond its contract.", fix=_FIX)
def nothing_beyond(evidence: Evidence) -> Iterator[Violation]:
    contract_arns = set()
    for contract, resource, statements in _guarded_resources(evidence):
        contract_arns.add(resource.arn)
        promises = promised(evidence.bound, contract, "Allow")
        for problem in beyond(having("Allow", statements), promises):
            yield found(resource, problem, f"the contract of {contract.name}")
    for arn, statements in evidence.permissions.policies.items():
        if arn not in contract_arns and having("Allow", statements):
            owner = evidence.permissions.owners[arn][0]
            yield found(owner, f"a policy allows something on {arn}", "no contract covers it")


@check("R405", "Every resource policy allows all that its contract says.", fix=_FIX)
def nothing_short(evidence: Evidence) -> Iterator[Violation]:
    for contract, resource, statements in _guarded_resources(evidence):
        promises = promised(evidence.bound, contract, "Allow")
        for problem in short_of(promises, having("Allow", statements)):
            yield found(resource, problem, f"the contract of {contract.name}")


@check(
    "R406",
    "Every resource policy denies what its contract says that it must, such as "
    "`aws:SecureTransport` = false and `s3:TlsVersion` < 1.2.",
    fix="Put the Deny statement back, for everybody and for the bucket and its objects",
)
def refusals(evidence: Evidence) -> Iterator[Violation]:
    for contract, resource, statements in _guarded_resources(evidence):
        promises = promised(evidence.bound, contract, "Deny")
        for problem in short_of(promises, having("Deny", statements)):
            yield found(resource, f"the Deny: {problem}", f"the contract of {contract.name}")


@check(
    "R410",
    "No policy denies anything beyond its contract, so nothing else is blocked.",
    limit="every Deny of a policy must be in its contract",
    fix=_FIX,
)
def no_other_refusals(evidence: Evidence) -> Iterator[Violation]:
    bound = evidence.bound
    contracts: list[Role | Guarded] = [*bound.contracts.guarded, *bound.contracts.principals]
    denials = {
        evidence.contracted[contract.name].path: promised(bound, contract, "Deny")
        for contract in contracts
        if contract.name in evidence.contracted
    }
    for holder, path, statements in _policies(evidence):
        for problem in beyond(having("Deny", statements), denials.get(path, [])):
            yield found(holder, f"the Deny: {problem}")


@check(
    "R407",
    "Each resource has at most one policy of its own.",
    limit="the last one deployed replaces the others",
    fix="Write all statements into one policy",
)
def one_policy(evidence: Evidence) -> Iterator[Violation]:
    for arn, owners in evidence.permissions.owners.items():
        if len(owners) > 1:
            yield found(owners[1], f"{len(owners)} resources set the policy of {arn}")
