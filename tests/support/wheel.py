"""The wheel of this checkout."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UV = str(Path(sys.executable).with_name("uv"))


def build(folder: Path) -> Path:
    """Builds it in a folder, from a copy, because setuptools writes into what it builds."""
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z",
         "bedrock_tuning", "lambdas", "setup.py", "*.toml", "*.md"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (folder / "src" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "src" / name).write_bytes((ROOT / name).read_bytes())
    subprocess.run(
        [UV, "build", "--quiet", "--wheel", "--no-build-isolation", "--offline", "-o", folder, "."],
        cwd=folder / "src",
        env={**os.environ, "VIRTUAL_ENV": sys.prefix},
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built
