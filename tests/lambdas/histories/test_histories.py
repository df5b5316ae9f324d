"""Whatever the order: nobody is told what is not true, nothing is billed for nobody."""

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from lambdas import (
    _aws,
    _cloudformation,
    _endpoints,
    _runs,
    keep_leases,
    provisioned_throughput,
    serve,
)
from lambdas._serving import work
from tests.lambdas.aws import Aws
from tests.lambdas.histories.direct import Direct
from tests.lambdas.histories.history import begin, faults, not_the_newest, play
from tests.lambdas.histories.world import World, clock

# `make chaos` plays more of them, and others.
HISTORIES = int(os.environ.get("HISTORIES", "300"))
FIRST = int(os.environ.get("FIRST_SEED", "0"))
Play = Callable[..., World]


@pytest.fixture
def history(
    aws: Aws,
    clients: dict[str, Any],
    customize: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> Play:
    """Plays the history of one seed; returns the world afterwards."""
    monkeypatch.setattr(_cloudformation, "_send", lambda *_: None)
    for module in (_cloudformation, keep_leases, serve):
        monkeypatch.setattr(module.logger, "disabled", True)
    for name, client in clients.items():
        direct = Direct(partial(getattr, aws, name), client.meta.method_to_api_mapping)
        monkeypatch.setattr(_aws, name, lambda direct=direct: direct)

    def played(seed: int, *, many: int = 3, chaos: float = 0.01) -> World:
        world = begin(aws, seed, customize, chaos=chaos)
        if not chaos:
            # No lease ends before the history does.
            customize(serving={"lease_hours": 100})
        for module in (_endpoints, _runs, keep_leases, provisioned_throughput, serve, work):
            monkeypatch.setattr(module, "datetime", clock(world))
        play(world, many=many)
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


def test_of_runs_that_overtake_one_another_the_newest_is_served(history: Play) -> None:
    """Nobody interferes: one buys, the other comes while it is made, and both ask by the minute."""
    for seed in range(FIRST, FIRST + HISTORIES // 5):
        world = history(seed, many=0, chaos=0)
        found = [*faults(world), *not_the_newest(world)]
        assert not found, f"seed {seed}: {found}"
