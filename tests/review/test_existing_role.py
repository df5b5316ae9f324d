"""A service role that exists already is judged as one that a stack makes, by what IAM says."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from bedrock_tuning.config import customization
from bedrock_tuning.config.settings import check
from bedrock_tuning.contracts import contracts
from bedrock_tuning.review.existing import Judged, Owned

HERE = "111122223333"
ROLE = f"arn:aws:iam::{HERE}:role/ml/BedrockCustomization"
PETS = (
    'description = "Ron and Smila"\nbase_model = "nova-micro"\n[job]\n'
    f'output_folder = "marketing/ron"\nservice_role = "{ROLE}"\n'
)
DEPLOYED = {
    **{kind: f"arn:aws:s3:::dev-{kind}" for kind in ("training", "validation", "output")},
    "data-key": f"arn:aws:kms:us-east-1:{HERE}:key/0e3ab5a8-0000-4000-8000-000000000000",
    "model-key": f"arn:aws:kms:us-east-1:{HERE}:key/1e3ab5a8-0000-4000-8000-000000000000",
}
NAME = "role.bedrock.pets"

Change = Callable[[dict[str, Any]], None]


def _owned(deployed: Mapping[str, str] = DEPLOYED) -> Owned:
    dev = {"region": "us-east-1", "model_key": True}
    chosen = check({"environment": "dev", "environments": {"dev": dev}}).settings
    assert chosen is not None
    pets = customization.load(PETS, file="customizations/pets.toml")
    return Owned(
        contracts=contracts(chosen, {"pets": pets}),
        region="us-east-1",
        account=HERE,
        deployed=deployed,
    )


def _judged(change: Change = lambda _: None, deployed: Mapping[str, str] = DEPLOYED) -> Judged:
    """The role with the policies that preflight asks for, but for a change."""
    role = _owned().role_policies(NAME)
    change(role)
    return _owned(deployed).judge(
        NAME, trust=json.dumps(role["trust"]), policies=[json.dumps(role["permissions"])]
    )


def test_its_arn_is_the_one_that_the_file_names() -> None:
    assert _owned().roles() == {NAME: ROLE}


def test_a_role_with_the_policies_that_preflight_asks_for_is_as_it_has_to_be() -> None:
    assert _judged() == Judged(lacks=[], wider=[])


def test_each_statement_is_needed() -> None:
    number = len(_owned().role_policies(NAME)["permissions"]["Statement"])
    assert number > 5
    for index in range(number):

        def without(role: dict[str, Any], index: int = index) -> None:
            del role["permissions"]["Statement"][index]

        assert _judged(without).lacks


def _trust(role: dict[str, Any]) -> dict[str, Any]:
    (statement,) = role["trust"]["Statement"]
    found: dict[str, Any] = statement
    return found


def _any_account(role: dict[str, Any]) -> None:
    del _trust(role)["Condition"]["StringEquals"]


def _any_resource(role: dict[str, Any]) -> None:
    del _trust(role)["Condition"]["ArnLike"]


def _whole_account(role: dict[str, Any]) -> None:
    _trust(role)["Principal"] = {"AWS": f"arn:aws:iam::{HERE}:root"}


def _another_account(role: dict[str, Any]) -> None:
    _trust(role)["Condition"]["StringEquals"]["aws:SourceAccount"] = "444455556666"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_any_account, "sts:AssumeRole on * if aws:SourceArn like"),
        (_any_resource, "sts:AssumeRole on * if aws:SourceAccount = this account; the contract"),
        (_whole_account, "sts:AssumeRole for AWS arn:aws:iam::111122223333:root"),
        (_another_account, "aws:SourceAccount = 444455556666"),
    ],
)
def test_whoever_could_assume_it_besides_is_a_problem(change: Change, says: str) -> None:
    assert says in " ".join(_judged(change).lacks)


def test_what_it_may_do_besides_is_a_warning_and_not_a_problem() -> None:
    """As the role that the console makes: it reads whole buckets."""

    def wide(role: dict[str, Any]) -> None:
        statements = role["permissions"]["Statement"]
        buckets = [
            f"{DEPLOYED[kind]}{tail}"
            for kind in ("training", "validation", "output")
            for tail in ("", "/*")
        ]
        both = [*buckets, *(f"{each}/*" for each in buckets)]
        mine = {"StringEquals": {"aws:PrincipalAccount": HERE}}
        s3 = ["s3:GetObject", "s3:ListBucket", "s3:PutObject"]
        everything = {"Effect": "Allow", "Action": s3, "Resource": both, "Condition": mine}
        keys = [each for each in statements if "kms:" in str(each["Action"])]
        role["permissions"]["Statement"] = [everything, *keys]

    found = _judged(wide)
    assert found.lacks == []
    assert any("s3:GetObject on arn:aws:s3:::dev-training" in each for each in found.wider)


def test_a_denial_is_left_to_iam_and_said() -> None:
    def denying(role: dict[str, Any]) -> None:
        denied = {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}
        role["permissions"]["Statement"].append(denied)

    (said,) = _judged(denying).wider
    assert "is a Deny, which IAM alone judges" in said


def test_before_the_platform_is_deployed_only_its_trust_is_judged() -> None:
    (first,) = _judged(deployed={}).lacks
    assert first.startswith("what it may do cannot be judged before data-key, model-key, output,")
    _, again = _judged(_any_account, deployed={}).lacks[-2:]
    assert again == first
