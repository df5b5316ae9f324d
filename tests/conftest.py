"""How many examples a property is tried with, and which tests run on the same worker."""

from pathlib import Path

import pytest
from hypothesis import settings

HERE = Path(__file__).parent
# Tests of one folder share what is expensive to make: a deployed app, a server, templates.
# The longest come first, so that no worker is left with one of them at the end.
TOGETHER = ("e2e", "local", "review", "stacks")

# For `pytest --hypothesis-profile=deep`; tests.support.properties scales numbers of its own.
# Without deadlines: a machine under load is slow, not wrong.
settings.register_profile("usual", deadline=None)
settings.register_profile("fast", deadline=None, max_examples=10)
settings.register_profile("deep", deadline=None, max_examples=1_000)
settings.load_profile("usual")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the folders of TOGETHER on one worker each, and start them before everything else."""

    def folder(item: pytest.Item) -> str:
        return item.path.relative_to(HERE).parts[0]

    for item in items:
        if folder(item) in TOGETHER and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(folder(item)))
    # Stable: the order inside of a folder stays.
    rank = {name: number for number, name in enumerate(TOGETHER)}
    items.sort(key=lambda item: rank.get(folder(item), len(TOGETHER)))
