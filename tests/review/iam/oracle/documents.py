"""Statements as policy documents again, for the independent simulator to read."""

from collections.abc import Sequence
from typing import Any

from bedrock_tuning.review.iam.policy import POLICY_VERSION, Statement


def document(statements: Sequence[Statement]) -> dict[str, Any]:
    """The statements as a policy document again, for other programs to read."""
    return {"Version": POLICY_VERSION, "Statement": [_raw(s) for s in statements]}


def _raw(statement: Statement) -> dict[str, Any]:
    raw: dict[str, Any] = {"Effect": statement.effect}
    if statement.sid:
        raw["Sid"] = statement.sid
    for name, principals in (
        ("Principal", statement.principals),
        ("NotPrincipal", statement.not_principals),
    ):
        if principals is not None:
            raw[name] = {kind: list(names) for kind, names in principals.items()}
    for name, values in (
        ("Action", statement.actions),
        ("NotAction", statement.not_actions),
        ("Resource", statement.resources),
        ("NotResource", statement.not_resources),
    ):
        if values:
            raw[name] = list(values)
    if statement.conditions:
        conditions: dict[str, dict[str, list[str]]] = {}
        for condition in statement.conditions:
            conditions.setdefault(condition.operator, {})[condition.key] = list(condition.values)
        raw["Condition"] = conditions
    return raw
