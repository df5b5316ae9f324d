"""The three kinds of promises about permissions, and how the templates prove them.

A promise is a sentence that must stay true whatever the contracts say: it is written without them.
`Never` is exact on wildcards and errs on the safe side: it counts every Allow, and no Deny that
might take it back. `Able` and `MustDeny` decide requests by all policies together.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from bedrock_tuning.contracts import Condition
from bedrock_tuning.review.assembly import identity
from bedrock_tuning.review.assembly.template import UNRESOLVED
from bedrock_tuning.review.check import Check, Evidence, Violation, found
from bedrock_tuning.review.iam.conditions import Context
from bedrock_tuning.review.iam.containment import inside
from bedrock_tuning.review.iam.policy import Statement
from bedrock_tuning.review.iam.simulator import EvalDecision, EvalRequest, usual_context
from bedrock_tuning.review.iam.wildcards import meets
from bedrock_tuning.review.iam.wording import conditions_in_words
from bedrock_tuning.review.promises.deployment import DeploymentFacts

SOURCE_ACCOUNT: Final = Condition.of("StringEquals", "aws:SourceAccount", identity.ACCOUNT)


@dataclass(frozen=True, slots=True, kw_only=True)
class But:
    """An exception: for whom it is, and the widest statement that it lets pass."""

    principals: frozenset[str]
    statement: Statement


def but(
    who: str | Iterable[str],
    *actions: str,
    on: str | Iterable[str] = "*",
    when: Condition | Iterable[Condition] = (),
) -> But:
    """These principals may do these actions there, under all of these conditions."""
    statement = Statement(
        where="promise",
        sid="",
        effect="Allow",
        actions=actions,
        resources=(on,) if isinstance(on, str) else tuple(on),
        conditions=(when,) if isinstance(when, Condition) else tuple(when),
    )
    return But(principals=frozenset((who,) if isinstance(who, str) else who), statement=statement)


@dataclass(frozen=True, slots=True, kw_only=True)
class Never:
    """Nobody may do an action on a resource, but for exceptions.

    who: the ARNs of the roles that the promise is about; without it, everybody whom a policy names.
    """

    id: str
    sentence: str
    actions: tuple[str, ...]
    resources: Callable[[DeploymentFacts], Sequence[str]] = lambda _: ("*",)
    but: Callable[[DeploymentFacts], Iterable[But]] = lambda _: ()
    who: Callable[[DeploymentFacts], Iterable[str]] | None = None

    def check(self) -> Check:
        """The promise as a check."""
        return Check(id=self.id, sentence=self.sentence, finder=self.violations)

    def violations(self, evidence: Evidence) -> Iterator[Violation]:
        """Every statement that allows what nobody may do."""
        deployment = DeploymentFacts(evidence=evidence)
        resources = tuple(self.resources(deployment))
        exceptions = list(self.but(deployment))
        subjects = None if self.who is None else frozenset(self.who(deployment))
        for grant in grants(evidence):
            if subjects is not None and grant.principal not in subjects:
                continue
            exempt_statements = [
                exception.statement
                for exception in exceptions
                if grant.principal in exception.principals
            ]
            for action, resource in reached(grant.statement, self.actions, resources):
                if not inside(grant.statement, action, resource, exempt_statements):
                    condition = conditions_in_words(grant.statement.conditions)
                    yield found(
                        grant,
                        f"{grant.statement.label}: {action} on {resource} {condition} "
                        f"for {grant.principal}",
                        self.sentence.removesuffix("."),
                        "Narrow the statement, or remove it",
                    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decided(ABC):
    """Requests, each decided by all policies together: identity, resource, trust."""

    id: str
    sentence: str
    requests: Callable[[DeploymentFacts], Iterable[EvalRequest]]

    def check(self) -> Check:
        """The promise as a check."""
        return Check(id=self.id, sentence=self.sentence, finder=self.violations)

    @abstractmethod
    def violations(self, evidence: Evidence) -> Iterator[Violation]:
        """Every request that is decided otherwise than promised."""

    def _decisions(self, evidence: Evidence) -> list[tuple[EvalRequest, EvalDecision]]:
        decide = evidence.permissions.decide
        return [
            (query, decide(query.principal, query.action, query.resource, query.context))
            for query in self.requests(DeploymentFacts(evidence=evidence))
        ]


class Able(_Decided):
    """What must work."""

    __slots__ = ()

    def violations(self, evidence: Evidence) -> Iterator[Violation]:
        """Every request that is not allowed."""
        for query, decision in self._decisions(evidence):
            if not decision:
                role = evidence.permissions.roles.get(query.principal)
                yield found(
                    role or query.principal,
                    f"{query.action} on {query.resource}: {decision.value}",
                    self.sentence.removesuffix("."),
                    "Add the missing Allow, or narrow the Deny",
                )


class MustDeny(_Decided):
    """What the policies of resources must deny, whatever the caller's own policies allow."""

    __slots__ = ()

    def violations(self, evidence: Evidence) -> Iterator[Violation]:
        """Every request that no policy denies."""
        for query, decision in self._decisions(evidence):
            if decision is not EvalDecision.EXPLICITLY_DENIED:
                resource = evidence.assembly.by_arn(query.resource.partition("/")[0])
                yield found(
                    resource or query.resource,
                    f"no Deny refuses {query.action} on {query.resource} to {query.principal}",
                    self.sentence.removesuffix("."),
                    "Put the Deny back into the resource's policy, in "
                    "bedrock_tuning/contracts/resources.py",
                )


