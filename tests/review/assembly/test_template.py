"""Intrinsics become values across stacks; what cannot be known is listed, never guessed."""

from pathlib import Path
from typing import Any

import pytest

from bedrock_tuning.review.assembly.template import UNRESOLVED, read, resolve

BUCKET = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "data"}}
ROLE = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r", "Path": "/team/"}}


def _value(value: Any, **template: Any) -> Any:
    """A value as it comes out as a topic's display name."""
    resources = {
        "Bucket": BUCKET,
        "Role": ROLE,
        "Subject": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": value}},
        **template.pop("Resources", {}),
    }
    other = {
        "Resources": {},
        "Outputs": {
            "Exported": {"Value": {"Ref": "AWS::Region"}, "Export": {"Name": "name"}},
            "Weak": {"Value": "weak"},
        },
    }
    found = resolve(
        {"main": {"Resources": resources, **template}, "other": other},
        regions={"main": "eu-west-1", "other": "us-west-2"},
    )
    problems = [*found.unresolved, *found.dangling]
    (evidence,) = [r for r in found.resources if r.logical_id == "Subject"]
    return problems or evidence.properties.get("DisplayName")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Bucket"}, "data"),
        ({"Fn::GetAtt": ["Bucket", "Arn"]}, "arn:aws:s3:::data"),
        ({"Fn::GetAtt": "Role.Arn"}, "arn:aws:iam::111122223333:role/team/r"),
        ({"Ref": "AWS::Region"}, "eu-west-1"),
        ({"Ref": "AWS::Partition"}, "aws"),
        ({"Ref": "AWS::NoValue"}, None),
        ({"Fn::Join": ["/", ["a", {"Ref": "Bucket"}]]}, "a/data"),
        (
            {"Fn::Sub": "${AWS::AccountId}:${Bucket.Arn}:${!Literal}"},
            "111122223333:arn:aws:s3:::data:${Literal}",
        ),
        ({"Fn::Sub": ["${x}", {"x": {"Ref": "Bucket"}}]}, "data"),
        ({"Fn::Select": [1, {"Fn::Split": ["-", "a-b"]}]}, "b"),
        ({"Fn::ImportValue": "name"}, "us-west-2"),
        ({"Fn::GetStackOutput": {"StackName": "other", "OutputName": "Weak"}}, "weak"),
        ({"Fn::If": ["Yes", "then", "else"]}, "then"),
        ({"Fn::If": ["No", "then", {"Ref": "AWS::NoValue"}]}, None),
        ({"Ref": "Given"}, "default"),
        ({"Fn::FindInMap": ["Known", "key", "name"]}, "mapped"),
    ],
)
def test_an_intrinsic_is_resolved(value: Any, expected: Any) -> None:
    found = _value(
        value,
        Conditions={
            "Yes": {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]},
            "No": {"Fn::Not": [{"Condition": "Yes"}]},
        },
        Mappings={"Known": {"key": {"name": "mapped"}}},
        Parameters={"Given": {"Type": "String", "Default": "default"}},
    )
    assert found == expected


@pytest.mark.parametrize(
    "value",
    [
        {"Ref": "Nothing"},
        {"Fn::GetAtt": ["Nothing", "Arn"]},
        {"Fn::GetAtt": ["Bucket", "Colour"]},
        {"Fn::ImportValue": "nobody"},
        {"Fn::GetStackOutput": {"StackName": "other", "OutputName": "None"}},
        {"Fn::If": ["Unknown", "a", "b"]},
        {"Fn::FindInMap": ["A", "B", "C"]},
        {"Fn::FindInMap": ["Known", {"Ref": "AWS::Region"}, "name"]},
        {"Fn::FindInMap": ["Known", "eu-west-1", "other", {"DefaultValue": "x"}]},
        {"Fn::FindInMap": ["Known", "eu-west-1", "list"]},
        {"Fn::Select": [5, ["a"]]},
        {"Fn::Select": [0, ["a"], "b"]},
        {"Fn::Split": ["-", "a-b", "c"]},
        {"Fn::Join": ["-"]},
        {"Fn::Join": ["-", ["a"], "b"]},
        {"Fn::Join": [7, ["a", "b"]]},
        {"Fn::GetAtt": ["Bucket", "Arn", "Arn"]},
        {"Fn::If": ["Yes", "a"]},
        {"Fn::If": ["Yes", "a", "b", "c"]},
        {"Ref": "Ssm"},
        {"Ref": "Needed"},
    ],
)
def test_what_cannot_be_known_is_listed(value: Any) -> None:
    found = _value(
        value,
        Conditions={"Yes": {"Fn::Equals": ["a", "a"]}},
        Mappings={"Known": {"eu-west-1": {"name": "a", "list": ["a"]}}},
        Parameters={
            "Ssm": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/a/path"},
            "Needed": {"Type": "String"},
        },
    )
    assert isinstance(found, list)
    assert found[0][0] == "main/Subject"


def test_a_resource_whose_condition_is_false_is_not_there() -> None:
    template = {
        "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}},
        "Resources": {"Bucket": {**BUCKET, "Condition": "Never"}},
    }
    assert resolve({"main": template}).resources == []


def test_generated_names_are_stable_and_none_begins_another() -> None:
    names = ["Data", "DataKey", "Datas"]
    template = {"Resources": {name: {"Type": "AWS::S3::Bucket"} for name in names}}
    first, second = (resolve({"main": template}) for _ in range(2))
    assert [r.name for r in first.resources] == [r.name for r in second.resources]
    for one in first.resources:
        assert not any(
            other.name.startswith(one.name) for other in first.resources if other is not one
        )


def test_a_folder_without_templates_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="run `cdk synth` first"):
        read(tmp_path)


def test_unresolved_values_are_marked_where_they_are() -> None:
    found = resolve(
        {
            "main": {
                "Resources": {
                    "T": {
                        "Type": "AWS::SNS::Topic",
                        "Properties": {"DisplayName": {"Fn::Join": ["", ["a", {"Ref": "x"}]]}},
                    }
                }
            }
        }
    )
    assert found.resources[0].properties["DisplayName"] == f"a{UNRESOLVED}"
