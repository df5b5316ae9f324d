"""One call of serve: whose customization it is, what it knows, and the steps that it may answer."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.config.lambda_environment import ServeEnvironment
from bedrock_tuning.run import cost
from bedrock_tuning.run.decisions import ServingStep
from bedrock_tuning.serving import purchase
from bedrock_tuning.serving.intent import Intent, ServingRequest, StartedBy, Terms, claim, overtaken
from lambdas._records import _intent, _pointers, _runs
from lambdas._serving import _lifecycle

WorkState = dict[str, Any]


class LostError(Exception):
    """Somebody else took over. state: what this call had learned before."""

    def __init__(self, state: WorkState, intent: Intent) -> None:
        super().__init__(overtaken(intent))
        self.state, self.intent = state, intent


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """state: the workflow's, of which every step returns a changed copy. intent: as last read."""

    env: ServeEnvironment
    customization: CustomizationSettings
    state: WorkState
    intent: Intent

    @property
    def name(self) -> str:
        """The customization's."""
        return self.customization.name

    def knowing(self, **changes: Any) -> Self:
        """With more in the workflow's state."""
        return replace(self, state={**self.state, **changes})

    def with_intent(self, intent: Intent) -> Self:
        """With the item as it was just written."""
        return replace(self, intent=intent)

    def next(self, step: ServingStep, reason: str, **changes: Any) -> WorkState:
        """The state in which this call ends."""
        return {**self.state, "seconds": 0, **changes, "step": step, "reason": reason}

    def wait(self, reason: str, **changes: Any) -> WorkState:
        """The state in which a later call looks again."""
        return self.next("wait", reason, seconds=self.env.poll_seconds, **changes)

    def late(self, since: str) -> bool:
        """Whether the time for serving has gone by since a moment in the state."""
        age = datetime.now(UTC) - datetime.fromisoformat(self.state[since])
        return age > timedelta(seconds=self.env.serving_timeout_seconds)

    def change(self, **changes: Any) -> Self:
        """Changes the item; raises LostError if somebody else took over meanwhile."""
        intent = self.intent
        for _ in range(_intent.ATTEMPTS):
            successor = replace(intent, **changes)
            # A call that is repeated finds what it wrote the first time.
            stored = (
                intent if successor == intent else _intent.write(self.env.runs_table, successor)
            )
            if stored is not None:
                return replace(self, intent=stored)
            # Another call of this run, whose answer was lost, or another owner.
            intent = self.again().intent
        raise RuntimeError(f"the intent of {self.name} keeps changing")

    def again(self) -> Self:
        """With the item as it is now; raises LostError if somebody else took over."""
        intent = _intent.read(self.env, self.name)
        if intent.generation != self.intent.generation:
            raise LostError(self.state, intent)
        return replace(self, intent=intent)

    def read(self, pointer: str) -> str | None:
        """A pointer of the customization."""
        return _pointers.read(self.env.parameter_prefix, self.name, pointer)

    def publish(self, pointer: str, value: str) -> None:
        """Sets a pointer."""
        _pointers.publish(self.env.parameter_prefix, self.name, pointer, value)

    def withdraw_pointer(self, pointer: str = "endpoint") -> None:
        """Takes a pointer away."""
        _pointers.withdraw(self.env.parameter_prefix, self.name, pointer)

    def withdraw(self, endpoint_arn: str) -> None:
        """Points to no endpoint, if it was this one."""
        _pointers.withdraw_from(self.env.parameter_prefix, self.name, "endpoint", endpoint_arn)


def found_work(
    env: ServeEnvironment, customization: CustomizationSettings, state: WorkState
) -> Work:
    """The work as it is, whoever owns it."""
    intent = _intent.read(env, customization.name)
    return Work(env=env, customization=customization, state=state, intent=intent)


def owns(work: Work) -> bool:
    """Whether the item is still this run's."""
    run: str = work.state["run"]
    generation: int = work.state.get("generation", work.intent.generation)
    return (work.intent.owner, work.intent.generation) == (run, generation)


