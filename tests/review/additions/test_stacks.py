"""Another stack in the same app is permitted with exactly what it uses of ours, or not at all."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bedrock_tuning.review import judge, permitted
from bedrock_tuning.review.additions import additions
from bedrock_tuning.review.additions.addition import Addition
from bedrock_tuning.review.assembly import template
from bedrock_tuning.review.assembly.template import Assembly
from tests.review.broken import Synthesized

TODAY = date(2026, 11, 26)
Raw = dict[str, Any]
LAMBDA = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    },
}


def resource(kind: str, **properties: Any) -> Raw:
    return {"Type": kind, "Properties": properties}


def role(*statements: Raw, trust: Raw = LAMBDA, **properties: Any) -> Raw:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    policies = [{"PolicyName": "p", "PolicyDocument": document}] if statements else []
    return resource(
        "AWS::IAM::Role", AssumeRolePolicyDocument=trust, Policies=policies, **properties
    )


def allow(action: str | list[str], on: Any) -> Raw:
    return {"Effect": "Allow", "Action": action, "Resource": on}


def exported(name: str) -> Raw:
    """What another stack uses by the name of its output."""
    stack = "data" if "Bucket" in name or "Key" in name else "pipeline"
    return {"Fn::GetStackOutput": {"StackName": f"tuning-dev-{stack}", "OutputName": name}}


def below(name: str, tail: str) -> Raw:
    return {"Fn::Join": ["", ["arn:aws:s3:::", exported(name), tail]]}


def assembly_of(dev: Synthesized, **resources: Raw) -> Assembly:
    templates = {**dev.unchanged, "web": {"Resources": resources}}
    whole = template.resolve(templates, regions={**dev.regions, "web": "us-east-1"})
    whole.protected, whole.assets = dict(dev.protected), dev.assets
    return whole


def found(dev: Synthesized, **resources: Raw) -> Addition:
    whole = assembly_of(dev, **resources)
    (stack,) = [each for each in additions(whole, dev.contracts) if each.kind == "stack"]
    return stack


OWN = resource("AWS::Kinesis::Stream", ShardCount=1)
HARMLESS: dict[str, tuple[dict[str, Raw], list[str], list[str]]] = {
    "what has nothing to do with ours": (
        {"Pictures": resource("AWS::S3::Bucket", BucketName="web-pictures")},
        [],
        [],
    ),
    "a dashboard of our topic": (
        {"Board": resource("AWS::CloudWatch::Dashboard", DashboardBody=exported("Topic"))},
        ["topic Messages/Topic"],
        [],
    ),
    "a function that reads reports": (
        {"Role": role(allow("s3:GetObject", below("OutputBucket", "/reports/*")))},
        [],
        ["web/Role: s3:GetObject on bucket Output /reports/*"],
    ),
    "a role that uses what the stack creates": (
        {"Own": OWN, "Role": role(allow("kinesis:PutRecord", {"Fn::GetAtt": ["Own", "Arn"]}))},
        [],
        [],
    ),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_the_entry_says_what_the_stack_uses_and_may_do(name: str, dev: Synthesized) -> None:
    resources, uses, access = HARMLESS[name]
    stack = found(dev, **resources)
    assert stack.against == ()
    assert stack.fields == {"name": "web", "uses": uses, "access": access}


def _bucket_policy(*statements: Raw) -> Raw:
    return resource(
        "AWS::S3::BucketPolicy",
        Bucket=exported("OutputBucket"),
        PolicyDocument={"Version": "2012-10-17", "Statement": list(statements)},
    )


ANYBODY = {**LAMBDA, "Statement": {**LAMBDA["Statement"], "Principal": {"AWS": "*"}}}  # type: ignore[dict-item]
HARMFUL: dict[str, tuple[dict[str, Raw], str]] = {
    "it opens our bucket": (
        {"Policy": _bucket_policy(allow("s3:GetObject", "*"))},
        "AWS::S3::BucketPolicy names",
    ),
    "it writes datasets": (
        {"Role": role(allow("s3:PutObject", below("TrainingBucket", "/*")))},
        "M842",
    ),
    "it deletes what it can": ({"Role": role(allow("s3:Delete*", "*"))}, "M812"),
    "it approves": ({"Role": role(allow("lambda:InvokeFunction", "*"))}, "M846"),
    "it becomes anybody": ({"Role": role(allow("sts:AssumeRole", "*"))}, "M832"),
    "it ends what is served": (
        {"Role": role(allow("bedrock:DeleteProvisionedModelThroughput", "*"))},
        "M823",
    ),
    "it writes settings": ({"Role": role(allow("ssm:PutParameter", "*"))}, "M809"),
    "it deletes logs": ({"Role": role(allow("logs:DeleteLogGroup", "*"))}, "M813"),
    "all but something": (
        {"Role": role({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})},
        "allows all but what it names",
    ),
    "a policy that only AWS can read": (
        {"Role": role(ManagedPolicyArns=["arn:aws:iam::aws:policy/AdministratorAccess"])},
        "what AdministratorAccess allows is not in these templates",
    ),
    "anybody reads reports": (
        {"Role": role(allow("s3:GetObject", below("OutputBucket", "/*")), trust=ANYBODY)},
        "others than one AWS service may become it",
    ),
    "people with keys": ({"Eve": resource("AWS::IAM::User")}, "nobody here can say"),
    "a stack that is elsewhere": (
        {"More": resource("AWS::CloudFormation::Stack", TemplateURL="https://x")},
        "nobody here can say",
    ),
    "a name that is looked up later": (
        {"Role": role(allow("s3:GetObject", "{{resolve:ssm:/bucket}}"))},
        "looked up when it is deployed",
    ),
    "our tags": (
        {"B": resource("AWS::S3::Bucket", Tags=[{"Key": "bedrock-tuning:customization"}])},
        "names bedrock-tuning",
    ),
    "a rule that starts the workflow": (
        {"Rule": resource("AWS::Events::Rule", Targets=[{"Arn": exported("Workflow"), "Id": "x"}])},
        "it calls",
    ),
    "a credential": (
        {"B": resource("AWS::S3::Bucket", BucketName="AKIA" + "ABCDEFGHIJKLMNOP")},
        "A114",
    ),
    "one of our policies gets more": (
        {
            "More": resource(
                "AWS::IAM::Policy",
                PolicyName="x",
                Roles=["tuning-dev-anything"],
                PolicyDocument={"Version": "2012-10-17", "Statement": []},
            )
        },
        "AWS::IAM::Policy names",
    ),
}


@pytest.mark.parametrize("name", HARMFUL)
def test_a_stack_that_reaches_for_ours_cannot_be_permitted(name: str, dev: Synthesized) -> None:
    resources, why = HARMFUL[name]
    assert any(why in each for each in found(dev, **resources).against), name


def test_a_stack_is_refused_with_its_entry_and_then_permitted(
    dev: Synthesized, tmp_path: Path
) -> None:
    resources, _, _ = HARMLESS["a dashboard of our topic"]
    whole = assembly_of(dev, **resources)
    refused = judge(whole, dev.contracts, today=TODAY)
    (entry,) = [each.permit for each in refused.violations if each.permit]
    (tmp_path / "review.toml").write_text(entry, "utf-8")
    permits = permitted.read(tmp_path, today=TODAY)
    assert judge(whole, dev.contracts, permits, today=TODAY).violations == []
    # It may use nothing more later on.
    more = assembly_of(dev, **resources, Role=HARMLESS["a function that reads reports"][0]["Role"])
    assert judge(more, dev.contracts, permits, today=TODAY).violations
