"""Customization jobs: create, look at, list and stop them."""

from dataclasses import dataclass
from typing import Any, Final

from bedrock_tuning.catalogue import BaseModel, DatasetContract, catalogue
from local.bedrock import bases, lists, shapes, training
from local.bedrock.caller import SERVICE, Caller
from local.bedrock.data.records import Job, Phase, StatusDetails
from local.bedrock.errors import conflict, invalid, quota
from local.bedrock.simulator import Members, Simulator, new_id, now, tags_of
from local.emulator import keys, roles

MODEL_KEY_RIGHTS: Final = (
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:GenerateDataKey",
)
"""What the submitter of a job needs on its model's key (docs/facts/iam.md#model-key)."""


@dataclass(frozen=True, slots=True)
class Parent:
    """The model that a job tunes: a foundation model, or a custom one for another round."""

    model: BaseModel
    arn: str


def create(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    parent = _parent(simulator, caller, request["baseModelIdentifier"])
    model_id = parent.model.customization_id
    job_id = new_id()
    job_arn = caller.arn("model-customization-job", f"{model_id}/{job_id}")
    model_arn = caller.arn("custom-model", f"{model_id}/{job_id}")
    tags = tags_of(request.get("jobTags"), arn=job_arn)
    model_tags = tags_of(request.get("customModelTags"), arn=model_arn)
    caller.authorize(
        "CreateModelCustomizationJob",
        [parent.arn, job_arn, model_arn],
        request_tags=tags | model_tags,
    )
    if tags:
        caller.authorize("TagResource", [job_arn], request_tags=tags)
    if model_tags:
        caller.authorize("TagResource", [model_arn], request_tags=model_tags)
    caller.pass_role(request["roleArn"])
    key = keys.key_arn(request.get("customModelKmsKeyId"))
    if key is not None:
        caller.use_key(key, MODEL_KEY_RIGHTS)
    kind = request.get("customizationType", "FINE_TUNING")
    contract = _contract(parent.model, kind)
    bases.require_open(
        parent.model,
        allow_closed=simulator.options.allow_closed_models,
        purpose="model customization",
    )
    bases.require_region(
        parent.model.customization_regions, caller.region, f"Customization of {model_id}"
    )
    bases.require_hyperparameters(request.get("hyperParameters") or {}, parent.model)
    _check_data_configs(request, contract, parent.model)
    _check_trust(request["roleArn"], job_arn, caller.region)
    with simulator.lock:
        repeated = _same_token(simulator, request)
        if repeated is not None:
            return {"jobArn": repeated.job_arn}
        _check_names(simulator, request)
        _check_quotas(simulator)
        job = _job(request, caller, parent, job_arn=job_arn, model_arn=model_arn, kind=kind)
        job.tags, job.model_tags, job.output_model_kms_key_arn = tags, model_tags, key
        simulator.state.jobs[job_arn] = job
    training.start(simulator, job)
    return {"jobArn": job_arn}


def get(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    job = simulator.job(request["jobIdentifier"])
    caller.authorize("GetModelCustomizationJob", [job.job_arn], resource_tags=job.tags)
    with simulator.lock:
        members = job.members()
    if job.status != "Completed":
        del members["outputModelArn"]
    return members


def listed(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    caller.authorize("ListModelCustomizationJobs", ["*"])
    with simulator.lock:
        rows = [_summary(job) for job in simulator.state.jobs.values() if _chosen(job, request)]
    return lists.page(
        rows, request, answer="modelCustomizationJobSummaries", created="creationTime"
    )


def stop(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    job = simulator.job(request["jobIdentifier"])
    caller.authorize("StopModelCustomizationJob", [job.job_arn], resource_tags=job.tags)
    if job.status != "InProgress" or not training.set_status(simulator, job, "Stopping"):
        raise conflict(f"The job {job.job_arn} is {job.status} and cannot be stopped")
    return {}


def _parent(simulator: Simulator, caller: Caller, identifier: str) -> Parent:
    if bases.is_foundation(identifier):
        model = bases.base(identifier)
        name = bases.id_of(identifier)
        if name not in model.customization_ids:
            raise invalid(
                f"The provided model identifier {name} does not support model customization; "
                f"{model.name} is customized as {model.customization_id}"
            )
        return Parent(model, bases.foundation_arn(name, caller.region))
    custom = simulator.model(identifier)
    return Parent(catalogue()[custom.catalogue_key], custom.model_arn)


def _contract(model: BaseModel, kind: str) -> DatasetContract:
    if kind not in model.customization_types:
        raise invalid(f"{model.customization_id} does not support the customization type {kind}")
    return model.datasets[kind]


def _check_data_configs(request: Members, contract: DatasetContract, model: BaseModel) -> None:
    if not request["trainingDataConfig"].get("s3Uri"):
        raise invalid("The simulator trains on trainingDataConfig.s3Uri only")
    validators = (request.get("validationDataConfig") or {}).get("validators") or []
    if validators and contract.validation == "forbidden":
        raise invalid(
            f"A validation dataset is not supported for {model.customization_id} ({model.task})"
        )


def _check_trust(role_arn: str, job_arn: str, region: str) -> None:
    try:
        roles.assume(
            role_arn=role_arn,
            service=SERVICE,
            source_arn=job_arn,
            session_name="bedrock-check",
            region=region,
        )
    except roles.RoleError as error:
        raise invalid(f"Could not assume provided IAM role. ({error})") from error


def _same_token(simulator: Simulator, request: Members) -> Job | None:
    token = request.get("clientRequestToken")
    jobs = simulator.state.jobs.values()
    return next((job for job in jobs if token and job.client_request_token == token), None)


def _check_names(simulator: Simulator, request: Members) -> None:
    state = simulator.state
    if any(job.job_name == request["jobName"] for job in state.jobs.values()):
        raise conflict("The provided job name is currently in use.")
    wanted = request["customModelName"]
    promised = (
        job.output_model_name for job in state.jobs.values() if job.status not in training.FINAL
    )
    if wanted in promised or any(model.model_name == wanted for model in state.models.values()):
        raise conflict("The provided custom model name is currently in use.")


def _check_quotas(simulator: Simulator) -> None:
    running = sum(job.status not in training.FINAL for job in simulator.state.jobs.values())
    if running >= simulator.options.jobs:
        raise quota(f"{running} customization jobs are scheduled, the account's limit")
    if len(simulator.state.models) + running >= simulator.options.custom_models:
        raise quota(f"{simulator.options.custom_models} custom models are the account's limit")


def _job(
    request: Members, caller: Caller, parent: Parent, *, job_arn: str, model_arn: str, kind: str
) -> Job:
    created = now()
    phases = [
        Phase(status="NotStarted", creation_time=created, last_modified_time=created)
        for _ in range(3)
    ]
    model_id = parent.model.customization_id
    return Job(
        job_arn=job_arn,
        job_name=request["jobName"],
        output_model_name=request["customModelName"],
        output_model_arn=model_arn,
        client_request_token=request.get("clientRequestToken"),
        role_arn=request["roleArn"],
        status="InProgress",
        status_details=StatusDetails(
            validation_details=phases[0],
            data_processing_details=phases[1],
            training_details=phases[2],
        ),
        creation_time=created,
        last_modified_time=created,
        base_model_arn=bases.foundation_arn(model_id, caller.region),
        hyper_parameters=dict(request.get("hyperParameters") or {}),
        training_data_config=request["trainingDataConfig"],
        validation_data_config=request.get("validationDataConfig") or {"validators": []},
        output_data_config=request["outputDataConfig"],
        customization_type=kind,
        vpc_config=request.get("vpcConfig"),
        customization_config=request.get("customizationConfig"),
        region=caller.region,
        account=caller.account,
        catalogue_key=parent.model.key,
        parent_model_arn=parent.arn,
    )


def _chosen(job: Job, request: Members) -> bool:
    return lists.contains(job.job_name, request) and lists.equals(
        job.status, request, "statusEquals"
    )


def _summary(job: Job) -> dict[str, Any]:
    members = job.members()
    if job.status == "Completed":
        members["customModelArn"] = job.output_model_arn
    members["customModelName"] = job.output_model_name
    return shapes.summary("bedrock", "ModelCustomizationJobSummary", members)
