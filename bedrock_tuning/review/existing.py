"""What exists already and somebody else owns: whether its policy says what this app needs.

The policies are those that the review takes for granted when it proves the templates.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bedrock_tuning.contracts import Contracts
from bedrock_tuning.review.assembly import identity
from bedrock_tuning.review.bound_contracts import Bound
from bedrock_tuning.review.iam.containment import short_of
from bedrock_tuning.review.iam.policy import Statement, parse


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """What an account owns that this app uses, in one Region. account, partition: where it is used.

    Statements have the placeholders of the review; texts that go in and come out have these.
    """

    contracts: Contracts
    region: str
    account: str
    partition: str = identity.PARTITION

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

    def _bound(self) -> Bound:
        return Bound(contracts=self.contracts, region=self.region, resources={}, missing={})

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
