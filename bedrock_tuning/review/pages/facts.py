"""What a reviewer wants to know of an assembly, as plain data for the page, Markdown and JSON."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from bedrock_tuning.contracts.contract import MACHINE
from bedrock_tuning.contracts.people import PEOPLE
from bedrock_tuning.review.assembly.json_path import get
from bedrock_tuning.review.assembly.template import Resource
from bedrock_tuning.review.bound_contracts import Bound
from bedrock_tuning.review.check import Evidence, Violation
from bedrock_tuning.review.iam.access import EffectivePermissions, IamRole
from bedrock_tuning.review.iam.policy import Statement
from bedrock_tuning.review.iam.wording import access_level, by_level, conditions_in_words
from bedrock_tuning.review.pages.answers import Answer, Changeable, answers, changeable
from bedrock_tuning.review.pages.decisions import Branch, decisions_of
from bedrock_tuning.review.pages.deletion import Deletion, deletions
from bedrock_tuning.review.pages.inventory import Cost, NetworkPath, Store, costs, reaches, stores
from bedrock_tuning.review.pages.labels import Labels
from bedrock_tuning.review.pages.money import Money, money
from bedrock_tuning.review.permitted import Entry
from bedrock_tuning.review.workflow import graph

# The level of whatever a statement denies.
DENIED: Final = "denied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Who can become a role."""

    role: str
    does: str
    who: str
    condition: str
    warning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a role can do: of one statement of its policy, the actions of one level.

    why: as its contract says it, or the words of the statement's name.
    """

    role: str
    does: str
    effect: str
    level: str
    actions: tuple[str, ...]
    on: tuple[str, ...]
    condition: str
    why: str
    warning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What a resource's own policy says: one statement. part: what of the resource it is about."""

    resource: str
    part: str
    effect: str
    who: str
    actions: tuple[str, ...]
    condition: str
    warning: str = ""

    def accesses(self) -> Iterator[Access]:
        """The same as what those can do whom it names; endpoints say it of what is behind them."""
        if self.resource.startswith("endpoint "):
            return
        levels = [(DENIED, self.actions)]
        for level, actions in levels if self.effect == "Deny" else by_level(self.actions):
            yield Access(
                role=f"{self.who} (resource policy)",
                does="",
                effect=self.effect,
                level=level,
                actions=actions,
                on=(self.resource,),
                condition=f"{self.part}, {self.condition}",
                why="",
                warning=self.warning,
            )


@dataclass(slots=True, kw_only=True)
class Facts:
    """All of it. regions: of the stacks. machines: state machines by name, as their definitions;
    decisions: theirs. answers: to what reviewers ask first. changeable: what limits spending, and
    who can change it. deletions: the stacks in the order in which they can be deleted.

    money: what may be spent. permitted: the entries of review.toml that permit something.
    people: whose each policy of people is, by its name among the roles. documents: the policies as
    the templates have them, as JSON, by role or resource.
    assumed: what no template says and the proof takes for granted.
    """

    stacks: tuple[str, ...]
    regions: tuple[str, ...]
    resources: int
    trusts: list[Trust]
    accesses: list[Access]
    guards: list[Guard]
    stores: list[Store]
    reaches: list[NetworkPath]
    costs: list[Cost]
    unresolved: list[str]
    money: Money
    deletions: list[Deletion]
    answers: list[Answer] = field(default_factory=list)
    changeable: list[Changeable] = field(default_factory=list)
    assumed: list[str] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    permitted: list[Entry] = field(default_factory=list)
    proved: bool = False
    checks: int = 0
    machines: dict[str, dict[str, object]] = field(default_factory=dict)
    decisions: dict[str, list[Branch]] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)
    documents: dict[str, str] = field(default_factory=dict)

    @property
    def roles(self) -> int:
        """How many roles there are."""
        return len({trust.role for trust in self.trusts})

    def accesses_by_role(self) -> list[tuple[str, list[Access]]]:
        """What each role can do."""
        return [
            (role, list(accesses))
            for role, accesses in groupby(self.accesses, lambda access: access.role)
        ]

    def accesses_of_people(self) -> list[tuple[str, list[Access]]]:
        """What each person can do."""
        by_role = self.accesses_by_role()
        return [(self.people[role], accesses) for role, accesses in by_role if role in self.people]


