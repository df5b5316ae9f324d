"""The app of the local environment with its options on, as a command for the CDK CLI.

Beside the app's customizations it has those of tests/e2e/customizations.
"""

import shutil
import tempfile
from pathlib import Path

from app import ROOT, build_app
from tools.scan.cases import Case

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for own in (ROOT, Path(__file__).parent):
            shutil.copytree(own / "customizations", folder, dirs_exist_ok=True)
        context = Case(environment="local", options="all").context()
        build_app(context, customizations=Path(folder)).synth()
