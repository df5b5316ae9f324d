"""Each fault at each call of each state: the run ends, people know how, the next upload works."""

import itertools
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lambdas import check_manifest, keep_leases, merge, reconcile, serve
from lambdas._deploying import _cloudformation
from tests.lambdas.aws import TRAINING, Aws
from tests.lambdas.flow import NAME
from tests.lambdas.histories import table
from tests.lambdas.histories.cells import KINDS, Call, Disturbed, Ended, Fault, play
from tests.lambdas.histories.execution import FUNCTION, STATES
from tests.lambdas.histories.history import begin
from tests.lambdas.histories.scenarios import REAL, SCENARIOS
from tests.lambdas.histories.test_histories import MODULES
from tests.lambdas.histories.world import World, clock, pointers
from tests.support.pictures import png
from tests.support.s3 import Server

pytestmark = pytest.mark.slow

# "all" plays every cell, "write" puts what becomes of them into docs/reliability.md as well.
CELLS = os.environ.get("CELLS", "")
# Of those that are played in each test run: one of so many.
EVERY = 1 if CELLS else 37
PICTURE, KEY = png(520, 520), f"{NAME}/images/a.png"
Act = Callable[..., tuple[Disturbed, Ended]]


def _manifest(data: str) -> bytes:
    """Records about one picture; ten are too few."""
    row = '{"image-ref": "s3://%s/%s", "caption": "%s %d"}\n'
    rows = 10 if data == "invalid" else 1_000
    return "".join(row % (TRAINING, KEY, data, number) for number in range(rows)).encode()


@pytest.fixture
def acted(
    aws: Aws,
    direct: None,
    server: Server,
    customize: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> Act:
    """Plays a scenario, perhaps with a fault; returns what was called, and how it ended."""
    monkeypatch.setattr(_cloudformation, "_send", lambda _, answer: worlds[-1].answered(answer))
    monkeypatch.setenv("IMAGES_PER_SHARD", "1000")
    for module in (_cloudformation, keep_leases, reconcile, serve):
        monkeypatch.setattr(module.logger, "disabled", True)
    worlds: list[World] = []
    for module in MODULES:
        monkeypatch.setattr(module, "datetime", clock(lambda: worlds[-1]))
    checks = {"${CheckManifest}": check_manifest.handler, "${Merge}": merge.handler}

    def act(name: str, *faults: Fault) -> tuple[Disturbed, Ended]:
        world = begin(aws, 7, customize, chaos=0)
        server.objects.buckets = aws.s3.objects.buckets
        aws.s3.objects = server.objects
        world.trouble, world.strategy, world.begin = False, "swap", world.upload
        customize(serving={"strategy": "swap", "lease_hours": 30, "model_units": 1})
        customize(budget={"approval": "always", "max_run_usd": None})
        aws.bedrock.slots = 2
        aws.ssm.values |= pointers()
        if name in REAL:
            world.manifest = _manifest
            world.functions = {**FUNCTION, **checks}
            aws.s3.objects.put(TRAINING, KEY, PICTURE)
        worlds[:] = [world]
        disturbed = Disturbed(world, faults)
        disturbed.connect(aws)
        server.instead = disturbed.read
        return disturbed, play(disturbed, name)

    return act


def _calls(acted: Act) -> Iterator[tuple[str, Ended, list[Call]]]:
    """Each scenario with how it ends undisturbed, and the calls that no earlier one makes."""
    seen: set[Call] = set()
    for name in SCENARIOS:
        disturbed, planned = acted(name)
        assert not planned.wrong, name
        new = [call for call in dict.fromkeys(disturbed.calls) if call not in seen]
        seen.update(new)
        yield name, planned, new


def test_what_the_page_says_becomes_of_a_run_is_what_becomes_of_it(acted: Act) -> None:
    found: dict[table.Row, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    wrong, number = [], itertools.count()
    page = table.on_page()
    for name, planned, calls in _calls(acted):
        for call, kind in itertools.product(calls, KINDS):
            row = table.row_of(call)
            words = found[row]
            if next(number) % EVERY:
                continue
            _, ended = acted(name, Fault(call, kind))
            word = ended.beside(planned)
            words[kind].add(word)
            if ended.wrong:
                wrong.append(f"{name}, {kind} at {call}: {'; '.join(ended.wrong)}")
            elif CELLS != "write" and word not in page.get(row, {}).get(kind, ()):
                wrong.append(f"{name}, {kind} at {call}: {word}; the page says otherwise")
    cells = {row: {k: frozenset(w) for k, w in kinds.items()} for row, kinds in found.items()}
    if CELLS == "write":
        table.write(cells)
        page = table.on_page()
    assert not wrong, "\n".join([*wrong, "docs/reliability.md is drawn by: make reliability"])
    assert list(page) == list(cells)
    assert page == cells or not CELLS


def test_the_page_has_every_state_that_calls_something() -> None:
    """States that differ in their parameters alone are alike."""
    tasks = {name: state for name, state in STATES.items() if state["Type"] in ("Task", "Map")}
    alike = {name: repr({**state, "Parameters": 0}) for name, state in tasks.items()}
    there = {actor for actor, _ in table.on_page()}

    assert {alike[name] for name in tasks} == {alike[name] for name in tasks if name in there}
    assert all(words for row in table.on_page().values() for words in row.values())
