"""A job that must fail in Bedrock's validation: it costs nothing and shows what the role can do.

Its manifest is one line of the wrong form. If Bedrock complains of that line, it has assumed the
service role, listed and read the dataset, and used the key; nothing was trained.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from secrets import token_hex
from typing import Any, Final

from bedrock_tuning import s3_layout
from bedrock_tuning.client.deployment import DeploymentClient
from bedrock_tuning.client.doctor.check import Observation, Subject, doctor_check, fail, ok, warn
from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.config.deployed import DeployedCustomization, from_settings
from bedrock_tuning.contracts.contract import settings_prefix
from bedrock_tuning.run.failure_advice import explain
from bedrock_tuning.run.job import JobPlan

_MANIFEST: Final = b'{"canary": "of tuning doctor"}\n'
_PATIENCE: Final = 30 * 60
_PAUSE: Final = 15
# What Bedrock says of a role that it does not know yet, and of one that it may not assume.
_NEW_ROLE: Final = "Could not assume"
_TRIES: Final = 3
# What Bedrock says of the manifest, after it could read it.
_READ: Final = ("format", "JSON", "records", "validation dataset")
# Not which ARN of the model is asked for: that is of the caller, not of the service role.
_LEARNED: Final = ("folder-listing", "service-role-trust")


@doctor_check(
    "Bedrock can use the service roles",
    asks="bedrock:CreateModelCustomizationJob",
    option="--canary-job",
    costs="0 USD: a job per customization, with one wrong line that fails before any training",
)
def _canary_job(subject: Subject) -> Iterator[Observation]:
    if subject.deployment is None:
        return
    for name in sorted(subject.deployment.customizations):
        parameter = f"{settings_prefix(subject.settings.name)}/{name}"
        value = subject.aws.ssm.get_parameter(Name=parameter)["Parameter"]["Value"]
        yield _try(subject, from_settings(json.loads(value)))


def _try(subject: Subject, deployed: DeployedCustomization) -> Observation:
    deployment = subject.deployment
    assert deployment is not None  # noqa: S101 asked by the caller
    bedrock, customization = subject.aws.bedrock, deployed.customization
    plan = JobPlan(
        environment=subject.settings.name,
        customization=customization,
        run=f"doctor-{token_hex(4)}",
        run_key=token_hex(24),
        attempt=1,
        role_arn=deployed.service_role,
        buckets=deployment.buckets,
        with_validation=customization.dataset.validation == "required",
    )
    request: dict[str, Any] = plan.request()
    with _manifests(subject, deployment, customization) as uris:
        request["trainingDataConfig"] = {"s3Uri": uris["training"]}
        if plan.with_validation:
            request["validationDataConfig"] = {"validators": [{"s3Uri": uris["validation"]}]}
        try:
            arn = _start(subject, request)
        except bedrock.exceptions.ClientError as error:
            return _judge(customization.name, str(error), validates=plan.with_validation)
        job = _wait_for_end(subject, arn)
    if job is None:
        return warn(
            f"{customization.name}: the job has not failed yet and was stopped: {arn}",
            "tuning doctor canary-job --canary-job again later",
        )
    message = job.get("failureMessage", "")
    return _judge(customization.name, message, validates=plan.with_validation)


@contextmanager
def _manifests(
    subject: Subject, deployment: DeploymentClient, customization: CustomizationSettings
) -> Iterator[dict[s3_layout.Kind, str]]:
    """The URIs of wrong manifests where the service role reads and no upload starts a run."""
    s3, folder = subject.aws.s3, customization.media_folders[0]
    key = f"{folder}doctor-{token_hex(4)}.jsonl"
    versions: dict[str, str] = {}
    uris: dict[s3_layout.Kind, str] = {}
    try:
        for kind in s3_layout.KINDS:
            bucket = deployment.buckets.of(kind)
            versions[bucket] = s3.put_object(Bucket=bucket, Key=key, Body=_MANIFEST)["VersionId"]
            uris[kind] = s3_layout.uri(bucket, key)
        yield uris
    finally:
        for bucket, version in versions.items():
            s3.delete_object(Bucket=bucket, Key=key, VersionId=version)


def _start(subject: Subject, request: dict[str, Any]) -> str:
    """The job's ARN; a role that was made by a deployment just now is tried again.

    Raises ClientError (docs/facts/iam.md#new-roles).
    """
    bedrock = subject.aws.bedrock
    for _ in range(_TRIES - 1):
        try:
            return str(bedrock.create_model_customization_job(**request)["jobArn"])
        except bedrock.exceptions.ClientError as error:
            if _NEW_ROLE not in str(error):
                raise
        time.sleep(_pause(subject))
    return str(bedrock.create_model_customization_job(**request)["jobArn"])


def _pause(subject: Subject) -> int:
    return _PAUSE if subject.settings.name != "local" else 1


def _wait_for_end(subject: Subject, arn: str) -> dict[str, Any] | None:
    """The job once it has ended; None for one that had to be stopped."""
    bedrock = subject.aws.bedrock
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        job: dict[str, Any] = dict(bedrock.get_model_customization_job(jobIdentifier=arn))
        if job["status"] in ("Failed", "Stopped", "Completed"):
            return job
        details = job.get("statusDetails", {})
        if details.get("validationDetails", {}).get("status") == "Completed":
            # It would be trained, and billed.
            break
        time.sleep(_pause(subject))
    bedrock.stop_model_customization_job(jobIdentifier=arn)
    return None


def _judge(name: str, message: str, *, validates: bool) -> Observation:
    explanation = explain(message)
    if any(word in explanation.cause for word in _READ):
        learned = dict.fromkeys(_LEARNED, "as we assume")
        if validates:
            is_refused = "accepts no validation" in explanation.cause
            learned["validation-sets"] = "refused" if is_refused else "accepted"
        sentence = f"{name}: the role was assumed and the manifest read"
        return ok(sentence, learned=learned)
    if "accepts no new jobs" in explanation.cause:
        # model-open says so, too; of the role this shows nothing.
        return warn(f"{name}: {explanation.cause}", explanation.fix)
    return fail(
        f"{name}: {message}",
        explanation.fix,
        learned=dict.fromkeys(_LEARNED, f"refused: {message}"),
    )
