"""The review runs inside of `cdk synth` and fails it, whatever folder templates are written to."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3

from app import build_app, read_context, synthesize
from bedrock_tuning import review
from bedrock_tuning.constructs.proof import Proof
from bedrock_tuning.errors import TuningError


def _app(outdir: Path) -> Any:
    context = {**read_context(), "aws:cdk:enable-path-metadata": True}
    return build_app(context, outdir=str(outdir))


def _bucket(app: Any, name: str) -> s3.CfnBucket:
    stack = app.node.find_child("tuning-dev-data")
    found = stack.node.find_child(name).node.default_child
    assert isinstance(found, s3.CfnBucket)
    return found


def _violations(outdir: Path) -> list[dict[str, Any]]:
    report = json.loads((outdir / "validation-report.json").read_text("utf-8"))
    return [
        violation
        for plugin in report["pluginReports"]
        if plugin["pluginName"] == "bedrock-tuning-review"
        for violation in plugin["violations"]
    ]


def _suspend_versions(app: Any) -> None:
    _bucket(app, "Training").add_property_override("VersioningConfiguration.Status", "Suspended")


def test_a_good_app_is_synthesized_into_any_folder(tmp_path: Path) -> None:
    outdir = tmp_path / "elsewhere"
    _app(outdir).synth()
    assert (outdir / "tuning-dev-data.template.json").is_file()
    assert _violations(outdir) == []


def test_a_flaw_fails_the_synthesis_without_a_traceback_and_the_report_says_what_to_do_where(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    app = _app(tmp_path)
    _suspend_versions(app)
    with pytest.raises(TuningError) as refused:
        synthesize(app)
    # `cdk synth` and CI get the report apart: the problems are in either of the two.
    shown = capfd.readouterr().err + str(refused.value)
    flaw = "tuning-dev-data/Training: VersioningConfiguration.Status is Suspended"
    assert flaw in shown
    assert "contracts/written/buckets.py" in shown.partition(flaw)[2]
    violation, whole = _violations(tmp_path)
    # No stack of the folder is deployed, not even one without a violation of its own.
    assert (violation["ruleName"], whole["ruleName"]) == ("S603", "whole")
    assert (
        "tuning-dev-data/Training: VersioningConfiguration.Status is Suspended"
        in violation["description"]
    )
    fix = "Deploy it as bedrock_tuning/contracts/written/buckets.py says"
    assert violation["suggestedFix"] == fix
    (where,) = violation["violatingConstructs"]
    assert where["constructPath"] == "tuning-dev-data/Training/Resource"


def test_templates_without_construct_paths_are_checked_by_the_metadata_beside_them(
    tmp_path: Path,
) -> None:
    context = {**read_context(), "aws:cdk:enable-path-metadata": False}
    app = build_app(context, outdir=str(tmp_path))
    _suspend_versions(app)
    with pytest.raises(Exception, match=r"VersioningConfiguration\.Status is Suspended"):
        app.synth()
    template = json.loads((tmp_path / "tuning-dev-data.template.json").read_text("utf-8"))
    assert not any("Metadata" in resource for resource in template["Resources"].values())
    assert [violation["ruleName"] for violation in _violations(tmp_path)] == ["S603", "whole"]


def test_no_violation_can_be_acknowledged_away(tmp_path: Path) -> None:
    """The CDK itself offers it in the message of the failure."""
    app = _app(tmp_path)
    _suspend_versions(app)
    everything = [f"bedrock-tuning-review::{check.id}" for check in review.CHECKS]
    reasons = [cdk.Acknowledgment(id=each, reason="x") for each in everything]
    for place in (app, app.node.find_child("tuning-dev-data"), _bucket(app, "Training")):
        cdk.Validations.of(place).acknowledge(*reasons)
    with pytest.raises(TuningError):
        synthesize(app)
    # An acknowledgement is a note in the manifest, which is not synthesis's own.
    assert [v["ruleName"] for v in _violations(tmp_path)] == ["A113", "S603", "whole"]


def test_a_proof_that_breaks_off_refuses_the_whole_folder(tmp_path: Path) -> None:
    def broken(_: Path) -> list[review.Violation]:
        raise TypeError("no such form")

    app = cdk.App(outdir=str(tmp_path))
    cdk.CfnResource(cdk.Stack(app, "one"), "Topic", type="AWS::SNS::Topic")
    cdk.Validations.of(app).add_plugins(Proof(broken, rules=["X999"]))
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    (whole,) = _violations(tmp_path)
    assert (whole["ruleName"], whole["severity"]) == ("whole", "fatal")
    assert whole["description"] == "the proof broke off: TypeError: no such form"
