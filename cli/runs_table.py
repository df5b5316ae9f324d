"""The runs table as people see it: rows of runs, newest first."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cli.deployment import Deployment
from cli.errors import CannotRun

Row = Mapping[str, Any]
# What only machines need: keys of the table, and the token whose holder decides about a run.
_HIDDEN = ("id", "approval_token")


def rows(deployment: Deployment, *, customization: str | None, limit: int) -> Sequence[Row]:
    """The newest runs, of one customization or of all."""
    if customization is not None:
        pages = deployment.aws.dynamodb.get_paginator("query").paginate(
            TableName=deployment.runs_table,
            IndexName="by-customization",
            KeyConditionExpression="customization = :name",
            ExpressionAttributeValues={":name": {"S": customization}},
            ScanIndexForward=False,
            PaginationConfig={"MaxItems": limit},
        )
        return [_row(item) for page in pages for item in page.get("Items", ())]
    # Only runs have a customization, so the index holds nothing else.
    scanned = deployment.aws.dynamodb.get_paginator("scan").paginate(
        TableName=deployment.runs_table, IndexName="by-customization"
    )
    found = [_row(item) for page in scanned for item in page.get("Items", ())]
    return sorted(found, key=lambda row: str(row["run"]), reverse=True)[:limit]


def row(deployment: Deployment, run: str) -> dict[str, Any]:
    """One run with everything that is stored about it; raises CannotRun for an unknown one."""
    item = deployment.aws.dynamodb.get_item(
        TableName=deployment.runs_table, Key={"id": {"S": f"run#{run}"}}, ConsistentRead=True
    ).get("Item")
    if item is None:
        raise CannotRun(
            f"there is no run {run} in {deployment.environment}",
            fix="`tuning runs` lists them",
        )
    return _row(item)


def visible(found: Row) -> dict[str, Any]:
    """A row without what only machines need, in the order in which people ask."""
    first = ("run", "customization", "status", "message", "created", "updated")
    shown = {name: found[name] for name in first if name in found}
    shown.update((name, found[name]) for name in sorted(found) if name not in _HIDDEN)
    return shown


def _row(item: Mapping[str, Any]) -> dict[str, Any]:
    return dict(_values(item))


def _values(item: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    from boto3.dynamodb.types import TypeDeserializer

    read = TypeDeserializer().deserialize
    for name, value in item.items():
        plain = read(value)
        # Counts are stored as decimals, which JSON does not know.
        whole = hasattr(plain, "as_integer_ratio") and plain == int(plain)
        yield name, int(plain) if whole else plain
