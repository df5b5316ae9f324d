"""Distillation and reinforcement: what a job must say, and what its role must be allowed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.local.support import Pets, allow, jsonl, refused, set_policy

GRADER = "arn:aws:lambda:us-east-1:000000000000:function:reward"
NOVA = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0"
TURN = {"role": "user", "content": [{"text": "What is 2 + 2?"}]}
PROMPT = {"schemaVersion": "bedrock-conversation-2024", "messages": [TURN]}
QUESTION = {"messages": [{"role": "user", "content": "2 + 2?"}], "reference_answer": "4"}


@contextmanager
def _allowed(pets: Pets, *more: Any) -> Iterator[None]:
    """The service role may do this, too, for the time of a block."""
    set_policy(pets.aws, pets.role_arn, [*pets.policy().values(), *more])
    yield
    set_policy(pets.aws, pets.role_arn, list(pets.policy().values()))


def _graded(pets: Pets, **changes: Any) -> dict[str, Any]:
    grader = {"lambdaGrader": {"lambdaArn": GRADER}}
    return {
        "baseModelIdentifier": "amazon.nova-2-lite-v1:0:256k",
        "customizationType": "REINFORCEMENT_FINE_TUNING",
        "hyperParameters": {},
        "trainingDataConfig": {"s3Uri": pets.manifest(jsonl([QUESTION] * 100))},
        "customizationConfig": {
            "rftConfig": {"graderConfig": grader, "hyperParameters": {"batchSize": 64}}
        },
        **changes,
    }


def _taught(pets: Pets, teacher: str) -> dict[str, Any]:
    return {
        "baseModelIdentifier": "amazon.nova-micro-v1:0:128k",
        "customizationType": "DISTILLATION",
        "hyperParameters": {},
        "trainingDataConfig": {"s3Uri": pets.manifest(jsonl([PROMPT] * 100))},
        "customizationConfig": {
            "distillationConfig": {"teacherModelConfig": {"teacherModelIdentifier": teacher}}
        },
    }


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"customizationConfig": None}, "needs customizationConfig.rftConfig"),
        ({"hyperParameters": {"batchSize": "64"}}, "are in rftConfig"),
        (
            {"customizationConfig": {"rftConfig": {"hyperParameters": {"batchSize": 64}}}},
            "lambdaArn is missing",
        ),
        ({"customizationType": "FINE_TUNING"}, "needs customizationConfig.(none)"),
    ],
)
def test_a_job_whose_configuration_does_not_fit_its_type_is_refused(
    pets: Pets, changes: dict[str, Any], why: str
) -> None:
    asked = {k: v for k, v in _graded(pets, **changes).items() if v is not None}
    with refused("ValidationException") as message:
        pets.start(**asked)
    assert why in message[0]


def test_a_service_role_needs_the_right_to_call_its_grader(pets: Pets) -> None:
    denied = pets.finished(pets.start(**_graded(pets)))
    assert denied["status"] == "Failed"
    assert "does not have permissions to invoke the grader" in denied["failureMessage"]
    with _allowed(pets, allow("lambda:InvokeFunction", GRADER)):
        done = pets.finished(pets.start(**_graded(pets)))
    assert done["status"] == "Completed", done
    assert done["customizationConfig"]["rftConfig"]["hyperParameters"] == {"batchSize": 64}


def test_a_service_role_needs_the_right_to_ask_its_teacher(pets: Pets) -> None:
    profile = "arn:aws:bedrock:us-east-1:000000000000:inference-profile/us.amazon.nova-pro-v1:0"
    for teacher, granted in (
        ("amazon.nova-pro-v1:0", [allow("bedrock:InvokeModel", NOVA)]),
        (
            "us.amazon.nova-pro-v1:0",
            [allow("bedrock:InvokeModel", [profile, NOVA.replace("us-east-1", "*")])],
        ),
    ):
        denied = pets.finished(pets.start(**_taught(pets, teacher)))
        assert "permissions to invoke the grader or the teacher" in denied["failureMessage"]
        with _allowed(pets, *granted):
            done = pets.finished(pets.start(**_taught(pets, teacher)))
        assert done["status"] == "Completed", done