def gather(permissions: EffectivePermissions, bound: Bound | None) -> Facts:
    """The facts of an assembly; bound: its contracts, for the reasons behind permissions."""
    assembly = permissions.assembly
    labels = Labels(assembly)
    purposes = (
        {}
        if bound is None
        else {bound.path(role.place): role.does for role in bound.contracts.principals}
    )
    reasons = {} if bound is None else _reasons(bound)
    roles = [(role, purposes.get(role.path, "")) for role in permissions.roles.values()]
    machines = {
        labels.of(machine): graph.template_definition(machine)
        for machine in assembly.of_type(MACHINE)
    }
    spending = money(assembly)
    billing, removals = list(costs(permissions, labels)), list(deletions(assembly, labels))
    evidence = (
        None if bound is None else Evidence(assembly=assembly, permissions=permissions, bound=bound)
    )
    return Facts(
        stacks=tuple(assembly.templates),
        regions=tuple(sorted(set(assembly.regions.values()))),
        resources=len(assembly.resources),
        trusts=[trust for role, purpose in roles for trust in _trusts(role, labels, purpose)],
        accesses=[
            access
            for role, purpose in roles
            for access in _accesses(role, labels, purpose, reasons)
        ],
        guards=list(_guards(permissions, labels)),
        stores=list(stores(permissions, labels, bound)),
        reaches=list(reaches(permissions, labels)),
        costs=billing,
        unresolved=[f"{where}: {what}" for where, what in assembly.unresolved],
        money=spending,
        deletions=removals,
        answers=[]
        if evidence is None
        else list(answers(evidence, labels, spending, costs=billing, deletions=removals)),
        changeable=[] if evidence is None else list(changeable(evidence, labels)),
        assumed=[] if bound is None else list(_assumptions(bound)),
        machines=machines,
        decisions={name: list(decisions_of(definition)) for name, definition in machines.items()},
        people={} if bound is None else dict(_people(bound, labels)),
        documents=dict(_documents(permissions, labels)),
    )


def _people(bound: Bound, labels: Labels) -> Iterator[tuple[str, str]]:
    titles = {persona.name: persona.title for persona in PEOPLE}
    for role in (*bound.contracts.people, *bound.contracts.roles):
        _, _, name = role.name.partition("person.")
        persona, _, owner = name.partition(".")
        if persona in titles:
            yield (
                labels.path(bound.path(role.place)),
                f"{titles[persona]}{f' of {owner}' if owner else ''}",
            )


# Where templates keep policies.
_PERMISSION: Final = "AWS::Lambda::Permission"
_POLICIES: Final = ("AssumeRolePolicyDocument", "Policies", "PolicyDocument", "KeyPolicy")


def _documents(permissions: EffectivePermissions, labels: Labels) -> Iterator[tuple[str, str]]:
    resources_by_name: dict[str, list[Resource]] = {}
    for role in permissions.roles.values():
        resources_by_name.setdefault(labels.path(role.path), []).append(role.resource)
    for arn, owners in permissions.policies.items():
        if arn in permissions.owners and owners:
            resources_by_name.setdefault(labels.arn(arn), []).extend(permissions.owners[arn])
    for endpoint in permissions.endpoints:
        resources_by_name.setdefault(f"endpoint {labels.of(endpoint.resource)}", []).append(
            endpoint.resource
        )
    for name, resources in resources_by_name.items():
        raw = [get(resource.raw, "Properties", key) for resource in resources for key in _POLICIES]
        # A function's policy is made of these, one statement each.
        raw += [
            resource.raw["Properties"] for resource in resources if resource.type == _PERMISSION
        ]
        documents = [document for document in raw if document is not None]
        if documents:
            yield name, "\n".join(json.dumps(document, indent=1) for document in documents)


def _assumptions(bound: Bound) -> Iterator[str]:
    """What exists already: somebody else writes its policies, and preflight reads them."""
    for resource in bound.contracts.asked:
        arn = bound.fill(f"{{{resource.name}}}")
        yield f"{arn}: its policy says what this environment needs of the {resource.name}"
    for role in bound.contracts.existing_roles:
        arn = bound.fill(f"{{{role.name}}}")
        yield (
            f"{arn}: nobody but Amazon Bedrock can assume it, for jobs of this account, and it may "
            f"do what {role.name.removeprefix('role.bedrock.')} needs and nothing else"
        )


def _principals(statement: Statement, labels: Labels) -> str:
    principals = statement.principals or {}
    names = [labels.principal(kind, name) for kind, ids in principals.items() for name in ids]
    exceptions = statement.not_principals or {}
    names += [
        f"everybody but {labels.principal(kind, name)}"
        for kind, ids in exceptions.items()
        for name in ids
    ]
    return ", ".join(names)


def _condition(statement: Statement, labels: Labels) -> str:
    return labels.text(conditions_in_words(statement.conditions))


