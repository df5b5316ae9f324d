"""The app of the local environment with its options on, as a command for the CDK CLI.

Beside the app's customizations it has those of tests/e2e/customizations.
"""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from app import ROOT, build_app
from tools.scan.cases import Case


def context() -> dict[str, Any]:
    """With every option on; the role that one of the customizations brings along reads data."""
    found = Case(environment="local", options="all").context()
    chosen = found["tuning"]["environments"]["local"]
    chosen["data_roles"] = [*chosen["data_roles"], "ml/Tuner"]
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for own in (ROOT, Path(__file__).parent):
            shutil.copytree(own / "customizations", folder, dirs_exist_ok=True)
        build_app(context(), customizations=Path(folder)).synth()
