"""The runs table: one item per run, and the two kinds of keys that make ten events one job."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from lambdas import _aws

_ID: Final = "id"
_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


def now() -> str:
    """This moment, ISO 8601 in UTC to the second: it sorts, and it is a legal tag value."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _item(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _serialize(value) for name, value in values.items() if value is not None}


def _put_if(table: str, values: Mapping[str, Any], condition: str, **names: Any) -> bool:
    try:
        _aws.dynamodb().put_item(
            TableName=table, Item=_item(values), ConditionExpression=condition, **names
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return False
        raise
    return True


def _get(table: str, key: str) -> dict[str, Any] | None:
    found = (
        _aws.dynamodb()
        .get_item(TableName=table, Key={_ID: {"S": key}}, ConsistentRead=True)
        .get("Item")
    )
    return {k: _deserialize(v) for k, v in found.items()} if found else None


def claim_upload(table: str, *, claim: str, run: str, execution: str) -> str | None:
    """Takes an upload for an execution; returns the run that has it already, else None.

    An execution that asks again (a retry after a lost answer) is not its own rival.
    """
    item = {_ID: f"claim#{claim}", "run": run, "execution": execution, "created": now()}
    if _put_if(table, item, "attribute_not_exists(id)"):
        return None
    owner = _get(table, f"claim#{claim}") or {}
    return None if owner.get("execution") == execution else str(owner.get("run", "unknown"))


def start_run(table: str, *, run: str, customization: str, **values: Any) -> None:
    """Writes the item of a run; a second call for the same run changes nothing."""
    item = {
        _ID: f"run#{run}",
        "run": run,
        "customization": customization,
        "created": now(),
        "updated": now(),
        **values,
    }
    _put_if(table, item, "attribute_not_exists(id)")


def update_run(table: str, run: str, **values: Any) -> None:
    """Sets attributes of a run; None values are left as they are."""
    changes = {"updated": now(), **{k: v for k, v in values.items() if v is not None}}
    _aws.dynamodb().update_item(
        TableName=table,
        Key={_ID: {"S": f"run#{run}"}},
        UpdateExpression="SET " + ", ".join(f"#{k} = :{k}" for k in changes),
        ExpressionAttributeNames={f"#{k}": k for k in changes},
        ExpressionAttributeValues={f":{k}": _serialize(v) for k, v in changes.items()},
    )


def status_of(table: str, run: str) -> str | None:
    """The status that a run's item has now; None for an unknown run."""
    found = _get(table, f"run#{run}")
    return str(found["status"]) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Who has a run key: state "training", "trained" or "failed", in which attempt."""

    state: str
    run: str
    attempt: int
    since: str
    job_name: str
    model_arn: str | None = None


def claim_work(table: str, *, key: str, run: str, job_name: str) -> Work:
    """Takes a run key; returns who has it now: this run, or another that was here before.

    A run that asks again finds its own claim, with the attempt that it had.
    """
    _put_if(table, _work(key, run=run, job_name=job_name, attempt=1), "attribute_not_exists(id)")
    holder = holder_of(table, key)
    if holder is None:
        raise RuntimeError(f"key#{key} vanished from {table}: its items are never deleted")
    return holder


def retake(table: str, *, key: str, run: str, job_name: str, after: Work) -> Work | None:
    """Takes a run key over from a holder whose work came to nothing; None if another was faster."""
    attempt = after.attempt + 1
    taken = _put_if(
        table,
        _work(key, run=run, job_name=job_name, attempt=attempt),
        "#run = :run",
        ExpressionAttributeNames={"#run": "run"},
        ExpressionAttributeValues={":run": {"S": after.run}},
    )
    return holder_of(table, key) if taken else None


def holder_of(table: str, key: str) -> Work | None:
    """Who has a run key now."""
    found = _get(table, f"key#{key}")
    if found is None:
        return None
    return Work(
        state=found["state"],
        run=found["run"],
        attempt=int(found["attempt"]),
        since=found["since"],
        job_name=found["job_name"],
        model_arn=found.get("model_arn"),
    )


def finish_work(table: str, *, key: str, run: str, state: str, model_arn: str | None) -> None:
    """Says what became of the work, if this run still has the key."""
    holder = holder_of(table, key)
    if holder is None or holder.run != run:
        return
    item = {
        **_work(key, run=run, job_name=holder.job_name, attempt=holder.attempt),
        "state": state,
        "model_arn": model_arn,
    }
    _put_if(
        table,
        item,
        "#run = :run",
        ExpressionAttributeNames={"#run": "run"},
        ExpressionAttributeValues={":run": {"S": run}},
    )


def _work(key: str, *, run: str, job_name: str, attempt: int) -> dict[str, Any]:
    return {
        _ID: f"key#{key}",
        "run": run,
        "job_name": job_name,
        "attempt": attempt,
        "state": "training",
        "since": now(),
    }
