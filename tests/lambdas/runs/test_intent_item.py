"""The item of what a customization serves: nobody writes over what he has not read."""

from dataclasses import replace

from bedrock_tuning.serving.intent import Intent
from lambdas._records import _intent
from tests.lambdas.aws import Aws

TABLE = "a-table"


def test_each_write_raises_the_version_and_only_the_newest_may_be_written_over(aws: Aws) -> None:
    first = _intent.write(TABLE, Intent(customization="pets"))
    assert first is not None
    second = _intent.write(TABLE, replace(first, on=True))
    assert second is not None
    third = _intent.write(TABLE, replace(second, on=False))

    assert third is not None
    assert [each.version for each in (first, second, third)] == [1, 2, 3]
    for stale in (Intent(customization="pets"), first, second):
        assert _intent.write(TABLE, replace(stale, why="a straggler")) is None
    assert _intent.stored(TABLE, "pets") == third
    assert aws.dynamodb.item("intent#pets")["version"] == 3
