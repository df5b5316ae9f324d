"""The parameters that applications read: whose they are, and what they are called."""

from lambdas._records import _pointers
from tests.lambdas.aws import PREFIX, Aws


def test_a_pointer_is_its_customizations_whatever_else_lies_below_it(aws: Aws) -> None:
    aws.ssm.values = {f"{PREFIX}/pets/endpoint": "arn", f"{PREFIX}/pets/mine/too": "x"}

    assert list(_pointers.every(PREFIX)) == [("pets", "endpoint", "arn"), ("pets", "mine/too", "x")]


def test_a_pointer_is_withdrawn_only_from_what_it_points_to(aws: Aws) -> None:
    _pointers.publish(PREFIX, "pets", "endpoint", "new")

    _pointers.withdraw_from(PREFIX, "pets", "endpoint", "old")
    assert aws.pointer("endpoint", "pets") == "new"
    _pointers.withdraw_from(PREFIX, "pets", "endpoint", "new")
    assert aws.pointer("endpoint", "pets") is None
