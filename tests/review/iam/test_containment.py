"""A policy lies inside its contract exactly when no request shows otherwise, and says what does."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bedrock_tuning.contracts import Condition
from bedrock_tuning.review.assembly.identity import ACCOUNT
from bedrock_tuning.review.iam.containment import beyond, inside, parts, short_of, trust_beyond
from bedrock_tuning.review.iam.policy import Statement
from bedrock_tuning.review.iam.simulator import EvalRequest, Policies
from tests.review.iam.oracle import simulator

READ = Statement(
    where="contract",
    sid="read the dataset",
    effect="Allow",
    actions=("s3:GetObject",),
    resources=("arn:aws:s3:::data/train/*",),
)
ROLE = {"AWS": (f"arn:aws:iam::{ACCOUNT}:role/ours",)}
OTHER = {"AWS": (f"arn:aws:iam::{ACCOUNT}:role/other",)}


def _of(statement: Statement = READ, **more: Any) -> Statement:
    return replace(statement, **{"where": "policy", "sid": "", **more})


def _c(operator: str, key: str, *values: str) -> Condition:
    return Condition(operator=operator, key=key, values=values)


IN_ACCOUNT = _c("StringEquals", "aws:ResourceAccount", ACCOUNT)


@pytest.mark.parametrize(
    "statement",
    [
        _of(),
        _of(actions=("S3:getobject",)),
        _of(resources=("arn:aws:s3:::data/train/x",)),
        _of(resources=("arn:aws:s3:::data/train/*/y", "arn:aws:s3:::data/train/?")),
        _of(conditions=(IN_ACCOUNT,)),
    ],
    ids=[
        "equal",
        "action in another case",
        "one object",
        "two patterns within",
        "a condition more",
    ],
)
def test_nothing_is_beyond_a_contract_that_contains_it(statement: Statement) -> None:
    assert list(beyond([statement], [READ])) == []


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        (_of(actions=("s3:PutObject",)), "policy: s3:PutObject is not in the contract"),
        (_of(actions=("s3:Get*",)), "policy: s3:Get* is not in the contract"),
        (
            _of(resources=("arn:aws:s3:::data/train*",)),
            "policy: s3:GetObject on arn:aws:s3:::data/train*; the contract says "
            "arn:aws:s3:::data/train/*",
        ),
        (
            _of(resources=("arn:aws:s3:::a", "arn:aws:s3:::b", "arn:aws:s3:::c")),
            "policy: s3:GetObject on arn:aws:s3:::a; the contract says "
            "arn:aws:s3:::data/train/* (and on 2 more)",
        ),
        (
            _of(actions=(), not_actions=("s3:GetObject",)),
            "policy: NotAction covers all that is not named, now and later",
        ),
        (
            _of(resources=(), not_resources=("arn:aws:s3:::data/train/*",)),
            "policy: NotResource covers all that is not named, now and later",
        ),
    ],
)
def test_what_is_beyond_a_contract_is_named(statement: Statement, sentence: str) -> None:
    assert list(beyond([statement], [READ])) == [sentence]


def test_a_statement_by_exclusion_does_not_hide_the_ones_after_it() -> None:
    excluding = _of(actions=(), not_actions=("s3:GetObject",))
    assert len(list(beyond([excluding, _of(actions=("s3:PutObject",)), _of()], [READ]))) == 2


def test_each_action_that_is_beyond_has_a_sentence_of_its_own() -> None:
    statement = _of(actions=("s3:PutObject", "s3:GetObject", "s3:DeleteObject"))
    assert [line.split()[1] for line in beyond([statement], [READ])] == [
        "s3:PutObject",
        "s3:DeleteObject",
    ]


def test_a_missing_condition_is_beyond_the_contract_and_both_are_printed_as_iam_has_them() -> None:
    (line,) = beyond([_of()], [_of(conditions=(IN_ACCOUNT,))])
    assert line == (
        "policy: s3:GetObject on arn:aws:s3:::data/train/* without conditions; the contract says "
        "if aws:ResourceAccount = this account"
    )


def test_two_narrow_contracts_do_not_add_up_to_a_wide_statement() -> None:
    halves = [_of(resources=("arn:aws:s3:::data/train/a*",)), _of(conditions=(IN_ACCOUNT,))]
    assert list(beyond([_of()], halves))


@pytest.mark.parametrize(
    ("theirs", "contracted", "named"),
    [
        (OTHER, ROLE, "AWS arn:aws:iam::111122223333:role/other"),
        (None, ROLE, "the role itself"),
        ({"AWS": ("*",)}, ROLE, "AWS *"),
        ({"Service": (ROLE["AWS"][0],)}, ROLE, f"Service {ROLE['AWS'][0]}"),
    ],
)
def test_a_statement_for_somebody_else_says_for_whom(
    theirs: Any, contracted: Any, named: str
) -> None:
    (line,) = beyond([_of(principals=theirs)], [_of(principals=contracted)])
    assert f" for {named}; the contract says {'AWS ' + ROLE['AWS'][0]}" in line


def test_a_statement_for_everybody_but_somebody_is_in_no_contract() -> None:
    excluding = _of(principals=None, not_principals=ROLE)
    assert list(beyond([excluding], [READ]))


def test_a_statement_for_one_of_those_the_contract_names_is_inside() -> None:
    both = {"AWS": (*ROLE["AWS"], *OTHER["AWS"])}
    assert inside(_of(principals=ROLE), *next(parts(READ)), [_of(principals=both)])
    assert not inside(_of(principals=both), *next(parts(READ)), [_of(principals=ROLE)])


@pytest.mark.parametrize(
    "statement",
    [
        _of(),
        _of(actions=("s3:*",), resources=("*",)),
        _of(resources=("arn:aws:s3:::data/*", "arn:aws:s3:::other")),
    ],
)
def test_nothing_is_missing_where_a_statement_contains_the_contract(statement: Statement) -> None:
    assert list(short_of([READ], [statement])) == []


@pytest.mark.parametrize(
    "statement",
    [
        _of(actions=("s3:PutObject",)),
        _of(resources=("arn:aws:s3:::data/train/x",)),
        _of(conditions=(IN_ACCOUNT,)),
        _of(actions=(), not_actions=("s3:PutObject",)),
        _of(resources=(), not_resources=("arn:aws:s3:::other",)),
        _of(principals=OTHER),
    ],
    ids=["action", "resource", "condition", "NotAction", "NotResource", "principal"],
)
def test_a_contract_that_no_statement_contains_is_missing(statement: Statement) -> None:
    assert list(short_of([READ], [statement])) == [
        "s3:GetObject on arn:aws:s3:::data/train/* without conditions is missing: read the dataset"
    ]


@pytest.mark.parametrize(
    ("principals", "missing"),
    [({"AWS": ("*",)}, 0), (ROLE, 1), ({"Service": ("s3.amazonaws.com",)}, 1), (None, 1)],
    ids=["everybody", "one role", "a service", "nobody"],
)
def test_a_refusal_to_everybody_is_kept_only_by_one_that_speaks_to_everybody(
    principals: Any, missing: int
) -> None:
    promised = _of(effect="Deny", principals={"AWS": ("*",)})
    assert len(list(short_of([promised], [_of(effect="Deny", principals=principals)]))) == missing


SOURCE = (_c("StringEquals", "aws:SourceAccount", ACCOUNT),)


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        ({}, 0),
        ({"principals": {"Service": ("ec2.amazonaws.com",)}}, 2),
        ({"principals": {"Service": ("bedrock.amazonaws.com", "ec2.amazonaws.com")}}, 1),
        ({"conditions": ()}, 1),
        ({"conditions": (*SOURCE, IN_ACCOUNT)}, 1),
        ({"effect": "Deny"}, 1),
        ({"actions": ("sts:*",)}, 1),
    ],
)
def test_a_trust_policy_lets_in_one_service_under_its_conditions(
    change: dict[str, Any], problems: int
) -> None:
    trust = Statement(
        where="trust",
        sid="",
        effect="Allow",
        principals={"Service": ("bedrock.amazonaws.com",)},
        actions=("sts:AssumeRole",),
        conditions=SOURCE,
    )
    found = trust_beyond([replace(trust, **change)], "bedrock.amazonaws.com", SOURCE)
    assert len(list(found)) == problems


# Patterns that lie in each other in many ways, and the requests that tell them apart.
_ACTIONS = ("s3:GetObject", "s3:Get*", "s3:*", "s3:PutObject", "S3:getobject", "s3:?etObject")
_KEYS = ("train/*", "train*", "train/a", "*", "train/?", "trai?/*", "*/a")
_CONDITIONS: tuple[tuple[Condition, ...], ...] = (
    (),
    (_c("StringEquals", "aws:RequestedRegion", "us-east-1"),),
    (_c("StringEquals", "aws:RequestedRegion", "us-east-1", "eu-west-1"),),
    (_c("StringLike", "aws:RequestedRegion", "us-*"),),
    (_c("StringNotEquals", "aws:RequestedRegion", "us-east-1"),),
    (_c("StringNotLike", "aws:RequestedRegion", "us-*"),),
    (_c("StringEqualsIfExists", "aws:RequestedRegion", "us-east-1"),),
    (_c("ArnLike", "aws:SourceArn", "arn:aws:s3:*:*:a*"),),
    (_c("ArnNotLike", "aws:SourceArn", "arn:aws:s3:*:*:a*"),),
    (_c("ArnEquals", "aws:SourceArn", "arn:aws:s3:::a"),),
    (_c("Bool", "aws:SecureTransport", "true"),),
    (_c("Null", "aws:SourceArn", "true"),),
)


def _random(seeded: random.Random) -> Statement:
    return Statement(
        where="random",
        sid="",
        effect="Allow",
        actions=(seeded.choice(_ACTIONS),),
        resources=tuple(f"arn:aws:s3:::data/{key}" for key in seeded.sample(_KEYS, 2)),
        conditions=seeded.choice(_CONDITIONS),
    )


def _requests() -> Iterator[EvalRequest]:
    for action in ("s3:GetObject", "s3:PutObject"):
        for key in ("train/a", "train/ab", "trainer", "other/a"):
            for region in ("us-east-1", "us-west-2", "eu-west-1"):
                for source in (None, "arn:aws:s3:::a", "arn:aws:s3:::b"):
                    context = {"aws:RequestedRegion": region, "aws:SecureTransport": "true"}
                    yield EvalRequest(
                        principal=ROLE["AWS"][0],
                        action=action,
                        resource=f"arn:aws:s3:::data/{key}",
                        context={**context, **({"aws:SourceArn": source} if source else {})},
                        account=ACCOUNT,
                    )


def test_the_public_simulator_allows_nothing_that_a_containing_contract_does_not() -> None:
    """Every pair that containment accepts, asked with requests that tell its patterns apart."""
    seeded = random.Random(20261126)  # noqa: S311
    pairs = [(_random(seeded), _random(seeded)) for _ in range(2_000)]
    contained = [(a, b) for a, b in pairs if a != b and not list(beyond([a], [b]))]
    assert len(contained) > 20
    requests = list(_requests())
    asked = [
        (request, inner, outer)
        for inner, outer in contained[:60]
        for request in seeded.sample(requests, 15)
    ]
    allowed = [
        answer.decision == "Allowed"
        for answer in simulator.ask(
            [
                (request, Policies(identity=[statement]))
                for request, *pair in asked
                for statement in pair
            ],
            account=ACCOUNT,
        )
    ]
    by_inner, by_outer = allowed[::2], allowed[1::2]
    assert sum(by_inner) > 50
    gaps = [q for q, a, b in zip(asked, by_inner, by_outer, strict=True) if a and not b]
    assert gaps == []