def _trusts(role: IamRole, labels: Labels, does: str) -> Iterator[Trust]:
    for statement in role.trust:
        keys = {condition.key.lower() for condition in statement.conditions}
        warning = ""
        if "*" in (statement.principals or {}).get("AWS", ()):
            warning = "everybody may become it"
        elif "Service" in (statement.principals or {}) and "aws:sourceaccount" not in keys:
            warning = "the service may act for any account"
        yield Trust(
            role=labels.path(role.path),
            does=does,
            who=_principals(statement, labels),
            condition=_condition(statement, labels),
            warning=warning,
        )


# Actions that know no resources say nothing by naming everything.
_UNBOUND: Final = ("list", "describe", "logs:")


def _reasons(bound: Bound) -> dict[str, str]:
    """What contracts say that permissions are for, by the letters of the names of statements."""
    roles = bound.contracts.principals
    reasons = [grant.why for role in roles for grant in role.grants]
    reasons += [refusal.why for role in roles for refusal in role.refusals]
    return {_LETTERS.sub("", _ARTICLES.sub("", reason)).lower(): reason for reason in reasons}


_ARTICLES: Final = re.compile(r"\b(a|an|the)\b")
_LETTERS: Final = re.compile(r"[^A-Za-z0-9]")
_WORDS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def _accesses(
    role: IamRole, labels: Labels, does: str, reasons: Mapping[str, str]
) -> Iterator[Access]:
    for arn in role.managed:
        yield Access(
            role=labels.path(role.path),
            does=does,
            effect="Allow",
            level="all",
            actions=(f"managed policy {arn.rpartition('/')[2]}",),
            on=("everything",),
            condition="always",
            why="",
            warning="AWS decides what is in it",
        )
    for statement in role.policy:
        places = statement.resources or tuple(
            f"all but {resource}" for resource in statement.not_resources
        )
        words = _WORDS.sub(" ", statement.sid).lower()
        why = reasons.get(statement.sid.rstrip("0123456789").lower(), words)
        for level, actions in _levels(statement):
            yield Access(
                role=labels.path(role.path),
                does=does,
                effect=statement.effect,
                level=level,
                actions=actions,
                on=tuple(labels.arn(place) for place in places),
                condition=_condition(statement, labels),
                why=why,
                warning=_warning(statement, actions),
            )


def _levels(statement: Statement) -> list[tuple[str, tuple[str, ...]]]:
    """A statement's actions by level; a refusal stays whole, and so does what excludes some."""
    if statement.not_actions:
        return [("all", tuple(f"all but {action}" for action in statement.not_actions))]
    if statement.effect == "Deny":
        return [(DENIED, statement.actions)]
    return by_level(statement.actions)


def _warning(statement: Statement, actions: Sequence[str]) -> str:
    """What is dangerous about some of a statement's actions."""
    if statement.effect != "Allow":
        return ""
    if statement.not_actions or statement.not_resources:
        return "uses an exclusion"
    if any("*" in action for action in actions):
        return "an action with a wildcard"
    unbound = all(
        name.partition(":")[2].lower().startswith(_UNBOUND) or name.startswith("logs:")
        for name in actions
    )
    if "*" in statement.resources and not unbound and not statement.conditions:
        return "on everything, without a condition"
    if any(access_level(action) == "permissions" for action in actions):
        return "changes who may do what"
    return ""


def _part(resource: str, statement: Statement, labels: Labels) -> str:
    """Of what a resource's own policy speaks: often of a part, such as one folder of a bucket."""
    names = [labels.arn(place) for place in statement.resources if place != "*"]
    names += [f"all but {labels.arn(place)}" for place in statement.not_resources]
    if all(name.startswith(resource) for name in names):
        return ", ".join(names) or resource
    return f"{resource}: {', '.join(names)}"


def _guards(permissions: EffectivePermissions, labels: Labels) -> Iterator[Guard]:
    policies = [(labels.arn(arn), statements) for arn, statements in permissions.policies.items()]
    policies += [
        (f"endpoint {labels.of(endpoint.resource)}", endpoint.policy)
        for endpoint in permissions.endpoints
    ]
    for resource, statements in policies:
        for statement in statements:
            who = _principals(statement, labels)
            is_open = who == "everybody" and statement.effect == "Allow"
            yield Guard(
                resource=resource,
                part=_part(resource, statement, labels),
                effect=statement.effect,
                who=who,
                actions=statement.actions
                or tuple(f"all but {action}" for action in statement.not_actions),
                condition=_condition(statement, labels),
                warning="open to everybody" if is_open and not statement.conditions else "",
            )
