"""Hundreds of customizations: synthesized with the proof, and deployed to the local AWS."""

import ctypes
import json
import os
import resource
import shutil
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from tools import CHECKOUT
from tools.bench import measure
from tools.bench.measure import MeasurementError
from tools.bench.plan import BenchPlan
from tools.bench.result import BenchSection

_PLATFORM: Final = ("data", "pipeline", "serving", "people")
_EXAMPLE: Final = CHECKOUT / "customizations" / "pets-search.toml"
_WORD: Final = ("by text or picture", "by words or picture")


def synthesis(plan: BenchPlan) -> BenchSection:
    """Whole synths, the proof included, of more and more customizations that are alike."""
    section = BenchSection(
        name="customizations",
        title="Customizations: synthesis",
        about="`python app.py` in new processes, with the proof of all templates and the Node.js "
        "process of the CDK. CPU time of both; the first row is what an environment costs anyway.",
        columns={"cpu_s": "{:.1f}", "wall_s": "{:.1f}", "stacks": "{:.0f}", "mb": "{:.1f}"},
    )
    folder = plan.folder / "customizations"
    for count in plan.customizations:
        figures = _synthesized(folder, count)
        section.row(f"{count} customizations" if count > 1 else "1 customization").add(figures)
        measure.say_progress(f"  {count}: {figures['cpu_s']:.1f} s of CPU time")
    first, middle, last = (row.median("cpu_s") for row in section.rows)
    few, some, many = plan.customizations
    section.at_most(f"CPU s, {many} customizations", last, 20, "{:.1f}")
    # Each costs the same, however many there are.
    growth = (last - middle) / (many - some) / ((middle - first) / (some - few))
    section.at_most(
        "times the CPU time for each of the last as for the first", growth, 1.3, "{:.2f}"
    )
    return section


def deployment_times(plan: BenchPlan) -> BenchSection:
    """Deploys many customizations to the local AWS once, then changes one thing at a time."""
    from local.demo.deploy import bootstrap, deploy
    from local.emulator.layout import ENVIRONMENT
    from local.emulator.server import LocalAws

    few = plan.deployed
    section = BenchSection(
        name="deployments",
        title="Customizations: deployments to the local AWS",
        about="Synthesis with the proof, then `cdk deploy`; ten stacks at a time, or the one stack "
        "of the customization that was added.",
        columns={"wall_s": "{:.1f}", "changed": "{:.0f}"},
    )
    root = plan.folder / "deployments"
    shutil.rmtree(root, ignore_errors=True)
    files, out = root / "customizations", root / "cdk.out"
    _write(files, few)
    with LocalAws.start(state=root / "state", port=0) as aws:
        bootstrap(aws, root)

        def deployed(what: str, before: dict[str, bytes], *stacks: str) -> dict[str, bytes]:
            began = time.perf_counter()
            synthesize_apart(files, out, ENVIRONMENT)
            after = _templates(out)
            changed = [name for name, text in after.items() if before.get(name) != text]
            some = stacks or ("--all", "--concurrency", "10")
            deploy(aws, root, say=lambda _: None, app=str(out), stacks=some)
            figures = {"wall_s": time.perf_counter() - began, "changed": float(len(changed))}
            section.row(what).add(figures)
            measure.say_progress(
                f"  {what}: {figures['wall_s']:.1f} s, {len(changed)} templates changed"
            )
            if before and set(changed) & {f"tuning-{ENVIRONMENT}-{name}" for name in _PLATFORM}:
                raise MeasurementError(f"{what}: {', '.join(changed)} changed")
            return after

        known = deployed(f"{few} customizations, all new", {})
        known = deployed("nothing changed", known)
        _write(files, few + 1)
        stack = f"tuning-{ENVIRONMENT}-{_name(few)}"
        known = deployed("one customization more", known, "--exclusively", stack)
        _reword(files / f"{_name(0)}.toml")
        deployed("a word in one description", known)
    rows = {row.what: row for row in section.rows}
    more = rows["one customization more"]
    section.at_most("s, one customization more", more.median("wall_s"), 15, "{:.1f}")
    section.at_most("templates that it changes", more.median("changed"), 1, "{:.0f}")
    word = rows["a word in one description"].median("changed")
    section.at_most("templates that a word changes, none with a function", word, 1, "{:.0f}")
    return section


def _name(number: int) -> str:
    return f"customization-name-{number:03d}"


def _write(folder: Path, count: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = _EXAMPLE.read_text("utf-8")
    for number in range(count):
        (folder / f"{_name(number)}.toml").write_text(text, "utf-8")


def _reword(file: Path) -> None:
    text = file.read_text("utf-8")
    changed = text.replace(*_WORD)
    if changed == text:
        raise MeasurementError(f"{file.name} does not say {_WORD[0]!r}")
    file.write_text(changed, "utf-8")


def _templates(out: Path) -> dict[str, bytes]:
    return {
        file.name.removesuffix(".template.json"): file.read_bytes()
        for file in sorted(out.glob("*.template.json"))
    }


def _reap() -> None:
    """Waits for what our children left behind: the CPU time of jsii's Node.js counts, too."""
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)


def _synthesized(folder: Path, count: int) -> dict[str, float]:
    files, out = folder / f"{count}", folder / f"{count}.out"
    shutil.rmtree(out, ignore_errors=True)
    _write(files, count)
    # Orphans become our children (prctl, PR_SET_CHILD_SUBREAPER).
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    synthesize_apart(files, out, "dev")
    _reap()
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    sizes = [len(text) for text in _templates(out).values()]
    shutil.rmtree(out)
    return {
        "cpu_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "wall_s": wall,
        "stacks": float(len(sizes)),
        "mb": sum(sizes) / 1e6,
    }


def synthesize_apart(files: Path, out: Path, environment: str, **settings: int) -> None:
    """An environment with the customizations of a folder, in a process of its own.

    settings: of the environment, beside those of cdk.json.
    """
    shutil.rmtree(out, ignore_errors=True)
    given = [str(files), str(out), environment, json.dumps(settings)]
    command = [sys.executable, "-m", "tools.bench.customizations", *given]
    measure.output_of("synthesis", command)


def main() -> None:
    """Synthesizes an environment with the customizations of a folder."""
    from app import build_app, read_context, synthesize

    files, out, environment, settings = sys.argv[1:]
    context = {**read_context(), "environment": environment}
    context["tuning"]["environments"][environment] |= json.loads(settings)
    synthesize(build_app(context, outdir=out, customizations=Path(files)))


if __name__ == "__main__":
    main()
