"""Brings what is served to the desired state, one step per call."""

import json
import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bedrock_tuning.config.customization import Customization
from bedrock_tuning.config.deployed import from_settings
from bedrock_tuning.config.lambda_environment import ServeEnvironment
from bedrock_tuning.run.decisions import ServingStep
from bedrock_tuning.run.outcome import error_words
from bedrock_tuning.serving import smoke_test
from bedrock_tuning.serving.plan import (
    Action,
    DesiredState,
    Endpoint,
    Plan,
    commitment_reason,
    plan,
    removable,
)
from lambdas import _aws, _endpoints, _pointers, _runs

logger = logging.getLogger(__name__)

State = dict[str, Any]


def handler(event: dict[str, Any], context: object) -> State:
    """event: {"action": "serve" | "smoke" | "publish" | "roll-back", "serving": state, "settings"}.

    state: customization, run, model_arn, base_arn; started_by if no run asks: "deployment", which
    names no model, or "person", who chose one. Returned with step (a ServingStep), a reason,
    and what a roll-back needs: created_arn, or swapped_arn and swapped_from. A step with 0 seconds
    is an intention, stored before it is carried out. error: what the workflow caught; then the
    action is "roll-back".
    """
    env = ServeEnvironment.from_env(os.environ)
    state: State = {"started": _runs.now(), **event["serving"]}
    customization = from_settings(event["settings"]).customization
    result = _ACTIONS[event["action"]](env, customization, state)
    logger.info("serving", extra={"action": event["action"], "state": result})
    return result


def _next(state: State, step: ServingStep, reason: str, **changes: Any) -> State:
    return {**state, "seconds": 0, **changes, "step": step, "reason": reason}


def _wait(env: ServeEnvironment, state: State, reason: str, **changes: Any) -> State:
    return _next(state, "wait", reason, seconds=env.poll_seconds, **changes)


def _serve(env: ServeEnvironment, customization: Customization, state: State) -> State:
    if "published" in state:
        return _retire(env, state)
    outdated = _outdated(env, state)
    if outdated is not None:
        return _next(state, "roll-back" if _begun(state) else "unserved", outdated)
    desired = _desired(env, customization, state)
    step = plan(desired, _observed(env, customization, state))
    state = {**state, "model_arn": desired.model_arn}
    undeployed = _undeployed(env, customization, state, step)
    if undeployed is not None:
        return undeployed
    late = _late(env, state["started"])
    match step.action:
        case Action.PENDING:
            return _next(state, "pending", step.reason)
        case Action.NOTHING:
            return _nothing(env, customization, state, step.reason)
        case Action.FAILED:
            return _next(state, "failed", step.reason)
        case Action.WAIT | Action.DELETE if late:
            return _next(state, "roll-back", f"not ready in time: {step.reason}")
        case Action.WAIT:
            return _wait(env, state, step.reason, **_swap_seen(state, step))
        case Action.READY if step.target is not None:
            return _next(
                state,
                "smoke",
                step.reason,
                endpoint_arn=step.target.arn,
                surplus=[endpoint.arn for endpoint in step.surplus],
            )
        case Action.SWAP if step.target is not None and desired.model_arn is not None:
            return _swap(env, state, step, step.target, desired.model_arn)
        case Action.DELETE if step.target is not None:
            arn = step.target.arn
            if _endpoints.delete(step.target):
                _pointers.withdraw_from(env.parameter_prefix, customization.name, "endpoint", arn)
            return _wait(env, state, step.reason, deleted_because=step.reason)
        case Action.CREATE if desired.model_arn is not None:
            return _create(env, customization, state, step, desired.model_arn)
    raise ValueError(f"a plan without its target: {step}")


def _observed(env: ServeEnvironment, customization: Customization, state: State) -> list[Endpoint]:
    """The customization's endpoints, with one just created that no listing shows yet."""
    endpoints = _endpoints.of_customization(env.environment, customization)
    arn = state.get("created_arn")
    if arn is not None and arn not in {endpoint.arn for endpoint in endpoints}:
        created = _endpoints.describe(arn)
        endpoints += [created] if created is not None else []
    return endpoints


def _outdated(env: ServeEnvironment, state: State) -> str | None:
    """Why a run's model should no longer be served; None if it should.

    Jobs end in any order; run ids sort by the time at which their data was uploaded.
    """
    if "started_by" in state:
        return None
    newest = _pointers.read(env.parameter_prefix, state["customization"], "run")
    if newest is None or newest <= state["run"]:
        return None
    return f"run {newest} is newer and was published first; {state['model_arn']} is kept"


def _begun(state: State) -> bool:
    return "expires" in state or "swapped_from" in state


