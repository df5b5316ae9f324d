"""Brings what is served to what is wished, one step per call."""

import json
import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from lambdas import _aws, _customizations, _endpoints, _pointers, _runs
from tuning import smoke
from tuning.customization import Customization
from tuning.environment import ServeEnvironment
from tuning.serving import Action, Wish, plan

logger = logging.getLogger(__name__)

State = dict[str, Any]


def handler(event: dict[str, Any], context: object) -> State:
    """event: {"action": "serve" | "smoke" | "publish" | "roll-back", "serving": state}.

    state: customization, run, model_arn, base_arn (absent when a deployment asks); returned with
    step ("wait", "smoke", "publish", "roll-back", "served", "unserved", "removed", "pending",
    "failed"), a reason, and what a roll-back needs: created_arn or swapped_from.
    """
    env = ServeEnvironment.from_env(os.environ)
    state: State = {"started": _runs.now(), **event["serving"]}
    customization = _customizations.get(state["customization"])
    result = _ACTIONS[event["action"]](env, customization, state)
    logger.info("serving", extra={"action": event["action"], "state": result})
    return result


def _next(state: State, step: str, reason: str, **changes: Any) -> State:
    return {**state, "seconds": 0, **changes, "step": step, "reason": reason}


def _serve(env: ServeEnvironment, customization: Customization, state: State) -> State:
    wish = _wish(env, customization, state)
    step = plan(wish, _endpoints.of_customization(env.environment, customization))
    state = {**state, "model_arn": wish.model_arn}
    late = _age(state) > timedelta(seconds=env.serving_timeout_seconds)
    match step.action:
        case Action.PENDING:
            return _next(state, "pending", step.reason)
        case Action.NOTHING:
            return _nothing(env, customization, state, step.reason)
        case Action.FAILED:
            return _next(state, "failed", step.reason)
        case Action.WAIT if late:
            return _next(state, "roll-back", f"not ready in time: {step.reason}")
        case Action.WAIT:
            return _next(state, "wait", step.reason, seconds=env.poll_seconds)
        case Action.READY if step.target is not None:
            return _next(
                state,
                "smoke",
                step.reason,
                endpoint_arn=step.target.arn,
                surplus=[[e.kind, e.arn] for e in step.surplus],
            )
        case Action.SWAP if step.target is not None and wish.model_arn is not None:
            _endpoints.swap(step.target, wish.model_arn)
            return _next(
                state,
                "wait",
                step.reason,
                seconds=env.poll_seconds,
                swapped_from=step.target.model_arn,
                swapped_arn=step.target.arn,
            )
        case Action.DELETE if step.target is not None:
            _endpoints.delete(step.target)
            return _next(
                state, "wait", step.reason, seconds=env.poll_seconds, deleted_because=step.reason
            )
        case Action.CREATE if wish.model_arn is not None:
            if "created_arn" in state:
                why = state.get("deleted_because", "it is gone")
                return _next(state, "failed", f"the endpoint that was created is lost: {why}")
            arn = _endpoints.create(
                env.environment,
                customization,
                model_arn=wish.model_arn,
                run=state["run"],
                expires=_expiry(customization),
            )
            return _next(state, "wait", step.reason, seconds=env.poll_seconds, created_arn=arn)
    raise ValueError(f"a plan without its target: {step}")


def _wish(env: ServeEnvironment, customization: Customization, state: State) -> Wish:
    model_arn = state.get("model_arn") or _pointers.read(
        env.parameter_prefix, customization.name, "model"
    )
    base_arn = state.get("base_arn")
    if model_arn is not None and base_arn is None:
        base_arn = _aws.bedrock().get_custom_model(modelIdentifier=model_arn).get("baseModelArn")
    serving = customization.serving
    return Wish(
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
    if state.get("model_arn"):
        _pointers.publish(env.parameter_prefix, customization.name, "model", state["model_arn"])
    by_run = state.get("started_by") != "deployment"
    return _next(state, "unserved" if by_run else "removed", reason)


def _smoke(env: ServeEnvironment, customization: Customization, state: State) -> State:
    answer = _aws.bedrock_runtime().invoke_model(
        modelId=state["endpoint_arn"],
        body=json.dumps(smoke.question(customization)),
        contentType="application/json",
        accept="application/json",
    )
    found = smoke.verdict(customization, json.loads(answer["body"].read()))
    if not found.passed:
        return _next(state, "roll-back", f"the smoke test failed: {found.detail}")
    return _next(
        state, "publish", "the smoke test passed", smoke=found.detail, embedding_length=found.length
    )


def _publish(env: ServeEnvironment, customization: Customization, state: State) -> State:
    prefix, name = env.parameter_prefix, customization.name
    _pointers.publish(prefix, name, "model", state["model_arn"])
    _pointers.publish(prefix, name, "endpoint", state["endpoint_arn"])
    target = _endpoints.describe(customization_kind(customization), state["endpoint_arn"])
    expires = _expiry(customization)
    lease = ""
    if target is not None and expires is not None:
        _endpoints.renew(target, expires)
        lease = f"The lease ends {expires}: then it is deleted and billing stops."
    for kind, arn in state.get("surplus", []):
        old = _endpoints.describe(kind, arn)
        if old is not None and old.committed_until is None and not _endpoints.delete(old):
            return _next(state, "wait", f"{arn} cannot be deleted yet", seconds=env.poll_seconds)
    return _next(state, "served", "the endpoint serves the model", lease=lease, expires=expires)


def _roll_back(env: ServeEnvironment, customization: Customization, state: State) -> State:
    """What this flow created is deleted, what it swapped is swapped back, nothing else."""
    reason = state["reason"]
    kind = customization_kind(customization)
    created = _endpoints.describe(kind, state["created_arn"]) if "created_arn" in state else None
    if created is not None and created.committed_until is None and not _endpoints.delete(created):
        return _next(state, "roll-back-wait", reason, seconds=env.poll_seconds)
    if "swapped_from" in state:
        swapped = _endpoints.describe(kind, state["swapped_arn"])
        if swapped is not None and swapped.status in ("creating", "updating"):
            return _next(state, "roll-back-wait", reason, seconds=env.poll_seconds)
        if swapped is not None:
            _endpoints.swap(swapped, state["swapped_from"])
    return _next(state, "failed", reason)


def customization_kind(customization: Customization) -> Any:
    """The kind of endpoint that a customization's wish means."""
    return "on-demand" if customization.serving.mode == "on-demand" else "provisioned"


def _age(state: State) -> timedelta:
    return datetime.now(UTC) - datetime.fromisoformat(state["started"])


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