def request(
    principal: str, action: str, resource: str, context: Context | None = None
) -> EvalRequest:
    """A request over TLS, with what else its context says."""
    return EvalRequest(
        principal=principal,
        action=action,
        resource=resource,
        context={**usual_context(), **(context or {})},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """One Allow for one principal: a role's ARN, a service, an account. path: of the policy."""

    principal: str
    path: str
    statement: Statement


@lru_cache(maxsize=1)
def grants(evidence: Evidence) -> tuple[Allowance, ...]:
    """Every Allow of every role and of every resource's own policy.

    A policy that names the account itself only hands over to the account's IAM policies.
    """
    return tuple(_grants(evidence))


def _grants(evidence: Evidence) -> Iterator[Allowance]:
    permissions = evidence.permissions
    for role in permissions.roles.values():
        for statement in role.policy:
            if statement.effect == "Allow":
                yield Allowance(principal=role.arn, path=role.path, statement=statement)
    for arn, statements in permissions.policies.items():
        for statement in statements:
            if statement.effect == "Allow":
                for principal in principals(statement):
                    resources = tuple(
                        arn if resource == "*" else resource for resource in statement.resources
                    )
                    yield Allowance(
                        principal=principal,
                        path=permissions.owners[arn][0].path,
                        statement=replace(statement, principals=None, resources=resources),
                    )


def principals(statement: Statement) -> list[str]:
    """Whom a resource's policy names, but for the account that it belongs to."""
    own_principals = (f"arn:{identity.PARTITION}:iam::{identity.ACCOUNT}:root", identity.ACCOUNT)
    if statement.not_principals is not None:
        return ["*"]
    names = [name for ids in (statement.principals or {}).values() for name in ids]
    return [name for name in names if name not in own_principals]


def reached(
    statement: Statement, actions: tuple[str, ...], resources: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """The parts of a statement that meet an action and a resource; what it excludes is the rest."""
    granted_actions, granted_resources = statement.actions, statement.resources or ("*",)
    if statement.not_actions:
        granted_actions = ("*",)
    # What nobody can resolve could be anything.
    if statement.not_resources or any(UNRESOLVED in resource for resource in granted_resources):
        granted_resources = ("*",)
    for action in granted_actions:
        if _meets(action, actions):
            for resource in granted_resources:
                if any(meets(pattern, resource) for pattern in resources):
                    yield action, resource


@lru_cache(maxsize=65_536)
def _meets(action: str, actions: tuple[str, ...]) -> bool:
    return any(meets(pattern.lower(), action.lower()) for pattern in actions)
