"""What the item of a run says to people: when what happened, and which command comes next."""

from typing import Any

import pytest

from bedrock_tuning.run.messages import STATUSES
from bedrock_tuning.run.row import (
    at,
    commit_of,
    does,
    hyperparameters,
    is_open,
    next_steps,
    next_words,
    timeline,
)

RUN = "20261121-093000-00aaaa"
ENDPOINT = "arn:aws:bedrock:us-east-1:000000000000:provisioned-model/abcdefghijkl"
ON_DEMAND = "arn:aws:bedrock:us-east-1:000000000000:custom-model-deployment/abcdefghijkl"
MODEL = "arn:aws:bedrock:us-east-1:000000000000:custom-model/x/abcdefghijkl"
WHEN = "2026-11-21T09:30:00Z"


def _row(status: str, **more: Any) -> dict[str, Any]:
    return {"run": RUN, "customization": "pets", "status": status, **more}


@pytest.mark.parametrize(
    ("row", "command"),
    [
        (_row("awaiting-approval", open="yes"), f"approve {RUN}"),
        (_row("rejected"), f"report {RUN}"),
        (_row("superseded", taken_by="another"), "run another"),
        (_row("waiting"), "upload DATASET -c pets"),
        (_row("checking", open="yes"), f"run {RUN} -f"),
        (_row("training", open="yes"), f"run {RUN} -f"),
        (_row("trained", open="yes"), f"run {RUN} -f"),
        (_row("trained"), ""),
        (_row("served", endpoint_arn=ENDPOINT), "endpoints"),
        (_row("served", endpoint_arn=ON_DEMAND), ""),
        (_row("served"), ""),
        (_row("failed"), f"run {RUN}"),
        (_row("stopped"), f"run {RUN}"),
        (_row("aborted"), f"run {RUN}"),
        (_row("serving-failed"), f"run {RUN}"),
        (_row("declined"), ""),
    ],
)
def test_each_row_names_the_command_that_follows(row: dict[str, Any], command: str) -> None:
    assert next_words(row) == command


ASK = ('invoke pets "TEXT"', "ask the model")
COMPARE = ("compare pets --html compare.html", "see whether tuning paid off")
END = ("lease pets --end", "delete the endpoint, which ends its billing")
SERVE = (f"serve pets --run {RUN}", "serve the model of this run")


@pytest.mark.parametrize(
    ("row", "steps"),
    [
        (_row("served", endpoint_arn=ENDPOINT), [ASK, COMPARE, END]),
        (_row("served", endpoint_arn=ON_DEMAND), [ASK, COMPARE]),
        (_row("trained", model_arn=MODEL), [SERVE]),
        (_row("serving-failed", model_arn=MODEL), [SERVE]),
        (_row("serving-failed"), [(f"run {RUN}", "what comes next")]),
        (_row("trained"), []),
        (
            _row("rejected"),
            [("upload DATASET -c pets", "once everything listed below is fixed")],
        ),
        (_row("failed", model_arn=MODEL), [(f"run {RUN}", "what comes next")]),
    ],
)
def test_a_page_offers_what_a_run_has_come_to(
    row: dict[str, Any], steps: list[tuple[str, str]]
) -> None:
    assert list(next_steps(row)) == steps


def test_only_moments_of_a_status_are_in_the_timeline() -> None:
    """Other attributes may hold a moment, too, and some end as those of a status begin."""
    row = _row("served", at_checking=WHEN, created=WHEN, looked_at_="?", **{at("a-new-end"): WHEN})
    assert timeline(row) == [
        (WHEN, "uploaded; the check of the dataset began"),
        (WHEN, "a-new-end"),
    ]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("waiting", "the other manifest was missing"),
        ("pending", "there was nothing to serve"),
        ("checking", "uploaded; the check of the dataset began"),
        ("valid", "the dataset is valid"),
        ("rejected", "the dataset was rejected"),
        ("awaiting-approval", "asked for approval of the price"),
        ("queued", "waited for a free slot for its job"),
        ("training", "the training job was cleared to start"),
        ("trained", "the model was trained"),
        ("serving", "began to serve the model"),
        ("served", "the smoke test passed; the endpoint was published"),
    ],
)
def test_a_moment_says_how_a_run_came_to_its_status(status: str, words: str) -> None:
    assert timeline({f"at_{status.replace('-', '_')}": WHEN}) == [(WHEN, words)]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("checking", "checking records and images"),
        ("valid", "estimating the price"),
        ("awaiting-approval", "waiting for approval of the price"),
        ("queued", "waiting for a free slot for its job"),
        ("training", "training"),
        ("trained", "looking at what is served"),
        ("serving", "bringing up the endpoint and testing it"),
        ("a-status-of-tomorrow", "a-status-of-tomorrow"),
    ],
)
def test_a_run_that_has_not_ended_says_what_it_does(status: str, words: str) -> None:
    assert does(_row(status)) == words
    assert does(_row(status, place="2 of 3")) == f"{words}: 2 of 3"


@pytest.mark.parametrize("status", ["checking", "valid", "queued", "training", "serving"])
def test_a_run_that_does_something_may_be_followed(status: str) -> None:
    assert next_words(_row(status)) == f"run {RUN} -f"


@pytest.mark.parametrize("past", ["approved", "declined"])
def test_a_decision_is_a_moment_with_who_made_it(past: str) -> None:
    decided = {f"{past}_by": "ann", "decided_at": WHEN}
    assert timeline(decided) == [(WHEN, f"{past} by ann")]
    assert timeline({f"{past}_by": "ann"}) == []
    assert timeline({"decided_at": WHEN}) == []


def test_moments_stand_in_the_order_of_time_however_they_were_noted() -> None:
    row = {"at_trained": "2026-11-21T09:30:01.500Z", "at_training": "2026-11-21T09:30:01Z"}
    assert [moment.what for moment in timeline(row)] == [
        "the training job was cleared to start",
        "the model was trained",
    ]
    assert timeline(row)[1].at == "2026-11-21T09:30:01Z"


def test_what_older_versions_did_not_write_is_not_there() -> None:
    assert commit_of({"commit": "abc"}) == "abc"
    assert commit_of({}) == "not recorded"
    assert hyperparameters({"hyperparameters": '{"epochCount": "5"}'}) == {"epochCount": "5"}
    assert hyperparameters({}) == {}
    assert [is_open(row) for row in ({"open": "yes"}, {"open": "no"}, {})] == [True, False, False]


def test_an_end_is_worded_as_in_messages() -> None:
    for status in ("declined", "expired", "in-progress", "serving-failed"):
        (moment,) = timeline({at(status): WHEN})
        assert f"{moment.what[0].upper()}{moment.what[1:]}." == STATUSES[status]
