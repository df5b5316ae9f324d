"""The runs table: one item per run, and the two kinds of keys that make ten events one job."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from bedrock_tuning.run import row
from bedrock_tuning.run.items import CLAIM, KEY, RUN
from bedrock_tuning.sources.listing import listed
from lambdas import _aws

_ID: Final = "id"
# Runs that have not ended are in this index of the table, and, under another value, those that have
# and about which people may not have been told.
OPEN_RUNS: Final = "open"
_OPEN: Final = {"open": "yes"}
_UNTOLD: Final = {"open": "untold"}
_ENDED: Final = "ended"
# Of a run that ended before its job, as far as it knew.
UNWATCHED: Final = "unwatched"
_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


def now() -> str:
    """This moment, ISO 8601 in UTC to the second: it sorts, and it is a legal tag value."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def put_if(table: str, values: Mapping[str, Any], *, has: Mapping[str, Any] | None = None) -> bool:
    """Whether an item was written; False if the one that is there has other values.

    has: what it must have; None for an item that must not be there yet.
    boto3 repeats a call whose answer was lost, and then the condition fails against the first
    write: so whether it holds is read from the table.
    """
    present = {name: value for name, value in values.items() if value is not None}
    condition: dict[str, Any] = {"ConditionExpression": f"attribute_not_exists({_ID})"}
    if has is not None:
        condition = {
            "ConditionExpression": " AND ".join(f"#{name} = :{name}" for name in has),
            "ExpressionAttributeNames": {f"#{name}": name for name in has},
            "ExpressionAttributeValues": {f":{k}": _serialize(v) for k, v in has.items()},
        }
    item = {name: _serialize(value) for name, value in present.items()}
    response = _aws.none_if(
        "ConditionalCheckFailedException",
        lambda: _aws.dynamodb().put_item(TableName=table, Item=item, **condition),
    )
    return response is not None or get(table, str(values[_ID])) == present


def get(table: str, key: str) -> dict[str, Any] | None:
    """Any item of the table as it is now; None if there is none."""
    answer = _aws.dynamodb().get_item(TableName=table, Key={_ID: {"S": key}}, ConsistentRead=True)
    item = answer.get("Item")
    return {name: _deserialize(value) for name, value in item.items()} if item else None


def claim_upload(table: str, *, claim: str, run: str, execution: str) -> str | None:
    """Claims an upload for an execution; returns the run that has it already, else None.

    An execution that asks again, because the first answer was lost, finds its own claim.
    """
    item = {_ID: f"{CLAIM}{claim}", "run": run, "execution": execution, "created": now()}
    if put_if(table, item):
        return None
    owner = get(table, f"{CLAIM}{claim}") or {}
    return None if owner.get("execution") == execution else str(owner.get("run", "unknown"))


def start_run(table: str, *, run: str, customization: str, **values: Any) -> None:
    """Writes the item of a run; a second call for the same run changes nothing."""
    item = {
        _ID: f"{RUN}{run}",
        "run": run,
        "customization": customization,
        "created": now(),
        "updated": now(),
        **_OPEN,
        **values,
    }
    if "status" in values:
        item[row.at(values["status"])] = now()
    put_if(table, item)


def update_run(table: str, run: str, **values: Any) -> None:
    """Sets attributes of a run that has not ended; one whose value is None stays as it is.

    A function that outlives its aborted execution changes nothing any more, and one that serves for
    a person or a deployment, which have no item yet, makes none.
    """
    condition = f"attribute_exists({_ID}) AND attribute_not_exists({_ENDED})"
    _aws.none_if(
        "ConditionalCheckFailedException",
        lambda: _update(table, f"{RUN}{run}", values, ConditionExpression=condition),
    )


def resume_run(table: str, run: str, **values: Any) -> None:
    """Sets attributes of a run that goes on, whether it had ended or not; its job is known."""
    _update(table, f"{RUN}{run}", {**values, **_OPEN}, remove=(_ENDED, UNWATCHED))


def close_run(table: str, run: str, *, told: bool = True, **values: Any) -> None:
    """Sets how a run ended. Nobody approves it any more. told: False if a message follows."""
    changes = {**values, _ENDED: now(), **({} if told else _UNTOLD)}
    _update(table, f"{RUN}{run}", changes, remove=tuple(_OPEN) if told else ())


def was_told(table: str, run: str) -> None:
    """Notes that people know how a run ended."""
    _update(table, f"{RUN}{run}", {}, remove=tuple(_UNTOLD))


def _update(
    table: str, key: str, values: Mapping[str, Any], remove: Sequence[str] = (), **options: Any
) -> None:
    changes = {"updated": now(), **{k: v for k, v in values.items() if v is not None}}
    sets = [f"#{k} = :{k}" for k in changes]
    if "status" in changes:
        # When a run came to it, not when a call was repeated.
        reached = row.at(changes["status"])
        changes[reached] = now()
        sets.append(f"#{reached} = if_not_exists(#{reached}, :{reached})")
    expression = f"SET {', '.join(sets)}"
    if remove:
        expression += " REMOVE " + ", ".join(f"#{k}" for k in remove)
    _aws.dynamodb().update_item(
        TableName=table,
        Key={_ID: {"S": key}},
        UpdateExpression=expression,
        ExpressionAttributeNames={f"#{k}": k for k in (*changes, *remove)},
        ExpressionAttributeValues={f":{k}": _serialize(v) for k, v in changes.items()},
        **options,
    )


