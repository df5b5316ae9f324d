"""What the item of a run in the runs table says to people: when what happened, and what is next."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from bedrock_tuning.commit import NOT_RECORDED
from bedrock_tuning.run.job_queue import QUEUED
from bedrock_tuning.run.messages import STATUSES

Row = Mapping[str, Any]
WAITS: Final = "awaiting-approval"
# An attribute for each status that a run had, with the moment when it came to it.
AT: Final = "at_"
BROKEN: Final = ("failed", "stopped", "aborted", "serving-failed")
# What a run does while it has a status; with any other it has ended.
_DOES: Final = {
    "checking": "checking records and images",
    "valid": "estimating the price",
    WAITS: "waiting for approval of the price",
    QUEUED: "waiting for a free slot for its job",
    "training": "training",
    "trained": "looking at what is served",
    "serving": "bringing up the endpoint and testing it",
}
# Of runs that go on without what they were started with: their job has ended.
_AFTER_ITS_JOB: Final = ("trained", "serving")
HOW_TO_END: Final = "(tuning approve RUN --decline, tuning stop RUN)"
# How it came to it. Ends that are not here are worded as in messages.
_WORDS: Final = {
    **{status: f"{meaning[0].lower()}{meaning[1:-1]}" for status, meaning in STATUSES.items()},
    "waiting": "the other manifest was missing",
    "pending": "there was nothing to serve",
    "checking": "uploaded; the check of the dataset began",
    "valid": "the dataset is valid",
    "rejected": "the dataset was rejected",
    WAITS: "asked for approval of the price",
    QUEUED: "waited for a free slot for its job",
    "training": "the training job was cleared to start",
    "trained": "the model was trained",
    "serving": "began to serve the model",
    "served": "the smoke test passed; the endpoint was published",
}


class Moment(NamedTuple):
    """at: ISO 8601 in UTC."""

    at: str
    what: str


def at(status: str) -> str:
    """The attribute of a status."""
    return f"{AT}{status.replace('-', '_')}"


def timeline(row: Row) -> list[Moment]:
    """What happened to a run, the first first."""
    words_by_name = {at(status): words for status, words in _WORDS.items()}
    moments = [
        Moment(str(time), words_by_name.get(name, name.removeprefix(AT).replace("_", "-")))
        for name, time in row.items()
        if name.startswith(AT)
    ]
    for verb in ("approved", "declined"):
        if f"{verb}_by" in row and "decided_at" in row:
            moments.append(Moment(str(row["decided_at"]), f"{verb} by {row[f'{verb}_by']}"))
    # The workflow notes milliseconds, functions seconds: what it notes comes after their last word.
    moments.sort(key=lambda moment: datetime.fromisoformat(moment.at))
    return [Moment(f"{moment.at[:19]}Z", moment.what) for moment in moments]


def is_open(row: Row) -> bool:
    """Whether a run has not ended."""
    return row.get("open") == "yes"


def needs_what_it_had(row: Row) -> bool:
    """Whether a run has a job, or may start one: no deployment may take from it what it uses.

    It keeps the definition of the workflow with which it was started, and the settings that it has
    read: both name roles, and the first names functions and buckets.
    """
    return is_open(row) and "training_version" in row and row["status"] not in _AFTER_ITS_JOB


def does(row: Row) -> str:
    """What a run that has not ended does now, with its place if it is queued."""
    status = str(row["status"])
    place = f": {row['place']}" if "place" in row else ""
    return f"{_DOES.get(status, status)}{place}"


def commit_of(row: Row) -> str:
    """Of the deployment that started a run."""
    return str(row.get("commit", NOT_RECORDED))


def next_words(row: Row) -> str:
    """The command that follows, without "tuning"; "" where there is nothing to do."""
    run, name, status = row["run"], row["customization"], row["status"]
    if status == WAITS:
        return f"approve {run}"
    if status == "rejected":
        return f"report {run}"
    if "taken_by" in row:
        return f"run {row['taken_by']}"
    if status == "waiting":
        return f"upload DATASET -c {name}"
    if status in _DOES and (status != "trained" or is_open(row)):
        return f"run {run} -f"
    # On demand nothing is billed by the hour, so nothing is listed there.
    if status == "served" and ":provisioned-model/" in str(row.get("endpoint_arn")):
        return "endpoints"
    if status in BROKEN:
        return f"run {run}"
    return ""


def next_steps(row: Row) -> Iterator[tuple[str, str]]:
    """What a page offers: commands without "tuning", and what each is for."""
    run, name, status = row["run"], row["customization"], row["status"]
    if status == "rejected":
        yield f"upload DATASET -c {name}", "once everything listed below is fixed"
    elif status == "served":
        yield f'invoke {name} "TEXT"', "ask the model"
        yield f"compare {name} --html compare.html", "see whether tuning paid off"
        if next_words(row) == "endpoints":
            yield f"lease {name} --end", "delete the endpoint, which ends its billing"
    elif status in ("trained", "serving-failed") and "model_arn" in row:
        yield f"serve {name} --run {run}", "serve the model of this run"
    elif words := next_words(row):
        yield words, "what comes next"


def hyperparameters(row: Row) -> dict[str, str]:
    """Those of the job's request; {} for a run that came to none."""
    parameters: dict[str, str] = json.loads(row.get("hyperparameters", "{}"))
    return parameters
