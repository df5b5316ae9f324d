"""On-demand deployments: create, update, delete (docs/facts/api.md#deployments)."""

from typing import Any

from bedrock_tuning.catalogue import catalogue
from local.bedrock import lists, shapes
from local.bedrock.caller import Caller
from local.bedrock.data.records import Model, OnDemandDeployment
from local.bedrock.errors import conflict, invalid, quota
from local.bedrock.simulator import DEPLOYMENT, Members, Simulator, new_id, now, tags_of


def create(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    model = simulator.model(request["modelArn"])
    arn = caller.arn("custom-model-deployment", new_id())
    tags = tags_of(request.get("tags"), arn=arn)
    caller.authorize(
        "CreateCustomModelDeployment",
        [model.model_arn],
        request_tags=tags,
        resource_tags=model.tags,
    )
    if tags:
        caller.authorize("TagResource", [arn], request_tags=tags)
    _require_on_demand(model)
    with simulator.lock:
        deployments = simulator.state.deployments
        token = request.get("clientRequestToken")
        for known in deployments.values():
            if token and known.client_request_token == token:
                return {"customModelDeploymentArn": known.custom_model_deployment_arn}
        name = request["modelDeploymentName"]
        if any(known.model_deployment_name == name for known in deployments.values()):
            raise invalid("The provided model deployment name is currently in use.")
        if len(deployments) >= simulator.options.deployments:
            raise quota(f"{len(deployments)} custom model deployments are the account's limit")
        created = now()
        deployments[arn] = OnDemandDeployment(
            custom_model_deployment_arn=arn,
            model_deployment_name=name,
            model_arn=model.model_arn,
            created_at=created,
            last_updated_at=created,
            status="Creating",
            description=request.get("description"),
            catalogue_key=model.catalogue_key,
            settles_at=simulator.clock.after(DEPLOYMENT),
            client_request_token=token,
            tags=tags,
        )
    return {"customModelDeploymentArn": arn}


def get(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    deployment = _found(simulator, request)
    _authorize(caller, "GetCustomModelDeployment", deployment)
    return deployment.members()


def listed(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    caller.authorize("ListCustomModelDeployments", ["*"])
    with simulator.lock:
        every = simulator.state.deployments.values()
        for deployment in every:
            settle(simulator, deployment)
        rows = [_summary(deployment) for deployment in every if _chosen(deployment, request)]
    return lists.page(rows, request, answer="modelDeploymentSummaries", created="createdAt")


def update(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    deployment = _found(simulator, request)
    model = simulator.model(request["modelArn"])
    _authorize(caller, "UpdateCustomModelDeployment", deployment, model.model_arn)
    _require_on_demand(model)
    with simulator.lock:
        if deployment.settles_at is not None:
            raise invalid(f"{deployment.custom_model_deployment_arn} is being changed already")
        if model.catalogue_key != deployment.catalogue_key:
            raise invalid(f"{model.model_arn} is of another base model")
        deployment.update_details = {"modelArn": model.model_arn, "updateStatus": "Updating"}
        deployment.settles_at = simulator.clock.after(DEPLOYMENT)
        deployment.last_updated_at = now()
    return {"customModelDeploymentArn": deployment.custom_model_deployment_arn}


def delete(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    deployment = _found(simulator, request)
    _authorize(caller, "DeleteCustomModelDeployment", deployment)
    with simulator.lock:
        if deployment.settles_at is not None:
            raise conflict(f"{deployment.custom_model_deployment_arn} is being changed")
        del simulator.state.deployments[deployment.custom_model_deployment_arn]
    return {}


def settle(simulator: Simulator, deployment: OnDemandDeployment) -> None:
    """End the change under way once its time is over."""
    if not simulator.is_over(deployment.settles_at):
        return
    deployment.last_updated_at = deployment.settles_at
    deployment.settles_at = None
    deployment.status = "Active"
    if deployment.update_details is not None:
        deployment.model_arn = deployment.update_details["modelArn"]
        deployment.update_details["updateStatus"] = "UpdateCompleted"


def _found(simulator: Simulator, request: Members) -> OnDemandDeployment:
    with simulator.lock:
        deployment = simulator.deployment(request["customModelDeploymentIdentifier"])
        settle(simulator, deployment)
    return deployment


def _authorize(caller: Caller, action: str, deployment: OnDemandDeployment, *more: str) -> None:
    resources = [deployment.custom_model_deployment_arn, *more]
    caller.authorize(action, resources, resource_tags=deployment.tags)


def _require_on_demand(model: Model) -> None:
    base = catalogue()[model.catalogue_key]
    if not base.serving.on_demand:
        raise invalid(
            f"Custom models of {base.name} cannot be deployed on demand; "
            "they need Provisioned Throughput"
        )


def _chosen(deployment: OnDemandDeployment, request: Members) -> bool:
    return (
        lists.contains(deployment.model_deployment_name, request)
        and lists.equals(deployment.status, request, "statusEquals")
        and lists.equals(deployment.model_arn, request, "modelArnEquals")
    )


def _summary(deployment: OnDemandDeployment) -> dict[str, Any]:
    members = deployment.members()
    members["customModelDeploymentName"] = deployment.model_deployment_name
    return shapes.summary("bedrock", "CustomModelDeploymentSummary", members)
