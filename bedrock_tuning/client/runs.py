"""The runs table as people see it: rows of runs, newest first."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from bedrock_tuning.client.deployment import DeploymentClient
from bedrock_tuning.errors import UserError
from bedrock_tuning.run.items import RUN
from bedrock_tuning.run.job_queue import QUEUED, queue
from bedrock_tuning.run.job_queue import waiting as waiting_runs
from bedrock_tuning.run.row import AT, Row, commit_of, hyperparameters, timeline
from bedrock_tuning.sources.listing import listed
from bedrock_tuning.wording import or_meant

POLL_SECONDS: Final = 1.0
# An event takes seconds; a function that starts cold some more.
_PATIENCE_SECONDS: Final = 60.0
# Among how many of the newest runs a misspelled one is sought.
_KNOWN: Final = 200
# More than any account has custom models.
_ALL: Final = 100_000

# What people need only to look into AWS themselves.
TECHNICAL: Final = (
    *("commit", "decided_about", "decided_price", "execution", "job_name", "run_key"),
    *("settings_version", "training_version", "validation_version"),
)
# What only machines need.
_HIDDEN = ("id", "open", "turn", "watched_since", "ended", "unwatched")


def rows(deployment: DeploymentClient, *, customization: str | None, limit: int) -> Sequence[Row]:
    """The newest runs, of one customization or of all; those that ended as waiting are resolved.

    Those that are queued have their "place": "number 3 of 48".
    Raises UserError for a customization that has no run and is not deployed.
    """
    if customization is not None:
        asked = items(
            deployment,
            "query",
            IndexName="by-customization",
            KeyConditionExpression="customization = :name",
            ExpressionAttributeValues={":name": {"S": customization}},
            ScanIndexForward=False,
            PaginationConfig={"MaxItems": limit},
        )
        own = list(asked)
        if not own:
            deployment.require(customization)
        return _placed(deployment, _resolved(own))
    # Only runs have a customization, so the index holds nothing else.
    found = items(deployment, "scan", IndexName="by-customization")
    newest_first = sorted(found, key=lambda row: str(row["run"]), reverse=True)[:limit]
    return _placed(deployment, _resolved(newest_first))


def open_runs(deployment: DeploymentClient) -> Iterator[dict[str, Any]]:
    """What the index of runs that have not ended has of them."""
    return items(
        deployment,
        "query",
        IndexName="open",
        KeyConditionExpression="#open = :open",
        ExpressionAttributeNames={"#open": "open"},
        ExpressionAttributeValues={":open": {"S": "yes"}},
    )


def items(
    deployment: DeploymentClient, operation: Literal["query", "scan"], **asked: Any
) -> Iterator[dict[str, Any]]:
    """Items of the runs table, all pages of them, with plain values."""
    client, table = deployment.aws.dynamodb, deployment.runs_table
    return map(_row, listed(client, operation, "Items", TableName=table, **asked))


def newest(deployment: DeploymentClient, *, customization: str | None) -> str:
    """The newest run's name; raises UserError when there is none."""
    found = rows(deployment, customization=customization, limit=1)
    if not found:
        whose = f" of {customization}" if customization else ""
        start = deployment.command(f"upload DATASET -c {customization or 'NAME'}")
        raise UserError(f"no run{whose} yet", fix=f"`{start}` starts one")
    return str(found[0]["run"])


def newest_before_upload(deployment: DeploymentClient, customization: str) -> str | None:
    """The newest run, "" if there is none; None for callers that may not read the table."""
    found = _rows_if_allowed(deployment, customization=customization, limit=1)
    if found is None:
        return None
    return str(found[0]["run"]) if found else ""


def first_after(deployment: DeploymentClient, customization: str, *, after: str) -> Row | None:
    """The first admitted run after another one, which an upload starts some seconds later.

    None if none appears within a minute.
    """
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        later = [
            each
            for each in rows(deployment, customization=customization, limit=5)
            if str(each["run"]) > after and each.get("training_version")
        ]
        if later:
            return later[-1]
        if time.monotonic() >= until:
            return None
        time.sleep(POLL_SECONDS)