def _undeployed(
    env: ServeEnvironment, customization: Customization, state: State, step: Plan
) -> State | None:
    """The last step if there is no serving stack, whose deletion would delete the endpoint.

    The stack may be deleted just before a purchase, so what was just bought is undone as well.
    """
    buys = step.action in (Action.CREATE, Action.SWAP)
    bought = step.action in (Action.WAIT, Action.READY) and "created_arn" in state
    if not (buys or bought) or _pointers.read(env.parameter_prefix, customization.name, "serving"):
        return None
    if bought:
        return _next(state, "roll-back", "its serving stack was deleted meanwhile")
    _publish_model(env, customization, state)
    marker = f"{env.parameter_prefix}/{customization.name}/serving"
    return _next(
        state,
        "unserved",
        "the model is published, but nothing may serve it: the SSM parameter "
        f"{marker}, which the serving stack creates, is missing.\n"
        f"What to do: cdk deploy tuning-{env.environment}-{customization.name}, then tuning serve "
        f"{customization.name} -e {env.environment}. If the parameter is still missing, somebody "
        "deleted only it: create it again, with any value",
    )


def _swap(
    env: ServeEnvironment, state: State, step: Plan, target: Endpoint, model_arn: str
) -> State:
    """First the intention, then the call: if its answer is lost, a roll-back knows of it."""
    if "swapped" in state:
        # Never twice: another run wants another model there, or Bedrock undid the swap.
        return _next(state, "failed", f"the swap did not last: {step.reason}")
    intention = {"swapped_arn": target.arn, "swapped_from": target.model_arn}
    if not intention.items() <= state.items():
        return _next(state, "wait", step.reason, **intention)
    _endpoints.swap(target, model_arn)
    return _wait(env, state, step.reason, swapped=True)


def _swap_seen(state: State, step: Plan) -> State:
    """What the state learns from an endpoint that is being updated to the model of our intention.

    The call was made, but its answer was lost and Step Functions calls again.
    """
    intended = state.get("swapped_arn"), state["model_arn"]
    busy = step.target
    return {"swapped": True} if busy and (busy.arn, busy.model_arn) == intended else {}


def _create(
    env: ServeEnvironment, customization: Customization, state: State, step: Plan, model_arn: str
) -> State:
    """First the intention, then the call: repeated, it is exactly the same request."""
    if "created_arn" in state:
        why = state.get("deleted_because", "it is gone")
        return _next(state, "roll-back", f"the endpoint that was created is lost: {why}")
    if "expires" not in state:
        return _next(state, "wait", step.reason, expires=_expiry(customization))
    arn = _endpoints.create(
        env.environment,
        customization,
        model_arn=model_arn,
        run=state["run"],
        expires=state["expires"],
    )
    return _wait(env, state, step.reason, created_arn=arn)


def _desired(env: ServeEnvironment, customization: Customization, state: State) -> DesiredState:
    model_arn = state.get("model_arn")
    if model_arn is None or state.get("started_by") == "deployment":
        # A run may publish a newer model while a deployment waits: never go back to the older one.
        model_arn = _pointers.read(env.parameter_prefix, customization.name, "model")
    base_arn = state.get("base_arn")
    if model_arn is not None and base_arn is None:
        base_arn = _aws.bedrock().get_custom_model(modelIdentifier=model_arn).get("baseModelArn")
    serving = customization.serving
    return DesiredState(
        mode=serving.mode,
        model_arn=model_arn,
        base_arn=base_arn,
        units=serving.model_units,
        commitment=serving.commitment,
    )


def _nothing(
    env: ServeEnvironment, customization: Customization, state: State, reason: str
) -> State:
    if customization.serving.mode != "none":
        return _next(state, "pending", reason)
    _pointers.withdraw(env.parameter_prefix, customization.name, "endpoint")
    _publish_model(env, customization, state)
    by_run = state.get("started_by") != "deployment"
    return _next(state, "unserved" if by_run else "removed", reason)


def _publish_model(env: ServeEnvironment, customization: Customization, state: State) -> None:
    """Points to the model, and to the run that trained it if that run asks.

    A person may go back to an earlier model; later runs are still compared with the newest run.
    """
    prefix, name = env.parameter_prefix, customization.name
    if state.get("model_arn"):
        _pointers.publish(prefix, name, "model", state["model_arn"])
        if "started_by" not in state:
            _pointers.publish(prefix, name, "run", state["run"])


def _smoke(env: ServeEnvironment, customization: Customization, state: State) -> State:
    test = smoke_test.verdict(customization, _ask(customization, state["endpoint_arn"]))
    if not test.passed:
        return _next(state, "roll-back", f"the smoke test failed: {test.detail}")
    outdated = _outdated(env, state)
    if outdated is not None:
        return _next(state, "roll-back", outdated)
    return _next(
        state, "publish", "the smoke test passed", smoke=test.detail, embedding_length=test.length
    )


