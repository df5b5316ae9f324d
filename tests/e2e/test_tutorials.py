"""The tutorials say what happens: their commands are run here, and print what the pages show.

`make tutorials` writes what they print today into the pages.
"""

import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from difflib import unified_diff
from pathlib import Path

import pytest

from app import ROOT
from tests.e2e.world import World
from tests.support.transcripts import Terminal, files, rewritten, steps

pytestmark = [pytest.mark.e2e, pytest.mark.long]

PAGES = sorted((ROOT / "docs" / "tutorials").glob("*.md"))


@pytest.fixture(scope="module")
def account(world: World) -> Iterator[World]:
    """An account that may do what the tutorials need, with nothing served and nobody told."""
    world.aws.faults.options(allow_closed_models=True, model_units=4)
    world.nobody_subscribed()
    world.nothing_served()
    yield world
    world.aws.faults.options(allow_closed_models=False, model_units=2)
    world.own_datasets()


def project(world: World, folder: Path) -> Terminal:
    """What a clone has: the app, its settings and customizations, and the tools on the PATH."""
    folder.mkdir()
    for name in ("app.py", "cdk.json"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "customizations", folder / "customizations")
    tools = [str(Path(sys.executable).parent), str(ROOT / "node_modules" / ".bin")]
    own = {"PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": str(folder / ".config")}
    environment = world.aws.environment({"PATH": ":".join([*tools, "/usr/bin", "/bin"])})
    return Terminal(folder, {**environment, **own})


def follow(page: Path, terminal: Terminal) -> str:
    """The page's text with what its commands print now."""
    text = page.read_text("utf-8")
    for name, content in files(text).items():
        (terminal.folder / name).write_text(content, "utf-8")
    others = {}
    for number, step in enumerate(steps(text)):
        printed = terminal.run(step)
        if not terminal.same(step.output, printed):
            others[number] = terminal.as_on_the_page(step.output, printed)
    return rewritten(text, others)


def test_every_command_of_the_tutorials_prints_what_its_page_shows(
    account: World, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """All pages at once: each waits for runs of its own customization most of the time."""
    terminals = [project(account, tmp_path / page.stem) for page in PAGES]
    with ThreadPoolExecutor() as pool:
        followed = dict(zip(PAGES, pool.map(follow, PAGES, terminals), strict=True))
    for page, text in followed.items():
        if request.config.getoption("--rewrite-tutorials"):
            page.write_text(text, "utf-8")
    wrong = [
        line
        for page, text in followed.items()
        for line in unified_diff(
            page.read_text("utf-8").splitlines(), text.splitlines(), page.name, lineterm=""
        )
    ]
    assert not wrong, "run `make tutorials` and read the difference:\n" + "\n".join(wrong)
