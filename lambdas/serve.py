"""Brings what is served to the desired state, one step per call, for the customization's owner."""

import logging
import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.config.deployed import from_settings
from bedrock_tuning.config.lambda_environment import ServeEnvironment
from bedrock_tuning.config.tags import EXPIRES_TAG
from bedrock_tuning.serving.intent import Begun, Intent, Published
from bedrock_tuning.serving.plan import (
    Action,
    DesiredState,
    Endpoint,
    Plan,
    plan,
    removable,
)
from lambdas import _aws
from lambdas._records import _runs
from lambdas._serving import _endpoints
from lambdas._serving.ending import end
from lambdas._serving.smoke import smoke
from lambdas._serving.undo import roll_back, take_up
from lambdas._serving.work import (
    LostError,
    Work,
    WorkState,
    found_work,
    lost,
    may_create,
    may_renew,
    own,
)

logger = logging.getLogger(__name__)

# A purchase that was written down longer ago than any call of this function can last is no longer
# under way: either it can be found, or it was never sent.
_LONGEST_CALL: Final = timedelta(minutes=15)


def handler(event: dict[str, Any], context: object) -> WorkState:
    """event: {"action": "serve" | "smoke" | "publish" | "roll-back", "serving": state, "settings"}.

    state: customization, run, model_arn, base_arn, price, approval; started_by if no run asks:
    "deployment", which names no model, or "person", who chose one (by: who) or ends what is served
    (end). undo: why the work of a run whose execution is gone is undone. Returned with step (a
    ServingStep) and a reason. error: what the workflow caught; then the action is "roll-back".
    """
    env = ServeEnvironment.from_env(os.environ)
    state: WorkState = {"started": _runs.now(), **event["serving"]}
    result = _act(event["action"], env, from_settings(event["settings"]).customization, state)
    logger.info("serving", extra={"action": event["action"], "state": result})
    return result


def _act(
    action: str, env: ServeEnvironment, customization: CustomizationSettings, state: WorkState
) -> WorkState:
    work = found_work(env, customization, state)
    if action == "roll-back":
        return roll_back(work)
    if state.get("undo") and "generation" not in state:
        last_state = take_up(work)
        if last_state is not None:
            return last_state
    if state.get("end"):
        return end(work)
    owned_work = own(work)
    if not isinstance(owned_work, Work):
        return owned_work
    try:
        return _ACTIONS[action](owned_work)
    except LostError as error:
        return lost(replace(work, state=error.state, intent=error.intent), str(error))


def _serve(work: Work) -> WorkState:
    if "published" in work.state:
        return _retire(work)
    work = _purchase(work)
    desired = _desired_state(work)
    step = plan(desired, _observed_endpoints(work))
    work = work.knowing(model_arn=desired.model_arn)
    last_state = _refuse_undeployed(work, step)
    if last_state is not None:
        return last_state
    is_late = work.late("started")
    match step.action:
        case Action.PENDING:
            return _idle(work, "pending", step.reason)
        case Action.NOTHING:
            return _serve_nothing(work, step.reason)
        case Action.FAILED:
            return work.next("roll-back", step.reason)
        case Action.WAIT | Action.DELETE if is_late:
            return work.next("roll-back", f"not ready in time: {step.reason}")
        case Action.WAIT:
            return _note_swap(work, step).wait(step.reason)
        case Action.READY if step.target is not None:
            return work.next(
                "smoke",
                step.reason,
                endpoint_arn=step.target.arn,
                surplus=[endpoint.arn for endpoint in step.surplus],
            )
        case Action.SWAP if step.target is not None and desired.model_arn is not None:
            return _swap(work, step, step.target, desired.model_arn)
        case Action.DELETE if step.target is not None:
            if _endpoints.delete(step.target):
                work.withdraw(step.target.arn)
            return work.wait(step.reason, deleted_because=step.reason)
        case Action.CREATE if desired.model_arn is not None:
            return _create(work, step, desired.model_arn)
    raise ValueError(f"a plan without its target: {step}")


def _observed_endpoints(work: Work) -> list[Endpoint]:
    """The customization's endpoints, with one just created that no listing shows yet."""
    endpoints = _endpoints.of_customization(work.env.environment, work.customization)
    arn = work.intent.begun.created_arn
    if arn and arn not in {endpoint.arn for endpoint in endpoints}:
        created = _endpoints.describe(arn)
        endpoints += [created] if created is not None else []
    return endpoints


