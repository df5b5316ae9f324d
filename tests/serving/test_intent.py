"""Who owns a customization: the newest request, and nobody who was overtaken."""

from dataclasses import replace

import pytest

from bedrock_tuning.serving.intent import Begun, Intent, Published, ServingRequest, claim, overtaken
from tests.serving.test_purchase import (
    APPROVED,
    ENDPOINT,
    NEVER,
    NOW,
    PERSON,
    RUN,
    SERVED,
    TERMS,
    UNTIL,
)


@pytest.mark.parametrize("asked", [RUN, PERSON], ids=["run", "person"])
def test_the_newest_request_takes_over_and_the_generation_says_so(asked: ServingRequest) -> None:
    taken = claim(SERVED, asked, now=NOW, until=UNTIL).intent

    assert taken is not None
    assert (taken.generation, taken.owner, taken.order) == (4, asked.run, asked.run)
    assert (taken.model_arn, taken.until, taken.on) == ("arn:another", UNTIL, True)
    # What is published stays until something else is.
    assert taken.published == SERVED.published


def test_an_older_request_changes_nothing_and_is_told_whose_is_newer() -> None:
    taken = claim(NEVER, RUN, now=NOW, until=UNTIL).intent
    assert taken is not None
    older = replace(RUN, run="20261122-092959-zzzzzz", order="20261122-092959-zzzzzz")

    refused = claim(taken, older, now=NOW, until=UNTIL)

    assert refused.intent is None
    assert refused.reason == f"run {RUN.run} is newer and took over"


def test_who_asks_again_finds_its_own_claim() -> None:
    taken = claim(SERVED, RUN, now=NOW, until=UNTIL).intent
    assert taken is not None

    assert claim(taken, RUN, now=NOW, until=UNTIL).intent is taken


def test_a_run_that_was_ended_does_not_begin_again_and_a_newer_upload_does() -> None:
    taken = claim(SERVED, RUN, now=NOW, until=UNTIL).intent
    assert taken is not None
    ended = taken.ended(why="a person ended it", by="somebody", now=NOW)

    assert ended.generation == taken.generation + 1
    assert claim(ended, RUN, now=NOW, until=UNTIL).intent is None
    assert "it is not served any more: a person ended it" in overtaken(ended)
    newer = replace(RUN, run="20261122-103000-dddddd", order="20261122-103000-dddddd")
    assert claim(ended, newer, now=NOW, until=UNTIL).intent is not None


def test_a_deployment_changes_the_terms_and_leaves_the_model_and_its_order() -> None:
    taken = claim(SERVED, APPROVED, now=NOW, until=UNTIL).intent

    assert taken is not None
    assert (taken.terms, taken.approval) == (APPROVED.terms, APPROVED.approval)
    assert (taken.model_arn, taken.order) == (SERVED.model_arn, SERVED.order)
    # A run whose upload is older than the deployment, and newer than what is served, comes next.
    between = replace(RUN, run="20261122-080000-eeeeee", order="20261122-080000-eeeeee")
    assert claim(taken, between, now=NOW, until=UNTIL).intent is not None


def test_of_two_deployments_the_older_one_changes_nothing() -> None:
    taken = claim(SERVED, APPROVED, now=NOW, until=UNTIL).intent
    assert taken is not None
    older = replace(APPROVED, run="20261122-092959-deploy-bbbbbb")

    refused = claim(taken, older, now=NOW, until=UNTIL)

    assert (refused.intent, "a newer deployment" in refused.reason) == (None, True)


def test_what_was_begun_is_inherited_unless_it_is_published() -> None:
    begun = Begun(request="{}", created_arn=ENDPOINT, swapped_arn="arn:x", swap_seen=True)

    inherited = claim(replace(SERVED, begun=begun), RUN, now=NOW, until=UNTIL).intent
    published = claim(
        replace(SERVED, begun=begun, before=Published()), RUN, now=NOW, until=UNTIL
    ).intent

    assert inherited is not None
    assert published is not None
    # The swap of the one before is not its own.
    assert inherited.begun == replace(begun, swap_seen=False)
    assert (published.begun, published.before) == (Begun(), None)


@pytest.mark.parametrize(
    "intent",
    [
        NEVER,
        SERVED,
        replace(SERVED, begun=Begun(swapped_to=("a", "b")), before=Published(terms=TERMS)),
    ],
)
def test_an_item_is_read_as_it_was_written(intent: Intent) -> None:
    assert Intent.from_json(intent.to_json()) == intent


def test_what_another_version_added_is_left_out() -> None:
    text = SERVED.to_json().replace("{", '{"colour": "blue", ')

    assert text.count("blue") > 3
    assert Intent.from_json(text) == SERVED
