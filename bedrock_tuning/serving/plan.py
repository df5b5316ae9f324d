"""What is served and what should be: one decision table, three callers.

The state machine after a job, the custom resource on deploy, and the lease keeper on a schedule all
observe the endpoints that exist, ask `plan`, and carry out one step. Nothing here calls AWS.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

EndpointKind = Literal["provisioned", "on-demand"]
Status = Literal["creating", "ready", "updating", "failed"]

# Bedrock's words for both kinds of endpoint (bedrock-facts.md §4.3, §4.4) in ours.
STATUS: Final[dict[str, Status]] = {
    "Creating": "creating",
    "InService": "ready",
    "Active": "ready",
    "Updating": "updating",
    "Failed": "failed",
}
# The SSM parameters of a customization that this version publishes (lambdas/_pointers.py). Part of
# the custom resource: an environment that an older version deployed gets the new ones by that.
POINTERS: Final = "endpoint model run serving"


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
class Wish:
    """What a customization wants served. model_arn is None until a model was trained."""

    mode: Literal["provisioned", "on-demand", "none"]
    model_arn: str | None
    base_arn: str | None = None
    units: int = 1
    commitment: str | None = None


class Action(StrEnum):
    """The next step. All but CREATE cost nothing; CREATE starts hourly billing of a PT."""

    NOTHING = "nothing"
    PENDING = "pending"
    WAIT = "wait"
    CREATE = "create"
    SWAP = "swap"
    DELETE = "delete"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One step, its target, and why.

    surplus: endpoints to retire once the target passed its smoke test.
    """

    action: Action
    reason: str
    target: Endpoint | None = None
    surplus: tuple[Endpoint, ...] = ()


def plan(wish: Wish, endpoints: Sequence[Endpoint]) -> Plan:
    """The next step from what exists to what is wished.

    Rows are read from the top; the first that fits decides:
      a change under way            → wait: Bedrock refuses a second one
      nothing wished                → delete what may be deleted
      no model yet                  → pending, costs nothing
      an endpoint failed            → delete it; a committed one cannot be, so stop and say so
      one fits, serves the model    → ready; the others are surplus
      one fits, another model       → swap in place, traffic goes on
      only a committed one          → swap its model in place if the base is the same
      else                          → create; what existed is surplus once the new one is proved
    """
    busy = next((e for e in endpoints if e.status in ("creating", "updating")), None)
    if busy is not None:
        return Plan(action=Action.WAIT, reason=f"{busy.arn} is {busy.status}", target=busy)
    if wish.mode == "none":
        return _remove_all(endpoints)
    if wish.model_arn is None:
        if endpoints:
            return Plan(action=Action.NOTHING, reason="no new model; what is served stays")
        return Plan(action=Action.PENDING, reason="no custom model yet: nothing to serve or to pay")
    failed = next((e for e in endpoints if e.status == "failed"), None)
    if failed is not None:
        return _after_failure(failed)
    fitting = [e for e in endpoints if _fits(e, wish)]
    # Prefer the endpoint that already serves the model: then nothing is touched.
    fitting.sort(key=lambda e: e.model_arn != wish.model_arn)
    if fitting:
        return _use(fitting[0], wish, endpoints)
    kept = next((e for e in endpoints if e.committed_until and _same_base(e, wish)), None)
    if kept is not None:
        return _use(kept, wish, endpoints, note=f"; {commitment_reason(kept)}")
    return Plan(
        action=Action.CREATE,
        reason="no endpoint with the wished units, commitment and base model exists",
        surplus=tuple(endpoints),
    )


def removable(endpoint: Endpoint) -> bool:
    """Whether Bedrock lets it be deleted: not while a commitment runs."""
    return endpoint.committed_until is None


def commitment_reason(endpoint: Endpoint) -> str:
    """Why a committed endpoint stays, in words for a person."""
    return (
        f"{endpoint.arn} has a commitment ({endpoint.commitment}) until "
        f"{endpoint.committed_until}: it is billed until then and cannot be deleted or resized"
    )


def _same_base(endpoint: Endpoint, wish: Wish) -> bool:
    return endpoint.base_arn is None or wish.base_arn is None or endpoint.base_arn == wish.base_arn


def _fits(endpoint: Endpoint, wish: Wish) -> bool:
    if endpoint.kind != wish.mode or not _same_base(endpoint, wish):
        return False
    if endpoint.kind == "on-demand":
        return True
    return endpoint.units == wish.units and endpoint.commitment == wish.commitment


def _use(target: Endpoint, wish: Wish, endpoints: Sequence[Endpoint], note: str = "") -> Plan:
    surplus = tuple(e for e in endpoints if e.arn != target.arn)
    if target.model_arn == wish.model_arn:
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
    target = next((e for e in endpoints if removable(e)), None)
    if target is not None:
        return Plan(action=Action.DELETE, reason="nothing is to be served", target=target)
    reasons = "; ".join(commitment_reason(e) for e in endpoints)
    return Plan(action=Action.NOTHING, reason=reasons or "nothing is served, nothing is to be")


def _after_failure(failed: Endpoint) -> Plan:
    why = f"{failed.arn} failed: {failed.failure or 'Bedrock gives no reason'}"
    if removable(failed):
        return Plan(action=Action.DELETE, reason=why, target=failed)
    return Plan(action=Action.FAILED, reason=f"{why}; {commitment_reason(failed)}", target=failed)
