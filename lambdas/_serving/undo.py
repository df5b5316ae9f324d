"""The roll-back: deletes what was bought and swaps back what was swapped, if it is still ours."""

from dataclasses import replace
from typing import Any

from bedrock_tuning.run.outcome import error_words
from bedrock_tuning.serving.intent import Begun, Published, overtaken
from bedrock_tuning.serving.plan import Endpoint, commitment_reason, removable
from lambdas._records import _runs
from lambdas._serving import _endpoints
from lambdas._serving.work import LostError, Work, WorkState, left_alone, owns


def roll_back(work: Work) -> WorkState:
    """Undoes what this run, or one that it took over from, began and did not publish.

    A newer owner has inherited all that, so then nothing is touched. After an end there is no
    owner: what this very run has bought would be nobody's, and is deleted.
    """
    if "why" not in work.state:
        state = work.state
        why = error_words(state["error"]) if "error" in state else state["reason"]
        work = work.knowing(why=why, undoing=_runs.now())
    why = work.state["why"]
    if owns(work):
        try:
            return _undo(work, why)
        except LostError as error:
            # Whatever is not undone yet is the new owner's.
            return work.next("unserved", f"{why}; {overtaken(error.intent)}")
    if "generation" not in work.state:
        return work.next("failed", why)
    reason = left_alone(work, overtaken(work.intent))
    if work.intent.on:
        return work.next("unserved", reason)
    created_arn = work.state.get("created_arn")
    is_done, result = _undo_create(work, _endpoints.describe(created_arn) if created_arn else None)
    if not is_done and not work.late("undoing"):
        return _wait(work, f"{reason}; {result}")
    return work.next("unserved", "; ".join(filter(None, [reason, result])))


def take_up(work: Work) -> WorkState | None:
    """Undoes what a run has begun whose execution is gone; nothing if it was done or overtaken.

    None if its endpoint was proved and recorded as published: then it goes on from there.
    """
    if not owns(work) or not work.intent.until:
        return work.next("pending", "nothing is left to undo")
    if work.intent.before is not None:
        return None
    return work.knowing(generation=work.intent.generation).next("roll-back", work.state["undo"])


def _undo(work: Work, why: str) -> WorkState:
    if "published" in work.state:
        work.change(begun=Begun(), before=None, until="")
        return work.next("failed", f"{why}; what is published stays")
    busy, results = [], []
    for is_done, result in (_undo_create(work, _begun_purchase(work)), _undo_swap(work)):
        results += [result] if result else []
        busy += [] if is_done else [result]
    if busy and not work.late("undoing"):
        return _wait(work, f"{why}; {'; '.join(busy)}")
    reason = "; ".join([why, *results])
    return _release(work, reason, finished=not busy)


def _wait(work: Work, reason: str) -> WorkState:
    return work.next("roll-back-wait", reason, seconds=work.env.poll_seconds)


def _release(work: Work, reason: str, *, finished: bool) -> WorkState:
    """Back to what was published, if it is still there; what could not be undone is inherited."""
    published = work.intent.before or work.intent.published
    endpoint = published.endpoint_arn and _endpoints.describe(published.endpoint_arn)
    if not endpoint:
        published = replace(published, endpoint_arn="")
    changes: dict[str, Any] = {"begun": Begun()} if finished else {}
    if not endpoint:
        changes |= {
            "on": False,
            "why": work.state["why"],
            "by": work.state["run"],
            "since": _runs.now(),
        }
    _point_to(work, published)
    work.change(
        until="",
        before=None,
        published=published,
        model_arn=published.model_arn,
        model_run=published.model_run,
        terms=published.terms,
        **changes,
    )
    return work.next("failed", reason)


def _point_to(work: Work, published: Published) -> None:
    """The pointers as they were before this run, or one before it, changed some of them."""
    values = {
        "endpoint": published.endpoint_arn,
        "model": published.model_arn,
        "run": published.model_run,
    }
    for pointer, value in values.items():
        current = work.read(pointer)
        if value and current != value:
            work.publish(pointer, value)
        elif current and not value:
            work.withdraw_pointer(pointer)


def _begun_purchase(work: Work) -> Endpoint | None:
    begun = work.intent.begun
    if begun.created_arn:
        return _endpoints.describe(begun.created_arn)
    if begun.request:
        return _endpoints.bought(work.env.environment, work.customization, begun.request)
    return None


def _undo_create(work: Work, created: Endpoint | None) -> tuple[bool, str]:
    """Whether nothing is left to do, and what a person should know."""
    if created is None:
        return True, ""
    if not removable(created):
        return True, commitment_reason(created)
    if not _endpoints.delete(created):
        return False, f"{created.arn} is still {created.status} and billed until its lease ends"
    work.withdraw(created.arn)
    return True, f"{created.arn} was deleted, billing stopped"


def _undo_swap(work: Work) -> tuple[bool, str]:
    begun = work.intent.begun
    arn, former_model = begun.swapped_arn, begun.swapped_from
    if not arn or arn == begun.created_arn:
        return True, ""
    endpoint = _endpoints.describe(arn)
    if endpoint is None:
        return True, f"{arn} is gone"
    if endpoint.status == "updating" and endpoint.model_arn == former_model:
        return True, f"{arn} serves {former_model} again"
    if endpoint.status in ("creating", "updating"):
        return False, f"{arn} is still {endpoint.status}"
    if endpoint.status == "ready" and endpoint.model_arn == former_model:
        return True, ""
    if endpoint.status == "ready" and endpoint.model_arn in begun.swapped_to:
        _endpoints.swap(endpoint, former_model)
        return True, f"{arn} serves {former_model} again"
    return True, f"{arn} is {endpoint.status} and serves {endpoint.model_arn}"
