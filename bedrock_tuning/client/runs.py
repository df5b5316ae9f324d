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

_POLL_SECONDS: Final = 1.0
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
        answers = items(
            deployment,
            "query",
            IndexName="by-customization",
            KeyConditionExpression="customization = :name",
            ExpressionAttributeValues={":name": {"S": customization}},
            ScanIndexForward=False,
            PaginationConfig={"MaxItems": limit},
        )
        own_rows = list(answers)
        if not own_rows:
            deployment.require(customization)
        return _add_places(deployment, _resolve_all(own_rows))
    # Only runs have a customization, so the index holds nothing else.
    all_rows = items(deployment, "scan", IndexName="by-customization")
    newest_first = sorted(all_rows, key=lambda row: str(row["run"]), reverse=True)[:limit]
    return _add_places(deployment, _resolve_all(newest_first))


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
    deployment: DeploymentClient, operation: Literal["query", "scan"], **options: Any
) -> Iterator[dict[str, Any]]:
    """Items of the runs table, all pages of them, with plain values."""
    client, table = deployment.aws.dynamodb, deployment.runs_table
    return map(_row, listed(client, operation, "Items", TableName=table, **options))


def newest(deployment: DeploymentClient, *, customization: str | None) -> str:
    """The newest run's name; raises UserError when there is none."""
    newest_rows = rows(deployment, customization=customization, limit=1)
    if not newest_rows:
        owner = f" of {customization}" if customization else ""
        start = deployment.command(f"upload DATASET -c {customization or 'NAME'}")
        raise UserError(f"no run{owner} yet", fix=f"`{start}` starts one")
    return str(newest_rows[0]["run"])


def newest_before_upload(deployment: DeploymentClient, customization: str) -> str | None:
    """The newest run, "" if there is none; None for callers that may not read the table."""
    newest_rows = _rows_if_allowed(deployment, customization=customization, limit=1)
    if newest_rows is None:
        return None
    return str(newest_rows[0]["run"]) if newest_rows else ""


def first_after(deployment: DeploymentClient, customization: str, *, after: str) -> Row | None:
    """The first admitted run after another one, which an upload starts some seconds later.

    None if none appears within a minute.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        later = [
            run
            for run in rows(deployment, customization=customization, limit=5)
            if str(run["run"]) > after and run.get("training_version")
        ]
        if later:
            return later[-1]
        if time.monotonic() >= deadline:
            return None
        time.sleep(_POLL_SECONDS)


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
        newest_rows = _rows_if_allowed(deployment, customization=None, limit=_KNOWN)
        names = [str(entry["run"]) for entry in newest_rows or ()]
        raise UserError(
            f"unknown run {run} in {deployment.environment}{or_meant(run, names)}",
            fix=f"`{deployment.command('runs')}` lists them",
        )
    return _row(item)


def resolved(deployment: DeploymentClient, run: Row) -> dict[str, Any]:
    """A run as it is now: one that waited for its other manifest is over when another took it."""
    if run["status"] != "waiting":
        return _add_places(deployment, [dict(run)])[0]
    later = items(
        deployment,
        "query",
        IndexName="by-customization",
        KeyConditionExpression="customization = :name AND #run >= :since",
        ExpressionAttributeNames={"#run": "run"},
        ExpressionAttributeValues={
            ":name": {"S": str(run["customization"])},
            ":since": {"S": _second(run)},
        },
    )
    return _resolve(run, list(later))


def _add_places(deployment: DeploymentClient, runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Runs with their place in the queue for a job's slot, if they are in it."""
    if not any(run["status"] == QUEUED for run in runs):
        return runs
    waiting = queue(waiting_runs(open_runs(deployment)))
    places = {
        entry.run: f"number {number} of {len(waiting)}" for number, entry in enumerate(waiting, 1)
    }
    return [{**run, "place": places[run["run"]]} if run["run"] in places else run for run in runs]


def _resolve_all(newest_first: Sequence[Row]) -> list[dict[str, Any]]:
    return [
        _resolve(run, newest_first) if run["status"] == "waiting" else dict(run)
        for run in newest_first
    ]


def _resolve(waiting: Row, others: Sequence[Row]) -> dict[str, Any]:
    """A waiting run, superseded by the first later one that had both manifests.

    Read from the table, not written into it: the run that waits and the run that takes its dataset
    end in any order, and neither has to know of the other. Only admitted runs have a version.
    """
    later = [
        str(run["run"])
        for run in others
        if run["customization"] == waiting["customization"]
        and run.get("training_version")
        and run["run"] != waiting["run"]
        and _second(run) >= _second(waiting)
    ]
    if not later:
        return dict(waiting)
    taker = min(later)
    message = f"the other manifest arrived: run {taker} took this dataset"
    return {**waiting, "status": "superseded", "taken_by": taker, "message": message}


def _second(run: Row) -> str:
    """When a run began, as its name says: 20261121-093000."""
    return str(run["run"])[:15]


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


def lineage(deployment: DeploymentClient, run: Row) -> list[str]:
    """What a run's model builds on, the nearest first, down to the first model that no run made."""
    model = str(run.get("builds_on", ""))
    if not model:
        return []
    all_rows = _rows_if_allowed(deployment, customization=None, limit=_ALL) or ()
    rows_by_model = {str(entry["model_arn"]): entry for entry in all_rows if "model_arn" in entry}
    line: list[str] = []
    while model:
        maker = rows_by_model.pop(model, None)
        line.append(model if maker is None else f"run {maker['run']} of {maker['customization']}")
        model = str((maker or {}).get("builds_on", ""))
    return line


def visible(run: Row) -> dict[str, Any]:
    """A row without what only machines need, in the order in which people ask."""
    subject = ("run", "customization", "status", "place", "message", "approval_reason", "estimate")
    leading = (*subject, "records", "errors", "warnings", "created", "updated")
    values = {name: run[name] for name in leading if name in run}
    hidden = (*_HIDDEN, *(name for name in run if name.startswith(AT)))
    values.update((name, run[name]) for name in sorted(run) if name not in hidden)
    moments = timeline(run)
    if moments:
        values["timeline"] = [f"{moment.at} {moment.what}" for moment in moments]
    values["commit"] = commit_of(run)
    if "hyperparameters" in values:
        values["hyperparameters"] = hyperparameters(run)
    if "decided_about" in values:
        values["decided_about"] = json.loads(values["decided_about"])
    return values


def _row(item: Mapping[str, Any]) -> dict[str, Any]:
    return dict(_values(item))


def _values(item: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    from boto3.dynamodb.types import TypeDeserializer

    deserialize = TypeDeserializer().deserialize
    for name, value in item.items():
        plain = deserialize(value)
        # Counts are stored as decimals, which JSON does not know.
        is_whole = hasattr(plain, "as_integer_ratio") and plain == int(plain)
        yield name, int(plain) if is_whole else plain
