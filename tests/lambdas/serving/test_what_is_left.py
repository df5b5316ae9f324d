"""What each end of serving leaves in the item of the customization, for whoever comes next."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.serving.intent import Begun, Intent, Published, Terms
from lambdas._records import _intent
from tests.lambdas.aws import PREFIX, Aws
from tests.lambdas.flow import NAME, NEW, OLD, PERSON, RUN, STATE, Flow

pytestmark = pytest.mark.usefixtures("trained")
TERMS = Terms(
    mode="provisioned",
    units=1,
    commitment=None,
    lease_hours=8,
    base_model="titan-multimodal-embeddings-g1",
)
WHY = "its execution ended before the endpoint was published"


def _left() -> Intent:
    """But for times, and for how often it was written."""
    intent = _intent.stored("a-table", NAME)
    assert intent is not None
    assert intent.since
    return replace(intent, version=0, since="")


def _served(run: str, arn: str, model: str, **changes: Any) -> Intent:
    published = Published(endpoint_arn=arn, model_arn=model, model_run=run, terms=TERMS)
    served = Intent(
        customization=NAME,
        generation=1,
        on=True,
        why="a run trained it",
        by=run,
        owner=run,
        order=run,
        model_arn=model,
        model_run=run,
        terms=TERMS,
        price=STATE["price"],
        approval=STATE["approval"],
        published=published,
    )
    return replace(served, **changes)


def test_a_model_that_is_served_is_what_is_desired_and_published(flow: Flow) -> None:
    arn = flow.run()["endpoint_arn"]

    assert _left() == _served(RUN, arn, NEW)


def test_a_first_model_that_fails_leaves_nothing_and_says_by_whom_it_ended(
    aws: Aws, flow: Flow
) -> None:
    aws.bedrock_runtime.reply = b"{}"

    flow.run()

    assert _left() == _served(
        RUN,
        "",
        "",
        on=False,
        why="the smoke test failed: no embedding: empty",
        model_run="",
        terms=None,
        published=Published(),
    )


def test_a_model_that_fails_in_the_place_of_another_leaves_the_other(aws: Aws, flow: Flow) -> None:
    first = "20261120-093000-cccccc"
    arn = flow.run(run=first, model_arn=OLD)["endpoint_arn"]
    aws.bedrock_runtime.reply = b"{}"

    flow.run()

    assert _left() == _served(first, arn, OLD, generation=2, by=RUN, owner=RUN, order=RUN)


@pytest.mark.slow
def test_a_swap_that_cannot_be_undone_yet_is_left_to_the_next_owner(aws: Aws, flow: Flow) -> None:
    first = "20261120-093000-cccccc"
    arn = flow.run(run=first, model_arn=OLD)["endpoint_arn"]
    flow.settles = False

    flow.run()

    begun = Begun(swapped_arn=arn, swapped_from=OLD, swapped_to=(NEW,), swap_seen=True)
    assert _left() == _served(
        first, arn, OLD, generation=2, by=RUN, owner=RUN, order=RUN, begun=begun
    )


def test_an_error_after_publishing_leaves_what_is_published(aws: Aws, flow: Flow) -> None:
    aws.bedrock.have(model=OLD, units=2)
    aws.bedrock.refuse("DeleteProvisionedModelThroughput", "AccessDeniedException", "not you")

    ended = flow.run()

    assert ended["step"] == "failed"
    assert _left() == _served(RUN, ended["endpoint_arn"], NEW)


def test_a_model_that_nothing_may_serve_is_desired_but_not_published(aws: Aws, flow: Flow) -> None:
    del aws.ssm.values[f"{PREFIX}/{NAME}/serving"]

    flow.run()

    assert _left() == _served(
        RUN, "", NEW, on=False, why="its serving stack is not deployed", published=Published()
    )


def test_where_nothing_is_to_be_served_the_model_alone_is_published(
    flow: Flow, customize: Callable[..., CustomizationSettings]
) -> None:
    customize(serving={"mode": "none", "lease_hours": None})

    flow.run()

    left = _left()
    assert left.published == Published(model_arn=NEW, model_run=RUN)
    assert (left.on, left.begun, left.before, left.until) == (False, Begun(), None, "")


def test_after_an_end_nobody_owns_anything_but_the_model_is_known(flow: Flow) -> None:
    flow.run()

    flow.run(**PERSON, end=True)

    by = PERSON["run"]
    assert _left() == _served(
        RUN,
        "",
        NEW,
        generation=2,
        on=False,
        why="a person ended it",
        by=by,
        owner=by,
    )


def _abort() -> None:
    raise KeyboardInterrupt


def _aborted(flow: Flow, step: str) -> None:
    """The execution of a run is stopped before a step."""
    flow.at[step] = _abort
    with pytest.raises(KeyboardInterrupt):
        flow.run()


def _taken_up(flow: Flow, run: str = RUN) -> dict[str, Any]:
    """What the lease keeper starts for a run whose execution is gone."""
    named = dict.fromkeys(("model_arn", "base_arn", "price", "approval"))
    return flow.run(**named, run=run, undo=WHY)


@pytest.mark.parametrize("run", [RUN, "20261120-093000-cccccc"])
def test_nothing_is_undone_that_was_done_or_overtaken(run: str, aws: Aws, flow: Flow) -> None:
    arn = flow.run()["endpoint_arn"]

    ended = _taken_up(Flow(aws), run)

    assert (ended["step"], ended["reason"]) == ("pending", "nothing is left to undo")
    assert _left() == _served(RUN, arn, NEW)


def test_what_a_newer_run_works_on_is_not_undone_for_an_older_one(aws: Aws, flow: Flow) -> None:
    _aborted(flow, "Smoke test")

    ended = _taken_up(Flow(aws), "20261120-093000-cccccc")

    assert ended["reason"] == "nothing is left to undo"
    assert len(aws.bedrock.endpoints) == 1


def test_what_a_run_began_whose_execution_is_gone_is_undone_in_these_words(
    aws: Aws, flow: Flow
) -> None:
    _aborted(flow, "Smoke test")
    (arn,) = aws.bedrock.endpoints

    ended = _taken_up(Flow(aws))

    assert ended["step"] == "failed"
    assert ended["reason"] == f"{WHY}; {arn} was deleted, billing stopped"
    assert aws.bedrock.endpoints == {}
    assert (_left().on, _left().why, _left().until) == (False, WHY, "")


def test_what_was_published_before_its_execution_was_gone_stays(aws: Aws, flow: Flow) -> None:
    old = aws.bedrock.have(model=OLD, units=2)
    _aborted(flow, "Published?")

    ended = _taken_up(Flow(aws))

    assert ended["step"] == "served"
    assert old not in aws.bedrock.endpoints
    assert _left() == _served(RUN, ended["endpoint_arn"], NEW)