def open_runs(table: str) -> Iterator[dict[str, Any]]:
    """The items of all runs that have not ended, the oldest first."""
    return _query(table, OPEN_RUNS, "open", _OPEN["open"])


def untold_runs(table: str) -> Iterator[dict[str, Any]]:
    """The items of the runs that have ended, with a message that may not have been sent."""
    return _query(table, OPEN_RUNS, "open", _UNTOLD["open"])


def runs_of(table: str, customization: str) -> Iterator[dict[str, Any]]:
    """The items of all runs of a customization."""
    return _query(table, "by-customization", "customization", customization)


def _query(table: str, index: str, name: str, value: str) -> Iterator[dict[str, Any]]:
    """The items that an index has under a value of an attribute."""
    for item in listed(
        _aws.dynamodb(),
        "query",
        "Items",
        TableName=table,
        IndexName=index,
        KeyConditionExpression="#name = :value",
        ExpressionAttributeNames={"#name": name},
        ExpressionAttributeValues={":value": {"S": value}},
    ):
        yield {name: _deserialize(value) for name, value in item.items()}


def rename_run(table: str, run: str, customization: str) -> None:
    """Makes a run another customization's."""
    _update(table, f"run#{run}", {"customization": customization})


def item_of(table: str, run: str) -> dict[str, Any] | None:
    """A run's item as it is now; None for an unknown run."""
    return get(table, f"{RUN}{run}")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkLock:
    """The lock on a run key. state: "training", "trained" or "failed"; run: its owner.

    Its owner's item names the execution, with whose end the lock ends.
    """

    state: str
    run: str
    attempt: int
    since: str
    job_name: str
    model_arn: str | None = None


def acquire_lock(table: str, *, key: str, run: str, job_name: str) -> WorkLock:
    """Locks a run key; returns its lock now: of this run, or of another that was first.

    A run that asks again finds its own lock, with the attempt that it had.
    """
    item = _lock_item(key, run=run, job_name=job_name, attempt=1)
    put_if(table, item)
    lock = lock_of(table, key)
    if lock is None:
        raise RuntimeError(f"{KEY}{key} vanished from {table}: its items are never deleted")
    return lock


def take_over(table: str, *, key: str, run: str, job_name: str, after: WorkLock) -> WorkLock | None:
    """Takes over the lock of a run whose work came to nothing; None if another run was faster."""
    item = _lock_item(key, run=run, job_name=job_name, attempt=after.attempt + 1)
    return lock_of(table, key) if put_if(table, item, has={"run": after.run}) else None


def lock_of(table: str, key: str) -> WorkLock | None:
    """The lock on a run key now."""
    item = get(table, f"{KEY}{key}")
    if item is None:
        return None
    return WorkLock(
        state=item["state"],
        run=item["run"],
        attempt=int(item["attempt"]),
        since=item["since"],
        job_name=item["job_name"],
        model_arn=item.get("model_arn"),
    )


def keep_lock(table: str, *, key: str, run: str) -> str | None:
    """Makes sure that a run's lock is still its own; returns the run that has it now, else None.

    Its own lock holds again if it was released, as before an execution that is redriven.
    """
    lock = lock_of(table, key)
    if lock is None:
        raise RuntimeError(f"{KEY}{key} vanished from {table}: its items are never deleted")
    if lock.run != run or lock.state == "training":
        return None if lock.run == run else lock.run
    item = _lock_item(key, run=run, job_name=lock.job_name, attempt=lock.attempt)
    return None if put_if(table, item, has={"run": run}) else "another"


def release_work(table: str, *, key: str, run: str) -> None:
    """Lets others have the work of a run that ended, if it was still about to be done."""
    lock = lock_of(table, key)
    if lock is not None and lock.run == run and lock.state == "training":
        finish_work(table, key=key, run=run, state="failed", model_arn=None)


def finish_work(table: str, *, key: str, run: str, state: str, model_arn: str | None) -> None:
    """Records what became of the work, if this run still owns the lock."""
    lock = lock_of(table, key)
    if lock is None or lock.run != run:
        return
    item = _lock_item(key, run=run, job_name=lock.job_name, attempt=lock.attempt)
    put_if(table, {**item, "state": state, "model_arn": model_arn}, has={"run": run})


def _lock_item(key: str, *, run: str, job_name: str, attempt: int) -> dict[str, Any]:
    return {
        _ID: f"{KEY}{key}",
        "run": run,
        "job_name": job_name,
        "attempt": attempt,
        "state": "training",
        "since": now(),
    }
