"""Gap: functions run in the server's own interpreter and see every package installed there.

A function whose asset or layer lacks a package would work here and fail on AWS. They get an
environment of their own with what AWS's Python runtime brings: the standard library and boto3.
"""

import functools
import os
import sys
import sysconfig
import venv
from importlib import metadata
from pathlib import Path
from typing import Final

from local.emulator.patches._patching import expect_source

RUNTIME_PACKAGES: Final = (
    "boto3",
    "botocore",
    "jmespath",
    "python-dateutil",
    "s3transfer",
    "six",
    "urllib3",
)


def apply() -> None:
    from ministack.core import lambda_runtime

    upstream = lambda_runtime._detect_runtime_binary
    expect_source(upstream, "return sys.executable, _PYTHON_WORKER_SCRIPT")
    python = str(_make_runtime(Path(os.environ["TMPDIR"]) / "python-runtime"))

    @functools.wraps(upstream)
    def detect_runtime_binary(runtime: str) -> tuple[str, str]:
        binary, script = upstream(runtime)
        return (python if binary == sys.executable else binary), script

    lambda_runtime._detect_runtime_binary = detect_runtime_binary


def _make_runtime(folder: Path) -> Path:
    """A virtual environment that links to the server's copy of each runtime package."""
    venv.EnvBuilder(clear=True, symlinks=True, with_pip=False).create(folder)
    paths = sysconfig.get_paths(vars={"base": str(folder), "platbase": str(folder)})
    packages = Path(paths["purelib"])
    for name in RUNTIME_PACKAGES:
        distribution = metadata.distribution(name)
        for top in {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}:
            (packages / top).symlink_to(str(distribution.locate_file(top)))
    return folder / "bin" / "python"
