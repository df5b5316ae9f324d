"""`python -m tools.mutants`: draws mutants, judges them, writes the scores; exit 1 below 92 %."""

import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Final

import click

from tools import CHECKOUT
from tools.mutants.operators import Mutant, draw_mutants, mutants
from tools.mutants.page import MutantResult, mutants_page
from tools.mutants.running import (
    Coverage,
    copy_tree,
    importing,
    judge_mutant,
    preload,
    trace,
    traced_files,
)

GOAL: Final = 0.92
RESULTS: Final = Path(__file__).with_name("RESULTS.md")
EQUIVALENT: Final = Path(__file__).with_name("equivalent.toml")
# What is mutated, and the folders of the tests that have to notice, beside those that import it.
TARGETS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "dataset": ("bedrock_tuning/dataset", ("dataset", "rules", "checking")),
    "rules": ("bedrock_tuning/rules", ("rules", "checking", "dataset")),
    "checking": ("bedrock_tuning/checking", ("checking", "dataset", "rules")),
    "run": ("bedrock_tuning/run", ("run", "lambdas")),
    "serving": ("bedrock_tuning/serving", ("serving", "lambdas")),
    "sources": ("bedrock_tuning/sources", ("sources", "lambdas")),
    "lambdas": ("lambdas", ("lambdas",)),
    "iam": ("bedrock_tuning/review/iam", ("review/iam",)),
}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seed", default=f"{datetime.now(UTC):%Y%m%d}", help="Today's date by default.")
@click.option("--per-module", default=12, show_default=True, help="Mutants of each module.")
@click.option(
    "--targets",
    default=",".join(TARGETS),
    show_default=True,
    help="Names, separated by commas; with :PART only modules whose path contains PART.",
)
@click.option(
    "--write/--no-write",
    default=None,
    help="Whether to write RESULTS.md; by default only if all targets are judged.",
)
def main(*, seed: str, per_module: int, targets: str, write: bool | None) -> None:
    """Draw mutants, run their tests, write the scores; exit code 1 below 92 %."""
    # What is judged is the tree as it is now, whatever is committed meanwhile.
    commit = _commit()
    chosen = [name.partition(":")[::2] for name in targets.split(",")]
    files = {file: name for name, part in chosen for file in _files(name) if part in file}
    reasons = _equivalents()
    drawn = _drawn(files, per_module, seed, reasons)
    click.echo(f"seed {seed}: {len(drawn)} mutants of {len(files)} modules", err=True)
    folders = sorted({f"tests/{each}/" for name in files.values() for each in TARGETS[name][1]})
    others = [test for test in importing(files) if not test.startswith(tuple(folders))]
    results = _judged(drawn, [*folders, *others], traced_files(files))
    text = mutants_page(results, files, seed=seed, commit=commit, goal=GOAL)
    if targets == ",".join(TARGETS) if write is None else write:
        RESULTS.write_text(text)
    click.echo(text)
    killed = sum(result.dead for result in results)
    sys.exit(killed < GOAL * len(results))


def _files(target: str) -> Iterable[str]:
    folder = CHECKOUT / TARGETS[target][0]
    for file in sorted(folder.rglob("*.py")):
        name = str(file.relative_to(CHECKOUT))
        if mutants(name, file.read_text()):
            yield name


def _equivalents() -> set[tuple[str, ...]]:
    """The keys in equivalent.toml; one that names no mutant of its module is an error."""
    listed = tomllib.loads(EQUIVALENT.read_text()).get("mutant", []) if EQUIVALENT.exists() else []
    fields = ("module", "scope", "operator", "old", "new")
    keys = {tuple(entry[name] for name in fields) for entry in listed}
    known = {
        mutant.key
        for module in {key[0] for key in keys}
        if (CHECKOUT / module).exists()
        for mutant in mutants(module, (CHECKOUT / module).read_text())
    }
    for key in sorted(keys - known):
        raise click.ClickException(f"equivalent.toml: no such mutant any more: {key}")
    return keys


def _drawn(
    files: Mapping[str, str], number: int, seed: str, equivalents: set[tuple[str, ...]]
) -> list[Mutant]:
    found: list[Mutant] = []
    for file in files:
        every = mutants(file, (CHECKOUT / file).read_text())
        judged = [mutant for mutant in every if mutant.key not in equivalents]
        found += draw_mutants(judged, number, f"{seed}:{file}")
    return found


def _judged(drawn: list[Mutant], tests: list[str], files: list[str]) -> list[MutantResult]:
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as scratch:
        trees = [Path(scratch) / f"tree-{number}" for number in range(cores)]
        for tree in trees:
            copy_tree(tree)
        coverage = Coverage()
        with ProcessPoolExecutor(cores) as pool:
            for found in pool.map(partial(trace, trees[0], files=files), [[t] for t in tests]):
                coverage.add(found)
        if coverage.failed:
            click.echo(f"left out, they fail without a mutant: {sorted(coverage.failed)}", err=True)
        context = get_context("fork")
        queue = context.Queue()
        for tree in trees:
            queue.put(tree)
        with ProcessPoolExecutor(
            cores, mp_context=context, initializer=_start, initargs=(queue, coverage)
        ) as pool:
            results = []
            for result in pool.map(_judge, drawn):
                results.append(result)
                click.echo(f"{len(results)}/{len(drawn)} {result}", err=True)
            return results


_worker: dict[str, tuple[Path, Coverage]] = {}


def _start(queue: "Queue[Path]", coverage: Coverage) -> None:
    preload(coverage.modules)
    _worker["mine"] = queue.get(), coverage


def _judge(mutant: Mutant) -> MutantResult:
    tree, coverage = _worker["mine"]
    return MutantResult(mutant=mutant, verdict=judge_mutant(tree, mutant, coverage))


def _commit() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(  # noqa: S603
        command, cwd=CHECKOUT, check=True, capture_output=True, text=True
    ).stdout.strip()


if __name__ == "__main__":
    main()
