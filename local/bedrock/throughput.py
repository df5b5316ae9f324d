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
    tags_of,
)

COMMITMENT: Final = {"OneMonth": timedelta(days=30), "SixMonths": timedelta(days=180)}


def create(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    served = models.named(simulator, caller, request["modelId"])
    arn, name = caller.arn(THROUGHPUT, new_id()), request["provisionedModelName"]
    tags = tags_of(request.get("tags"), arn=arn)
    caller.authorize(served.arn, request_tags=tags, resource_tags=served.tags)
    caller.tag(arn, tags)
    if served.key is not None:
        caller.use_key(served.key, ["kms:Decrypt"])
    _check_sold(simulator, caller, served)
    with simulator.lock:
        repeated = simulator.repeated(THROUGHPUT, request)
        if repeated is not None:
            return {"provisionedModelArn": repeated.arn}
        _check_name(simulator, name)
        _check_units(simulator, served, request)
        at = now()
        own = {
            "provisionedModelArn": arn,
            "desiredModelUnits": request["modelUnits"],
            "modelArn": served.arn,
            "desiredModelArn": served.arn,
            "foundationModelArn": served.members["foundationModelArn"],
            "status": "Creating",
        }
        if "commitmentDuration" in request:
            own["commitmentExpirationTime"] = iso(at + COMMITMENT[request["commitmentDuration"]])
        members = {**request, **created(at), **own}
        throughput = BedrockResource(
            arn=arn, name=name, model=served.model, members=members, tags=tags
        )
        # Nothing may depend on how long it takes.
        _begin(simulator, throughput, random.uniform(*THROUGHPUT_CREATE))  # noqa: S311
        simulator.resources[arn] = throughput
    return {"provisionedModelArn": arn}


def update(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    throughput = simulator.find(THROUGHPUT, request["provisionedModelId"])
    arn, members = throughput.arn, throughput.members
    wanted, name = request.get("desiredModelId"), request.get("desiredProvisionedModelName")
    served = models.named(simulator, caller, wanted) if wanted else None
    models_used = [served.arn] if served else []
    caller.authorize(arn, *models_used, resource_tags=throughput.tags)
    with simulator.lock:
        if throughput.status != "InService":
            raise invalid(f"{arn} is {throughput.status}; only one that is InService is updated")
        if ":foundation-model/" in members["modelArn"] and served is None:
            raise invalid(f"{arn} serves a base model and cannot be updated")
        if name and name != throughput.name:
            _check_name(simulator, name)
        if served is not None:
            _check_same_base(members["foundationModelArn"], served)
        if name:
            throughput.name = members["provisionedModelName"] = name
        members.update(changed(now()))
        if served is not None and served.arn != members["modelArn"]:
            members.update(status="Updating", desiredModelArn=served.arn)
            _begin(simulator, throughput, THROUGHPUT_UPDATE)
    return {}


def delete(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    throughput = simulator.find(THROUGHPUT, request["provisionedModelId"])
    arn, members = throughput.arn, throughput.members
    caller.authorize(arn, resource_tags=throughput.tags)
    with simulator.lock:
        until = members.get("commitmentExpirationTime")
        if until is not None and now() < datetime.fromisoformat(until):
            raise conflict(
                f"{arn} has a commitment ({members['commitmentDuration']}) until {until[:10]} "
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
        wanted = throughput.members["desiredModelArn"]
        simulator.begin(throughput, seconds, status="InService", modelArn=wanted)


def _check_sold(simulator: Simulator, caller: Caller, served: BedrockResource) -> None:
    model, name = served.base, bases.id_of(served.members["foundationModelArn"])
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
    if any(other.name == name for other in simulator.all(THROUGHPUT)):
        # Create lists no ConflictException in the API reference.
        raise invalid("The provided provisioned model name is currently in use.")


def _check_units(simulator: Simulator, served: BedrockResource, request: Members) -> None:
    """Two quotas: of one throughput, and of all without a commitment (docs/facts/api.md#quotas)."""
    units, limit = request["modelUnits"], simulator.options.model_units
    used = sum(
        other.members["modelUnits"]
        for other in simulator.all(THROUGHPUT)
        if "commitmentDuration" not in other.members and other.status != "Failed"
    )
    if "commitmentDuration" in request:
        used = 0
    if used + units > limit:
        raise quota(
            f"{units} more model units of {served.base.name} would make {used + units}; "
            f"the account's limit is {limit}"
        )


def _check_same_base(foundation_arn: str, served: BedrockResource) -> None:
    if served.members["foundationModelArn"] != foundation_arn:
        raise invalid(
            f"{served.arn} is not of the base model of this Provisioned Throughput, "
            f"{foundation_arn}"
        )
