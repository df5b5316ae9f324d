"""The app of a project elsewhere, as a command for the CDK CLI: its folder is the argument.

A second one has it made wrong: "flawed", with a topic that no contract has, or "broken", with a
proof that does not come to its end.
"""

import sys
from pathlib import Path

import aws_cdk as cdk

from app import build_app, read_context, synthesize
from bedrock_tuning import review

if __name__ == "__main__":
    project, wrong = Path(sys.argv[1]), sys.argv[2:]
    context = read_context(project / "cdk.json")
    app = build_app(context, customizations=project / "customizations")
    if wrong == ["flawed"]:
        (data,) = (each for each in app.node.children if each.node.id.endswith("-data"))
        cdk.CfnResource(data, "Extra", type="AWS::SNS::Topic")
    elif wrong == ["broken"]:
        review.judge = None  # type: ignore[assignment]
    synthesize(app)
