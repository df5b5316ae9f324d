#!/usr/bin/env python3
"""The CDK app: settings and customizations in, stacks out; the only place where stacks meet."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk

import review
from stacks import workflow
from stacks.constructs import attachment
from stacks.data import DataStack
from stacks.network import NetworkStack
from stacks.pipeline import PipelineStack
from stacks.proof import Proof
from stacks.serving import ServingStack
from tuning import customization, permissions, settings
from tuning.customization import Customization
from tuning.errors import CustomizationError, TuningError

ROOT = Path(__file__).resolve().parent
# Measured: with names of 22 characters the policy of start_job outgrows IAM's limit at 24.
CUSTOMIZATIONS_MAX = 18


def build_app(
    context: Mapping[str, Any] | None = None,
    *,
    outdir: str | None = None,
    customizations: Path = ROOT / "customizations",
) -> cdk.App:
    """The app for one environment, as `cdk synth` builds it.

    context: cdk.json's context, with "environment" to choose another environment than the default;
        None reads cdk.json, which neither pytest nor `python app.py` does by itself: without it
        every feature flag would be off and another template would be proved than is deployed.
    Raises SettingsError or CustomizationError with every problem.
    """
    values = read_context() if context is None else dict(context)
    app = cdk.App(context=values, outdir=outdir, analytics_reporting=False)
    chosen = settings.read(
        app.node.try_get_context("tuning"),
        environment=app.node.try_get_context("environment"),
    )
    wanted = customization.load_all(customizations)
    _check_count(wanted)
    _check_regions(wanted, chosen.region)
    prefix = f"tuning-{chosen.name}"
    common: dict[str, Any] = {
        "env": cdk.Environment(region=chosen.region),
        "settings": chosen,
        "termination_protection": chosen.functions == "lambda",
    }
    common["customizations"] = wanted
    data = DataStack(app, f"{prefix}-data", **common)
    network = attachment.existing(chosen)
    if chosen.own_network:
        network = NetworkStack(app, f"{prefix}-network", data=data, **common).attachment
    pipeline = PipelineStack(app, f"{prefix}-pipeline", data=data, network=network, **common)
    # Deleting this one is how billing is ended, and it holds nothing: no protection against that.
    ServingStack(
        app,
        f"{prefix}-serving",
        pipeline=pipeline,
        **{**common, "termination_protection": False},
    )
    for name, each in wanted.items():
        for number, warning in enumerate(each.warnings):
            cdk.Annotations.of(pipeline).add_warning_v2(f"bedrock-tuning:{name}:{number}", warning)
    cdk.Tags.of(app).add("bedrock-tuning:environment", chosen.name)
    # The permissions are proved in every synthesis (0.3 s), from the templates as they are written.
    contracts = permissions.contracts(chosen, wanted)
    proof = Proof(
        lambda folder: review.faults(review.subject(folder, contracts)),
        rules=[check.id for check in review.CHECKS],
    )
    cdk.Validations.of(app).add_plugins(proof)
    return app


def read_context() -> dict[str, Any]:
    """The context that cdk.json gives the app."""
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"]
    return context


def _check_count(customizations: Mapping[str, Customization]) -> None:
    if len(customizations) > CUSTOMIZATIONS_MAX:
        raise CustomizationError(
            [
                f"customizations/: {len(customizations)} files, an environment takes at most "
                f"{CUSTOMIZATIONS_MAX} (IAM allows 10,240 characters in the policy of a role): "
                "make another environment"
            ]
        )


def _check_regions(customizations: Mapping[str, Customization], region: str) -> None:
    problems = [
        problem for each in customizations.values() for problem in each.problems_in_region(region)
    ]
    if problems:
        raise CustomizationError(problems)


def workflow_picture() -> str:
    """docs/workflow.svg: the state machine drawn from its definition (`make docs`)."""
    # Only for the documentation: synthesis draws nothing.
    from review.diagram import state_machine

    chosen = settings.read(read_context()["tuning"])
    definition = workflow.definition(environment=chosen.name, approval_days=chosen.approval_days)
    return state_machine(definition, title="A run, from an upload to a served model")


def main() -> int:
    """Synthesizes, or prints the workflow for --picture; 2 with every problem on stderr."""
    if sys.argv[1:] == ["--picture"]:
        sys.stdout.write(workflow_picture())
        return 0
    try:
        build_app().synth()
    except TuningError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
