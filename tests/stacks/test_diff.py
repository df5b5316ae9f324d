"""What `cdk diff` shows of an upgrade: the lines that change, which a person can read."""

import copy
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app import ROOT

Template = dict[str, Any]
# What a reviewer reads in one piece.
LINES_MAX = 60


def _workflow(template: Template) -> None:
    """One more try in one state, or in all that share its Retry."""
    (machine,) = _of(template, "AWS::StepFunctions::StateMachine")
    machine["Definition"]["States"]["Read job"]["Retry"][0]["MaxAttempts"] -= 1


def _function(template: Template) -> None:
    """More memory, and a permission less, for one function."""
    functions = _of(template, "AWS::Lambda::Function")
    merge = next(each for each in functions if "merge" in each["Handler"])
    merge["MemorySize"] = 512
    role = template["Resources"][merge["Role"]["Fn::GetAtt"][0]]["Properties"]
    role["Policies"][0]["PolicyDocument"]["Statement"].pop()


def _code(template: Template) -> None:
    """One line of one module: the functions of a stack have one asset, beside their layer's."""
    (layer,) = _of(template, "AWS::Lambda::LayerVersion")
    text = json.dumps(template)
    (code,) = set(re.findall(r"[0-9a-f]{64}\.zip", text)) - {layer["Content"]["S3Key"]}
    template |= json.loads(text.replace(code, f"{'0' * 64}.zip"))


def _of(template: Template, kind: str) -> list[dict[str, Any]]:
    return [each["Properties"] for each in template["Resources"].values() if each["Type"] == kind]


@pytest.mark.parametrize("change", [_workflow, _function, _code])
def test_the_change_of_one_function_or_state_is_a_diff_of_few_lines(
    synth: Any, tmp_path: Path, change: Callable[[Template], None]
) -> None:
    assembly = synth("dev")
    stack = next(each for each in assembly.stacks if each.stack_name == "tuning-dev-pipeline")
    before = copy.deepcopy(stack.template)
    change(before)
    (tmp_path / "before.json").write_text(json.dumps(before), "utf-8")
    tools = os.pathsep.join([str(ROOT / "node_modules" / ".bin"), str(Path(sys.executable).parent)])
    done = subprocess.run(
        [
            "cdk", "diff", "--exclusively", "--app", assembly.directory, "--no-notices",
            "--no-color", "--template", str(tmp_path / "before.json"), stack.stack_name,
        ],
        env={
            **os.environ,
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "CDK_DISABLE_VERSION_CHECK": "1",
            "CDK_DISABLE_CLI_TELEMETRY": "true",
        },
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert "Number of stacks with differences: 1" in said, said
    assert len(said.splitlines()) <= LINES_MAX, said
