"""Checks of policies' form, and of the resources that have a policy of their own."""

from collections.abc import Iterator
from dataclasses import replace

from bedrock_tuning.contracts import Condition, Guarded, Role
from bedrock_tuning.review.assembly.template import UNRESOLVED, Resource
from bedrock_tuning.review.bound_contracts import as_statement
from bedrock_tuning.review.check import Evidence, Violation, check
from bedrock_tuning.review.iam.conditions import UnknownOperatorError, is_known_key, operator
from bedrock_tuning.review.iam.containment import beyond, short_of
from bedrock_tuning.review.iam.policy import Statement

_FIX = "Write the policy as contracts/resources.py says, or change the contract there"


def _all_statements(evidence: Evidence) -> Iterator[tuple[str, Statement]]:
    world = evidence.world
    for role in world.roles.values():
        for statement in (*role.trust, *role.policy):
            yield role.path, statement
    for arn, statements in world.policies.items():
        for statement in statements:
            yield world.owners[arn][0].path, statement
    for endpoint in world.endpoints:
        for statement in endpoint.policy or ():
            yield endpoint.resource.path, statement


@check("R401", "Every policy is well-formed: known elements, the current version, one of each.")
def well_formed(evidence: Evidence) -> Iterator[Violation]:
    for where, problem in evidence.world.problems:
        yield Violation(
            where=where,
            what=problem,
            limit="IAM rejects the policy, or reads it differently than a person does",
            fix="Correct the policy document",
        )
    for where, statement in _all_statements(evidence):
        for text in (*statement.resources, *statement.not_resources, *statement.actions):
            if UNRESOLVED in text:
                yield Violation(
                    where=where,
                    what=f"{statement.label} refers to an unknown value",
                    limit="nothing can be proved about it",
                    fix="Make the value resolvable",
                )


@check("R402", "No policy uses NotAction, NotResource or NotPrincipal.")
def no_exclusions(evidence: Evidence) -> Iterator[Violation]:
    for where, statement in _all_statements(evidence):
        for name, used in (
            ("NotAction", statement.not_actions),
            ("NotResource", statement.not_resources),
            ("NotPrincipal", statement.not_principals is not None),
        ):
            if used:
                yield Violation(
                    where=where,
                    what=f"{statement.label} uses {name}",
                    limit="an exclusion also covers whatever AWS adds later",
                    fix="List what the statement covers",
                )


@check("R403", "Conditions use operators and keys that exist, and none that a request can evade.")
def known_conditions(evidence: Evidence) -> Iterator[Violation]:
    promised = _promised_conditions(evidence)
    for where, statement in _all_statements(evidence):
        for condition in statement.conditions:
            problem = _condition_problem(condition, statement, promised)
            if problem:
                yield Violation(
                    where=where,
                    what=f"{statement.label}: {problem}",
                    limit="a condition must restrict every request",
                    fix="Correct the key or the operator; review/iam/conditions.py lists them",
                )


def _promised_conditions(evidence: Evidence) -> set[tuple[str, str]]:
    contracts = evidence.bound.contracts
    grants = [g for role in contracts.roles for g in role.grants]
    grants += [g for guarded in contracts.guarded for g in guarded.grants]
    return {(c.operator, c.key) for grant in grants for c in grant.conditions}


def _condition_problem(
    condition: Condition, statement: Statement, promised: set[tuple[str, str]]
) -> str:
    try:
        kind = operator(condition.operator)
    except UnknownOperatorError:
        return f"there is no operator {condition.operator}"
    if not is_known_key(condition.key):
        return f"there is no condition key {condition.key}"
    if not condition.values:
        return f"{condition.key} has no value"
    if (condition.operator, condition.key) in promised or statement.effect == "Deny":
        return ""
    if kind.if_exists:
        return f"{condition.operator} holds when the request has no {condition.key} at all"
    if kind.quantifier == "ForAllValues":
        return f"{condition.operator} holds when the request has no {condition.key} at all"
    if kind.negated:
        return f"{condition.operator} holds when the request has no {condition.key} at all"
    return ""


