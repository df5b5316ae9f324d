"""What Lambda receives is complete: every handler imports from it and from nothing else of ours."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from bedrock_tuning.constructs.asset import shipped_files

PROBE = """
import importlib, sys
class NotInLambda:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"aws_cdk", "constructs", "jsii", "click", "rich", "PIL", "cli"}:
            raise ImportError(name + " is not in Lambda")
sys.meta_path.insert(0, NotInLambda())
asset, layer = sys.argv[1:3]
sys.path[:0] = [asset, layer]
for handler in sys.argv[3:]:
    module, name = handler.rsplit(".", 1)
    loaded = importlib.import_module(module)
    assert loaded.__file__.startswith(asset), loaded.__file__
    assert callable(getattr(loaded, name)), handler
before = set(sys.modules)
import jinja2, msgspec, obstore
assert jinja2.__file__.startswith(layer)
assert "jinja2.environment" not in before, "a page is drawn by one function, and all would load it"
from bedrock_tuning.report import html
assert html.environment().get_template("report.html.j2")
assert msgspec.__file__.startswith(layer) and obstore.__file__.startswith(layer)
import boto3
from lambdas import _aws
assert boto3.__file__.startswith(layer)
services = [make().meta.service_model.service_name for make in vars(_aws).values()
            if hasattr(make, "cache_info") and make.__module__ == _aws.__name__]
assert len(services) > 5, services
"""


def _assets(assembly: Any, stack: str) -> list[Path]:
    manifest = json.loads(Path(assembly.directory, f"{stack}.assets.json").read_text("utf-8"))
    return [
        Path(assembly.directory, file["source"]["path"])
        for file in manifest["files"].values()
        if file["source"]["packaging"] == "zip"
    ]


def test_every_handler_imports_from_the_staged_asset_alone(synth: Any, tmp_path: Path) -> None:
    assembly = synth("local")
    handlers = {
        resource["Properties"]["Handler"]
        for stack in assembly.stacks
        for resource in stack.template["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Function"
    }
    assert "lambdas.admit.handler" in handlers
    code, layer = sorted(
        _assets(assembly, "tuning-local-pipeline"), key=lambda path: (path / "python").exists()
    )
    environment = {"AWS_DEFAULT_REGION": "us-east-1", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", PROBE, str(code), str(layer / "python"), *sorted(handlers)]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


LOADED = """
import importlib, sys
for handler in sys.argv[1:]:
    importlib.import_module(handler)
for module in list(sys.modules.values()):
    if module.__name__.partition(".")[0] in ("lambdas", "bedrock_tuning"):
        print(module.__file__)
"""


def test_the_modules_of_the_asset_are_those_that_importing_the_handlers_loads(
    assembly: Any, repository: Path
) -> None:
    (code,) = [a for a in _assets(assembly, "tuning-dev-pipeline") if (a / "lambdas").exists()]
    handlers = [
        f"lambdas.{path.stem}"
        for path in (repository / "lambdas").glob("*.py")
        if not path.stem.startswith("_")
    ]
    command = [sys.executable, "-c", LOADED, *handlers]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True)
    loaded = {str(Path(line).relative_to(repository)) for line in done.stdout.splitlines()}
    files = {str(path.relative_to(code)) for path in code.rglob("*") if path.is_file()}
    assert {file for file in files if file.endswith(".py")} == loaded
    assert files == set(shipped_files())
