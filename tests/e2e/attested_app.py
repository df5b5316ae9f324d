"""The app of a project elsewhere, as a command for the CDK CLI: its folder is the argument."""

import sys
from pathlib import Path

from app import build_app, read_context, synthesize

if __name__ == "__main__":
    project = Path(sys.argv[1])
    context = read_context(project / "cdk.json")
    synthesize(build_app(context, customizations=project / "customizations"))
