"""InvokeModel, Converse and ConverseStream: find the model, let its simulation answer."""

import json
from collections.abc import Mapping
from typing import Any

from local.bedrock import bases, events
from local.bedrock.caller import Caller
from local.bedrock.data import embeddings, event_stream, pictures, texts
from local.bedrock.data.records import LEARNED, BedrockResource, resource_kind
from local.bedrock.errors import BedrockError, invalid
from local.bedrock.simulator import DEPLOYMENT, MODEL, THROUGHPUT, Members, Simulator

# Who answers for a model: by task and provider, because nothing else is simulated.
_ANSWERS = {
    ("image-to-embedding", "Amazon"): embeddings.embed,
    ("text-to-image", "Amazon"): pictures.generate,
}


def invoke(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    """The model's answer as a JSON object; it never is a canned text."""
    target = _ready(simulator, caller, request["modelId"])
    model, body = target.base, _body(request.get("body", b""))
    events.count_call(target)
    answers = _ANSWERS.get((model.task, model.provider))
    if answers is None or model.key.startswith("nova"):
        raise invalid(
            f"The Bedrock simulator knows no InvokeModel body of {model.name}; "
            "it answers Converse for models of text"
        )
    custom = simulator.resources.get(_custom_model_arn(target) or "")
    # Only models of embeddings learn something.
    options = {} if custom is None else {k: v for k, v in custom.members.items() if k == LEARNED}
    return answers(body, model=model, tuned=_custom_model_arn(target), **options)


def converse(
    simulator: Simulator, caller: Caller, request: Members, *, action: str = "InvokeModel"
) -> dict[str, Any]:
    """The answer of a model of text, as members of Converse's output."""
    target = _ready(simulator, caller, request["modelId"], action=action)
    if not target.base.task.endswith("to-text"):
        raise invalid(f"The model {target.base.name} does not support Converse")
    events.count_call(target)
    return texts.answer(request, model=target.base, tuned=_custom_model_arn(target))


def converse_stream(simulator: Simulator, caller: Caller, request: Members) -> bytes:
    """The same answer as a stream of events; streaming is a right of its own."""
    answer = converse(simulator, caller, request, action="InvokeModelWithResponseStream")
    return event_stream.encode(event_stream.of_conversation(answer))


def _ready(
    simulator: Simulator, caller: Caller, identifier: str, *, action: str = "InvokeModel"
) -> BedrockResource:
    """What may be asked and can answer; Converse needs the right to InvokeModel too."""
    target = _target(simulator, caller, identifier)
    caller.authorize(target.arn, action=action, resource_tags=target.tags)
    custom = simulator.resources.get(_custom_model_arn(target) or "")
    if custom is not None and custom.key is not None:
        caller.use_key(custom.key, ["kms:Decrypt"])
    # While a throughput is updated, the old model goes on answering.
    if target.status not in ("", "Active", "InService", "Updating"):
        raise BedrockError("ModelNotReadyException", f"The model {target.arn} is not ready")
    is_ended = target.base.lifecycle.status == "EOL"
    if _custom_model_arn(target) is None and is_ended and not simulator.options.allow_closed_models:
        raise BedrockError("ResourceNotFoundException", bases.END_OF_LIFE)
    return target


def _target(simulator: Simulator, caller: Caller, identifier: str) -> BedrockResource:
    """The throughput, the deployment or the foundation model of an identifier."""
    kind = resource_kind(identifier)
    if kind in (THROUGHPUT, DEPLOYMENT):
        return simulator.find(kind, identifier)
    base = bases.foundation(identifier, caller.region) if bases.is_foundation(identifier) else None
    if base is None or base.name not in base.base.ids.invoke:
        raise invalid("The provided model identifier is invalid.")
    return base


def _custom_model_arn(target: BedrockResource) -> str | None:
    """The ARN of the custom model behind it, if there is one."""
    model = target.members.get("modelArn", "")
    return model if resource_kind(model) == MODEL else None


def _body(raw: bytes) -> Mapping[str, Any]:
    try:
        body = json.loads(raw)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise invalid("Malformed input request, please reformat your input and try again.")
    return body
