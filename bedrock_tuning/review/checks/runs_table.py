"""Checks of the runs table: it is protected, and has the keys that everybody queries."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bedrock_tuning.review.assembly.json_path import get
from bedrock_tuning.review.check import Evidence, Violation, check, fixed, found

table = fixed(
    "S602",
    "The runs table has recovery and on-demand billing.",
    "AWS::DynamoDB::Table",
    {
        "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled": True,
        "BillingMode": "PAY_PER_REQUEST",
        "TimeToLiveSpecification": None,
    },
    limit="the record of all runs and the lock against double jobs",
    fix="Set it on the table in constructs/storage.py",
)


@check("S613", "The runs table has the keys and indexes that functions and commands query.")
def table_keys(evidence: Evidence) -> Iterator[Violation]:
    table = evidence.contracted.get("runs")
    if table is None:
        return
    keys = {"": _key_names(table.properties)}
    for index in table.properties.get("GlobalSecondaryIndexes", []):
        keys[str(index.get("IndexName"))] = _key_names(index)
        if get(index, "Projection", "ProjectionType") != "ALL":
            keys[f"{index.get('IndexName')} with all attributes"] = ()
    expected = dict(evidence.bound.contracts.table_keys)
    texts = {
        str(attribute.get("AttributeName"))
        for attribute in table.properties.get("AttributeDefinitions", [])
        if attribute.get("AttributeType") == "S"
    }
    if keys != expected or texts != {name for names in expected.values() for name in names}:
        yield found(
            table,
            f"{_keys_in_words(keys)}; texts are {', '.join(sorted(texts)) or 'none'}",
            f"{_keys_in_words(expected)}; all of them texts",
            "Define the table as constructs/storage.py does",
        )


def _key_names(holder: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the partition and the sort key."""
    kinds = ("HASH", "RANGE")
    keys = holder.get("KeySchema", [])
    right = [str(key.get("KeyType")) for key in keys] == list(kinds[: len(keys)])
    return tuple(str(key.get("AttributeName")) for key in keys) if right else ()


def _keys_in_words(keys: Mapping[str, Sequence[str]]) -> str:
    """Keys by index, "" for the table itself: "keys are id; keys of index by-x are x and run"."""
    return "; ".join(
        f"keys {f'of index {index} ' if index else ''}are {' and '.join(names) or 'none'}"
        for index, names in sorted(keys.items())
    )