def _guarded(evidence: Evidence) -> Iterator[tuple[Guarded, Resource, list[Statement]]]:
    for contract in evidence.bound.contracts.guarded:
        resource = evidence.contracted.get(contract.name)
        if resource is not None:
            yield contract, resource, evidence.world.policies.get(resource.arn, [])


@check("R404", "No resource policy allows anything beyond its contract.")
def nothing_beyond(evidence: Evidence) -> Iterator[Violation]:
    promised_arns = set()
    for contract, resource, statements in _guarded(evidence):
        promised_arns.add(resource.arn)
        promised = [
            as_statement(evidence.bound.grant(grant), where=contract.name)
            for grant in contract.grants
        ]
        for problem in beyond([s for s in statements if s.effect == "Allow"], promised):
            yield Violation(
                where=resource.path,
                what=problem,
                limit=f"the contract of {contract.name}",
                fix=_FIX,
            )
    for arn, statements in evidence.world.policies.items():
        if arn not in promised_arns and any(s.effect == "Allow" for s in statements):
            yield Violation(
                where=evidence.world.owners[arn][0].path,
                what=f"a policy allows something on {arn}",
                limit="no contract covers it",
                fix=_FIX,
            )


@check("R405", "Every resource policy allows all that its contract says.")
def nothing_short(evidence: Evidence) -> Iterator[Violation]:
    for contract, resource, statements in _guarded(evidence):
        promised = [
            as_statement(evidence.bound.grant(grant), where=contract.name)
            for grant in contract.grants
        ]
        for problem in short_of(promised, [s for s in statements if s.effect == "Allow"]):
            yield Violation(
                where=resource.path,
                what=problem,
                limit=f"the contract of {contract.name}",
                fix=_FIX,
            )


@check("R406", "Every resource policy denies what its contract says: plain HTTP, old TLS.")
def refusals(evidence: Evidence) -> Iterator[Violation]:
    for contract, resource, statements in _guarded(evidence):
        promised = [
            as_statement(evidence.bound.refusal(refusal), where=contract.name)
            for refusal in contract.refusals
        ]
        for problem in short_of(promised, [s for s in statements if s.effect == "Deny"]):
            yield Violation(
                where=resource.path,
                what=f"the Deny: {problem}",
                limit=f"the contract of {contract.name}",
                fix="Put the Deny statement back, for everybody and for the bucket and its objects",
            )


@check("R410", "No policy denies anything beyond its contract, so nothing else is blocked.")
def no_other_refusals(evidence: Evidence) -> Iterator[Violation]:
    bound = evidence.bound
    refused: dict[str, list[Statement]] = {}
    contracts: list[Guarded | Role] = [*bound.contracts.guarded, *bound.contracts.roles]
    for each in contracts:
        resource = evidence.contracted.get(each.name)
        if resource is not None:
            promised = [as_statement(bound.refusal(r), where=each.name) for r in each.refusals]
            refused.setdefault(resource.path, []).extend(promised)
    for where, statement in _all_statements(evidence):
        if statement.effect != "Deny":
            continue
        promised = refused.get(_owner(evidence, where), [])
        if statement.principals is None:
            # Identity policies name no principal.
            promised = [replace(each, principals=None) for each in promised]
        for problem in beyond([statement], promised):
            yield Violation(
                where=where,
                what=f"the Deny: {problem}",
                limit="every Deny of a policy must be in its contract",
                fix=_FIX,
            )


def _owner(evidence: Evidence, where: str) -> str:
    """The path of what a policy guards: its bucket, topic or queue; the resource itself."""
    for arn, owners in evidence.world.owners.items():
        guarded = evidence.assembly.by_arn(arn)
        if guarded is not None and any(owner.path == where for owner in owners):
            return guarded.path
    return where


@check("R407", "Each resource has at most one policy of its own.")
def one_policy(evidence: Evidence) -> Iterator[Violation]:
    for arn, owners in evidence.world.owners.items():
        if len(owners) > 1:
            yield Violation(
                where=owners[1].path,
                what=f"{len(owners)} resources set the policy of {arn}",
                limit="the last one deployed replaces the others",
                fix="Write all statements into one policy",
            )


CHECKS = (
    well_formed,
    no_exclusions,
    known_conditions,
    nothing_beyond,
    nothing_short,
    refusals,
    one_policy,
    no_other_refusals,
)
