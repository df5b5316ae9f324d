"""The policies of people: each persona has a few abilities (abilities.py).

A command of `tuning` says which abilities it needs. So a policy has what its commands need, and
what a command needs stands beside the command alone.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from bedrock_tuning.contracts import grants as g
from bedrock_tuning.contracts.abilities import ABILITIES, APPROVE_FUNCTION, approve
from bedrock_tuning.contracts.contract import (
    Contracts,
    Grant,
    Place,
    Role,
    Scope,
    role_path,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """One of the people who work with an environment.

    abilities: of ABILITIES. never: what the policy refuses, whatever other policies its holder has.
    of_customization: one policy for each customization, and only for that one.
    """

    name: str
    does: str
    abilities: tuple[str, ...]
    never: Callable[[Scope], tuple[Grant, ...]] = lambda _: ()
    of_customization: bool = False

    @property
    def title(self) -> str:
        """In a sentence: an uploader."""
        return f"{'an' if self.name[0] in 'aeiou' else 'a'} {self.name}"

    @property
    def construct(self) -> str:
        """What its policy is called in its stack."""
        return self.name.capitalize()


_WATCHES: Final = ("find the deployment", "read runs", "follow runs", "read reports")


def _never_approves(scope: Scope) -> tuple[Grant, ...]:
    actions = [action for grant in approve(scope, g.ANY) for action in grant.actions]
    return (g.refuse("uploaders do not approve", *sorted(actions), on=[APPROVE_FUNCTION]),)


def _never_uploads(_: Scope) -> tuple[Grant, ...]:
    objects = [f"{bucket}/*" for bucket in g.DATASETS]
    return (g.refuse("approvers do not upload", "s3:PutObject", on=objects),)


PEOPLE: Final = (
    Persona(
        name="reader",
        does="sees what is deployed, its runs, their reports and what is billed",
        abilities=(
            *_WATCHES,
            "ask for prices",
            "ask for bills",
            "list what is deployed",
            "see endpoints",
        ),
    ),
    Persona(
        name="uploader",
        does="uploads datasets of one customization, reads its reports and asks its model",
        abilities=(
            *_WATCHES,
            "ask for prices",
            "upload datasets",
            "read datasets",
            "call models",
            "keep comparisons",
        ),
        never=_never_approves,
        of_customization=True,
    ),
    Persona(
        name="approver",
        does="approves or declines the price of runs",
        abilities=(*_WATCHES, "ask for prices", "ask for quotas", "approve prices"),
        never=_never_uploads,
    ),
    Persona(
        name="operator",
        does="serves models, moves and ends leases, stops jobs, reads logs, delivers events again",
        abilities=(
            *_WATCHES,
            "ask for prices",
            "ask for bills",
            "list what is deployed",
            "see endpoints",
            "serve models",
            "move leases",
            "stop jobs",
            "read logs",
            "deliver events again",
        ),
    ),
    Persona(
        name="auditor",
        does="reads who decided what and what it costs, and changes nothing",
        abilities=(
            *_WATCHES,
            "read decisions",
            "ask for bills",
            "list what is deployed",
            "see endpoints",
        ),
    ),
    Persona(
        name="deployer",
        does="examines the account, deploys with the CDK, and retires customizations",
        abilities=(
            "find the deployment",
            "list what is deployed",
            "see endpoints",
            "examine the account",
            "examine networks",
            "deploy",
            "retire customizations",
        ),
    ),
)


def people(scope: Scope, places: Mapping[str, Place]) -> tuple[Role, ...]:
    """The contract of every person's policy."""
    return tuple(
        Role(
            name=name,
            place=places[name],
            does=f"{persona.does}{'' if customization == g.ANY else f': {customization}'}",
            service="",
            trust=(),
            grants=_grants(persona, scope, customization),
            refusals=persona.never(scope),
            path=role_path(scope.settings, "people"),
        )
        for persona in PEOPLE
        for name, customization in _contracts_of(persona, scope.customizations)
    )


def add_roles(contracts: Contracts, scope: Scope) -> Contracts:
    """The contracts with a role for each policy that the settings say who may assume."""
    roles: list[Role] = []
    for policy in contracts.people:
        _, persona, *names = policy.name.split(".", 2)
        role_names = scope.settings.becomes(persona, *names)
        if role_names:
            place = replace(policy.place, path=f"{policy.place.path}Role", type="AWS::IAM::Role")
            start = "arn:{partition}:iam::{account}:role"
            by = tuple(f"{start}/{name}" for name in role_names)
            trust = (g.arn_like("aws:PrincipalArn", *by),)
            roles.append(replace(policy, name=f"role.{policy.name}", place=place, trust=trust))
    return replace(
        contracts,
        places={**contracts.places, **{role.name: role.place for role in roles}},
        roles=(*contracts.roles, *roles),
    )


def _contracts_of(persona: Persona, customizations: Iterable[str]) -> list[tuple[str, str]]:
    """The contracts of a persona: their names, and whose datasets they are about."""
    if not persona.of_customization:
        return [(f"person.{persona.name}", g.ANY)]
    return [(f"person.{persona.name}.{name}", name) for name in customizations]


def _grants(persona: Persona, scope: Scope, about: str) -> tuple[Grant, ...]:
    every = dict.fromkeys(
        grant for name in persona.abilities for grant in ABILITIES[name](scope, about)
    )
    return tuple(
        grant
        for grant in every
        if not any(_includes(o, grant) and not _includes(grant, o) for o in every)
    )


def _includes(wider: Grant, grant: Grant) -> bool:
    """Whether a grant allows all that another one allows, under no other conditions."""
    limits = {(c.operator, c.key): set(c.values) for c in wider.conditions}
    return (
        set(grant.actions) <= set(wider.actions)
        and set(grant.resources) <= set(wider.resources)
        and limits.keys() == {(c.operator, c.key) for c in grant.conditions}
        # More values let more through, but for operators that say what must not be.
        and all(
            set(c.values) == (values := limits[c.operator, c.key])
            or ("Not" not in c.operator and set(c.values) < values)
            for c in grant.conditions
        )
    )


def able(needs: Collection[str]) -> list[Persona]:
    """The people who can do all of this."""
    return [persona for persona in PEOPLE if set(needs) <= set(persona.abilities)]
