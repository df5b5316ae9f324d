"""Decides whether a valid dataset becomes a job, at what price, and builds the request."""

import logging
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

from bedrock_tuning import s3_layout
from bedrock_tuning.config.lambda_environment import StartEnvironment
from bedrock_tuning.errors import DeniedError
from bedrock_tuning.run import cost, job
from lambdas import _aws, _customizations, _manifests, _runs
from lambdas._runs import Work

logger = logging.getLogger(__name__)

# A holder that has no job yet may be between its claim and its job; after this long it is gone.
_CLAIM_LIFE: Final = timedelta(minutes=30)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """event: {"admission", "report"}.

    Returns decision ("start", "approve", "already-trained", "in-progress", "superseded",
    "outdated"), a reason, the holder where another run has the very same work, and for "start" and
    "approve" the run key, whether there is a validation dataset, the estimate and the request in
    Step Functions' spelling.
    """
    env = StartEnvironment.from_env(os.environ)
    admission, report = event["admission"], event["report"]
    customization = _customizations.get(admission["customization"])
    run = admission["run"]
    versions = _manifests.current_versions(env.buckets, customization.name)
    replaced = _replaced(admission, versions)
    if replaced is not None:
        return replaced
    key = job.run_key(customization, report["fingerprints"])
    plan = job.JobPlan(
        environment=env.environment,
        customization=customization,
        run=run,
        run_key=key,
        attempt=1,
        role_arn=env.service_roles[customization.name],
        buckets=env.buckets,
        with_validation=versions["validation"] is not None,
    )
    holder = _runs.claim_work(env.runs_table, key=key, run=run, job_name=plan.name)
    if holder.run != run:
        taken = _taken(env, holder)
        if taken is not None:
            return taken
        again = _runs.retake(env.runs_table, key=key, run=run, job_name=plan.name, after=holder)
        if again is None:
            return {"decision": "in-progress", "reason": "another run was faster"}
        holder = again
    # A new attempt needs a new token: with the old one Bedrock answers with the job that failed.
    plan = replace(plan, attempt=holder.attempt)
    estimate = cost.estimate(
        customization=customization,
        training_records=report["training_records"],
        training_characters=report["training_characters"],
    )
    reason = cost.needs_approval(customization=customization, estimate=estimate)
    _keep_checked(env, customization.name, run, versions)
    _runs.update_run(
        env.runs_table,
        run,
        status="awaiting-approval" if reason else "training",
        run_key=key,
        job_name=plan.name,
        estimate=str(estimate),
        approval_reason=reason,
    )
    logger.info("start", extra={"run": run, "run_key": key, "approval": reason})
    return {
        "decision": "approve" if reason else "start",
        "reason": reason or "the price is within the budget",
        "run_key": key,
        "with_validation": plan.with_validation,
        "estimate": str(estimate),
        "request": job.pascal_case(plan.request()),
    }


def _replaced(
    admission: Mapping[str, Any], versions: Mapping[s3_layout.Kind, str | None]
) -> dict[str, Any] | None:
    """The decision when a manifest was replaced or deleted while the run checked it."""
    if versions["training"] != admission["training_version"]:
        return {
            "decision": "superseded",
            "reason": "the training manifest was replaced while it was checked; "
            "the new upload has its own run",
        }
    if versions["validation"] != admission["validation_version"]:
        # An upload of a validation manifest alone starts no run, so somebody has to be told.
        return {
            "decision": "outdated",
            "reason": "the validation manifest was replaced while it was checked; upload the "
            "training manifest again to check and train on both",
        }
    return None


def _keep_checked(
    env: StartEnvironment, name: str, run: str, versions: Mapping[s3_layout.Kind, str | None]
) -> None:
    """Copies the very versions that were checked to where only Bedrock's role reads them."""
    for kind, version in versions.items():
        if version is None:
            continue
        bucket, key = env.buckets.of(kind), s3_layout.manifest_key(name)
        try:
            _aws.s3().copy(
                {"Bucket": bucket, "Key": key, "VersionId": version},
                env.output_bucket,
                s3_layout.checked_manifest_key(name, run, kind),
                # Tags stay behind: copying them would need rights of its own.
                ExtraArgs={"TaggingDirective": "REPLACE"},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "403":
                raise
            # A copy begins with a HEAD, whose answer has no words.
            function = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "start_job")
            raise DeniedError(
                f"{error}: the role of {function} may not do s3:GetObjectVersion on "
                f"arn:aws:s3:::{bucket}/{key}, or kms:Decrypt on its key"
            ) from error


def _taken(env: StartEnvironment, holder: Work) -> dict[str, Any] | None:
    """The decision when another run has this very work; None when that run came to nothing.

    Bedrock is asked, not our table: an aborted execution never says how it ended, and one that
    failed while it waited (a time-out, a lost answer) may have left its job running.
    """
    if holder.state == "trained" and holder.model_arn and _exists(holder.model_arn):
        return _decision("already-trained", holder, f"its model is {holder.model_arn}")
    if holder.state == "trained":
        return None
    try:
        found = _aws.bedrock().get_model_customization_job(jobIdentifier=holder.job_name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return _without_job(env, holder) if holder.state == "training" else None
    if found["status"] == "Completed" and _exists(found["outputModelArn"]):
        return _decision("already-trained", holder, f"its model is {found['outputModelArn']}")
    if found["status"] in ("InProgress", "Stopping"):
        return _decision("in-progress", holder, f"its job is {found['jobArn']}")
    return None


def _without_job(env: StartEnvironment, holder: Work) -> dict[str, Any] | None:
    waiting = _runs.status_of(env.runs_table, holder.run) == "awaiting-approval"
    life = timedelta(days=env.approval_days) if waiting else _CLAIM_LIFE
    if datetime.now(UTC) - datetime.fromisoformat(holder.since) > life:
        return None
    what = "it waits for approval of its price" if waiting else "it is about to start its job"
    return _decision("in-progress", holder, what)


def _exists(model_arn: str) -> bool:
    try:
        _aws.bedrock().get_custom_model(modelIdentifier=model_arn)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return False
        raise
    return True


def _decision(decision: str, holder: Work, detail: str) -> dict[str, Any]:
    return {
        "decision": decision,
        "reason": f"run {holder.run} has this very work (same data, model and hyperparameters): "
        f"{detail}",
        "holder": holder.run,
    }
