"""InvokeModel and Converse: find the model behind an identifier, let its simulation answer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bedrock_tuning.catalogue import BaseModel, catalogue
from local.bedrock import bases, deployments, throughput
from local.bedrock.caller import Caller
from local.bedrock.data import embeddings, pictures, texts
from local.bedrock.data.records import Tags
from local.bedrock.errors import BedrockError, invalid
from local.bedrock.simulator import Members, Simulator

# Who answers for a model: by task and provider, because nothing else is simulated.
_ANSWERS = {
    ("image-to-embedding", "Amazon"): embeddings.embed,
    ("text-to-image", "Amazon"): pictures.generate,
}


@dataclass(frozen=True, slots=True)
class InvokedModel:
    """What an identifier stands for; `tuned` is the custom model's ARN."""

    base: BaseModel
    arn: str
    tuned: str | None = None
    ready: bool = True
    tags: Tags | None = None


def invoke(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    """The model's answer as a JSON object; it never is a canned text."""
    target = _ready(simulator, caller, request["modelId"])
    body = _body(request.get("body", b""))
    answers = _ANSWERS.get((target.base.task, target.base.provider))
    if answers is None or target.base.key.startswith("nova"):
        raise invalid(
            f"The Bedrock simulator knows no InvokeModel body of {target.base.name}; "
            "it answers Converse for models of text"
        )
    return answers(body, model=target.base, tuned=target.tuned)


def converse(simulator: Simulator, caller: Caller, request: Members) -> dict[str, Any]:
    """The answer of a model of text, as members of Converse's output."""
    target = _ready(simulator, caller, request["modelId"])
    if not target.base.task.endswith("to-text"):
        raise invalid(f"The model {target.base.name} does not support Converse")
    return texts.answer(request, model=target.base, tuned=target.tuned)


def _ready(simulator: Simulator, caller: Caller, identifier: str) -> InvokedModel:
    """The model that may be asked and can answer; Converse needs the right to InvokeModel too."""
    target = _target(simulator, caller, identifier)
    caller.authorize("InvokeModel", [target.arn], resource_tags=target.tags)
    custom = simulator.state.models.get(target.tuned or "")
    if custom is not None and custom.model_kms_key_arn is not None:
        caller.use_key(custom.model_kms_key_arn, ["kms:Decrypt"])
    if not target.ready:
        raise BedrockError("ModelNotReadyException", f"The model {target.arn} is not ready")
    if target.tuned is None and not simulator.options.allow_closed_models:
        _require_alive(target.base)
    return target


def _target(simulator: Simulator, caller: Caller, identifier: str) -> InvokedModel:
    if ":provisioned-model/" in identifier:
        with simulator.lock:
            bought = simulator.throughput(identifier)
            throughput.settle(simulator, bought)
        custom = bought.model_arn if ":custom-model/" in bought.model_arn else None
        return InvokedModel(
            base=catalogue()[bought.catalogue_key],
            arn=bought.provisioned_model_arn,
            tuned=custom,
            # While it is updated, the old model goes on answering.
            ready=bought.status in ("InService", "Updating"),
            tags=bought.tags,
        )
    if ":custom-model-deployment/" in identifier:
        with simulator.lock:
            deployed = simulator.deployment(identifier)
            deployments.settle(simulator, deployed)
        return InvokedModel(
            base=catalogue()[deployed.catalogue_key],
            arn=deployed.custom_model_deployment_arn,
            tuned=deployed.model_arn,
            ready=deployed.status == "Active",
            tags=deployed.tags,
        )
    name = bases.id_of(identifier)
    base = bases.base(identifier) if bases.is_foundation(identifier) else None
    if base is None or name not in base.invoke_ids:
        raise invalid("The provided model identifier is invalid.")
    return InvokedModel(base=base, arn=bases.foundation_arn(name, caller.region))


def _require_alive(model: BaseModel) -> None:
    if model.lifecycle.status == "EOL":
        raise BedrockError("ResourceNotFoundException", bases.END_OF_LIFE)


def _body(raw: bytes) -> Mapping[str, Any]:
    try:
        body = json.loads(raw)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise invalid("Malformed input request, please reformat your input and try again.")
    return body