def _ask(customization: Customization, endpoint_arn: str) -> Any:
    question = smoke_test.question(customization)
    if question.operation == "Converse":
        return _aws.bedrock_runtime().converse(modelId=endpoint_arn, **question.body)
    answer = _aws.bedrock_runtime().invoke_model(
        modelId=endpoint_arn,
        body=json.dumps(question.body),
        contentType="application/json",
        accept="application/json",
    )
    return json.loads(answer["body"].read())


def _publish(env: ServeEnvironment, customization: Customization, state: State) -> State:
    prefix, name = env.parameter_prefix, customization.name
    target = _endpoints.describe(state["endpoint_arn"])
    expires = _expiry(customization) if target and removable(target) else None
    lease = ""
    if target is not None and expires is not None:
        _endpoints.renew(target, expires)
        lease = f"The lease ends {expires}: then the endpoint is deleted and billing stops."
    _pointers.publish(prefix, name, "endpoint", state["endpoint_arn"])
    _publish_model(env, customization, state)
    state = {**state, "published": _runs.now(), "lease": lease, "expires": expires}
    if state.get("surplus"):
        # In another call: whatever goes wrong there, what is published stays.
        return _next(state, "wait", "published; what it replaces is deleted next")
    return _retire(env, state)


def _retire(env: ServeEnvironment, state: State) -> State:
    """Deletes what was replaced, once its replacement is published; what has a commitment stays."""
    left = [arn for arn in state.get("surplus", []) if not _retired(arn)]
    if left and not _late(env, state["published"]):
        return _wait(env, state, f"{', '.join(left)} cannot be deleted yet", surplus=left)
    lease = state["lease"]
    if left:
        lease += f"\nStill billed until its own lease ends: {', '.join(left)}"
    return _next(state, "served", "the endpoint serves the model", lease=lease, surplus=left)


def _retired(arn: str) -> bool:
    old = _endpoints.describe(arn)
    return old is None or not removable(old) or _endpoints.delete(old)


def _roll_back(env: ServeEnvironment, customization: Customization, state: State) -> State:
    """Deletes what this flow created, swaps back what it swapped, and changes nothing else."""
    if "why" not in state:
        why = error_words(state["error"]) if "error" in state else state["reason"]
        state = {**state, "why": why, "undoing": _runs.now()}
    if "published" in state:
        return _next(state, "failed", f"{state['why']}; what is published stays")
    busy, results = [], []
    for undo in (_undo_create, _undo_swap):
        done, result = undo(env, customization, state)
        results += [result] if result else []
        busy += [] if done else [result]
    if busy and not _late(env, state["undoing"]):
        reason = f"{state['why']}; {'; '.join(busy)}"
        return _next(state, "roll-back-wait", reason, seconds=env.poll_seconds)
    return _next(state, "failed", "; ".join([state["why"], *results]))


def _undo_create(
    env: ServeEnvironment, customization: Customization, state: State
) -> tuple[bool, str]:
    """Whether nothing is left to do, and what a person should know."""
    if "created_arn" in state:
        created = _endpoints.describe(state["created_arn"])
    else:
        created = _endpoints.created_by(env.environment, customization, state["run"])
    if created is None:
        return True, ""
    if not removable(created):
        return True, commitment_reason(created)
    if not _endpoints.delete(created):
        return False, f"{created.arn} is still {created.status} and billed until its lease ends"
    _pointers.withdraw_from(env.parameter_prefix, customization.name, "endpoint", created.arn)
    return True, f"{created.arn} was deleted, billing stopped"


def _undo_swap(
    env: ServeEnvironment, customization: Customization, state: State
) -> tuple[bool, str]:
    if "swapped_from" not in state:
        return True, ""
    arn, before = state["swapped_arn"], state["swapped_from"]
    swapped = _endpoints.describe(arn)
    if swapped is None:
        return True, f"{arn} is gone"
    if swapped.status in ("creating", "updating"):
        return False, f"{arn} is still {swapped.status}"
    if swapped.status == "ready" and swapped.model_arn == state["model_arn"]:
        _endpoints.swap(swapped, before)
        return True, f"{arn} serves {before} again"
    if swapped.status == "ready" and swapped.model_arn == before:
        return True, ""
    return True, f"{arn} is {swapped.status} and serves {swapped.model_arn}"


def _late(env: ServeEnvironment, since: str) -> bool:
    age = datetime.now(UTC) - datetime.fromisoformat(since)
    return age > timedelta(seconds=env.serving_timeout_seconds)


def _expiry(customization: Customization) -> str | None:
    hours = customization.serving.lease_hours
    if hours is None:
        return None
    return (datetime.now(UTC) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


_ACTIONS: Final[dict[str, Callable[[ServeEnvironment, Customization, State], State]]] = {
    "serve": _serve,
    "smoke": _smoke,
    "publish": _publish,
    "roll-back": _roll_back,
}
