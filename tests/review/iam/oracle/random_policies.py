"""Random policies and requests, seeded: every operator, quantifier and kind of principal."""

import random
from collections.abc import Iterator
from typing import Any

from bedrock_tuning.review.assembly.identity import ACCOUNT
from bedrock_tuning.review.iam.policy import PolicyKind, Statement, parse_policy
from bedrock_tuning.review.iam.simulator import EvalRequest, Policies
from tests.review.iam.oracle.near_misses import STRANGER_ACCOUNT

ROLE = f"arn:aws:iam::{ACCOUNT}:role/ours"
PRINCIPALS = (
    ROLE,
    f"arn:aws:iam::{ACCOUNT}:user/somebody",
    f"arn:aws:iam::{STRANGER_ACCOUNT}:role/strange",
    "events.amazonaws.com",
    "bedrock.amazonaws.com",
)
BUCKET = "arn:aws:s3:::data"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:queue"
TARGETS = (
    ("s3:GetObject", f"{BUCKET}/train/a", ("s3:*", "s3:Get*", "S3:getobject", "s3:Put*", "*")),
    ("s3:PutObject", f"{BUCKET}/out/b", ("s3:PutObject", "s3:*Object", "s3:Get*")),
    ("s3:ListBucket", BUCKET, ("s3:ListBucket", "s3:List*", "s3:?istBucket", "s3:GetObject")),
    ("kms:Decrypt", KEY, ("kms:Decrypt", "kms:*", "kms:Encrypt")),
    ("sqs:SendMessage", QUEUE, ("sqs:SendMessage", "sqs:*", "sqs:ReceiveMessage")),
    ("sts:AssumeRole", ROLE, ("sts:AssumeRole", "sts:*", "sts:TagSession")),
)
# Keys that every action has, with values that sometimes fit and sometimes do not.
KEYS = {
    "aws:PrincipalAccount": ((ACCOUNT, STRANGER_ACCOUNT), ("String",)),
    "aws:SourceAccount": ((ACCOUNT, STRANGER_ACCOUNT), ("String",)),
    "aws:SourceArn": (
        (
            f"arn:aws:events:us-east-1:{ACCOUNT}:rule/x",
            f"arn:aws:events:us-east-1:{STRANGER_ACCOUNT}:rule/x",
        ),
        ("Arn",),
    ),
    "aws:SecureTransport": (("true", "false"), ("Bool",)),
    "aws:RequestedRegion": (("us-east-1", "eu-west-1"), ("String",)),
    "aws:SourceIp": (("10.1.2.3", "192.0.2.7"), ("IpAddress",)),
    "aws:EpochTime": (("1700000000", "1900000000"), ("Numeric",)),
    "aws:TagKeys": (("team", "cost"), ("ForAllValues:String", "ForAnyValue:String")),
}
OPERATORS = {
    "String": (
        "StringEquals",
        "StringNotEquals",
        "StringLike",
        "StringNotLike",
        "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase",
    ),
    "Arn": ("ArnEquals", "ArnLike", "ArnNotLike", "ArnNotEquals"),
    "Bool": ("Bool",),
    "IpAddress": ("IpAddress", "NotIpAddress"),
    "Numeric": ("NumericLessThan", "NumericGreaterThanEquals", "NumericEquals"),
    "ForAllValues:String": ("ForAllValues:StringEquals", "ForAllValues:StringLike"),
    "ForAnyValue:String": ("ForAnyValue:StringEquals", "ForAnyValue:StringLike"),
}
_PATTERNS = {
    "aws:SourceArn": "arn:aws:events:*:*:rule/*",
    "aws:SourceIp": "10.0.0.0/8",
    "aws:PrincipalAccount": "1111*",
    "aws:SourceAccount": "1111*",
    "aws:RequestedRegion": "us-*",
    "aws:TagKeys": "te*",
}


