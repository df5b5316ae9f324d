"""What exists already and somebody else owns: whether its policy says what this app needs.

The policies are those that the review takes for granted when it proves the templates.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from bedrock_tuning.contracts import Condition, Contracts, Role
from bedrock_tuning.contracts.contract import PLACEHOLDER
from bedrock_tuning.review.assembly import identity
from bedrock_tuning.review.bound_contracts import Bound, as_statement
from bedrock_tuning.review.iam.containment import beyond, short_of, trust_beyond
from bedrock_tuning.review.iam.policy import Statement, parse

# True of whatever such a role does: a statement that also demands it takes nothing away.
_ALWAYS: Final = (
    Condition.of("StringEquals", "aws:PrincipalAccount", identity.ACCOUNT),
    Condition.of("Bool", "aws:SecureTransport", "true"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A role that exists already against its contract: sentences.

    lacks: why jobs could not run with it, or who else could. wider: what it may do besides.
    """

    lacks: list[str] = field(default_factory=list)
    wider: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """What an account owns that this app uses, in one Region. account, partition: where it is used.

    deployed: the ARNs of what the stacks made, by the names that contracts use. Statements have the
    placeholders of the review; texts that go in and come out have these.
    """

    contracts: Contracts
    region: str
    account: str
    partition: str = identity.PARTITION
    deployed: Mapping[str, str] = field(default_factory=dict)

    def arns(self) -> dict[str, str]:
        """The ARN of each, by the name that contracts use."""
        bound = self._bound()
        return {
            each.name: self._real(bound.fill(f"{{{each.name}}}")) for each in self.contracts.asked
        }

    def policies(self) -> dict[str, Mapping[str, Any]]:
        """The statements that the policy of each must have, by its ARN, as IAM writes them."""
        return {
            self._real(arn): json.loads(
                self._real(
                    json.dumps(
                        {
                            "Version": "2012-10-17",
                            "Statement": [_written(each) for each in existing.policy],
                        }
                    )
                )
            )
            for arn, existing in self._bound().existing().items()
        }

    def problems(self, arn: str, policy: str) -> list[str]:
        """What a policy lacks: sentences. policy: its text, "" for none."""
        wanted = self._bound().existing()[self._placed(arn)].policy
        raw = json.loads(self._placed(policy)) if policy else {"Statement": []}
        document = parse(raw, where="policy", kind="resource")
        found: list[str] = []
        for effect, what in (("Allow", "the policy"), ("Deny", "the Deny")):
            promised = [each for each in wanted if each.effect == effect]
            said = [each for each in document.statements if each.effect == effect]
            found += [f"{what}: {self._real(each)}" for each in short_of(promised, said)]
        return found

    def roles(self) -> dict[str, str]:
        """The ARN of each service role that exists already, by its contract's name."""
        bound = self._bound()
        return {
            each.name: self._real(bound.fill(f"{{{each.name}}}"))
            for each in self.contracts.existing_roles
        }

    def not_known(self, name: str) -> list[str]:
        """What a role must be allowed to use and the stacks have not made yet."""
        known = {*self._given(), "partition", "region", "account"}
        texts = (
            text
            for grant in self._role(name).grants
            for text in (*grant.resources, *(v for c in grant.conditions for v in c.values))
        )
        named = {match[1] for text in texts for match in PLACEHOLDER.finditer(text)}
        return sorted(named - known)

    def role_policies(self, name: str) -> dict[str, Any]:
        """Trust policy and permissions that are just enough for a role, as IAM writes them."""
        trust, promised = self._promised(name)
        written = {"trust": [trust], "permissions": promised}
        return {
            kind: json.loads(
                self._real(json.dumps({"Version": "2012-10-17", "Statement": _all(statements)}))
            )
            for kind, statements in written.items()
        }

    def judge(self, name: str, *, trust: str, policies: Sequence[str]) -> Judged:
        """A role by the text of its trust policy and of all policies that it has."""
        contract = self._role(name)
        wanted, promised = self._promised(name)
        trusted = parse(json.loads(self._placed(trust)), where="its trust policy", kind="trust")
        found = [
            parse(json.loads(self._placed(text)), where=f"its policy {number}")
            for number, text in enumerate(policies, 1)
        ]
        may = [each for one in found for each in one.statements]
        allowed = [each for each in may if each.effect == "Allow"]
        demanded = [replace(e, conditions=(*e.conditions, *_ALWAYS)) for e in promised]
        lacks = [*trust_beyond(trusted.statements, contract.service, wanted.conditions)]
        made_later = self.not_known(name)
        if made_later:
            lacks.append(
                f"what it may do cannot be judged before {', '.join(made_later)} is deployed: "
                "deploy the platform's stacks first"
            )
            return Judged(lacks=[*map(self._real, lacks)])
        lacks += short_of(demanded, allowed)
        wider = [
            *beyond(allowed, promised),
            *(
                f"{each.label} is a Deny, which IAM alone judges"
                for each in may
                if each.effect == "Deny"
            ),
        ]
        return Judged(lacks=[*map(self._real, lacks)], wider=[*map(self._real, wider)])

    def _role(self, name: str) -> Role:
        return next(each for each in self.contracts.existing_roles if each.name == name)

    def _promised(self, name: str) -> tuple[Statement, list[Statement]]:
        """Who may assume a role, and what it may do."""
        contract, bound = self._role(name), self._bound()
        trust = Statement(
            where=name,
            sid="",
            effect="Allow",
            principals={"Service": (contract.service,)},
            actions=("sts:AssumeRole",),
            conditions=bound.conditions(contract.trust),
        )
        return trust, [as_statement(bound.grant(each), where=name) for each in contract.grants]

    def _given(self) -> dict[str, str]:
        made = {name: self._placed(arn) for name, arn in self.deployed.items()}
        return {**made, **self.contracts.given}

    def _bound(self) -> Bound:
        contracts = replace(self.contracts, given=self._given())
        return Bound(contracts=contracts, region=self.region, resources={}, missing={})

    def _real(self, text: str) -> str:
        return (
            _of(identity.ACCOUNT)
            .sub(self.account, text)
            .replace(f"arn:{identity.PARTITION}:", f"arn:{self.partition}:")
        )

    def _placed(self, text: str) -> str:
        return (
            _of(self.account)
            .sub(identity.ACCOUNT, text)
            .replace(f"arn:{self.partition}:", f"arn:{identity.PARTITION}:")
        )


def _of(account: str) -> re.Pattern[str]:
    """An account's number, and not the same digits in the id of a key."""
    return re.compile(rf"(?<![\w-]){account}(?![\w-])")


def _all(statements: Iterable[Statement]) -> list[dict[str, Any]]:
    """The statements of a role's own policies, which name no principal or no resource."""
    return [
        {
            key: value
            for key, value in _written(each).items()
            if key not in ("Principal", "Resource") or value
        }
        for each in statements
    ]


def _written(statement: Statement) -> dict[str, Any]:
    conditions: dict[str, dict[str, Any]] = {}
    for each in statement.conditions:
        conditions.setdefault(each.operator, {})[each.key] = _one_or_all(each.values)
    principals = {kind: _one_or_all(who) for kind, who in (statement.principals or {}).items()}
    return {
        "Effect": statement.effect,
        "Principal": "*" if principals == {"AWS": "*"} else principals,
        "Action": list(statement.actions),
        "Resource": _one_or_all(statement.resources),
        **({"Condition": conditions} if conditions else {}),
    }


def _one_or_all(values: tuple[str, ...]) -> Any:
    return values[0] if len(values) == 1 else list(values)
