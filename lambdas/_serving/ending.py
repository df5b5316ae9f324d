"""Ends what is served at a person's word: written down first, then deleted.

A module of its own, as smoke.py and undo.py are: one step of serving.
"""

from bedrock_tuning.serving.intent import overtaken
from bedrock_tuning.serving.plan import commitment_reason, removable
from lambdas._records import _intent, _runs
from lambdas._serving import _endpoints
from lambdas._serving.work import Work, WorkState, left_alone, owns


def end(work: Work) -> WorkState:
    """Deletes every endpoint of a customization that can be deleted, unless a newer run serves."""
    if "generation" not in work.state and not owns(work):
        intent = work.intent.ended(
            why="a person ended it",
            by=work.state["run"],
            now=_runs.now(),
            owner=work.state["run"],
        )
        stored = _intent.write(work.env.runs_table, intent)
        if stored is None:
            raise RuntimeError(f"the intent of {work.name} changed just now")
        work = work.with_intent(stored)
    work = work.knowing(generation=work.state.get("generation", work.intent.generation))
    if not owns(work):
        return work.next("unserved", left_alone(work, overtaken(work.intent)))
    endpoints = _endpoints.of_customization(work.env.environment, work.customization)
    busy = [
        endpoint
        for endpoint in endpoints
        if removable(endpoint) and not _endpoints.delete(endpoint)
    ]
    work.withdraw_pointer()
    if busy and not work.late("started"):
        return work.wait(
            "; ".join(f"{endpoint.arn} is still {endpoint.status}" for endpoint in busy)
        )
    remaining = [f"{endpoint.arn} is still {endpoint.status} and billed" for endpoint in busy]
    remaining += [commitment_reason(endpoint) for endpoint in endpoints if not removable(endpoint)]
    return work.next("removed", "; ".join(["a person ended it, billing stopped", *remaining]))
