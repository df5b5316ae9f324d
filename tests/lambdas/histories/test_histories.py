"""Whatever the order: nobody is told what is not true, nothing is billed for nobody."""

import os
from collections.abc import Callable
from typing import Any

import pytest

from lambdas import (
    keep_leases,
    provisioned_throughput,
    reconcile,
    serve,
    take_turn,
)
from lambdas._deploying import _cloudformation
from lambdas._records import _runs
from lambdas._serving import _endpoints, work
from tests.lambdas.aws import Aws
from tests.lambdas.histories.history import (
    DAYS,
    QUIET,
    begin,
    faults,
    not_the_newest,
    play,
    run_faults,
    the_next_upload_fails,
)
from tests.lambdas.histories.world import World, clock

pytestmark = pytest.mark.slow

# `make chaos` plays more of them, and others.
HISTORIES = int(os.environ.get("HISTORIES", "200"))
FIRST = int(os.environ.get("FIRST_SEED", "0"))
MODULES = (_endpoints, _runs, keep_leases, provisioned_throughput, serve, take_turn, work)
Play = Callable[..., World]


@pytest.fixture
def history(
    aws: Aws,
    direct: None,
    customize: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> Play:
    """Plays the history of one seed; returns the world afterwards."""
    monkeypatch.setattr(_cloudformation, "_send", lambda _, answer: worlds[-1].answered(answer))
    for module in (_cloudformation, keep_leases, reconcile, serve):
        monkeypatch.setattr(module.logger, "disabled", True)
    worlds: list[World] = []
    for module in MODULES:
        monkeypatch.setattr(module, "datetime", clock(lambda: worlds[-1]))

    def played(
        seed: int,
        *,
        many: int = 3,
        chaos: float = 0.01,
        whole: bool = False,
        redrives: bool = False,
    ) -> World:
        world = begin(aws, seed, customize, chaos=chaos)
        if not chaos:
            # No lease ends before the history does.
            customize(serving={"lease_hours": 100})
        worlds[:] = [world]
        world.begin = world.upload if whole else world.run
        play(world, many=many, quiet=DAYS if whole else QUIET, redrives=redrives)
        return world

    return played


def test_every_history_ends_well(history: Play) -> None:
    wrong: dict[int, list[str]] = {}
    for seed in range(FIRST, FIRST + HISTORIES):
        world = history(seed, many=seed % 5)
        found = list(faults(world))
        if found:
            wrong[seed] = found
    listed = "\n".join(f"seed {seed}: {'; '.join(found)}" for seed, found in wrong.items())
    assert not wrong, f"{len(wrong)} of {HISTORIES} histories are wrong\n{listed}"


def test_every_history_of_whole_runs_ends_well_and_the_next_upload_works(history: Play) -> None:
    wrong: dict[int, list[str]] = {}
    for seed in range(FIRST, FIRST + HISTORIES // 3):
        world = history(seed, many=seed % 5, whole=True)
        found = [*faults(world), *run_faults(world)]
        found += filter(None, [the_next_upload_fails(world)])
        if found:
            wrong[seed] = found
    listed = "\n".join(f"seed {seed}: {'; '.join(found)}" for seed, found in wrong.items())
    assert not wrong, f"{len(wrong)} of {HISTORIES // 3} histories are wrong\n{listed}"


def test_a_redriven_execution_does_no_harm_and_starts_no_second_job(history: Play) -> None:
    wrong: dict[int, list[str]] = {}
    for seed in range(FIRST, FIRST + HISTORIES // 10):
        world = history(seed, many=seed % 3, whole=True, redrives=True)
        found = [*faults(world), *run_faults(world)]
        found += filter(None, [the_next_upload_fails(world)])
        if found:
            wrong[seed] = found
    listed = "\n".join(f"seed {seed}: {'; '.join(found)}" for seed, found in wrong.items())
    assert not wrong, f"{len(wrong)} of {HISTORIES // 10} histories are wrong\n{listed}"


def test_of_runs_that_overtake_one_another_the_newest_is_served(history: Play) -> None:
    """Nobody interferes: one buys, the other comes while it is made, and both ask by the minute."""
    for seed in range(FIRST, FIRST + HISTORIES // 5):
        world = history(seed, many=0, chaos=0)
        found = [*faults(world), *not_the_newest(world)]
        assert not found, f"seed {seed}: {found}"