def questions(seeded: random.Random, number: int) -> Iterator[tuple[EvalRequest, Policies]]:
    """So many requests, each with policies of its own."""
    for _ in range(number):
        principal = seeded.choice(PRINCIPALS)
        action, resource, actions = seeded.choice(TARGETS)
        account = STRANGER_ACCOUNT if seeded.random() < 0.1 else ACCOUNT
        request = EvalRequest(
            principal=principal,
            action=action,
            resource=resource,
            account=account if ":s3:::" in resource else "",
            context=_context(seeded, principal),
        )
        person = principal.startswith("arn:")
        # Every key and every role has a policy of its own.
        spoken = 1.0 if action.startswith(("kms:", "sts:")) else 0.75
        yield (
            request,
            Policies(
                identity=_some(seeded, 0.85 if person else 0, actions, resource),
                resource=_some(seeded, spoken, actions, resource, principal=principal) or None,
            ),
        )


def _context(seeded: random.Random, principal: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, (values, _) in KEYS.items():
        if key == "aws:PrincipalAccount":
            if principal.startswith("arn:"):
                found[key] = principal.split(":")[4]
        elif seeded.random() < 0.7:
            value = seeded.choice(values)
            found[key] = [value] if key == "aws:TagKeys" else value
    return found


def _some(
    seeded: random.Random,
    likely: float,
    actions: tuple[str, ...],
    resource: str,
    *,
    principal: str = "",
) -> list[Statement]:
    if seeded.random() >= likely:
        return []
    raw = [_statement(seeded, actions, resource, principal) for _ in range(seeded.randint(1, 3))]
    trust = ":role/" in resource and principal not in ("", "*")
    if trust:
        for statement in raw:
            statement.pop("Resource", None)
            statement.pop("NotResource", None)
    kind: PolicyKind = "trust" if trust else "resource" if principal else "identity"
    found = parse_policy({"Version": "2012-10-17", "Statement": raw}, where="random", kind=kind)
    assert found.problems == []
    return found.statements


def _statement(
    seeded: random.Random, actions: tuple[str, ...], resource: str, principal: str
) -> dict[str, Any]:
    raw: dict[str, Any] = {"Effect": "Deny" if seeded.random() < 0.15 else "Allow"}
    if principal:
        raw["Principal"] = _principal(seeded, principal)
    chosen = seeded.sample(actions, seeded.randint(1, 2))
    raw["NotAction" if seeded.random() < 0.08 else "Action"] = chosen
    head = resource[: max(4, len(resource) - 3)]
    near = seeded.choice([resource, "*", f"{head}*", f"{resource[:-1]}?", f"{resource}x"])
    raw["NotResource" if seeded.random() < 0.05 else "Resource"] = near
    conditions: dict[str, dict[str, list[str]]] = {}
    for key in seeded.sample(sorted(KEYS), seeded.choice([0, 0, 1, 1, 2])):
        operator, values = _condition(seeded, key)
        conditions.setdefault(operator, {})[key] = values
    if conditions:
        raw["Condition"] = conditions
    return raw


def _principal(seeded: random.Random, principal: str) -> Any:
    if principal == "*":
        return "*"
    account = principal.split(":")[4] if principal.startswith("arn:") else ACCOUNT
    kind = "AWS" if principal.startswith("arn:") else "Service"
    return seeded.choice(
        [
            "*",
            {"AWS": "*"},
            {kind: principal},
            {kind: [principal, "events.amazonaws.com"] if kind == "Service" else [principal]},
            {"AWS": f"arn:aws:iam::{account}:root"},
            {"AWS": account},
            {"Service": "lambda.amazonaws.com"},
        ]
    )


def _condition(seeded: random.Random, key: str) -> tuple[str, list[str]]:
    values, kinds = KEYS[key]
    operator = seeded.choice(OPERATORS[seeded.choice(kinds)])
    if seeded.random() < 0.1:
        return "Null", [seeded.choice(["true", "false"])]
    chosen = seeded.sample(values, seeded.choice([1, 1, 2]))
    if ("Like" in operator or "Ip" in operator) and seeded.random() < 0.5:
        chosen = [_PATTERNS[key]]
    if operator == "Bool":
        chosen = chosen[:1]
    # What AWS does with quantifier and IfExists together is not documented; policies here may not.
    suffix = "IfExists" if seeded.random() < 0.15 and ":" not in operator else ""
    return f"{operator}{suffix}", chosen
