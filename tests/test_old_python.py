"""Whoever starts with too old a Python reads so, whatever they start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OLD = "import sys; sys.version_info = (3, 10, 13, 'final', 0); sys.version = '3.10.13 (main)'; "


@pytest.mark.parametrize(
    "start",
    [
        "import runpy; runpy.run_path('app.py', run_name='__main__')",
        "import bedrock_tuning.cli.__main__",
    ],
    ids=["app.py", "tuning"],
)
def test_an_old_python_is_named_instead_of_a_traceback(start: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OLD + start], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Python 3.11 or newer is needed; this is 3.10.13")


def test_make_names_an_old_python_before_it_installs_anything(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text("utf-8"))
    for name in ("requirements-uv.txt", "requirements-dev.txt", "package-lock.json"):
        (tmp_path / name).touch()
    (tmp_path / "pyproject.toml").touch()
    # Makefile puts the virtual environment's folder first in PATH.
    python = tmp_path / ".venv/bin/python3"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\n[ "$1" = -c ] && exec "{sys.executable}" -c "{OLD}$2"\nexit 9\n')
    python.chmod(0o755)
    done = subprocess.run(
        ["make", ".venv/.installed"],
        cwd=tmp_path,
        env={**os.environ, "MAKEFLAGS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Python 3.11 or newer is needed, python3 is 3.10 here" in done.stderr
    assert "installing" not in done.stderr
