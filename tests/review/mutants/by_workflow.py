"""Flaws where the workflow's own role starts jobs: its rights, and what its text says of a job."""

from collections.abc import Callable
from typing import Any

from tests.review.broken import Copy
from tests.review.mutants._mutant import Mutant, collected, flaw
from tests.review.mutants.promises import BEDROCK, SETTINGS, WORKFLOW


def _without(action: str, key: str) -> Callable[[Copy], None]:
    """A statement of the workflow without one key of its conditions."""

    def change(copy: Copy) -> None:
        for operator in copy.allowing(WORKFLOW, action)["Condition"].values():
            operator.pop(key, None)

    return change


def _job(state: str, **parts: Any) -> Callable[[Copy], None]:
    """A job with other parts; None for one that it does not have."""

    def change(copy: Copy) -> None:
        def in_definition(definition: dict[str, Any]) -> None:
            request = definition["States"][state]["Parameters"]
            for part, value in parts.items():
                request.pop(part, None)
                request.pop(f"{part}.$", None)
                if value is not None:
                    request[f"{part}.$" if isinstance(value, str) else part] = value

        copy.definition(in_definition)

    return change


_ENVIRONMENT = "aws:{}/bedrock-tuning:environment"
_CUSTOMIZATION = "aws:RequestTag/bedrock-tuning:customization"
_START = "bedrock:CreateModelCustomizationJob"
_FLAWS = (
    ("M820", "starts jobs without a tag", _without(_START, _ENVIRONMENT.format("RequestTag"))),
    ("M820", "starts jobs of no customization", _without(_START, _CUSTOMIZATION)),
    ("M824", "tags jobs of no customization", _without("bedrock:TagResource", _CUSTOMIZATION)),
    (
        "M827",
        "stops jobs of any environment",
        _without("bedrock:StopModelCustomizationJob", _ENVIRONMENT.format("ResourceTag")),
    ),
    ("M821", "passes roles to any service", _without("iam:PassRole", "iam:PassedToService")),
    ("M807", "a role that a function names", _job("Train", RoleArn="$.start.request.RoleArn")),
    ("M807", "no tags", _job("Train", JobTags=None)),
    (
        "M807",
        "tags that a function names",
        _job("Train with validation", CustomModelTags="$.start.request.CustomModelTags"),
    ),
    (
        "M807",
        "a dataset that a function names",
        _job("Train", TrainingDataConfig="$.start.request.TrainingDataConfig"),
    ),
    (
        "M807",
        "a validation set of the folder that is uploaded to",
        _job(
            "Train with validation",
            ValidationDataConfig={"Validators": [{"S3Uri.$": "$.detail.object.key"}]},
        ),
    ),
    (
        "M807",
        "an output folder of its own",
        _job("Train", OutputDataConfig={"S3Uri": "s3://somewhere/else/"}),
    ),
    ("F700", "a base model of its own", _job("Train", BaseModelIdentifier="$.detail.model")),
)


@flaw("M821", "workflow itself: passes any role")
def passes_any(copy: Copy) -> None:
    copy.allowing(WORKFLOW, "iam:PassRole")["Resource"] = "*"


@flaw("M821", "workflow itself: passes the roles of all environments")
def passes_of_all_environments(copy: Copy) -> None:
    passing = copy.allowing(WORKFLOW, "iam:PassRole")
    passing["Resource"] = {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:role/tuning/*"}


@flaw("M825", "workflow itself: may not pass service roles")
def cannot_pass(copy: Copy) -> None:
    copy.policy(WORKFLOW).remove(copy.allowing(WORKFLOW, "iam:PassRole"))


@flaw("M832", "workflow itself: becomes starters, too")
def becomes_starters(copy: Copy) -> None:
    target = {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:role/tuning/by-workflow/start/*"}
    copy.policy(WORKFLOW).append(
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": target}
    )


def _left_behind(copy: Copy) -> None:
    """The starter of a deployment before the setting."""
    machine = "arn:aws:states:us-east-1:111122223333:stateMachine:tuning-by-workflow-workflow"
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": machine}},
    }
    passing = {
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": {"Fn::GetAtt": [copy.logical_id(BEDROCK), "Arn"]},
        "Condition": {"StringEquals": {"iam:PassedToService": "bedrock.amazonaws.com"}},
    }
    copy.add(
        "pets-search",
        "Starter",
        "AWS::IAM::Role",
        Path="/tuning/by-workflow/start/",
        AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": [trust]},
        Policies=[
            {
                "PolicyName": "Contract",
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [passing]},
            }
        ],
    )


@flaw("M830", "starter: still there, and the workflow may become it")
def starter_trusts(copy: Copy) -> None:
    _left_behind(copy)


@flaw("M821", "starter: still there, and passes its service role")
def starter_passes(copy: Copy) -> None:
    _left_behind(copy)


@flaw("M805", "settings: name a starter that no longer starts jobs")
def settings_name_starter(copy: Copy) -> None:
    text, refs = copy.properties(SETTINGS)["Value"]["Fn::Sub"]
    more = f'{text.removesuffix("}")}, "starter_role": "${{ServiceRole}}"}}'
    copy.properties(SETTINGS)["Value"] = {"Fn::Sub": [more, refs]}


@flaw("M805", "settings: tags of another customization for its jobs")
def settings_tag_neighbour(copy: Copy) -> None:
    text, refs = copy.properties(SETTINGS)["Value"]["Fn::Sub"]
    other = text.replace('\\"pets-search\\"', '\\"pets-style\\"')
    assert other != text
    copy.properties(SETTINGS)["Value"] = {"Fn::Sub": [other, refs]}


MUTANTS = (
    *collected(globals(), "by-workflow"),
    *(
        Mutant(
            name=f"workflow itself: {name}",
            killer=killer,
            change=change,
            environment="by-workflow",
        )
        for killer, name, change in _FLAWS
    ),
)
