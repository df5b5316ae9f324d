"""Linters that others will run on our templates find nothing."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_cfn_lint_finds_nothing(synth: Any, environment: str, repository: Path) -> None:
    templates = sorted(Path(synth(environment).directory).glob("*.template.json"))
    assert len(templates) == 3
    command = [str(Path(sys.executable).with_name("cfn-lint")), *map(str, templates)]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
