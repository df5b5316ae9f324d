"""Puts the simulator in MiniStack's place for `bedrock` and `bedrock-runtime`."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec

from local.bedrock import deployments, invoke, jobs, models, resources, shapes, throughput, training
from local.bedrock.caller import Caller
from local.bedrock.data import event_stream
from local.bedrock.data.records import BedrockResource
from local.bedrock.errors import BedrockError, invalid
from local.bedrock.resources import Operation
from local.bedrock.simulator import DEPLOYMENT, JOB, MODEL, THROUGHPUT, Simulator, log
from local.emulator.patching import expect_source
from local.emulator.requests import Response, ServiceRequest, Upstream, handle

OPERATIONS: Final[Mapping[str, Mapping[str, Operation]]] = {
    "bedrock": {
        "CreateModelCustomizationJob": jobs.create,
        "GetModelCustomizationJob": resources.get(JOB),
        "ListModelCustomizationJobs": resources.listed(JOB),
        "StopModelCustomizationJob": jobs.stop,
        "GetCustomModel": resources.get(MODEL),
        "ListCustomModels": resources.listed(MODEL),
        "DeleteCustomModel": models.delete,
        "GetFoundationModel": models.get_foundation,
        "GetFoundationModelAvailability": models.availability,
        "CreateProvisionedModelThroughput": throughput.create,
        "GetProvisionedModelThroughput": resources.get(THROUGHPUT),
        "ListProvisionedModelThroughputs": resources.listed(THROUGHPUT),
        "UpdateProvisionedModelThroughput": throughput.update,
        "DeleteProvisionedModelThroughput": throughput.delete,
        "CreateCustomModelDeployment": deployments.create,
        "GetCustomModelDeployment": resources.get(DEPLOYMENT),
        "ListCustomModelDeployments": resources.listed(DEPLOYMENT),
        "UpdateCustomModelDeployment": deployments.update,
        "DeleteCustomModelDeployment": deployments.delete,
        "TagResource": resources.tag,
        "ListTagsForResource": resources.tags,
    },
    "bedrock-runtime": {
        "InvokeModel": invoke.invoke,
        "Converse": invoke.converse,
        "ConverseStream": invoke.converse_stream,
    },
}
_STATE_KEY: Final = "bedrock_tuning_simulator"


def install(simulator: Simulator) -> None:
    """Answer both services, authorize their requests ourselves, and keep the state."""
    from ministack import app
    from ministack.core import iam_actions

    async def handler(request: ServiceRequest, _: Upstream) -> Response:
        # In a thread with the request's context: nothing here may hold up the server's loop.
        return await asyncio.to_thread(_answer, simulator, request)

    for service in OPERATIONS:
        handle(service, handler)
    # MiniStack knows too little of Bedrock's resources to authorize its requests ("*" for most);
    # without an action it only checks the signature, and each operation authorizes itself.
    upstream = iam_actions.extract_iam_action
    expect_source(app._dispatch_service_request, "extract_iam_action,", "_authenticate_only(")

    def extract_iam_action(service: str, *arguments: Any) -> str | None:
        action: str | None = upstream(service, *arguments)
        return None if service in OPERATIONS else action

    iam_actions.extract_iam_action = extract_iam_action
    expect_source(app._build_persistence_save_dict, "mod.get_state", "_state_map.items()")
    app._state_map[_STATE_KEY] = _STATE_KEY
    app._loaded_modules[_STATE_KEY] = _Persistence(simulator)


class _Persistence:
    """The simulator's state in the form in which MiniStack saves and restores its services'."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def get_state(self) -> dict[str, Any]:
        with self._simulator.lock:
            state: dict[str, Any] = msgspec.to_builtins(self._simulator.resources)
            return state

    def load_persisted_state(self, data: dict[str, Any]) -> None:
        self._simulator.resources = msgspec.convert(data, dict[str, BedrockResource])
        training.resume(self._simulator)

    def reset(self) -> None:
        with self._simulator.lock:
            self._simulator.resources.clear()


def _answer(simulator: Simulator, request: ServiceRequest) -> Response:
    from ministack.core.responses import get_account_id

    service, kind = request.service, {"Content-Type": "application/json"}
    try:
        name, members = shapes.parse(request)
        operation = OPERATIONS[service].get(name)
        if operation is None:
            raise invalid(f"The Bedrock simulator does not know {name}")
        simulator.faults.strike(name)
        caller = Caller(
            operation=name,
            access_key=request.access_key,
            region=request.region,
            account=get_account_id(),
        )
        answer: Any = operation(simulator, caller, members)
        if isinstance(answer, bytes):
            return HTTPStatus.OK, {"Content-Type": event_stream.CONTENT_TYPE}, answer
        # InvokeModel's body is the model's own, no shape of the service.
        if name != "InvokeModel":
            answer = shapes.answer(service, name, answer)
        return shapes.success_status(service, name), kind, msgspec.json.encode(answer)
    except BedrockError as error:
        log.info("simulated %s %s: %s", request.method, request.path, error)
        body = msgspec.json.encode({"message": error.message, **error.members})
        kind["x-amzn-ErrorType"] = error.code
        return shapes.errors(service)[error.code], kind, body
