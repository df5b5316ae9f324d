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

FROM_THIS_ACCOUNT: Final = Condition.of("StringEquals", "aws:SourceAccount", identity.ACCOUNT)


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
        forbidden = tuple(self.resources(deployment))
        exceptions = list(self.but(deployment))
        who = None if self.who is None else frozenset(self.who(deployment))
        for grant in grants(evidence):
            if who is not None and grant.principal not in who:
                continue
            allowed = [e.statement for e in exceptions if grant.principal in e.principals]
            for action, resource in reached(grant.statement, self.actions, forbidden):
                if not inside(grant.statement, action, resource, allowed):
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
            (asked, decide(asked.principal, asked.action, asked.resource, asked.context))
            for asked in self.requests(DeploymentFacts(evidence=evidence))
        ]


class Able(_Decided):
    """What must work."""

    __slots__ = ()

    def violations(self, evidence: Evidence) -> Iterator[Violation]:
        """Every request that is not allowed."""
        for asked, decision in self._decisions(evidence):
            if not decision:
                role = evidence.permissions.roles.get(asked.principal)
                yield found(
                    role or asked.principal,
                    f"{asked.action} on {asked.resource}: {decision.value}",
                    self.sentence.removesuffix("."),
                    "Add the missing Allow, or narrow the Deny",
                )


class MustDeny(_Decided):
    """What the policies of resources must deny, whatever the caller's own policies allow."""

    __slots__ = ()

    def violations(self, evidence: Evidence) -> Iterator[Violation]:
        """Every request that no policy denies."""
        for asked, decision in self._decisions(evidence):
            if decision is not EvalDecision.EXPLICITLY_DENIED:
                bucket = evidence.assembly.by_arn(asked.resource.partition("/")[0])
                yield found(
                    bucket or asked.resource,
                    f"no Deny refuses {asked.action} on {asked.resource} to {asked.principal}",
                    self.sentence.removesuffix("."),
                    "Put the Deny back into the bucket's policy, in "
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
                    own = tuple(arn if r == "*" else r for r in statement.resources)
                    yield Allowance(
                        principal=principal,
                        path=permissions.owners[arn][0].path,
                        statement=replace(statement, principals=None, resources=own),
                    )


def principals(statement: Statement) -> list[str]:
    """Whom a resource's policy names, but for the account that it belongs to."""
    here = (f"arn:{identity.PARTITION}:iam::{identity.ACCOUNT}:root", identity.ACCOUNT)
    if statement.not_principals is not None:
        return ["*"]
    names = [name for found in (statement.principals or {}).values() for name in found]
    return [name for name in names if name not in here]


def reached(
    statement: Statement, actions: tuple[str, ...], resources: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """The parts of a statement that meet an action and a resource; what it excludes is the rest."""
    said, on = statement.actions, statement.resources or ("*",)
    if statement.not_actions:
        said = ("*",)
    # What nobody can resolve could be anything.
    if statement.not_resources or any(UNRESOLVED in resource for resource in on):
        on = ("*",)
    for action in said:
        if _meets(action, actions):
            for resource in on:
                if any(meets(r, resource) for r in resources):
                    yield action, resource


@lru_cache(maxsize=65_536)
def _meets(action: str, actions: tuple[str, ...]) -> bool:
    return any(meets(each.lower(), action.lower()) for each in actions)
