"""On-demand deployments: create, update, delete (docs/facts/api.md#deployments)."""

from typing import Any

from local.bedrock.caller import Caller
from local.bedrock.data.records import BedrockResource, changed, created
from local.bedrock.errors import conflict, invalid, quota
from local.bedrock.simulator import (
    DEPLOYMENT,
    DEPLOYMENT_CHANGE,
    MODEL,
    Members,
    Simulator,
    new_id,
    now,
    tags_of,
)


def create(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    model = simulator.find(MODEL, request["modelArn"])
    arn, name = caller.arn(DEPLOYMENT, new_id()), request["modelDeploymentName"]
    tags = tags_of(request.get("tags"), arn=arn)
    caller.authorize(model.arn, request_tags=tags, resource_tags=model.tags)
    caller.tag(arn, tags)
    _require_on_demand(model)
    with simulator.lock:
        repeated = simulator.repeated(DEPLOYMENT, request)
        if repeated is not None:
            return {"customModelDeploymentArn": repeated.arn}
        others = simulator.all(DEPLOYMENT)
        if any(other.name == name for other in others):
            raise invalid("The provided model deployment name is currently in use.")
        if len(others) >= simulator.options.deployments:
            raise quota(f"{len(others)} custom model deployments are the account's limit")
        own = {
            "customModelDeploymentArn": arn,
            "customModelDeploymentName": name,
            "modelArn": model.arn,
            "status": "Creating",
        }
        members = {**request, **created(now()), **own}
        deployment = BedrockResource(
            arn=arn, name=name, model=model.model, members=members, tags=tags
        )
        simulator.begin(deployment, DEPLOYMENT_CHANGE, status="Active")
        simulator.resources[arn] = deployment
    return {"customModelDeploymentArn": arn}


def update(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    deployment = simulator.find(DEPLOYMENT, request["customModelDeploymentIdentifier"])
    model = simulator.find(MODEL, request["modelArn"])
    caller.authorize(deployment.arn, model.arn, resource_tags=deployment.tags)
    _require_on_demand(model)
    with simulator.lock:
        if deployment.settles_at is not None:
            raise invalid(f"{deployment.arn} is being changed already")
        if model.model != deployment.model:
            raise invalid(f"{model.arn} is of another base model")
        wanted = {"modelArn": model.arn}
        deployment.members |= {
            "updateDetails": {**wanted, "updateStatus": "Updating"},
            **changed(now()),
        }
        done = {"updateDetails": {**wanted, "updateStatus": "UpdateCompleted"}}
        simulator.begin(deployment, DEPLOYMENT_CHANGE, **wanted, **done)
    return {"customModelDeploymentArn": deployment.arn}


def delete(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    deployment = simulator.find(DEPLOYMENT, request["customModelDeploymentIdentifier"])
    caller.authorize(deployment.arn, resource_tags=deployment.tags)
    with simulator.lock:
        if deployment.settles_at is not None:
            raise conflict(f"{deployment.arn} is being changed")
        del simulator.resources[deployment.arn]
    return {}


def _require_on_demand(model: BedrockResource) -> None:
    if not model.base.serving.on_demand:
        raise invalid(
            f"Custom models of {model.base.name} cannot be deployed on demand; "
            "they need Provisioned Throughput"
        )