def chosen(deployment: DeploymentClient, run: str, *, customization: str | None) -> str:
    """The run that an argument names: itself, or the newest one for the word latest.

    Raises UserError when there is none, or when a customization is named beside a run.
    """
    if run == "latest":
        return newest(deployment, customization=customization)
    if customization is not None:
        raise UserError(
            f"--customization chooses among runs, but {run} already names one",
            fix="omit it, or write latest instead of the run",
        )
    return run


def row(deployment: DeploymentClient, run: str) -> dict[str, Any]:
    """One run with everything that is stored about it; raises UserError for an unknown one."""
    item = deployment.aws.dynamodb.get_item(
        TableName=deployment.runs_table, Key={"id": {"S": f"{RUN}{run}"}}, ConsistentRead=True
    ).get("Item")
    if item is None and run == "latest":
        raise UserError(
            "this command needs the name of a run, not latest",
            fix=f"`{deployment.command('runs')}` lists them",
        )
    if item is None:
        newest = _rows_if_allowed(deployment, customization=None, limit=_KNOWN)
        known = [str(each["run"]) for each in newest or ()]
        raise UserError(
            f"unknown run {run} in {deployment.environment}{or_meant(run, known)}",
            fix=f"`{deployment.command('runs')}` lists them",
        )
    return _row(item)


def resolved(deployment: DeploymentClient, found: Row) -> dict[str, Any]:
    """A run as it is now: one that waited for its other manifest is over when another took it."""
    if found["status"] != "waiting":
        return _placed(deployment, [dict(found)])[0]
    later = items(
        deployment,
        "query",
        IndexName="by-customization",
        KeyConditionExpression="customization = :name AND #run >= :since",
        ExpressionAttributeNames={"#run": "run"},
        ExpressionAttributeValues={
            ":name": {"S": str(found["customization"])},
            ":since": {"S": _second(found)},
        },
    )
    return _taken(found, list(later))


def _placed(deployment: DeploymentClient, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Runs with their place in the queue for a job's slot, if they are in it."""
    if not any(each["status"] == QUEUED for each in found):
        return found
    waiting = queue(waiting_runs(open_runs(deployment)))
    places = {
        each.run: f"number {number} of {len(waiting)}" for number, each in enumerate(waiting, 1)
    }
    return [
        {**each, "place": places[each["run"]]} if each["run"] in places else each for each in found
    ]


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
    message = f"the other manifest arrived: run {taker} took this dataset"
    return {**waiting, "status": "superseded", "taken_by": taker, "message": message}


def _second(found: Row) -> str:
    """When a run began, as its name says: 20261121-093000."""
    return str(found["run"])[:15]


def _rows_if_allowed(
    deployment: DeploymentClient, *, customization: str | None, limit: int
) -> Sequence[Row] | None:
    """As `rows`; None for who may not list them, perhaps those of one customization only."""
    from botocore.exceptions import ClientError

    try:
        return rows(deployment, customization=customization, limit=limit)
    except ClientError as error:
        if not error.response["Error"]["Code"].startswith("AccessDenied"):
            raise
        return None


def lineage(deployment: DeploymentClient, found: Row) -> list[str]:
    """What a run's model builds on, the nearest first, down to the first model that no run made."""
    wanted = str(found.get("builds_on", ""))
    if not wanted:
        return []
    every = _rows_if_allowed(deployment, customization=None, limit=_ALL) or ()
    made = {str(each["model_arn"]): each for each in every if "model_arn" in each}
    line: list[str] = []
    while wanted:
        maker = made.pop(wanted, None)
        line.append(wanted if maker is None else f"run {maker['run']} of {maker['customization']}")
        wanted = str((maker or {}).get("builds_on", ""))
    return line


def visible(found: Row) -> dict[str, Any]:
    """A row without what only machines need, in the order in which people ask."""
    about = ("run", "customization", "status", "place", "message", "approval_reason", "estimate")
    first = (*about, "records", "errors", "warnings", "created", "updated")
    shown = {name: found[name] for name in first if name in found}
    left = (*_HIDDEN, *(name for name in found if name.startswith(AT)))
    shown.update((name, found[name]) for name in sorted(found) if name not in left)
    moments = timeline(found)
    if moments:
        shown["timeline"] = [f"{moment.at} {moment.what}" for moment in moments]
    shown["commit"] = commit_of(found)
    if "hyperparameters" in shown:
        shown["hyperparameters"] = hyperparameters(found)
    if "decided_about" in shown:
        shown["decided_about"] = json.loads(shown["decided_about"])
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
