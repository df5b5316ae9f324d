"""What Bedrock says today of a base model: a lifecycle differs by Region, and changes."""

from datetime import UTC, datetime
from typing import Any

from bedrock_tuning.catalogue import BaseModel
from bedrock_tuning.config.customization import CustomizationSettings
from lambdas import _aws


def closed(customization: CustomizationSettings) -> str | None:
    """Why Bedrock would refuse a job on the base model; None if it would not."""
    if customization.allow_closed_model:
        return None
    model = customization.base_model
    lifecycle = _lifecycle(model)
    if lifecycle is None:
        return _reason_not_offered(model)
    if lifecycle.get("status", "ACTIVE") == "ACTIVE":
        return None
    ends = lifecycle.get("endOfLifeTime")
    end = f", end of life {ends:%Y-%m-%d}" if ends else ""
    return f"{model.name} is {lifecycle['status']}{end}: Bedrock accepts no new job on it"


def ended(customization: CustomizationSettings) -> str | None:
    """Why a model of this base would answer nobody; None if it can be served.

    A base model that is legacy serves until its end of life.
    """
    if customization.allow_closed_model:
        return None
    model = customization.base_model
    lifecycle = _lifecycle(model)
    if lifecycle is None:
        return _reason_not_offered(model)
    ends = lifecycle.get("endOfLifeTime")
    if ends is None or ends > datetime.now(UTC):
        return None
    return f"{model.name} is past its end-of-life date, {ends:%Y-%m-%d}: it answers no calls"


def _lifecycle(model: BaseModel) -> dict[str, Any] | None:
    """The lifecycle, empty where Bedrock says nothing; None for a model that is not offered."""
    answer = _aws.none_if(
        "ResourceNotFoundException",
        lambda: _aws.bedrock().get_foundation_model(modelIdentifier=model.invoke_id),
    )
    if answer is None:
        return None
    details: dict[str, Any] = {**answer["modelDetails"]}
    return details.get("modelLifecycle") or {}


def _reason_not_offered(model: BaseModel) -> str:
    reason = model.lifecycle.closed_because()
    because = f": it is {reason}" if reason else ""
    return f"{_aws.region()} no longer offers {model.name} ({model.invoke_id}){because}"
