"""Linters that others will run on our templates find nothing."""

import subprocess
import sys
from pathlib import Path
from typing import Any


def test_cfn_lint_finds_nothing(synth: Any, repository: Path) -> None:
    # One call for all: its start takes longer than its work.
    synthesized = [synth("dev"), synth("prod"), synth("dev", "all"), synth("dev", "subnets")]
    templates = [
        str(path) for each in synthesized for path in Path(each.directory).glob("*.template.json")
    ]
    assert len(templates) == 3 + 3 + 4 + 3
    command = [str(Path(sys.executable).with_name("cfn-lint")), *sorted(templates)]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
