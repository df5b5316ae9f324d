"""Provisioned Throughput: buy, swap models, delete (docs/facts/api.md#provisioned-throughput)."""

import random
from datetime import datetime, timedelta
from typing import Any, Final

from local.bedrock import bases, models
from local.bedrock.caller import Caller
from local.bedrock.data.records import BedrockResource, changed, created, iso
from local.bedrock.errors import conflict, invalid, quota
from local.bedrock.simulator import (
    THROUGHPUT,
    THROUGHPUT_CREATE,
    THROUGHPUT_UPDATE,
    Members,
    Simulator,
    new_id,
    now,
    request_tags,
)

COMMITMENT: Final = {"OneMonth": timedelta(days=30), "SixMonths": timedelta(days=180)}


def create(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    model = models.named(simulator, caller, request["modelId"])
    arn, name = caller.arn(THROUGHPUT, new_id()), request["provisionedModelName"]
    tags = request_tags(request.get("tags"), arn=arn)
    caller.authorize(model.arn, request_tags=tags, resource_tags=model.tags)
    caller.tag(arn, tags)
    if model.key is not None:
        caller.use_key(model.key, ["kms:Decrypt"])
    _check_sold(simulator, caller, model)
    with simulator.lock:
        repeated = simulator.repeated(THROUGHPUT, request)
        if repeated is not None:
            return {"provisionedModelArn": repeated.arn}
        _check_name(simulator, name)
        _check_units(simulator, model, request)
        moment = now()
        details = {
            "provisionedModelArn": arn,
            "desiredModelUnits": request["modelUnits"],
            "modelArn": model.arn,
            "desiredModelArn": model.arn,
            "foundationModelArn": model.members["foundationModelArn"],
            "status": "Creating",
        }
        if "commitmentDuration" in request:
            details["commitmentExpirationTime"] = iso(
                moment + COMMITMENT[request["commitmentDuration"]]
            )
        members = {**request, **created(moment), **details}
        throughput = BedrockResource(
            arn=arn, name=name, model=model.model, members=members, tags=tags
        )
        # Nothing may depend on how long it takes.
        _begin(simulator, throughput, random.uniform(*THROUGHPUT_CREATE))  # noqa: S311
        simulator.resources[arn] = throughput
    return {"provisionedModelArn": arn}


def update(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    throughput = simulator.find(THROUGHPUT, request["provisionedModelId"])
    arn, members = throughput.arn, throughput.members
    model_id, name = request.get("desiredModelId"), request.get("desiredProvisionedModelName")
    model = models.named(simulator, caller, model_id) if model_id else None
    models_used = [model.arn] if model else []
    caller.authorize(arn, *models_used, resource_tags=throughput.tags)
    with simulator.lock:
        if throughput.status != "InService":
            raise invalid(f"{arn} is {throughput.status}; only one that is InService is updated")
        if ":foundation-model/" in members["modelArn"] and model is None:
            raise invalid(f"{arn} serves a base model and cannot be updated")
        if name and name != throughput.name:
            _check_name(simulator, name)
        if model is not None:
            _check_same_base(members["foundationModelArn"], model)
        if name:
            throughput.name = members["provisionedModelName"] = name
        members.update(changed(now()))
        if model is not None and model.arn != members["modelArn"]:
            members.update(status="Updating", desiredModelArn=model.arn)
            _begin(simulator, throughput, THROUGHPUT_UPDATE)
    return {}


def delete(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    throughput = simulator.find(THROUGHPUT, request["provisionedModelId"])
    arn, members = throughput.arn, throughput.members
    caller.authorize(arn, resource_tags=throughput.tags)
    with simulator.lock:
        end = members.get("commitmentExpirationTime")
        if end is not None and now() < datetime.fromisoformat(end):
            raise conflict(
                f"{arn} has a commitment ({members['commitmentDuration']}) until {end[:10]} "
                "and cannot be deleted before its end"
            )
        if throughput.status in ("Creating", "Updating"):
            raise conflict(f"{arn} is {throughput.status} and cannot be deleted now")
        del simulator.resources[arn]
    return {}


def _begin(simulator: Simulator, throughput: BedrockResource, seconds: float) -> None:
    """Plan the end of a change, or the failure that was ordered for it."""
    failure = simulator.faults.take("throughput-fails")
    if failure is not None:
        message = failure.message or "The requested capacity is not available."
        message = f"[Bedrock simulator] {message}"
        simulator.begin(throughput, seconds, status="Failed", failureMessage=message)
    elif simulator.faults.take("throughput-stuck") is None:
        model_arn = throughput.members["desiredModelArn"]
        simulator.begin(throughput, seconds, status="InService", modelArn=model_arn)


def _check_sold(simulator: Simulator, caller: Caller, custom_model: BedrockResource) -> None:
    model, name = custom_model.base, bases.id_of(custom_model.members["foundationModelArn"])
    if not model.serving.provisioned_throughput or name not in model.ids.throughput:
        raise invalid(f"Provisioned Throughput is not supported for {name}")
    bases.require_open(
        model,
        allow_closed=simulator.options.allow_closed_models,
        purpose="new Provisioned Throughput",
    )
    bases.require_region(
        model.regions.throughput, caller.region, f"Provisioned Throughput of {name}"
    )


def _check_name(simulator: Simulator, name: str) -> None:
    if any(throughput.name == name for throughput in simulator.all(THROUGHPUT)):
        # Create lists no ConflictException in the API reference.
        raise invalid("The provided provisioned model name is currently in use.")


def _check_units(simulator: Simulator, model: BedrockResource, request: Members) -> None:
    """Two quotas: of one throughput, and of all without a commitment (docs/facts/api.md#quotas)."""
    units, limit = request["modelUnits"], simulator.options.model_units
    units_in_use = sum(
        throughput.members["modelUnits"]
        for throughput in simulator.all(THROUGHPUT)
        if "commitmentDuration" not in throughput.members and throughput.status != "Failed"
    )
    if "commitmentDuration" in request:
        units_in_use = 0
    if units_in_use + units > limit:
        raise quota(
            f"{units} more model units of {model.base.name} would make {units_in_use + units}; "
            f"the account's limit is {limit}"
        )


def _check_same_base(foundation_arn: str, model: BedrockResource) -> None:
    if model.members["foundationModelArn"] != foundation_arn:
        raise invalid(
            f"{model.arn} is not of the base model of this Provisioned Throughput, {foundation_arn}"
        )
