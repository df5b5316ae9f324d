"""The runs table as people see it: rows of runs, newest first."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bedrock_tuning.cli.lookup import demand_deployed
from bedrock_tuning.cli.terminal.errors import CannotRun
from bedrock_tuning.client.deployment import Deployment

Row = Mapping[str, Any]
# What only machines need: keys of the table, and the token whose holder decides about a run.
_HIDDEN = ("id", "approval_token")


def rows(deployment: Deployment, *, customization: str | None, limit: int) -> Sequence[Row]:
    """The newest runs, of one customization or of all; those that ended as waiting are resolved.

    Raises CannotRun for a customization that has no run and is not deployed.
    """
    if customization is not None:
        pages = deployment.aws.dynamodb.get_paginator("query").paginate(
            TableName=deployment.runs_table,
            IndexName="by-customization",
            KeyConditionExpression="customization = :name",
            ExpressionAttributeValues={":name": {"S": customization}},
            ScanIndexForward=False,
            PaginationConfig={"MaxItems": limit},
        )
        own = [_row(item) for page in pages for item in page.get("Items", ())]
        if not own:
            demand_deployed(customization, deployment)
        return _resolved(own)
    # Only runs have a customization, so the index holds nothing else.
    scanned = deployment.aws.dynamodb.get_paginator("scan").paginate(
        TableName=deployment.runs_table, IndexName="by-customization"
    )
    found = [_row(item) for page in scanned for item in page.get("Items", ())]
    return _resolved(sorted(found, key=lambda row: str(row["run"]), reverse=True)[:limit])


def newest(deployment: Deployment, *, customization: str | None) -> str:
    """The newest run's name; raises CannotRun when there is none."""
    found = rows(deployment, customization=customization, limit=1)
    if not found:
        whose = f" of {customization}" if customization else ""
        start = deployment.command(f"upload DATASET -c {customization or 'NAME'}")
        raise CannotRun(f"there is no run{whose} yet", fix=f"`{start}` starts one")
    return str(found[0]["run"])


def chosen(deployment: Deployment, run: str, *, customization: str | None) -> str:
    """The run that an argument names: itself, or the newest one for the word latest.

    Raises CannotRun when there is none, or when a customization is named beside a run.
    """
    if run == "latest":
        return newest(deployment, customization=customization)
    if customization is not None:
        raise CannotRun(
            f"--customization chooses among runs, but {run} is one already",
            fix="leave it out, or write latest instead of the run",
        )
    return run


def row(deployment: Deployment, run: str) -> dict[str, Any]:
    """One run with everything that is stored about it; raises CannotRun for an unknown one."""
    item = deployment.aws.dynamodb.get_item(
        TableName=deployment.runs_table, Key={"id": {"S": f"run#{run}"}}, ConsistentRead=True
    ).get("Item")
    if item is None and run == "latest":
        raise CannotRun(
            "this decides about one run, which has to be named",
            fix=f"`{deployment.command('runs')}` lists them",
        )
    if item is None:
        raise CannotRun(
            f"there is no run {run} in {deployment.environment}",
            fix=f"`{deployment.command('runs')}` lists them",
        )
    return _row(item)


def resolved(deployment: Deployment, found: Row) -> dict[str, Any]:
    """A run as it is now: one that waited for its other manifest is over when another took it."""
    if found["status"] != "waiting":
        return dict(found)
    pages = deployment.aws.dynamodb.get_paginator("query").paginate(
        TableName=deployment.runs_table,
        IndexName="by-customization",
        KeyConditionExpression="customization = :name AND #run >= :since",
        ExpressionAttributeNames={"#run": "run"},
        ExpressionAttributeValues={
            ":name": {"S": str(found["customization"])},
            ":since": {"S": _second(found)},
        },
    )
    later = [_row(item) for page in pages for item in page.get("Items", ())]
    return _taken(found, later)


def _resolved(newest_first: Sequence[Row]) -> list[dict[str, Any]]:
    return [
        _taken(each, newest_first) if each["status"] == "waiting" else dict(each)
        for each in newest_first
    ]


def _taken(waiting: Row, others: Sequence[Row]) -> dict[str, Any]:
    """A waiting run, superseded by the first later one that had both manifests.

    Read from the table, not written into it: the run that waits and the run that takes its dataset
    end in any order, and neither has to know of the other. Only admitted runs have a version.
    """
    later = [
        str(each["run"])
        for each in others
        if each["customization"] == waiting["customization"]
        and each.get("training_version")
        and each["run"] != waiting["run"]
        and _second(each) >= _second(waiting)
    ]
    if not later:
        return dict(waiting)
    taker = min(later)
    message = f"the other manifest came: run {taker} has taken this dataset"
    return {**waiting, "status": "superseded", "taken_by": taker, "message": message}


def _second(found: Row) -> str:
    """When a run began, as its name says: 20261121-093000."""
    return str(found["run"])[:15]


def visible(found: Row) -> dict[str, Any]:
    """A row without what only machines need, in the order in which people ask."""
    about = ("run", "customization", "status", "message", "approval_reason", "estimate")
    first = (*about, "records", "errors", "warnings", "created", "updated")
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
