"""Decides whether a valid dataset becomes a job, at what price, and builds the request."""

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from botocore.exceptions import ClientError

from bedrock_tuning import s3_layout
from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.config.deployed import from_settings
from bedrock_tuning.config.lambda_environment import RunEnvironment, StartEnvironment
from bedrock_tuning.errors import DeniedError
from bedrock_tuning.run import cost, job
from bedrock_tuning.run.decisions import StartDecision
from bedrock_tuning.run.job_queue import QUEUED
from bedrock_tuning.run.price_list import NOT_ASKED, ListedPrices
from bedrock_tuning.sources import price_list, quotas
from lambdas import _aws
from lambdas._data import _manifests
from lambdas._records import _runs
from lambdas._records._runs import WorkLock

logger = logging.getLogger(__name__)

# What a run that has locked its work may wait for before its job, by its status.
_WAITS: Final = {
    "awaiting-approval": "it waits for approval of its price",
    QUEUED: "it waits for a free slot for its job",
}


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """event: {"admission", "report", "settings", "execution": its ARN}.

    Returns decision (a StartDecision), a reason, the holder if another run owns the lock on the
    same work, and for "start" and "approve" the run key, whether there is a validation dataset or
    a configuration (a grader, a teacher), the estimate and the request in Step Functions' spelling.
    """
    env = StartEnvironment.from_env(os.environ)
    admission, report = event["admission"], event["report"]
    settings = from_settings(event["settings"])
    customization = settings.customization
    run = admission["run"]
    versions = _manifests.current_versions(env.buckets, customization.name)
    refusal = _refuse_replaced(admission, versions)
    if refusal is not None:
        return refusal
    key = job.run_key(customization, report["fingerprints"])
    plan = job.JobPlan(
        environment=env.environment,
        customization=customization,
        run=run,
        run_key=key,
        attempt=1,
        role_arn=settings.service_role,
        buckets=env.buckets,
        with_validation=versions["validation"] is not None,
    )
    # Before the lock: however this run ends, its end finds here what it has to release.
    _runs.update_run(env.runs_table, run, run_key=key, job_name=plan.name)
    lock = _runs.acquire_lock(env.runs_table, key=key, run=run, job_name=plan.name)
    if lock.run != run:
        decision = _same_work(env, lock, here=event["execution"])
        if decision is not None:
            return decision
        own_lock = _runs.take_over(env.runs_table, key=key, run=run, job_name=plan.name, after=lock)
        if own_lock is None:
            return _decision("in-progress", "another run was faster")
        lock = own_lock
    # A new attempt needs a new token: with the old one Bedrock answers with the failed job.
    plan = replace(plan, attempt=lock.attempt)
    estimate = cost.estimate(
        customization=customization,
        training_records=report["training_records"],
        training_characters=report["training_characters"],
        listed=_list_prices(env, customization),
    )
    shortages = _shortages(env, customization)
    reason = cost.needs_approval(customization=customization, estimate=estimate, lacks=shortages)
    _keep_checked(env, customization.name, run, versions)
    request = job.pascal_case(plan.request())
    parameters = request.get("HyperParameters", {})
    _runs.update_run(
        env.runs_table,
        run,
        status="awaiting-approval" if reason else "training",
        estimate=str(estimate),
        approval_reason=reason,
        builds_on=customization.custom_model or None,
        base_model=request["BaseModelIdentifier"],
        hyperparameters=json.dumps(parameters),
    )
    logger.info("start", extra={"run": run, "run_key": key, "approval": reason})
    return _decision(
        "approve" if reason else "start",
        reason or "the price is within the budget",
        run_key=key,
        with_validation=plan.with_validation,
        with_configuration=job.configuration(customization) is not None,
        estimate=str(estimate),
        request=request,
        about={
            "model": request["BaseModelIdentifier"],
            "hyperparameters": parameters,
            "datasets": {
                kind: {"version": versions[kind], "fingerprint": fingerprint}
                for kind, fingerprint in report["fingerprints"].items()
            },
        },
    )


def _list_prices(env: StartEnvironment, customization: CustomizationSettings) -> ListedPrices:
    """The prices of today, as far as the price list can be asked and knows them."""
    if env.in_network:
        return NOT_ASKED
    return price_list.listed_prices(_aws.pricing(), customization.base_model, _aws.region())


def _shortages(env: StartEnvironment, customization: CustomizationSettings) -> list[str]:
    """What the account has no room for, before anything is paid."""
    if env.in_network:
        return []
    return quotas.lacking(
        customization,
        environment=env.environment,
        service_quotas=_aws.service_quotas(),
        bedrock=_aws.bedrock(),
    )


