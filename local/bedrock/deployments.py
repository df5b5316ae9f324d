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
    request_tags,
)


def create(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    model = simulator.find(MODEL, request["modelArn"])
    arn, name = caller.arn(DEPLOYMENT, new_id()), request["modelDeploymentName"]
    tags = request_tags(request.get("tags"), arn=arn)
    caller.authorize(model.arn, request_tags=tags, resource_tags=model.tags)
    caller.tag(arn, tags)
    _require_on_demand(model)
    with simulator.lock:
        repeated = simulator.repeated(DEPLOYMENT, request)
        if repeated is not None:
            return {"customModelDeploymentArn": repeated.arn}
        deployments = simulator.all(DEPLOYMENT)
        if any(deployment.name == name for deployment in deployments):
            raise invalid("The provided model deployment name is currently in use.")
        if len(deployments) >= simulator.options.deployments:
            raise quota(f"{len(deployments)} custom model deployments are the account's limit")
        details = {
            "customModelDeploymentArn": arn,
            "customModelDeploymentName": name,
            "modelArn": model.arn,
            "status": "Creating",
        }
        members = {**request, **created(now()), **details}
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
        target = {"modelArn": model.arn}
        deployment.members |= {
            "updateDetails": {**target, "updateStatus": "Updating"},
            **changed(now()),
        }
        completion = {"updateDetails": {**target, "updateStatus": "UpdateCompleted"}}
        simulator.begin(deployment, DEPLOYMENT_CHANGE, **target, **completion)
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
