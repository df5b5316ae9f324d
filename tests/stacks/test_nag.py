"""cdk-nag finds nothing in the shipped app but what was accepted with a reason."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_s3 as s3
from constructs import IConstruct

from app import ROOT
from bedrock_tuning.config.customization import load_all
from tests.stacks.conftest import Built
from tools.scan import nag, table
from tools.scan.cases import CASES, Case


def _findings(built: Built, case: Case) -> list[table.ScanFinding]:
    names = load_all(ROOT / "customizations")
    return list(nag.findings(built(case), case=case, customizations=names))


@pytest.fixture(scope="session")
def judged(built: Built) -> table.ScanJudgement:
    """All findings in all cases against the table."""
    found = [each for case in CASES for each in _findings(built, case)]
    return table.judge_findings(found, table.read(), tool=nag.CDK_NAG)


def test_every_finding_is_fixed_or_accepted_with_a_reason(judged: table.ScanJudgement) -> None:
    assert not judged.unacknowledged, "\n".join(map(str, judged.unacknowledged))


def test_nothing_is_accepted_in_vain(judged: table.ScanJudgement) -> None:
    assert not judged.stale, "\n".join(judged.stale)


def test_both_packs_look_at_every_resource_that_they_know(built: Built) -> None:
    # An empty answer of a scanner that saw nothing would look like a good one.
    found = _findings(built, Case())
    assert {each.rule.partition("-")[0] for each in found} == {"AwsSolutions", "Serverless"}


def _tree() -> tuple[cdk.App, cdk.Stack]:
    app = cdk.App(analytics_reporting=False)
    return app, cdk.Stack(app, "tuning-dev-data")


def _judge(tree: IConstruct) -> list[str]:
    found = nag.findings(tree, case=Case())
    return [
        each.rule
        for each in table.judge_findings(found, table.read(), tool=nag.CDK_NAG).unacknowledged
    ]


def test_a_new_flaw_is_reported_wherever_it_is() -> None:
    app, stack = _tree()
    s3.Bucket(stack, "Forgotten")
    assert {"AwsSolutions-S1", "AwsSolutions-S10"} <= set(_judge(app))


def test_a_rule_that_crashes_is_a_finding_of_its_own() -> None:
    app, stack = _tree()
    port: Any = cdk.Token.as_number({"Ref": "Port"})
    ec2.CfnSecurityGroup(
        stack,
        "Group",
        group_description="x",
        security_group_ingress=[
            ec2.CfnSecurityGroup.IngressProperty(
                ip_protocol="tcp",
                cidr_ip=cdk.Fn.get_att("Vpc", "CidrBlock").to_string(),
                from_port=port,
                to_port=port,
            )
        ],
    )
    threw = [rule for rule in _judge(app) if rule.endswith("(rule error)")]
    assert "AwsSolutions-EC23 (rule error)" in threw
