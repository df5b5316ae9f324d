"""One fault at one call of AWS in a run, and what became of the run.

The calls are found by playing each scenario undisturbed: whatever a state calls, through its
function or itself, is a place at which each kind of fault is tried.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import zip_longest
from typing import Any, Final

from botocore.exceptions import ReadTimeoutError

from tests.lambdas.aws import Aws
from tests.lambdas.callers import callers
from tests.lambdas.fakes import DEPLOYED, Refused
from tests.lambdas.histories.execution import FUNCTION, Aborted, TaskError
from tests.lambdas.histories.history import (
    QUIET,
    faults,
    run_faults,
    settle,
    the_next_upload_fails,
)
from tests.lambdas.histories.scenarios import SCENARIOS
from tests.lambdas.histories.world import World

KINDS: Final = (
    "exception",
    "throttle",
    "time-out",
    "lost answer",
    "duplicate call",
    "delay",
    "denied",
    "deleted",
    "aborted",
)
# What goes on for as long as the run does.
_LASTING: Final = ("exception", "denied", "deleted")
# What obstore reads, over HTTP.
DATASET: Final = "GetObject of a dataset"
_THROTTLED, _TIMED_OUT = 3, 2
_DELAY = timedelta(minutes=2)
# What each service calls it if something is not there, or asked too often, or not permitted.
_GONE: Final = {
    "s3": ("NoSuchBucket", 404),
    "ssm": ("ParameterNotFound", 400),
    "sns": ("NotFound", 404),
    "stepfunctions": ("StateMachineDoesNotExist", 400),
}
_TOO_OFTEN: Final = {
    "s3": ("SlowDown", 503),
    "sns": ("Throttled", 400),
    "dynamodb": ("ProvisionedThroughputExceededException", 400),
    "lambda": ("TooManyRequestsException", 429),
}
_DENIED: Final = {"s3": ("AccessDenied", 403), "sns": ("AuthorizationError", 403)}
# Calls of Bedrock that name what can be deleted: what deletes it.
_NAMED: Final = (
    "provisionedModelId",
    "customModelDeploymentIdentifier",
    "resourceARN",
    "modelIdentifier",
    "modelId",
    "modelArn",
    "desiredModelId",
    "jobIdentifier",
)


@dataclass(frozen=True, order=True)
class Call:
    """actor: a state, or a function that is called by the clock. path: what led to the call."""

    actor: str
    service: str
    operation: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fault:
    """At the first time that a call is made, and at later ones as long as the fault lasts."""

    call: Call
    kind: str


@dataclass
class Disturbed:
    """A world in which one fault happens. calls: all that were made, in their order."""

    world: World
    faults: tuple[Fault, ...] = ()
    calls: list[Call] = field(default_factory=list)
    happened: dict[Fault, int] = field(default_factory=dict)
    calm: bool = False

    def connect(self, aws: Aws) -> None:
        """Stands around every call of every service, and of every function."""
        for service in aws.__dataclass_fields__:
            fake = getattr(aws, service)
            fake.around = partial(self._around, service)
        self.world.invoke = partial(self._around, "lambda", "Invoke")
        self.world.deliver = self._deliver  # type: ignore[method-assign]

    def read(self) -> tuple[int, str, str] | bool:
        """What a dataset's bucket answers instead of an object; True: nothing at all."""
        try:
            self._around("s3", DATASET, lambda: None)
        except Refused as error:
            return error.status, error.code, error.message
        except (ReadTimeoutError, Aborted):
            return True
        return False

    def _around(self, service: str, operation: str, carry_out: Callable[[], Any]) -> Any:
        call = None if self.calm else self._call(service, operation)

        def act() -> Any:
            plain = service in ("lambda", "events") or operation == DATASET
            return carry_out() if plain else self.world.around(operation, carry_out)

        if call is None:
            return act()
        self.calls.append(call)
        for fault in self.faults:
            if _same(fault, call):
                times = self.happened[fault] = self.happened.get(fault, 0) + 1
                return self._disturbed(fault, call, act, times)
        return act()

    def _deliver(self, name: str, event: dict[str, Any], late: timedelta) -> None:
        """An upload's event: EventBridge tries for a day, then it waits for `tuning redrive`."""
        call = Call("the upload's event", "events", "StartExecution")
        self.calls += [] if self.calm else [call]
        kind = next((fault.kind for fault in self.faults if fault.call == call), "")
        if kind in ("denied", "deleted"):
            self.world.alarms += 1
        if kind in ("lost answer", "duplicate call"):
            self.world._start(f"{name}-again", json.loads(json.dumps(event)), late)
        again = timedelta(hours=3) if kind in _LASTING else timedelta(minutes=10)
        self.world._start(name, event, late + again if kind else late)

    def _call(self, service: str, operation: str) -> Call | None:
        actors = self.world.actors
        if not actors:
            return None
        actor = actors[-1]
        path = callers() if service != "lambda" else ()
        if actor is not None:
            return Call(actor.here, service, operation, path)
        return Call(path[0].partition(".")[0] if path else "", service, operation, path)

    def _disturbed(self, fault: Fault, call: Call, act: Callable[[], Any], times: int) -> Any:
        match fault.kind:
            case "exception":
                if call.service == "lambda":
                    raise TaskError("KeyError", "a mistake of the function's own")
                raise Refused("ValidationException", "nobody expects this")
            case "denied":
                code, status = _DENIED.get(call.service, ("AccessDeniedException", 400))
                raise _refused(call, code, status, f"not authorized to perform {call.operation}")
            case "deleted":
                return self._deleted(call, act)
            case "throttle" if times <= _THROTTLED:
                code, status = _TOO_OFTEN.get(call.service, ("ThrottlingException", 400))
                raise _refused(call, code, status, "Rate exceeded")
            case "time-out" if times <= _TIMED_OUT:
                raise _unanswered(call, "Sandbox.Timedout")
            case "lost answer" if times == 1:
                with suppress(Refused):
                    act()
                raise _unanswered(call, "Lambda.SdkClientException")
            case "duplicate call" if times == 1:
                act()
                return act()
            case "delay" if times == 1:
                self._others_act()
                return act()
            case "aborted" if times == 1:
                raise Aborted
        return act()

    def _others_act(self) -> None:
        self.calm = True
        self.world.pass_to(self.world.now + _DELAY)
        self.world.keep()
        self.world.reconcile()
        self.calm = False

    def _deleted(self, call: Call, act: Callable[[], Any]) -> Any:
        """What the call is about is gone; if it names nothing, all of it."""
        if call.service == "bedrock" and self._delete(self.world.aws.bedrock.calls[-1][1]):
            return act()
        if call.service == "s3" and call.operation in ("GetObject", "HeadObject", "CopyObject"):
            asked = self.world.aws.s3.calls[-1][1]
            source = asked.get("CopySource", asked)
            self.world.aws.s3.objects.buckets[source["Bucket"]].pop(source["Key"], None)
            if call.operation != "CopyObject":
                return act()
        code, status = _GONE.get(call.service, ("ResourceNotFoundException", 404))
        raise _refused(call, code, status, "it is not there")

    def _delete(self, asked: Mapping[str, Any]) -> bool:
        bedrock = self.world.aws.bedrock
        named = [str(asked[name]) for name in _NAMED if name in asked]
        for name in named:
            bedrock.endpoints.pop(name, None)
            bedrock.models.pop(name, None)
            job = next((j for j in bedrock.jobs if name in (j, bedrock._arn(j))), None)
            bedrock.jobs.pop(job or "", None)
        return bool(named)


