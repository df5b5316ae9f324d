"""Ends what is served at a person's word: written down first, then deleted."""

from bedrock_tuning.serving.intent import overtaken
from bedrock_tuning.serving.plan import commitment_reason, removable
from lambdas._records import _intent, _runs
from lambdas._serving import _endpoints
from lambdas._serving.work import Work, WorkState, left_alone, owns


def end(work: Work) -> WorkState:
    """Deletes every endpoint of a customization that can be deleted, unless a newer run serves."""
    if "generation" not in work.state and not owns(work):
        ended = work.intent.ended(
            why="a person ended it",
            by=work.state["run"],
            now=_runs.now(),
            owner=work.state["run"],
        )
        stored = _intent.write(work.env.runs_table, ended)
        if stored is None:
            raise RuntimeError(f"the intent of {work.name} changed just now")
        work = work.with_intent(stored)
    work = work.knowing(generation=work.state.get("generation", work.intent.generation))
    if not owns(work):
        return work.next("unserved", left_alone(work, overtaken(work.intent)))
    there = _endpoints.of_customization(work.env.environment, work.customization)
    busy = [each for each in there if removable(each) and not _endpoints.delete(each)]
    work.withdraw_pointer()
    if busy and not work.late("started"):
        return work.wait("; ".join(f"{each.arn} is still {each.status}" for each in busy))
    left = [f"{each.arn} is still {each.status} and billed" for each in busy]
    left += [commitment_reason(each) for each in there if not removable(each)]
    return work.next("removed", "; ".join(["a person ended it, billing stopped", *left]))
