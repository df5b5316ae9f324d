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
from bedrock_tuning.contracts.statements import conditions_block, statement_block, whom
from bedrock_tuning.review.assembly import identity
from bedrock_tuning.review.bound_contracts import Bound, as_statement
from bedrock_tuning.review.iam.containment import beyond, short_of, trust_beyond
from bedrock_tuning.review.iam.policy import Statement, parse_policy

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
        bound = self._bind()
        return {
            resource.name: self._to_real(bound.fill(f"{{{resource.name}}}"))
            for resource in self.contracts.asked
        }

    def policies(self) -> dict[str, Mapping[str, Any]]:
        """The statements that the policy of each must have, by its ARN, as IAM writes them."""
        return {
            self._fill(f"{{{resource.name}}}"): _policy(
                {
                    "Effect": promise.effect,
                    "Principal": whom(promise, self._fill),
                    **statement_block(promise, self._fill),
                }
                for promise in (*resource.grants, *resource.refusals)
            )
            for resource in self.contracts.asked
        }

    def problems(self, arn: str, policy: str) -> list[str]:
        """What a policy lacks: sentences. policy: its text, "" for none."""
        contract_statements = self._bind().existing()[self._to_stand_in(arn)].policy
        raw = json.loads(self._to_stand_in(policy)) if policy else {"Statement": []}
        document = parse_policy(raw, where="policy", kind="resource")
        sentences: list[str] = []
        for effect, what in (("Allow", "the policy"), ("Deny", "the Deny")):
            promises = [
                statement for statement in contract_statements if statement.effect == effect
            ]
            statements = [
                statement for statement in document.statements if statement.effect == effect
            ]
            sentences += [
                f"{what}: {self._to_real(sentence)}" for sentence in short_of(promises, statements)
            ]
        return sentences

    def roles(self) -> dict[str, str]:
        """The ARN of each service role that exists already, by its contract's name."""
        bound = self._bind()
        return {
            role.name: self._to_real(bound.fill(f"{{{role.name}}}"))
            for role in self.contracts.existing_roles
        }

    def not_known(self, name: str) -> list[str]:
        """What a role must be allowed to use and the stacks have not made yet."""
        names = {*self._existing_values(), "partition", "region", "account"}
        texts = (
            text
            for grant in self._role(name).grants
            for text in (
                *grant.resources,
                *(value for condition in grant.conditions for value in condition.values),
            )
        )
        placeholders = {match[1] for text in texts for match in PLACEHOLDER.finditer(text)}
        return sorted(placeholders - names)

    def role_policies(self, name: str) -> dict[str, Any]:
        """Trust policy and permissions that are just enough for a role, as IAM writes them."""
        contract = self._role(name)
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": contract.service},
            "Action": "sts:AssumeRole",
            "Condition": conditions_block(contract.trust, self._fill),
        }
        return {
            "trust": _policy([trust]),
            "permissions": _policy(statement_block(grant, self._fill) for grant in contract.grants),
        }

    def judge(self, name: str, *, trust: str, policies: Sequence[str]) -> Judged:
        """A role by the text of its trust policy and of all policies that it has."""
        contract = self._role(name)
        trust_statement, promises = self._promises(name)
        trust_document = parse_policy(
            json.loads(self._to_stand_in(trust)), where="its trust policy", kind="trust"
        )
        documents = [
            parse_policy(json.loads(self._to_stand_in(text)), where=f"its policy {number}")
            for number, text in enumerate(policies, 1)
        ]
        statements = [statement for document in documents for statement in document.statements]
        allow_statements = [statement for statement in statements if statement.effect == "Allow"]
        demands = [
            replace(promise, conditions=(*promise.conditions, *_ALWAYS)) for promise in promises
        ]
        lacks = [
            *trust_beyond(trust_document.statements, contract.service, trust_statement.conditions)
        ]
        later_names = self.not_known(name)
        if later_names:
            lacks.append(
                f"what it may do cannot be judged before {', '.join(later_names)} is deployed: "
                "deploy the platform's stacks first"
            )
            return Judged(lacks=[*map(self._to_real, lacks)])
        lacks += short_of(demands, allow_statements)
        wider = [
            *beyond(allow_statements, promises),
            *(
                f"{statement.label} is a Deny, which IAM alone judges"
                for statement in statements
                if statement.effect == "Deny"
            ),
        ]
        return Judged(lacks=[*map(self._to_real, lacks)], wider=[*map(self._to_real, wider)])

    def _role(self, name: str) -> Role:
        return next(role for role in self.contracts.existing_roles if role.name == name)

    def _promises(self, name: str) -> tuple[Statement, list[Statement]]:
        """Who may assume a role, and what it may do."""
        contract, bound = self._role(name), self._bind()
        trust = Statement(
            where=name,
            sid="",
            effect="Allow",
            principals={"Service": (contract.service,)},
            actions=("sts:AssumeRole",),
            conditions=bound.conditions(contract.trust),
        )
        return trust, [as_statement(bound.grant(grant), where=name) for grant in contract.grants]

    def _existing_values(self) -> dict[str, str]:
        deployed_arns = {name: self._to_stand_in(arn) for name, arn in self.deployed.items()}
        return {**deployed_arns, **self.contracts.given}

    def _bind(self) -> Bound:
        contracts = replace(self.contracts, given=self._existing_values())
        return Bound(contracts=contracts, region=self.region, resources={}, missing={})

    def _fill(self, text: str) -> str:
        return self._to_real(self._bind().fill(text))

    def _to_real(self, text: str) -> str:
        return (
            _account_pattern(identity.ACCOUNT)
            .sub(self.account, text)
            .replace(f"arn:{identity.PARTITION}:", f"arn:{self.partition}:")
        )

    def _to_stand_in(self, text: str) -> str:
        return (
            _account_pattern(self.account)
            .sub(identity.ACCOUNT, text)
            .replace(f"arn:{self.partition}:", f"arn:{identity.PARTITION}:")
        )


def _account_pattern(account: str) -> re.Pattern[str]:
    """An account's number, and not the same digits in the id of a key."""
    return re.compile(rf"(?<![\w-]){account}(?![\w-])")


def _policy(statements: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}