def _same(fault: Fault, call: Call) -> bool:
    """A resource that is gone is gone for everybody; a permission lacks a function."""
    if fault.kind == "deleted" and call.service != "lambda":
        return (fault.call.service, fault.call.operation) == (call.service, call.operation)
    if fault.kind in _LASTING:
        of = (fault.call.actor, fault.call.service, fault.call.operation)
        return of == (call.actor, call.service, call.operation)
    return fault.call == call


def _refused(call: Call, code: str, status: int, message: str) -> Exception:
    if call.service == "lambda":
        return TaskError(f"Lambda.{code}", message)
    return Refused(code, message, status)


def _unanswered(call: Call, name: str) -> Exception:
    if call.service == "lambda":
        return TaskError(name, "")
    return ReadTimeoutError(endpoint_url=f"https://{call.service}.example")


@dataclass(frozen=True)
class Ended:
    """How the runs of a scenario ended, what was sent, how often an alarm rang; what is wrong."""

    statuses: tuple[str, ...]
    messages: int
    alarms: int
    wrong: tuple[str, ...]

    def beside(self, planned: "Ended") -> str:
        """In a few words, beside how they end undisturbed."""
        if self.wrong:
            return "WRONG"
        pairs = zip_longest(self.statuses, planned.statuses)
        other = next((m or "no run" for m, p in pairs if m != p), "as planned")
        again = other == "as planned" and self.messages > planned.messages
        alarm = self.alarms > planned.alarms
        return other + ", notified again" * again + ", alarm" * alarm


def play(disturbed: Disturbed, name: str) -> Ended:
    """Plays a scenario; afterwards the fault is mended, and the next upload comes."""
    world = disturbed.world
    deployed = dict(DEPLOYED)
    SCENARIOS[name](world)
    disturbed.faults, disturbed.calm, world.functions = (), True, FUNCTION
    DEPLOYED.update(deployed)
    settle(world, quiet=QUIET)
    items = [world.aws.dynamodb.item(k) for k in world.aws.dynamodb.items if k.startswith("run#")]
    statuses = tuple(str(i["status"]) for i in sorted(items, key=lambda item: str(item["run"])))
    messages = len(world.aws.sns.sent)
    # An execution that ends without telling how rings one, too.
    unsaid = ("CloseRunFailed", "NotifyFailed")
    untold = [end for end in world.aws.stepfunctions.ends.values() if end["error"] in unsaid]
    alarms = world.alarms + len(untold)
    wrong = [*faults(world), *run_faults(world)]
    wrong += filter(None, [the_next_upload_fails(world)])
    return Ended(statuses, messages, alarms, tuple(wrong))