def _refuse_undeployed(work: Work, step: Plan) -> WorkState | None:
    """The last step if there is no serving stack, whose deletion would delete the endpoint."""
    buys = step.action in (Action.CREATE, Action.SWAP)
    has_bought = step.action in (Action.WAIT, Action.READY) and bool(work.intent.begun.created_arn)
    if not (buys or has_bought) or work.read("serving"):
        return None
    if has_bought:
        return work.next("roll-back", "its serving stack was deleted meanwhile")
    _publish_model(work)
    marker = f"{work.env.parameter_prefix}/{work.name}/serving"
    reason = (
        "the model is published, but nothing may serve it: the SSM parameter "
        f"{marker}, which the serving stack creates, is missing.\n"
        f"What to do: cdk deploy tuning-{work.env.environment}-{work.name}, then tuning serve "
        f"{work.name} -e {work.env.environment}. If the parameter is still missing, somebody "
        "deleted only it: create it again, with any value"
    )
    on = bool(work.intent.published.endpoint_arn)
    return _idle(work, "unserved", reason, on=on, why="its serving stack is not deployed")


def _swap(work: Work, step: Plan, target: Endpoint, model_arn: str) -> WorkState:
    """First the intention, then the call: if its answer is lost, a roll-back knows of it."""
    begun, publication = work.intent.begun, work.intent.published
    if begun.swap_seen:
        # Never twice: Bedrock undid the swap, or somebody changed the endpoint by hand.
        return work.next("roll-back", f"the swap did not last: {step.reason}")
    # What nobody proved is not what it goes back to.
    former_model = (
        publication.model_arn if publication.endpoint_arn == target.arn else target.model_arn
    )
    work = work.change(
        begun=replace(
            begun,
            swapped_arn=target.arn,
            swapped_from=former_model,
            swapped_to=tuple(sorted({*begun.swapped_to, model_arn})),
        )
    )
    _note_that_it_serves(work)
    _endpoints.swap(target, model_arn)
    work = work.change(begun=replace(work.intent.begun, swap_seen=True))
    return work.wait(step.reason, swapped=True)


def _note_swap(work: Work, step: Plan) -> Work:
    """What is learned from an endpoint that is being updated to the model of our intention.

    The call was made, but its answer was lost and Step Functions calls again.
    """
    begun, busy = work.intent.begun, step.target
    target = (begun.swapped_arn, work.state["model_arn"])
    if busy is None or begun.swap_seen or (busy.arn, busy.model_arn) != target:
        return work
    return work.change(begun=replace(begun, swap_seen=True))


def _create(work: Work, step: Plan, model_arn: str) -> WorkState:
    """First the intention, then the call: repeated, it is exactly the same request."""
    if "created_arn" in work.state:
        reason = work.state.get("deleted_because", "it is gone")
        return work.next("roll-back", f"the endpoint that was created is lost: {reason}")
    refusal = may_create(work, replaces=bool(step.surplus))
    if refusal is not None:
        return work.next("roll-back", refusal)
    request = _endpoints.purchase(
        work.env.environment,
        work.customization,
        model_arn=model_arn,
        run=work.state["run"],
        expires=_expiry(work, replaced=step.surplus),
    )
    # What an earlier owner bought and nobody finds any more is forgotten.
    begun = replace(work.intent.begun, request=request, requested=_runs.now(), created_arn="")
    work = work.change(begun=begun)
    _note_that_it_serves(work)
    return _purchase(work).wait(step.reason)


def _note_that_it_serves(work: Work) -> None:
    """In the item of a run, if it has one: from now on people wait for its endpoint."""
    _runs.update_run(work.env.runs_table, work.state["run"], status="serving")


def _purchase(work: Work) -> Work:
    """With the answer to the purchase that was written down, by this run or one before it.

    The answer may have been lost, or its run overtaken before the call. Bedrock answers the same
    request with the same endpoint.
    """
    begun = work.intent.begun
    if not begun.request or begun.created_arn:
        return work
    if datetime.now(UTC) - datetime.fromisoformat(begun.requested) > _LONGEST_CALL:
        endpoint = _endpoints.bought(work.env.environment, work.customization, begun.request)
        arn = endpoint.arn if endpoint else ""
        return work.change(begun=replace(begun, request=arn and begun.request, created_arn=arn))
    arn = _endpoints.create(begun.request)
    work = work.knowing(created_arn=arn)
    return work.change(begun=replace(begun, created_arn=arn))


def _desired_state(work: Work) -> DesiredState:
    model_arn = work.intent.model_arn or None
    base_arn = work.state.get("base_arn")
    if model_arn is not None and base_arn is None:
        base_arn = _aws.bedrock().get_custom_model(modelIdentifier=model_arn).get("baseModelArn")
    serving = work.customization.serving
    return DesiredState(
        mode=serving.mode,
        model_arn=model_arn,
        base_arn=base_arn,
        units=serving.model_units,
        commitment=serving.commitment,
        kept=_endpoints_in_use(work),
    )


def _endpoints_in_use(work: Work) -> frozenset[str]:
    """Endpoints that callers use, if they meet no model before its smoke test."""
    if work.customization.serving.strategy == "swap":
        return frozenset()
    # Whoever was stopped while publishing left a pointer to the endpoint before.
    arns = (work.intent.published.endpoint_arn, work.read("endpoint"))
    return frozenset(filter(None, arns))


