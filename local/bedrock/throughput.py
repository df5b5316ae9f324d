"""Provisioned Throughput: buy, swap models, delete (docs/facts/api.md#provisioned-throughput)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from bedrock_tuning.catalogue import BaseModel, catalogue
from local.bedrock import bases, lists, shapes
from local.bedrock.caller import Caller
from local.bedrock.data.records import Tags, Throughput
from local.bedrock.errors import conflict, invalid, quota
from local.bedrock.simulator import (
    THROUGHPUT_CREATE,
    THROUGHPUT_UPDATE,
    Members,
    Simulator,
    new_id,
    now,
    tags_of,
)

COMMITMENT: Final = {"OneMonth": timedelta(days=30), "SixMonths": timedelta(days=180)}


@dataclass(frozen=True, slots=True)
class Served:
    """A model that can be behind a throughput."""

    base: BaseModel
    arn: str
    foundation_arn: str
    tags: Tags
    key: str | None = None


def create(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    served = _served(simulator, caller, request["modelId"])
    arn = caller.arn("provisioned-model", new_id())
    tags = tags_of(request.get("tags"), arn=arn)
    caller.authorize(
        "CreateProvisionedModelThroughput",
        [served.arn],
        request_tags=tags,
        resource_tags=served.tags,
    )
    if tags:
        caller.authorize("TagResource", [arn], request_tags=tags)
    if served.key is not None:
        caller.use_key(served.key, ["kms:Decrypt"])
    _check_sold(simulator, caller, served)
    commitment = request.get("commitmentDuration")
    with simulator.lock:
        repeated = _same_token(simulator, request)
        if repeated is not None:
            return {"provisionedModelArn": repeated.provisioned_model_arn}
        _check_name(simulator, request["provisionedModelName"])
        _check_units(simulator, served, request["modelUnits"])
        created = now()
        throughput = Throughput(
            provisioned_model_arn=arn,
            provisioned_model_name=request["provisionedModelName"],
            model_units=request["modelUnits"],
            desired_model_units=request["modelUnits"],
            model_arn=served.arn,
            desired_model_arn=served.arn,
            foundation_model_arn=served.foundation_arn,
            status="Creating",
            creation_time=created,
            last_modified_time=created,
            commitment_duration=commitment,
            commitment_expiration_time=created + COMMITMENT[commitment] if commitment else None,
            catalogue_key=served.base.key,
            client_request_token=request.get("clientRequestToken"),
            tags=tags,
        )
        _begin(simulator, throughput, THROUGHPUT_CREATE)
        simulator.state.throughputs[arn] = throughput
    return {"provisionedModelArn": arn}


def get(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    throughput = _found(simulator, request)
    caller.authorize(
        "GetProvisionedModelThroughput",
        [throughput.provisioned_model_arn],
        resource_tags=throughput.tags,
    )
    return throughput.members()


def listed(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    caller.authorize("ListProvisionedModelThroughputs", ["*"])
    with simulator.lock:
        every = simulator.state.throughputs.values()
        for throughput in every:
            settle(simulator, throughput)
        rows = [
            shapes.summary("bedrock", "ProvisionedModelSummary", throughput.members())
            for throughput in every
            if _chosen(throughput, request)
        ]
    return lists.page(rows, request, answer="provisionedModelSummaries", created="creationTime")


def update(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    throughput = _found(simulator, request)
    arn = throughput.provisioned_model_arn
    wanted = request.get("desiredModelId")
    served = _served(simulator, caller, wanted) if wanted else None
    resources = [arn, *([served.arn] if served else [])]
    caller.authorize("UpdateProvisionedModelThroughput", resources, resource_tags=throughput.tags)
    with simulator.lock:
        settle(simulator, throughput)
        if throughput.status != "InService":
            raise invalid(f"{arn} is {throughput.status}; only one that is InService is updated")
        if ":foundation-model/" in throughput.model_arn and served is None:
            raise invalid(f"{arn} serves a base model and cannot be updated")
        name = request.get("desiredProvisionedModelName")
        if name and name != throughput.provisioned_model_name:
            _check_name(simulator, name)
        if served is not None:
            _check_same_base(throughput, served)
        if name:
            throughput.provisioned_model_name = name
        if served is not None and served.arn != throughput.model_arn:
            throughput.status = "Updating"
            throughput.desired_model_arn = served.arn
            _begin(simulator, throughput, THROUGHPUT_UPDATE)
        throughput.last_modified_time = now()
    return {}


def delete(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    throughput = _found(simulator, request)
    arn = throughput.provisioned_model_arn
    caller.authorize("DeleteProvisionedModelThroughput", [arn], resource_tags=throughput.tags)
    with simulator.lock:
        settle(simulator, throughput)
        until = throughput.commitment_expiration_time
        if until is not None and now() < until:
            raise conflict(
                f"{arn} has a commitment ({throughput.commitment_duration}) until {until:%Y-%m-%d} "
                "and cannot be deleted before its end"
            )
        if throughput.status in ("Creating", "Updating"):
            raise conflict(f"{arn} is {throughput.status} and cannot be deleted now")
        del simulator.state.throughputs[arn]
    return {}


def settle(simulator: Simulator, throughput: Throughput) -> None:
    """End the change under way once its time is over."""
    if not simulator.is_over(throughput.settles_at):
        return
    throughput.last_modified_time = throughput.settles_at
    throughput.status = throughput.settles_as
    throughput.failure_message = throughput.settles_with
    throughput.settles_at = None
    if throughput.status == "InService":
        throughput.model_arn = throughput.desired_model_arn


def _begin(simulator: Simulator, throughput: Throughput, seconds: float) -> None:
    """Plan the end of a change, or the failure that was ordered for it."""
    throughput.settles_at = simulator.clock.after(seconds)
    throughput.settles_as, throughput.settles_with = "InService", None
    failure = simulator.faults.take("throughput-fails")
    if failure is not None:
        message = failure.message or "The requested capacity is not available."
        throughput.settles_as = "Failed"
        throughput.settles_with = f"[Bedrock simulator] {message}"
    elif simulator.faults.take("throughput-stuck") is not None:
        throughput.settles_at = None


def _found(simulator: Simulator, request: Members) -> Throughput:
    with simulator.lock:
        throughput = simulator.throughput(request["provisionedModelId"])
        settle(simulator, throughput)
    return throughput


def _served(simulator: Simulator, caller: Caller, identifier: str) -> Served:
    if bases.is_foundation(identifier):
        base, name = bases.base(identifier), bases.id_of(identifier)
        arn = bases.foundation_arn(name, caller.region)
        return Served(base, arn, arn, {})
    model = simulator.model(identifier)
    base = catalogue()[model.catalogue_key]
    return Served(base, model.model_arn, model.foundation_arn, model.tags, model.model_kms_key_arn)


def _check_sold(simulator: Simulator, caller: Caller, served: Served) -> None:
    model = served.base
    name = bases.id_of(served.foundation_arn)
    if not model.serving.provisioned_throughput or name not in model.throughput_ids:
        raise invalid(f"Provisioned Throughput is not supported for {name}")
    bases.require_open(
        model,
        allow_closed=simulator.options.allow_closed_models,
        purpose="new Provisioned Throughput",
    )
    bases.require_region(
        model.throughput_regions, caller.region, f"Provisioned Throughput of {name}"
    )


def _check_name(simulator: Simulator, name: str) -> None:
    others = simulator.state.throughputs.values()
    if any(other.provisioned_model_name == name for other in others):
        # Create lists no ConflictException in the API reference.
        raise invalid("The provided provisioned model name is currently in use.")


def _check_units(simulator: Simulator, served: Served, units: int) -> None:
    used = sum(
        other.model_units
        for other in simulator.state.throughputs.values()
        if other.catalogue_key == served.base.key and other.status != "Failed"
    )
    limit = simulator.options.model_units
    if used + units > limit:
        raise quota(
            f"{units} more model units of {served.base.name} would make {used + units}; "
            f"the account's limit is {limit}"
        )


def _check_same_base(throughput: Throughput, served: Served) -> None:
    if served.foundation_arn != throughput.foundation_model_arn:
        raise invalid(
            f"{served.arn} is not of the base model of this Provisioned Throughput, "
            f"{throughput.foundation_model_arn}"
        )


def _same_token(simulator: Simulator, request: Members) -> Throughput | None:
    token = request.get("clientRequestToken")
    every = simulator.state.throughputs.values()
    return next((one for one in every if token and one.client_request_token == token), None)


def _chosen(throughput: Throughput, request: Members) -> bool:
    return (
        lists.contains(throughput.provisioned_model_name, request)
        and lists.equals(throughput.status, request, "statusEquals")
        and lists.equals(throughput.model_arn, request, "modelArnEquals")
    )
