"""Ways through the workflow that visit every state in which something is called."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from tests.lambdas.aws import VALIDATION
from tests.lambdas.histories.execution import MANIFEST
from tests.lambdas.histories.history import REPLY, play_until
from tests.lambdas.histories.world import World


def go_on(world: World, *, until: str = "") -> None:
    """Until nothing runs any more, or the newest execution is in a state."""
    steps = 0
    while any(not each.ended for each in world.executions):
        if until and world.executions[-1].here == until:
            return
        world.next()
        steps += 1
        assert steps < 3_000, "no end in sight"


def pass_by(world: World, time: timedelta) -> None:
    """Whatever happens meanwhile."""
    play_until(world, world.now + time)
    world.pass_to(world.now + time)


# What may happen around a run. In order: a call is disturbed in the first scenario that makes it.
Scenario = Callable[[World], None]
SCENARIOS: dict[str, Scenario] = {}
REAL: set[str] = set()


def scenario(act: Scenario, *, real: bool = False) -> Scenario:
    """One way through the workflow, or what the clock calls. real: its dataset is checked, too."""
    SCENARIOS[act.__name__] = act
    REAL.update([act.__name__] if real else [])
    return act


@partial(scenario, real=True)
def a_dataset_is_checked_and_rejected(world: World) -> None:
    world.upload("invalid")
    go_on(world)


@scenario
def a_later_upload_waits_for_a_slot_and_is_swapped_in(world: World) -> None:
    """It is validated, too."""
    world.aws.s3.objects.put(VALIDATION, MANIFEST, b"v")
    world.upload("a")
    go_on(world)
    world.aws.bedrock.slots = 0
    world.upload("b")
    pass_by(world, timedelta(hours=1))
    world.aws.bedrock.slots = 1
    go_on(world)


@scenario
def a_run_without_validation_is_served(world: World) -> None:
    world.upload("a")
    go_on(world)


@scenario
def a_model_fails_its_smoke_test(world: World) -> None:
    world.aws.bedrock_runtime.reply = b"{}"
    world.upload("a")
    go_on(world)
    world.aws.bedrock_runtime.reply = REPLY


@scenario
def a_swapped_model_fails_its_smoke_test(world: World) -> None:
    world.upload("a")
    go_on(world)
    world.aws.bedrock_runtime.reply = b"{}"
    world.upload("b")
    go_on(world)
    world.aws.bedrock_runtime.reply = REPLY


@scenario
def a_proved_model_replaces_an_endpoint(world: World) -> None:
    world.strategy = "blue-green"
    world.customize(serving={"strategy": "blue-green"})
    world.upload("a")
    go_on(world)
    world.upload("b")
    go_on(world)


@scenario
def dearer_terms_are_deployed_and_a_lease_ends(world: World) -> None:
    world.upload("a")
    go_on(world)
    world.customize(serving={"model_units": 2})
    world.deployed()
    go_on(world)
    pass_by(world, timedelta(hours=32))


@scenario
def what_is_served_is_ended(world: World) -> None:
    world.upload("a")
    go_on(world)
    world.end()
    go_on(world)


@scenario
def a_run_is_aborted(world: World) -> None:
    """Its job runs, and is stopped by the reconciler."""
    _train(world)
    world.executions[0].abort()
    pass_by(world, timedelta(hours=2))


@scenario
def a_run_breaks_off(world: World) -> None:
    """Its job goes on; the reconciler watches, records and hands over."""
    _train(world)
    world.executions[0].status = "TIMED_OUT"
    pass_by(world, timedelta(hours=12))


@scenario
def a_run_cannot_be_closed(world: World) -> None:
    """Its execution says so, and the reconciler closes it."""
    functions = world.functions
    world.functions = {**functions, "${CloseRun}": _fails}
    world.upload("invalid")
    go_on(world)
    world.functions = functions
    pass_by(world, timedelta(hours=2))


@partial(scenario, real=True)
def images_are_verified_before_a_job(world: World) -> None:
    world.upload("a")
    go_on(world)


def _train(world: World) -> None:
    world.upload("a")
    go_on(world, until="Train")
    pass_by(world, timedelta(minutes=5))


def _fails(event: dict[str, Any], context: Any) -> Any:
    raise KeyError("closing")