def own(work: Work) -> Work | WorkState:
    """The work of this run, taken over at its first call; or the state in which it ends.

    A deployment of dearer terms waits for a person's approval before it takes over.
    """
    if "generation" in work.state:
        return work if owns(work) else lost(work, overtaken(work.intent))
    for _ in range(_intent.ATTEMPTS):
        purchase_request = priced(request(work), work.customization)
        # Something is billed, or about to be, that a purchase would take the place of.
        replaces = bool(work.intent.published.endpoint_arn or work.intent.begun.request)
        verdict = purchase.may_buy(purchase_request, work.intent, replaces=replaces)
        if purchase_request.started_by == "deployment" and verdict.answer == "ask":
            return _ask(work, purchase_request.price, verdict.reason)
        now = _runs.now()
        # A roll-back has as much time again.
        allowance = timedelta(seconds=2 * work.env.serving_timeout_seconds)
        deadline = (datetime.fromisoformat(now) + allowance).strftime("%Y-%m-%dT%H:%M:%SZ")
        claim_result = claim(work.intent, purchase_request, now=now, until=deadline)
        if claim_result.intent is None:
            return lost(work, claim_result.reason)
        stored = (
            work.intent
            if claim_result.intent is work.intent
            else _intent.write(work.env.runs_table, claim_result.intent)
        )
        if stored is not None:
            return replace(work, intent=stored).knowing(generation=stored.generation)
        work = replace(work, intent=_intent.read(work.env, work.name))
    raise RuntimeError(f"the intent of {work.name} keeps changing")


def lost(work: Work, reason: str) -> WorkState:
    """Another owns what this run has begun; after an end nobody does, so it is undone."""
    if "created_arn" in work.state and "published" not in work.state and not work.intent.on:
        return work.next("roll-back", reason)
    step: ServingStep = "pending" if work.state.get("started_by") == "deployment" else "unserved"
    return work.next(step, left_alone(work, reason))


def left_alone(work: Work, reason: str) -> str:
    """Why this run changes nothing more, and what it leaves."""
    model = work.state.get("model_arn")
    return f"{reason}; {model} is kept" if model else reason


def _ask(work: Work, price: str, reason: str) -> WorkState:
    """The state in which a person is asked; its row shows what is asked, and keeps the answer."""
    question = f"{reason}: what is served now stays until then"
    _runs.start_run(
        work.env.runs_table,
        run=work.state["run"],
        customization=work.name,
        execution=work.state["execution"],
        status="awaiting-approval",
        estimate=price,
        approval_reason=question,
    )
    return work.next("approve", question, estimate=price)


def may_create(work: Work, *, replaces: bool) -> str | None:
    """Why the owner may not buy what it wants to buy; None if it may.

    Jobs and approvals take days: what would be bought may serve nothing by now.
    """
    purchase_request = priced(request(work), work.customization)
    verdict = purchase.may_buy(purchase_request, work.intent, replaces=replaces)
    reason = verdict.reason
    if verdict.answer == "yes":
        reason = _lifecycle.ended(work.customization) or ""
    return f"nothing was bought: {reason}" if reason else None


def may_renew(work: Work) -> bool:
    """Whether the lease of what the owner buys or keeps begins anew."""
    return purchase.may_renew(priced(request(work), work.customization))


def priced(
    purchase_request: ServingRequest, customization: CustomizationSettings
) -> ServingRequest:
    """A deployment's request with its price, and the approval that its budget gives.

    Runs and people bring both along.
    """
    if purchase_request.started_by != "deployment" or customization.serving.mode != "provisioned":
        return purchase_request
    estimate = cost.estimate(customization=customization, serving_only=True)
    needed = cost.needs_approval(customization=customization, estimate=estimate)
    approval = "" if needed else "the price is within the budget"
    price = "\n".join(map(str, (*estimate.lines, *estimate.rates)))
    return replace(purchase_request, price=price, approval=purchase_request.approval or approval)


def request(work: Work) -> ServingRequest:
    """What the run asks for."""
    state: Mapping[str, Any] = work.state
    started_by: StartedBy = state.get("started_by", "run")
    return ServingRequest(
        run=state["run"],
        order=state.get("order", state["run"]),
        started_by=started_by,
        model_arn=state.get("model_arn") or "",
        model_run=state["run"] if started_by == "run" else state.get("model_run", ""),
        terms=terms_of(work.customization),
        price=state.get("price") or "",
        approval=_approval(state),
    )


def _approval(state: Mapping[str, Any]) -> str:
    """Why the price may be spent: as the run knows, or by the answer of a person who was asked.

    Who starts an execution could write any name into it, so only its own name is recorded:
    CloudTrail knows who started it.
    """
    answer = state.get("approved")
    if answer is None and state.get("started_by") == "person":
        return f"agreed to by whoever started {state['run']}"
    if answer is None:
        return state.get("approval") or ""
    return " ".join(filter(None, ["approved by", answer.get("approved_by"), answer.get("reason")]))


def terms_of(customization: CustomizationSettings) -> Terms:
    """The terms that a customization says."""
    serving = customization.serving
    return Terms(
        mode=serving.mode,
        units=serving.model_units,
        commitment=serving.commitment,
        lease_hours=serving.lease_hours,
        base_model=customization.base_model.key,
    )
