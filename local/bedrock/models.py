"""Models: which one an identifier names, foundation models, and the end of custom ones."""

from typing import Any

from local.bedrock import bases
from local.bedrock.caller import Caller
from local.bedrock.data.records import BedrockResource
from local.bedrock.errors import conflict
from local.bedrock.simulator import DEPLOYMENT, MODEL, THROUGHPUT, Members, Simulator


def named(simulator: Simulator, caller: Caller, identifier: str) -> BedrockResource:
    """The foundation or custom model of an identifier; raises ResourceNotFoundException."""
    if bases.is_foundation(identifier):
        return bases.foundation(identifier, caller.region)
    return simulator.find(MODEL, identifier)


def delete(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    model = simulator.find(MODEL, request["modelIdentifier"])
    caller.authorize(model.arn, resource_tags=model.tags)
    with simulator.lock:
        users = [
            resource.arn
            for resource in (*simulator.all(THROUGHPUT), *simulator.all(DEPLOYMENT))
            if model.arn in (resource.members["modelArn"], resource.members.get("desiredModelArn"))
        ]
        if users:
            raise conflict(f"The model {model.arn} is in use by {', '.join(users)}")
        del simulator.resources[model.arn]
    return {}


def get_foundation(_: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    details = bases.details(request["modelIdentifier"], caller.region)
    caller.authorize(details["modelArn"])
    return {"modelDetails": details}


def availability(_: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    caller.authorize(bases.details(request["modelId"], caller.region)["modelArn"])
    return {
        "modelId": request["modelId"],
        "agreementAvailability": {"status": "AVAILABLE"},
        "authorizationStatus": "AUTHORIZED",
        "entitlementAvailability": "AVAILABLE",
        "regionAvailability": "AVAILABLE",
    }
