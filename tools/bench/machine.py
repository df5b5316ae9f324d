"""The machine and the versions that figures hold for."""

import os
import platform
import re
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from tools import CHECKOUT

_PACKAGES: Final = ("msgspec", "obstore", "boto3", "pillow", "pydantic")


def machine() -> dict[str, Any]:
    """Processor, cores, memory, kernel, and versions of everything that takes part."""
    return {
        "processor": _first(r"model name\s*: (.*)", Path("/proc/cpuinfo")) or platform.processor(),
        "cores": os.cpu_count() or 0,
        "memory_gib": round(int(_first(r"MemTotal:\s*(\d+)", _MEMORY) or 0) / 2**20, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "versions": {
            **{name: found for name in _PACKAGES if (found := _version(name))},
            **{name: found for name in ("nginx", "wrk") if (found := _tool_version(name))},
        },
        "commit": _commit(),
    }


_MEMORY: Final = Path("/proc/meminfo")


def _first(pattern: str, path: Path) -> str:
    found = re.search(pattern, path.read_text("utf-8")) if path.exists() else None
    return found[1] if found else ""


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _tool_version(tool: str) -> str:
    path = shutil.which(tool)
    if path is None:
        return ""
    # wrk ends with 1 after it has told its version.
    told = subprocess.run(  # noqa: S603
        [path, "-v"], capture_output=True, text=True, check=False
    )
    found = re.search(r"\d+(\.\d+)+", told.stdout + told.stderr)
    return found[0] if found else "?"


def _commit() -> str:
    git = shutil.which("git")
    if git is None:
        return ""
    told = subprocess.run(  # noqa: S603
        [git, "rev-parse", "--short", "HEAD"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout.strip()
