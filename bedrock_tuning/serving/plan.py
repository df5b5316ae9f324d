"""Observed and desired state of serving: one decision table, two callers.

The workflow after a job and the custom resource at a deployment observe the endpoints that exist,
ask `plan`, and carry out one step. Nothing here calls AWS.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Final, Literal

from bedrock_tuning.catalogue import base_id

EndpointKind = Literal["provisioned", "on-demand"]
Status = Literal["creating", "ready", "updating", "failed"]

# Bedrock's words for both kinds of endpoint (docs/facts/api.md) in ours.
STATUS: Final[dict[str, Status]] = {
    "Creating": "creating",
    "InService": "ready",
    "Active": "ready",
    "Updating": "updating",
    "Failed": "failed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One Provisioned Throughput or on-demand deployment that exists.

    model_arn: what it serves (while updating: what it will serve).
    base_arn: the foundation model below; None for an on-demand deployment.
    committed_until: ISO 8601 time while a commitment runs, else None.
    """

    kind: EndpointKind
    arn: str
    status: Status
    model_arn: str
    base_arn: str | None = None
    units: int | None = None
    commitment: str | None = None
    committed_until: str | None = None
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredState:
    """What a customization wants served.

    model_arn: None until a model was trained. base_arn: the foundation or custom model that it was
    made from; None if it is not known. kept: the ARNs of endpoints that callers use, whose model is
    not changed (strategy "blue-green").
    """

    mode: Literal["provisioned", "on-demand", "none"]
    model_arn: str | None
    base_arn: str | None
    units: int
    commitment: str | None
    kept: frozenset[str] = frozenset()


class Action(StrEnum):
    """The next step. Only CREATE costs: it starts the hourly billing of Provisioned Throughput."""

    NOTHING = auto()
    PENDING = auto()
    WAIT = auto()
    CREATE = auto()
    SWAP = auto()
    DELETE = auto()
    READY = auto()
    FAILED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One step, its target, and why.

    surplus: endpoints to retire once the target has passed its smoke test.
    """

    action: Action
    reason: str
    target: Endpoint | None = None
    surplus: tuple[Endpoint, ...] = ()


def plan(desired: DesiredState, endpoints: Sequence[Endpoint]) -> Plan:
    """The next step from the observed to the desired state.

    The first row that fits decides:
      a change under way            → wait: Bedrock refuses a second one
      nothing is desired            → delete what can be deleted
      no model yet                  → pending, costs nothing
      an endpoint failed            → delete it; one with a commitment cannot be deleted: stop
      one fits, serves the model    → ready; the others are surplus
      one fits, another model       → swap in place, without interruption, unless it is kept
      only one with a commitment    → swap its model in place if the base model is the same
      else                          → create; the others are surplus once the new one is tested
    """
    busy_endpoint = next(
        (endpoint for endpoint in endpoints if endpoint.status in ("creating", "updating")), None
    )
    if busy_endpoint is not None:
        return Plan(
            action=Action.WAIT,
            reason=f"{busy_endpoint.arn} is {busy_endpoint.status}",
            target=busy_endpoint,
        )
    if desired.mode == "none":
        return _remove_all(endpoints)
    if desired.model_arn is None:
        if endpoints:
            return Plan(action=Action.NOTHING, reason="no new model; what is served stays")
        return Plan(
            action=Action.PENDING, reason="no custom model yet: nothing to serve or to pay for"
        )
    failed_endpoint = next(
        (endpoint for endpoint in endpoints if endpoint.status == "failed"), None
    )
    if failed_endpoint is not None:
        return _after_failure(failed_endpoint)
    candidates = [endpoint for endpoint in endpoints if _fits(endpoint, desired)]
    # Prefer the endpoint that already serves the model: then nothing is touched.
    candidates.sort(key=lambda endpoint: endpoint.model_arn != desired.model_arn)
    if candidates:
        return _use(candidates[0], desired, endpoints)
    committed_endpoint = next(
        (
            endpoint
            for endpoint in endpoints
            if endpoint.committed_until and _same_base(endpoint, desired)
        ),
        None,
    )
    if committed_endpoint is not None:
        return _use(
            committed_endpoint,
            desired,
            endpoints,
            note=f"; {commitment_reason(committed_endpoint)}",
        )
    return Plan(
        action=Action.CREATE,
        reason=_no_endpoint(desired, endpoints),
        surplus=tuple(endpoints),
    )


def removable(endpoint: Endpoint) -> bool:
    """Whether Bedrock lets it be deleted: not during a commitment."""
    return endpoint.committed_until is None


def commitment_reason(endpoint: Endpoint) -> str:
    """Why an endpoint with a commitment stays."""
    return (
        f"{endpoint.arn} has a commitment ({endpoint.commitment}) until "
        f"{endpoint.committed_until}: it is billed until then and cannot be deleted or resized"
    )


def _no_endpoint(desired: DesiredState, endpoints: Sequence[Endpoint]) -> str:
    arns = [endpoint.arn for endpoint in endpoints if endpoint.arn in desired.kept]
    if arns:
        return f"{', '.join(arns)} serves until the new model is tested on an endpoint of its own"
    return "no endpoint with these model units, commitment and base model exists"


def _same_base(endpoint: Endpoint, desired: DesiredState) -> bool:
    return (
        endpoint.base_arn is None
        or desired.base_arn is None
        or base_id(endpoint.base_arn) == base_id(desired.base_arn)
    )


def _fits(endpoint: Endpoint, desired: DesiredState) -> bool:
    if endpoint.kind != desired.mode or not _same_base(endpoint, desired):
        return False
    if endpoint.arn in desired.kept and endpoint.model_arn != desired.model_arn:
        return False
    if endpoint.kind == "on-demand":
        return True
    return endpoint.units == desired.units and endpoint.commitment == desired.commitment


def _use(
    target: Endpoint, desired: DesiredState, endpoints: Sequence[Endpoint], note: str = ""
) -> Plan:
    surplus = tuple(endpoint for endpoint in endpoints if endpoint.arn != target.arn)
    if target.model_arn == desired.model_arn:
        return Plan(
            action=Action.READY,
            reason=f"{target.arn} serves the model{note}",
            target=target,
            surplus=surplus,
        )
    return Plan(
        action=Action.SWAP,
        reason=f"{target.arn} serves {target.model_arn}{note}",
        target=target,
        surplus=surplus,
    )


def _remove_all(endpoints: Sequence[Endpoint]) -> Plan:
    target = next((endpoint for endpoint in endpoints if removable(endpoint)), None)
    if target is not None:
        return Plan(action=Action.DELETE, reason="nothing should be served", target=target)
    reasons = "; ".join(commitment_reason(endpoint) for endpoint in endpoints)
    return Plan(action=Action.NOTHING, reason=reasons or "nothing is served, and nothing should be")


def _after_failure(endpoint: Endpoint) -> Plan:
    reason = f"{endpoint.arn} failed: {endpoint.failure or 'Bedrock gives no reason'}"
    if removable(endpoint):
        return Plan(action=Action.DELETE, reason=reason, target=endpoint)
    return Plan(
        action=Action.FAILED, reason=f"{reason}; {commitment_reason(endpoint)}", target=endpoint
    )
