"""Runs tests against mutants: one copy of the tree and one process for each core."""

import contextlib
import importlib
import io
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import grimp
import pytest

from tools import CHECKOUT
from tools.mutants.operators import Mutant
from tools.mutants.tracing import steady_hypothesis

# What tests need and Git does not keep.
_LINKED: Final = ("node_modules", ".venv", "build")
# What imports the modules that are mutated.
_PACKAGES: Final = ("bedrock_tuning", "lambdas")
# Tests that deploy, or run other tests, take minutes each.
_LEFT_OUT: Final = ("tests/e2e/", "tests/stacks/", "tests/test_recipes.py")
# All tests that come past a mutant take minutes, and the nearest tell.
_MOST: Final = 300
_OPTIONS: Final = ("-x", "-q", "-p", "no:cacheprovider", "-n0", "--no-header", "-W", "default")

MutantVerdict = Literal["killed", "timeout", "survived", "not run"]


@dataclass(slots=True, kw_only=True)
class Coverage:
    """Which tests run a line; how many CPU seconds each takes; what they import of others."""

    lines: dict[str, dict[int, set[str]]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    modules: set[str] = field(default_factory=set)

    def add(self, trace: dict[str, Any]) -> None:
        """What one traced run of pytest saw."""
        self.seconds |= trace["seconds"]
        self.failed |= set(trace["failed"])
        self.modules |= set(trace["modules"])
        for file, lines in trace["lines"].items():
            known = self.lines.setdefault(file, {})
            for line, tests in lines.items():
                known.setdefault(int(line), set()).update(tests)

    def tests_of(self, mutant: Mutant) -> list[str]:
        """First the tests that run its statement, then the others of its module; fast ones first.

        The others matter for what runs at import, in a shared fixture, or once and is kept, and
        tests that import the module may judge its data. Where nothing of it runs in a test, the
        tests of its importers judge it, too. A mutant that the first 300 leave alive survives.
        """
        lines = self.lines.get(mutant.module, {})
        direct = set().union(*(lines.get(line, set()) for line in mutant.lines))
        files = importing([mutant.module])
        named = {test for test in self.seconds if test.partition("::")[0] in files}
        others = set().union(*lines.values())
        chosen = [each for tests in (direct, named, others) for each in self._sorted(tests)]
        if not lines:
            chosen += self._of_importers(mutant.module)
        return [*dict.fromkeys(chosen)][:_MOST]

    def _of_importers(self, module: str) -> list[str]:
        """The tests of the modules that import it: the nearest first, then fast ones first."""
        chosen: dict[str, None] = {}
        for files in importers(module):
            tests = {
                test for file in files for ran in self.lines.get(file, {}).values() for test in ran
            }
            chosen |= dict.fromkeys(self._sorted(tests))
        return [*chosen]

    def _sorted(self, tests: set[str]) -> list[str]:
        return sorted(tests - self.failed, key=lambda test: (self.seconds.get(test, 0.0), test))


def importers(file: str) -> Iterator[frozenset[str]]:
    """The files that import a file, then those that import these, and so on."""
    graph, name = _graph(), file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    seen, last = {name}, {name}
    while last:
        last = {each for known in last for each in graph.find_modules_that_directly_import(known)}
        last -= seen
        seen |= last
        yield frozenset(f"{each.replace('.', '/')}.py" for each in last)


def traced_files(files: Iterable[str]) -> list[str]:
    """These files and all that import them: what is traced, whoever the targets are."""
    chosen = set(files)
    return sorted(chosen.union(*(near for file in chosen for near in importers(file))))


def importing(files: Iterable[str]) -> list[str]:
    """The files of tests that import one of these files by its name."""
    names = [file.removesuffix(".py").replace("/", ".").rpartition(".") for file in files]
    forms = (
        rf"from {folder} import (?:\([^)]*|.*)\b{name}\b|(?:from|import) {folder}\.{name}\b"
        for folder, _, name in names
    )
    wanted = re.compile("|".join(forms))
    return [file for file, text in _tests().items() if wanted.search(text)]


@cache
def _tests() -> dict[str, str]:
    files = {
        str(file.relative_to(CHECKOUT)): file
        for file in sorted(CHECKOUT.glob("tests/**/test_*.py"))
    }
    return {n: file.read_text() for n, file in files.items() if not n.startswith(_LEFT_OUT)}


@cache
def _graph() -> grimp.ImportGraph:
    return grimp.build_graph(*_PACKAGES, cache_dir=None)


def copy_tree(to: Path) -> None:
    """The files of the working tree that Git knows or would add; what is big is linked."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=CHECKOUT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (CHECKOUT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, to / name)
    for name in _LINKED:
        if (CHECKOUT / name).exists() and not (to / name).exists():
            (to / name).symlink_to(CHECKOUT / name)


def trace(tree: Path, tests: Sequence[str], files: Sequence[str]) -> dict[str, Any]:
    """Runs tests once, without a mutant, and returns what the plugin wrote."""
    written = tree / f"trace-{abs(hash(tuple(tests)))}.json"
    environment = {
        **os.environ,
        "PYTHONPATH": str(tree),
        "MUTANTS_TRACE": str(written),
        "MUTANTS_FILES": json.dumps(list(files)),
    }
    command = [sys.executable, "-m", "pytest", "-p", "tools.mutants.tracing", *_OPTIONS[1:]]
    subprocess.run(  # noqa: S603
        [*command, *tests], cwd=tree, env=environment, check=False, capture_output=True
    )
    found: dict[str, Any] = json.loads(written.read_text())
    return found


def preload(modules: Iterable[str]) -> None:
    """Imports what the tests import of others once, so that each child has it already."""
    ours = ("bedrock_tuning", "lambdas", "local", "tests", "app", "tools", "conftest")
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        for name in sorted(modules):
            if name.partition(".")[0] not in (*ours, "__main__", "antigravity", "this", "idlelib"):
                # Some cannot be imported by themselves, or exit; the child imports them again.
                with contextlib.suppress(BaseException):
                    importlib.import_module(name)


def judge_mutant(tree: Path, mutant: Mutant, coverage: Coverage) -> MutantVerdict:
    """Puts the mutant into the tree, runs its tests in a child, and takes it out again."""
    tests = coverage.tests_of(mutant)
    if not tests:
        return "not run"
    file = tree / mutant.module
    before, stat = file.read_bytes(), file.stat()
    cpu = 20 + 3 * sum(coverage.seconds.get(test, 1.0) for test in tests)
    try:
        file.write_text(mutant.source)
        # Another size or time than the compiled file says: it is compiled anew.
        os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns + 5_000_000_000))
        return _verdict(_in_child(tree, tests, cpu=int(cpu)))
    finally:
        file.write_bytes(before)
        os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def _verdict(status: int | None) -> MutantVerdict:
    if status is None or os.WIFSIGNALED(status):
        return "timeout"
    return "survived" if os.WEXITSTATUS(status) == pytest.ExitCode.OK else "killed"


def _in_child(tree: Path, tests: list[str], *, cpu: int) -> int | None:
    child = os.fork()
    if child == 0:
        os.setsid()
        # CPU time, since other work on the machine says nothing about a mutant.
        resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
        code = 3
        try:
            code = int(_run(tree, tests))
        finally:
            os._exit(code)
    # One that sleeps uses no CPU time.
    end = time.monotonic() + 10 * cpu
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _run(tree: Path, tests: list[str]) -> int:
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    os.chdir(tree)
    sys.path.insert(0, str(tree))
    sys.dont_write_bytecode = True
    for name in [*sys.modules]:
        if name.partition(".")[0] in ("tools", "tests", "bedrock_tuning", "lambdas"):
            del sys.modules[name]
    files = sorted({test.partition("::")[0] for test in tests})
    return pytest.main([*_OPTIONS, *files], plugins=[_Only(tests)])


class _Only:
    """Runs these tests, in this order."""

    def __init__(self, tests: list[str]) -> None:
        self._order = {test: place for place, test in enumerate(tests)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leaves out all others."""
        items[:] = [item for item in items if item.nodeid in self._order]
        items.sort(key=lambda item: self._order[item.nodeid])

    def pytest_configure(self) -> None:
        """Before the tests are read: their settings start from these."""
        steady_hypothesis()
