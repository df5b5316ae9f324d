"""How many examples a property gets, which tests share a worker, and what a test may not leave."""

import gc
import signal
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from tests.support import processes

# Tests of one of these folders share what is expensive to make: a deployed app, a server,
# templates. The longest come first, so that no worker is left with one of them at the end.
TOGETHER = ("e2e", "review/checks", "review", "local", "stacks")
# These share nothing, and are too long to come last.
ALONE = (
    "tests/e2e/test_options.py",
    "tests/local/emulator/test_server.py",
    "tests/test_recipes.py",
)

# jsonschema would compile the grammars of all kinds of addresses, for formats that no schema of
# ours names: 2 s in each worker.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]

# Tests make thousands of templates and records: looking for garbage at every 700 objects took a
# tenth of all their time.
gc.set_threshold(50_000)

# For `pytest --hypothesis-profile=deep`; tests.support.properties scales numbers of its own.
# Without deadlines: a machine under load is slow, not wrong.
settings.register_profile("usual", deadline=None)
settings.register_profile("fast", deadline=None, max_examples=5)
settings.register_profile("deep", deadline=None, max_examples=1_000)
settings.load_profile("usual")


# A shell that starts the tests in the background has them ignore Ctrl-C, and so would every process
# that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """For `make tutorials`."""
    parser.addoption(
        "--rewrite-tutorials", action="store_true", help="write what tutorials print into them"
    )


def unit(nodeid: str) -> str:
    """What stays on one worker: a folder of TOGETHER without ALONE, of others each file."""
    path = nodeid.partition("::")[0]
    _, *folders, _ = path.split("/")
    whole = [each for each in ("/".join(folders[:2]), *folders[:1]) if each in TOGETHER]
    return whole[0] if whole and path not in ALONE else path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start TOGETHER and ALONE before everything else."""
    rank = {name: number for number, name in enumerate((*TOGETHER, *ALONE))}
    # Stable: the order inside of a folder stays.
    items.sort(key=lambda item: rank.get(unit(item.nodeid), len(rank)))


def pytest_collection_finish() -> None:
    """Thousands of tests and their modules stay: no later collection of garbage walks them."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """Ends the processes that a test leaves: a failing one must not fail the next."""
    with processes.ended() as left:
        yield
    assert not left, f"the test leaves processes running: {left}"


# The marks of --dist=loadgroup have no effect with pytest 9.2 and pytest-xdist 3.8.
@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Distribute units, in the order of collection."""
    from xdist.scheduler import LoadScopeScheduling

    class Units(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return unit(nodeid)

    config.option.loadscopereorder = False
    return Units(config, log)