def _refuse_replaced(
    admission: Mapping[str, Any], versions: Mapping[s3_layout.Kind, str | None]
) -> dict[str, Any] | None:
    """The decision if a manifest was replaced or deleted while the run checked it."""
    if versions["training"] != admission["training_version"]:
        return _decision(
            "superseded",
            "the training manifest was replaced while it was checked; the new upload has its own "
            "run",
        )
    if versions["validation"] != admission["validation_version"]:
        # An upload of a validation manifest alone starts no run, so a person has to know.
        return _decision(
            "outdated",
            "the validation manifest was replaced while it was checked; upload the training "
            "manifest again to check and train on both",
        )
    return None


def _keep_checked(
    env: RunEnvironment, name: str, run: str, versions: Mapping[s3_layout.Kind, str | None]
) -> None:
    """Copies the checked versions to where only Bedrock's role reads them."""
    for kind, version in versions.items():
        if version is not None:
            key = s3_layout.manifest_key(name)
            source = {"Bucket": env.buckets.of(kind), "Key": key, "VersionId": version}
            _copy(source, s3_layout.checked_manifest_key(name, run, kind))


def _copy(source: Any, key: str) -> None:
    try:
        # Copying tags as well would need permissions of its own.
        _aws.s3().copy(source, source["Bucket"], key, ExtraArgs={"TaggingDirective": "REPLACE"})
    except ClientError as error:
        if error.response["Error"]["Code"] != "403":
            raise
        # A copy begins with a HEAD request, whose answer has no message.
        function = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "start_job")
        raise DeniedError(
            f"{error}: the role of {function} may not do s3:GetObjectVersion on "
            f"arn:aws:s3:::{source['Bucket']}/{source['Key']}, or kms:Decrypt on its key"
        ) from error


def _same_work(env: RunEnvironment, lock: WorkLock, *, here: str) -> dict[str, Any] | None:
    """The decision if another run owns the lock; None if that run came to nothing.

    Bedrock and Step Functions know, not our table: an aborted execution never records how it ended,
    and one that failed while it waited (a time-out, a lost answer) may have left its job running.
    """
    if lock.state == "trained":
        model_exists = lock.model_arn is not None and _model_exists(lock.model_arn)
        return _already_trained(lock, lock.model_arn) if model_exists else None
    # Before its job: what an execution started before it ended is seen then.
    reason = _at_work(env, lock, execution_arn=here) if lock.state == "training" else None
    bedrock = _aws.bedrock()
    customization_job = _aws.none_if(
        "ResourceNotFoundException",
        lambda: bedrock.get_model_customization_job(jobIdentifier=lock.job_name),
    )
    if customization_job is None:
        return _held_by("in-progress", lock, reason) if reason else None
    status = customization_job["status"]
    if status == "Completed" and _model_exists(customization_job["outputModelArn"]):
        return _already_trained(lock, customization_job["outputModelArn"])
    if status in ("InProgress", "Stopping"):
        return _held_by("in-progress", lock, f"its job is {customization_job['jobArn']}")
    return None


def _at_work(env: RunEnvironment, lock: WorkLock, *, execution_arn: str) -> str | None:
    """What the lock's owner waits for before its job; None if its execution has ended.

    execution_arn: of this run; the other execution is of the same state machine.
    """
    owner = _runs.item_of(env.runs_table, lock.run) or {}
    if "execution" not in owner:
        return None
    arn = f"{execution_arn.rpartition(':')[0]}:{owner['execution']}"
    execution = _aws.none_if(
        "ExecutionDoesNotExist",
        lambda: _aws.stepfunctions().describe_execution(executionArn=arn),
    )
    if execution is None or execution["status"] != "RUNNING":
        return None
    return _WAITS.get(str(owner["status"]), "it is about to start its job")


def _model_exists(model_arn: str) -> bool:
    bedrock = _aws.bedrock()
    model = _aws.none_if(
        "ResourceNotFoundException", lambda: bedrock.get_custom_model(modelIdentifier=model_arn)
    )
    return model is not None


def _already_trained(lock: WorkLock, model_arn: str | None) -> dict[str, Any]:
    return _held_by("already-trained", lock, f"its model is {model_arn}")


def _held_by(decision: StartDecision, lock: WorkLock, detail: str) -> dict[str, Any]:
    reason = f"run {lock.run} does the same work (same data, model and hyperparameters): {detail}"
    return _decision(decision, reason, holder=lock.run)


def _decision(decision: StartDecision, reason: str, **details: Any) -> dict[str, Any]:
    return {"decision": decision, "reason": reason, **details}
