"""The engine decides as IAM does, in every combination of policies that templates can have."""

from collections.abc import Sequence
from typing import Any

import pytest

from bedrock_tuning.review.iam.policy import Statement, parse_policy
from bedrock_tuning.review.iam.simulator import (
    EvalDecision,
    EvalRequest,
    ExclusionError,
    Policies,
    decide,
)

A, B = "111122223333", "999999999999"
ROLE = f"arn:aws:iam::{A}:role/r"
OTHER = f"arn:aws:iam::{B}:role/r"
OBJECT = "arn:aws:s3:::bucket/key"
KEY = f"arn:aws:kms:us-east-1:{A}:key/k"


def _statements(*raw: dict[str, Any]) -> Sequence[Statement]:
    document = {"Version": "2012-10-17", "Statement": [{"Resource": "*", **each} for each in raw]}
    return parse_policy(document, where="test").statements


def _allow(action: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, **more}


def _deny(action: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, **more}


ROOT = {"AWS": f"arn:aws:iam::{A}:root"}


@pytest.mark.parametrize(
    ("request_", "policies", "expected"),
    [
        pytest.param(
            EvalRequest(principal=ROLE, action="s3:GetObject", resource=OBJECT, account=A),
            Policies(identity=_statements(_allow("S3:getobject"))),
            EvalDecision.ALLOWED,
            id="identity allows in the own account, actions in any case",
        ),
        pytest.param(
            EvalRequest(principal=ROLE, action="s3:GetObject", resource=OBJECT, account=A),
            Policies(identity=_statements(_allow(), _deny("s3:Get*"))),
            EvalDecision.EXPLICITLY_DENIED,
            id="a refusal wins",
        ),
        pytest.param(
            EvalRequest(principal=ROLE, action="s3:GetObject", resource=OBJECT, account=A),
            Policies(resource=_statements(_allow(Principal={"AWS": ROLE}))),
            EvalDecision.ALLOWED,
            id="a resource's policy alone is enough in the own account",
        ),
        pytest.param(
            EvalRequest(principal=ROLE, action="s3:GetObject", resource=OBJECT, account=A),
            Policies(resource=_statements(_allow(Principal=ROOT))),
            EvalDecision.IMPLICITLY_DENIED,
            id="the own account's name only hands over to identity policies",
        ),
        pytest.param(
            EvalRequest(principal=OTHER, action="s3:GetObject", resource=OBJECT, account=A),
            Policies(identity=_statements(_allow())),
            EvalDecision.IMPLICITLY_DENIED,
            id="from another account both must allow: only identity",
        ),
        pytest.param(
            EvalRequest(principal=OTHER, action="s3:GetObject", resource=OBJECT, account=A),
            Policies(
                identity=_statements(_allow()),
                resource=_statements(_allow(Principal={"AWS": B})),
            ),
            EvalDecision.ALLOWED,
            id="from another account both must allow: both",
        ),
        pytest.param(
            EvalRequest(principal=ROLE, action="kms:Decrypt", resource=KEY),
            Policies(identity=_statements(_allow())),
            EvalDecision.IMPLICITLY_DENIED,
            id="a key's own policy must speak",
        ),
        pytest.param(
            EvalRequest(principal=ROLE, action="kms:Decrypt", resource=KEY),
            Policies(identity=_statements(_allow()), resource=_statements(_allow(Principal=ROOT))),
            EvalDecision.ALLOWED,
            id="a key's policy hands over to the account",
        ),
        pytest.param(
            EvalRequest(principal=ROLE, action="sts:AssumeRole", resource=ROLE),
            Policies(identity=_statements(_allow())),
            EvalDecision.IMPLICITLY_DENIED,
            id="nobody becomes a role that does not trust him",
        ),
        pytest.param(
            EvalRequest(principal="events.amazonaws.com", action="sqs:SendMessage", resource="q"),
            Policies(resource=_statements(_allow(Principal={"Service": "events.amazonaws.com"}))),
            EvalDecision.ALLOWED,
            id="a service that is named",
        ),
        pytest.param(
            EvalRequest(principal="events.amazonaws.com", action="sqs:SendMessage", resource="q"),
            Policies(resource=_statements(_allow(Principal=ROOT))),
            EvalDecision.IMPLICITLY_DENIED,
            id="a service is in no account",
        ),
        pytest.param(
            EvalRequest(
                principal=ROLE,
                action="s3:GetObject",
                resource=OBJECT,
                account=A,
                context={"aws:SecureTransport": "false"},
            ),
            Policies(
                identity=_statements(_allow()),
                resource=_statements(
                    _deny(
                        Principal={"AWS": "*"},
                        Condition={"Bool": {"aws:SecureTransport": False}},
                    )
                ),
            ),
            EvalDecision.EXPLICITLY_DENIED,
            id="plain HTTP is refused to everybody",
        ),
        pytest.param(
            EvalRequest(principal=ROLE, action="iam:CreateUser", resource="*"),
            Policies(
                identity=parse_policy(
                    {
                        "Version": "2012-10-17",
                        "Statement": {"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"},
                    },
                    where="test",
                ).statements
            ),
            EvalDecision.ALLOWED,
            id="NotAction allows whatever else there is",
        ),
    ],
)
def test_decision(request_: EvalRequest, policies: Policies, expected: EvalDecision) -> None:
    assert decide(request_, policies) is expected


def test_decisions_are_called_as_the_simulator_of_iam_calls_them() -> None:
    assert [str(each) for each in EvalDecision] == [
        "Allowed",
        "ImplicitlyDenied",
        "ExplicitlyDenied",
    ]
    assert [bool(each) for each in EvalDecision] == [True, False, False]


def test_what_is_not_understood_raises_instead_of_passing() -> None:
    request = EvalRequest(principal=ROLE, action="s3:GetObject", resource=OBJECT)
    excluded = _statements(_allow(NotPrincipal={"AWS": B}))
    with pytest.raises(ExclusionError, match="NotPrincipal"):
        decide(request, Policies(resource=excluded))
