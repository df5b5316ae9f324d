"""Custom models and foundation models: get, list, delete."""

from typing import Any

from local.bedrock import bases, lists, shapes
from local.bedrock.caller import Caller
from local.bedrock.data.records import Model
from local.bedrock.errors import conflict
from local.bedrock.simulator import Members, Simulator


def get(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    model = simulator.model(request["modelIdentifier"])
    caller.authorize("GetCustomModel", [model.model_arn], resource_tags=model.tags)
    return model.members()


def listed(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    caller.authorize("ListCustomModels", ["*"])
    with simulator.lock:
        chosen = [model for model in simulator.state.models.values() if _chosen(model, request)]
        rows = [_summary(model, caller) for model in chosen]
    if request.get("isOwned") is False:
        rows = []  # no other account shares models here
    return lists.page(rows, request, answer="modelSummaries", created="creationTime")


def delete(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    model = simulator.model(request["modelIdentifier"])
    caller.authorize("DeleteCustomModel", [model.model_arn], resource_tags=model.tags)
    with simulator.lock:
        state = simulator.state
        users = [
            throughput.provisioned_model_arn
            for throughput in state.throughputs.values()
            if model.model_arn in (throughput.model_arn, throughput.desired_model_arn)
        ]
        users += [
            deployment.custom_model_deployment_arn
            for deployment in state.deployments.values()
            if deployment.model_arn == model.model_arn
        ]
        if users:
            raise conflict(f"The model {model.model_arn} is in use by {', '.join(users)}")
        del state.models[model.model_arn]
    return {}


def get_foundation(_: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    details = bases.details(request["modelIdentifier"], caller.region)
    caller.authorize("GetFoundationModel", [details["modelArn"]])
    return {"modelDetails": details}


def list_foundation(_: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    caller.authorize("ListFoundationModels", ["*"])
    found = [bases.details(name, caller.region) for name in bases.identifiers()]
    filters = {
        "byCustomizationType": "customizationsSupported",
        "byOutputModality": "outputModalities",
        "byInferenceType": "inferenceTypesSupported",
    }
    for wish, member in filters.items():
        if wish in request:
            found = [details for details in found if request[wish] in details[member]]
    if "byProvider" in request:
        wanted = request["byProvider"].lower()
        found = [details for details in found if details["providerName"].lower() == wanted]
    return {"modelSummaries": found}


def _chosen(model: Model, request: Members) -> bool:
    return (
        lists.contains(model.model_name, request)
        and lists.equals(model.base_model_arn, request, "baseModelArnEquals")
        and lists.equals(model.foundation_arn, request, "foundationModelArnEquals")
        and lists.equals(model.model_status, request, "modelStatus")
    )


def _summary(model: Model, caller: Caller) -> dict[str, Any]:
    members = model.members()
    members["baseModelName"] = bases.id_of(model.foundation_arn)
    members["ownerAccountId"] = caller.account
    return shapes.summary("bedrock", "CustomModelSummary", members)