def _serve_nothing(work: Work, reason: str) -> WorkState:
    if work.customization.serving.mode != "none":
        return _idle(work, "pending", reason)
    work.withdraw_pointer()
    _publish_model(work)
    by_run = work.state.get("started_by") != "deployment"
    return _idle(
        work,
        "unserved" if by_run else "removed",
        reason,
        published=Published(model_arn=work.intent.model_arn, model_run=work.intent.model_run),
    )


def _idle(work: Work, step: Any, reason: str, **changes: Any) -> WorkState:
    """The end of what there was to do."""
    return work.change(begun=Begun(), before=None, until="", **changes).next(step, reason)


def _publish_model(work: Work) -> None:
    """Points to the model and the run that trained it."""
    if work.intent.model_arn:
        work.publish("model", work.intent.model_arn)
    if work.intent.model_run:
        work.publish("run", work.intent.model_run)


def _smoke(work: Work) -> WorkState:
    problem = _problem(work)
    return smoke(work) if problem is None else work.next("roll-back", problem)


def _problem(work: Work) -> str | None:
    """Why the endpoint does not serve this run's model; None if it does."""
    arn, model_arn = work.state["endpoint_arn"], work.intent.model_arn
    endpoint = _endpoints.describe(arn)
    if endpoint is None:
        return f"{arn} is gone: somebody deleted it"
    if (endpoint.status, endpoint.model_arn) != ("ready", model_arn):
        return f"{arn} is {endpoint.status} and serves {endpoint.model_arn}, not {model_arn}"
    return None


def _publish(work: Work) -> WorkState:
    """Records what is published, then points to it, then makes sure that it is still true."""
    problem = _problem(work)
    if problem is not None:
        return work.next("roll-back", problem)
    arn = work.state["endpoint_arn"]
    expires = _renew(work, arn)
    lease = ""
    if expires is not None:
        lease = f"The lease ends {expires}: then the endpoint is deleted and billing stops."
    intent = work.intent
    work = work.change(
        on=True,
        before=intent.before or intent.published,
        published=Published(
            endpoint_arn=arn,
            model_arn=intent.model_arn,
            model_run=intent.model_run,
            terms=intent.terms,
        ),
    )
    work.publish("endpoint", arn)
    _publish_model(work)
    try:
        work = work.again()
    except LostError as error:
        if not error.intent.on:
            work.withdraw(arn)
        raise
    problem = _problem(work)
    if problem is not None:
        work.withdraw(arn)
        return work.next("roll-back", problem)
    work = work.knowing(published=_runs.now(), lease=lease, expires=expires)
    if work.state.get("surplus"):
        # In another call: whatever goes wrong there, what is published stays.
        return work.next("wait", "published; what it replaces is deleted next")
    return _retire(work)


def _renew(work: Work, arn: str) -> str | None:
    """The new end of an endpoint's lease, of those that have one.

    A lease that a person extended is not shortened, but by a deployment of a shorter one.
    """
    target = _endpoints.describe(arn)
    expires = _expiry(work, replaced=[target]) if target and removable(target) else None
    if target is None or expires is None:
        return None
    current_end = _endpoints.tags_of(arn).get(EXPIRES_TAG, "")
    if current_end > expires and not _is_shortened(work.intent):
        return current_end
    _endpoints.renew(target, expires)
    return expires


def _is_shortened(intent: Intent) -> bool:
    former, current = intent.published.terms, intent.terms
    return bool(former and current and (current.lease_hours or 0) < (former.lease_hours or 0))


def _retire(work: Work) -> WorkState:
    """Deletes what was replaced, once its replacement is published; what has a commitment stays."""
    remaining = [arn for arn in work.state.get("surplus", []) if not _is_retired(arn)]
    if remaining and not work.late("published"):
        return work.wait(f"{', '.join(remaining)} cannot be deleted yet", surplus=remaining)
    lease = work.state["lease"]
    if remaining:
        lease += f"\nStill billed until its own lease ends: {', '.join(remaining)}"
    work = work.knowing(lease=lease, surplus=remaining)
    return _idle(work, "served", "the endpoint serves the model")


def _is_retired(arn: str) -> bool:
    endpoint = _endpoints.describe(arn)
    return endpoint is None or not removable(endpoint) or _endpoints.delete(endpoint)


def _expiry(work: Work, *, replaced: Iterable[Endpoint]) -> str | None:
    """When a lease ends: as the customization says, or as that of what is replaced, if earlier."""
    hours = work.customization.serving.lease_hours
    if hours is None:
        return None
    full_lease = (datetime.now(UTC) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
    if may_renew(work):
        return full_lease
    ends = (_endpoints.tags_of(endpoint.arn).get(EXPIRES_TAG) for endpoint in replaced)
    return min(full_lease, max(filter(None, ends), default=full_lease))


_ACTIONS: Final[dict[str, Callable[[Work], WorkState]]] = {
    "serve": _serve,
    "smoke": _smoke,
    "publish": _publish,
}
