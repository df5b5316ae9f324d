"""What a function's start costs: the size of what is unpacked, and the time of its imports."""

import json
import sys
import sysconfig
import tempfile
from functools import partial
from pathlib import Path
from typing import Final

from tools import CHECKOUT
from tools.bench import measure
from tools.bench.customizations import synthesize_apart
from tools.bench.measure import MeasurementError, say_progress
from tools.bench.plan import BenchPlan
from tools.bench.result import BenchSection
from tools.bench.server import find_tool

# boto3 comes with the runtime, already compiled; asset and layer are as they are deployed.
_PROBE: Final = """
import sys, time
asset, layer, runtime, module = sys.argv[1:]
sys.path[:0] = [asset, layer]
sys.path.append(runtime)
began, cpu = time.perf_counter(), time.process_time()
__import__(module)
print(time.perf_counter() - began, time.process_time() - cpu)
"""
_BOTO3: Final = "boto3 alone, which the runtime brings"


def cold_start(plan: BenchPlan) -> BenchSection:
    """Synthesizes, then measures every function's import; raises MeasurementError."""
    section = BenchSection(
        name="cold-start",
        title="Cold start",
        about="Each import in a new process on one core, from the synthesized asset and layer, "
        "without bytecode, as Lambda unpacks them. Sizes are those for AWS (arm64, Python 3.13); "
        "imports are of the same code with this machine's wheels.",
        columns={"import_ms": "{:.0f}", "cpu_ms": "{:.0f}", "unpacked_mb": "{:.1f}"},
        notes=[
            "A function with less memory has a smaller share of a core, so its imports take "
            "longer on AWS; Python's own start is not in these figures."
        ],
    )
    with tempfile.TemporaryDirectory() as folder:
        say_progress("  synthesizing")
        local, modules = _synthesize("local", Path(folder, "local"))
        # A second synthesis takes as long again; a quick run's sizes are those of this machine.
        deployed = local if plan.quick else _synthesize("dev", Path(folder, "dev"))[0]
        size = sum(file.stat().st_size for each in deployed for file in _files(each)) / 1e6
        measurements = {
            **{
                f"lambdas.{name}": partial(_import, local, f"lambdas.{name}", unpacked_mb=size)
                for name in modules
            },
            _BOTO3: partial(_import, local, "boto3"),
        }
        measure.alternate(section, measurements, rounds=plan.rounds)
    slowest = max(
        (row for row in section.rows if row.what != _BOTO3), key=lambda row: row.median("import_ms")
    )
    section.at_most(
        f"ms of import, the slowest ({slowest.what})", slowest.median("import_ms"), 400, "{:.0f}"
    )
    section.at_most("MB unpacked, asset and layer", size, 30, "{:.1f}")
    return section


def _synthesize(environment: str, folder: Path) -> tuple[list[Path], list[str]]:
    """Asset and layer of the functions of an environment, and the names of their modules."""
    synthesize_apart(CHECKOUT / "customizations", folder, environment)
    modules: set[str] = set()
    for template in folder.glob("*.template.json"):
        for resource in json.loads(template.read_text("utf-8")).get("Resources", {}).values():
            handler = resource.get("Properties", {}).get("Handler", "")
            if resource["Type"] == "AWS::Lambda::Function" and handler.startswith("lambdas."):
                modules.add(handler.split(".")[1])
    staged = [path for path in folder.glob("asset.*") if path.is_dir()]
    code = next((path for path in staged if (path / "lambdas").is_dir()), None)
    layer = next((path for path in staged if (path / "python").is_dir()), None)
    if code is None or layer is None or not modules:
        raise MeasurementError(f"synthesis left no functions in {folder}")
    return [code, layer], sorted(modules)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _import(staged: list[Path], module: str, **more: float) -> dict[str, float]:
    """more: figures that are known already."""
    code, layer = staged
    pinned = [find_tool("taskset"), "-c", str(measure.CORE)]
    probe = [*pinned, sys.executable, "-I", "-S", "-B", "-c", _PROBE]
    places = [str(code), str(layer / "python"), sysconfig.get_paths()["purelib"]]
    environment = {"AWS_REGION": "us-east-1", "PATH": "/usr/bin:/bin"}
    said = measure.output_of(module, [*probe, *places, module], environment=environment)
    seconds, cpu = map(float, said.split())
    return {"import_ms": seconds * 1000, "cpu_ms": cpu * 1000, **more}
