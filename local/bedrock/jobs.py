"""Customization jobs: create and stop them."""

from typing import Any, Final

from bedrock_tuning.catalogue import BaseModel, DatasetContract
from local.bedrock import bases, configuration, known, models, training
from local.bedrock.caller import SERVICE, Caller
from local.bedrock.data.records import BedrockResource, created
from local.bedrock.errors import conflict, invalid, quota
from local.bedrock.simulator import JOB, MODEL, Members, Simulator, new_id, now, request_tags
from local.emulator import keys, roles

MODEL_KEY_RIGHTS: Final = (
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:GenerateDataKey",
)
"""What the submitter of a job needs on its model's key (docs/facts/iam.md#model-key)."""


def create(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    parent = models.named(simulator, caller, request["baseModelIdentifier"])
    _check_tunable(parent)
    job_id = f"{parent.base.customization_id}/{new_id()}"
    arn, model_arn = caller.arn(JOB, job_id), caller.arn(MODEL, job_id)
    tags = request_tags(request.get("jobTags"), arn=arn)
    model_tags = request_tags(request.get("customModelTags"), arn=model_arn)
    caller.authorize(parent.arn, request_tags=tags | model_tags, resource_tags=parent.tags)
    caller.authorize(arn, model_arn, request_tags=tags | model_tags)
    caller.tag(arn, tags)
    caller.tag(model_arn, model_tags)
    caller.pass_role(request["roleArn"])
    key = keys.key_arn(request.get("customModelKmsKeyId"))
    if key is not None:
        caller.use_key(key, MODEL_KEY_RIGHTS)
    kind = request.get("customizationType", "FINE_TUNING")
    _check_model(simulator, caller, parent.base, request, kind)
    _check_trust(simulator, request["roleArn"], arn, caller.region)
    with simulator.lock:
        repeated = simulator.repeated(JOB, request)
        if repeated is not None:
            return {"jobArn": repeated.arn}
        _check_names(simulator, request)
        _check_quotas(simulator)
        members = {
            "hyperParameters": {},
            "validationDataConfig": {"validators": []},
            **request,
            **created(now()),
            "jobArn": arn,
            "customizationType": kind,
        }
        model = BedrockResource(
            arn=model_arn,
            name=request["customModelName"],
            model=parent.model,
            members=_model(members, parent, arn=model_arn, key=key, account=caller.account),
            tags=model_tags,
        )
        job = BedrockResource(
            arn=arn,
            name=request["jobName"],
            model=parent.model,
            members=_job(members, parent, key=key, region=caller.region),
            tags=tags,
            makes=model,
        )
        simulator.resources[arn] = job
    training.start(simulator, job)
    return {"jobArn": arn}


def stop(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    job = simulator.find(JOB, request["jobIdentifier"])
    caller.authorize(job.arn, resource_tags=job.tags)
    if job.status != "InProgress" or not training.set_status(simulator, job, "Stopping"):
        raise conflict(f"The job {job.arn} is {job.status} and cannot be stopped")
    return {}


def _check_tunable(parent: BedrockResource) -> None:
    base = parent.base
    if parent.kind != MODEL and parent.name not in base.ids.customization:
        raise invalid(
            f"The provided model identifier {parent.name} does not support model customization; "
            f"{base.name} is customized as {base.customization_id}"
        )


def _check_model(
    simulator: Simulator, caller: Caller, model: BaseModel, request: Members, kind: str
) -> None:
    name = model.customization_id
    if kind not in model.customization_types:
        raise invalid(f"{name} does not support the customization type {kind}")
    bases.require_open(
        model,
        allow_closed=simulator.options.allow_closed_models,
        purpose="model customization",
    )
    bases.require_region(model.regions.customization, caller.region, f"Customization of {name}")
    configuration.require(request, kind, model)
    _check_data_configs(request, model.datasets[kind], model)


def _check_data_configs(request: Members, contract: DatasetContract, model: BaseModel) -> None:
    if not request["trainingDataConfig"].get("s3Uri"):
        raise invalid("The simulator trains on trainingDataConfig.s3Uri only")
    if request.get("validationDataConfig", {}).get("validators") and (
        known.validation(model, contract) == "forbidden"
    ):
        raise invalid(
            f"A validation dataset is not supported for {model.customization_id} ({model.task})"
        )


def _check_trust(simulator: Simulator, role_arn: str, job_arn: str, region: str) -> None:
    try:
        if simulator.is_new(role_arn):
            raise roles.RoleError(f"{role_arn} was created a moment ago")
        roles.assume(
            role_arn=role_arn,
            service=SERVICE,
            source_arn=job_arn,
            session_name="bedrock-check",
            region=region,
        )
    except roles.RoleError as error:
        raise invalid(f"Could not assume provided IAM role. ({error})") from error


def _check_names(simulator: Simulator, request: Members) -> None:
    jobs = simulator.all(JOB)
    if any(job.name == request["jobName"] for job in jobs):
        raise conflict("The provided job name is currently in use.")
    future_models = [job.makes for job in jobs if job.makes and job.status not in training.FINAL]
    names = (model.name for model in (*future_models, *simulator.all(MODEL)))
    if request["customModelName"] in names:
        raise conflict("The provided custom model name is currently in use.")


def _check_quotas(simulator: Simulator) -> None:
    count = sum(job.status not in training.FINAL for job in simulator.all(JOB))
    if count >= simulator.options.jobs:
        raise quota(f"{count} customization jobs are scheduled, the account's limit")
    if len(simulator.all(MODEL)) + count >= simulator.options.custom_models:
        raise quota(f"{simulator.options.custom_models} custom models are the account's limit")


def _job(
    members: Members, parent: BedrockResource, *, key: str | None, region: str
) -> dict[str, Any]:
    """The job's members: what was asked for, with the names and states of the answers."""
    phase = {"status": "NotStarted", **created(now())}
    return {
        **members,
        "status": "InProgress",
        "statusDetails": {name: dict(phase) for name in training.PHASES},
        "outputModelName": members["customModelName"],
        "outputModelKmsKeyArn": key,
        # The API's pattern allows both; of another round, the harsher guess is the custom model.
        "baseModelArn": parent.arn
        if parent.kind == MODEL
        else bases.foundation_arn(parent.base.customization_id, region),
    }


def _model(
    members: Members, parent: BedrockResource, *, arn: str, key: str | None, account: str
) -> dict[str, Any]:
    """The same for the model that the job will make."""
    return {
        **members,
        "modelArn": arn,
        "modelName": members["customModelName"],
        "modelStatus": "Active",
        "modelKmsKeyArn": key,
        "baseModelArn": parent.arn,
        "baseModelName": bases.id_of(parent.members["foundationModelArn"]),
        "foundationModelArn": parent.members["foundationModelArn"],
        "ownerAccountId": account,
    }
