"""Checks of who can become a role."""

from collections.abc import Iterator
from dataclasses import replace

from bedrock_tuning.contracts import Condition
from bedrock_tuning.contracts import Role as RoleContract
from bedrock_tuning.review.assembly import identity
from bedrock_tuning.review.bound_contracts import Bound
from bedrock_tuning.review.check import Evidence, Violation, check
from bedrock_tuning.review.iam.access import Role, administrator
from bedrock_tuning.review.iam.containment import trust_beyond
from bedrock_tuning.review.iam.probes import STRANGER, context_for, usual_context, wrong_contexts
from bedrock_tuning.review.iam.simulator import Request
from bedrock_tuning.review.iam.wording import conditions_in_words

_OTHER_SERVICES = (
    "bedrock.amazonaws.com",
    "cloudformation.amazonaws.com",
    "ec2.amazonaws.com",
    "events.amazonaws.com",
    "lambda.amazonaws.com",
    "sagemaker.amazonaws.com",
    "scheduler.amazonaws.com",
    "states.amazonaws.com",
)


def _contracted(evidence: Evidence) -> Iterator[tuple[RoleContract, Role]]:
    for contract in evidence.bound.contracts.roles:
        resource = evidence.contracted.get(contract.name)
        if resource is not None:
            yield contract, evidence.world.roles[resource.arn]


def _conditions(bound: Bound, contract: RoleContract) -> tuple[Condition, ...]:
    return bound.conditions(contract.trust)


@check("T201", "Each role trusts its one service, under its source conditions, and nobody else.")
def trusted(evidence: Evidence) -> Iterator[Violation]:
    for contract, role in _contracted(evidence):
        conditions = _conditions(evidence.bound, contract)
        for problem in trust_beyond(role.trust, contract.service, conditions):
            yield Violation(
                where=role.path,
                what=problem,
                limit=f"{contract.service} may assume it {conditions_in_words(conditions)}",
                fix="Write the trust policy as bedrock_tuning/contracts/roles.py says",
            )


@check("T202", "Every trust in a service names the account that the service must act for.")
def source_conditions(evidence: Evidence) -> Iterator[Violation]:
    for role in evidence.world.roles.values():
        for statement in role.trust:
            services = (statement.principals or {}).get("Service", ())
            bound = any(
                c.operator == "StringEquals"
                and c.key.lower() == "aws:sourceaccount"
                and c.values == (identity.ACCOUNT,)
                for c in statement.conditions
            )
            if statement.effect == "Allow" and services and not bound:
                yield Violation(
                    where=role.path,
                    what=f"{', '.join(services)} may assume it for any account",
                    limit="aws:SourceAccount must equal this account (confused deputy)",
                    fix='Add the condition StringEquals "aws:SourceAccount" = the account',
                )


@check("T203", "Simulated: its service can assume each role, and no stranger, user or other role.")
def simulated(evidence: Evidence) -> Iterator[Violation]:
    world = evidence.world
    administrates = list(administrator())
    people = [STRANGER, f"arn:aws:iam::{identity.ACCOUNT}:user/admin", *world.roles]
    for contract, role in _contracted(evidence):
        conditions = _conditions(evidence.bound, contract)
        right = Request(
            principal=contract.service,
            action="sts:AssumeRole",
            resource=role.arn,
            context={**usual_context(), **context_for(conditions)},
        )
        if not world.decide(right.principal, right.action, role.arn, right.context):
            yield Violation(
                where=role.path,
                what=f"{contract.service} cannot assume the role",
                limit=f"it must, {conditions_in_words(conditions)}",
                fix="Write the trust policy as bedrock_tuning/contracts/roles.py says",
            )
        wrong = [replace(right, context=c) for c in wrong_contexts(right.context, conditions)]
        wrong += [replace(right, principal=s) for s in _OTHER_SERVICES if s != contract.service]
        wrong += [replace(right, principal=who) for who in people]
        for attempt in wrong:
            if world.decide(
                attempt.principal,
                attempt.action,
                role.arn,
                attempt.context,
                identity_policy=administrates,
            ):
                yield Violation(
                    where=role.path,
                    what=f"{attempt.principal} can assume the role with {dict(attempt.context)}",
                    limit=f"only {contract.service} {conditions_in_words(conditions)}",
                    fix="Narrow the trust policy to the contract's",
                )


CHECKS = (trusted, source_conditions, simulated)
