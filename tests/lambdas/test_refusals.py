"""A function that may not do its work says so where a person looks: who, what, on what, what now.

Where a run's own message tells it, tests/e2e/test_taken_permissions.py follows it to its end.
"""

from collections.abc import Callable

import pytest

from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.errors import DeniedError
from bedrock_tuning.run.failure_advice import explain
from lambdas import (
    keep_leases,
    provisioned_throughput,
    start_job,
)
from lambdas._deploying import _cloudformation
from tests.lambdas.aws import PREFIX, TRAINING, Aws, settings
from tests.lambdas.bedrock import TAGS, model_arn
from tests.lambdas.cloudformation import CloudFormation

NAME = "pets-search"
KEY = f"{NAME}/manifest.jsonl"


def _denial(action: str, resource: str) -> str:
    return (
        "User: arn:aws:sts::000000000000:assumed-role/a-role/a-function is not authorized to "
        f"perform: {action} on resource: {resource} because no identity-based policy allows the "
        f"{action} action"
    )


@pytest.fixture
def stack(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> CloudFormation:
    properties = {"Customization": NAME, "Mode": "provisioned", "OnDelete": "delete"}
    identity = f"provisioned-throughput/dev/{NAME}"
    made = CloudFormation(aws, provisioned_throughput.handler, properties, identity)
    monkeypatch.setattr(_cloudformation.urllib3, "PoolManager", lambda: made)
    return made


def test_a_deployment_that_may_not_publish_says_who_may_not_and_what_to_do(
    aws: Aws, stack: CloudFormation
) -> None:
    parameter = f"arn:aws:ssm:us-east-1:000000000000:parameter{PREFIX}/{NAME}/serving"
    aws.ssm.refuse("PutParameter", "AccessDeniedException", _denial("ssm:PutParameter", parameter))

    reason = stack.ask("Update")["Reason"]

    for told in ("a-role", "ssm:PutParameter", parameter, "What to do: compare the role"):
        assert told in reason


def test_a_reason_that_is_cut_keeps_what_to_do(aws: Aws, stack: CloudFormation) -> None:
    words = _denial("ssm:PutParameter", f"arn:aws:ssm:::parameter/{'x' * 1_500}")
    aws.ssm.refuse("PutParameter", "AccessDeniedException", words)

    reason = stack.ask("Update")["Reason"]

    assert len(reason) <= 1_000
    assert "What to do: compare the role" in reason


def test_what_is_not_known_is_told_as_it_is(aws: Aws, stack: CloudFormation) -> None:
    aws.ssm.refuse("PutParameter", "OddError", "the moon was full")

    assert "What to do" not in stack.ask("Update")["Reason"]


def test_a_lease_keeper_that_may_not_look_says_so_and_its_alarm_rings(aws: Aws) -> None:
    action = "bedrock:ListProvisionedModelThroughputs"
    aws.bedrock.refuse(
        "ListProvisionedModelThroughputs", "AccessDeniedException", _denial(action, "*")
    )

    with pytest.raises(RuntimeError, match=rf"not every lease was checked: .*{action}") as caught:
        keep_leases.handler({}, None)

    assert "Likely cause: the role a-role may not do" in str(caught.value)
    assert "What to do: compare the role" in str(caught.value)


def test_a_lease_keeper_that_may_not_delete_names_what_is_billed_and_what_to_do(aws: Aws) -> None:
    expired = {**TAGS, "bedrock-tuning:expires": "2026-11-21T09:30:00Z"}
    arn = aws.bedrock.have(model=model_arn(1), tags=expired)
    aws.bedrock.refuse(
        "DeleteProvisionedModelThroughput",
        "AccessDeniedException",
        _denial("bedrock:DeleteProvisionedModelThroughput", arn),
    )

    with pytest.raises(RuntimeError, match=arn) as caught:
        keep_leases.handler({}, None)

    assert "the role a-role may not do bedrock:DeleteProvisionedModelThroughput" in str(
        caught.value
    )
    assert list(aws.bedrock.endpoints) == [arn]


def test_a_manifest_that_may_not_be_copied_is_named_with_what_reading_it_needs(
    aws: Aws, customize: Callable[..., CustomizationSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy begins with a HEAD, and its refusal has no words at all."""
    customize(budget={"approval": "never", "max_run_usd": None})
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "a-function")
    aws.s3.objects.put(TRAINING, KEY, b"checked\n")
    aws.s3.refuse("HeadObject", "403", "Forbidden")
    admission = {
        "customization": NAME,
        "run": "20261121-093000-aaaaaa",
        "training_version": "v1.+/=",
        "validation_version": None,
    }
    report = {"fingerprints": {"training": "a:1"}, "training_records": 1, "training_characters": 0}

    with pytest.raises(DeniedError) as caught:
        start_job.handler(
            {
                "admission": admission,
                "report": report,
                "settings": settings(),
                "execution": "arn:aws:states:us-east-1:000000000000:execution:a-workflow:e1",
            },
            None,
        )

    words = str(caught.value)
    for told in ("a-function", "s3:GetObjectVersion", f"arn:aws:s3:::{TRAINING}/{KEY}"):
        assert told in words
    assert "S3 denies the caller access to an object" in explain(words).cause
    assert "cdk drift" in explain(words).fix
