"""The base models: what the catalogue says about an id, and what jobs may ask of it."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Any

from bedrock_tuning.catalogue import BaseModel, Hyperparameter, catalogue
from local.bedrock.data.records import BedrockResource
from local.bedrock.errors import BedrockError, invalid, not_found

END_OF_LIFE = (
    "This model version has reached the end of its life. "
    "Please refer to the AWS documentation for more details."
)


def foundation_arn(model_id: str, region: str) -> str:
    return f"arn:aws:bedrock:{region}::foundation-model/{model_id}"


def id_of(identifier: str) -> str:
    """The model id of an id or ARN of a foundation model."""
    return identifier.rpartition("foundation-model/")[2]


def is_foundation(identifier: str) -> bool:
    return ":foundation-model/" in identifier or identifier in _by_id()


def foundation(identifier: str, region: str) -> BedrockResource:
    """The catalogue's model of an id or ARN in any of its spellings.

    Raises BedrockError for an unknown one.
    """
    name = id_of(identifier)
    found = _by_id().get(name)
    if found is None:
        raise not_found("foundation model", identifier)
    arn = foundation_arn(name, region)
    return BedrockResource(arn=arn, name=name, model=found.key, members={"foundationModelArn": arn})


@cache
def _by_id() -> dict[str, BaseModel]:
    models = {}
    for model in catalogue().values():
        for name in (*model.ids.customization, *model.ids.throughput, *model.ids.invoke):
            models[name] = model
    return models


def require_open(model: BaseModel, *, allow_closed: bool, purpose: str) -> None:
    """Raise the error with which AWS refuses new things on a model that is past its end of life."""
    life = model.lifecycle
    if life.open_for_new_jobs or allow_closed:
        return
    if life.status == "EOL":
        raise BedrockError("ResourceNotFoundException", END_OF_LIFE)
    raise invalid(
        f"The model {model.customization_id} is marked by its provider as Legacy "
        f"({life.closed_because()}) and cannot be used for {purpose}"
    )


def require_region(regions: tuple[str, ...], region: str, what: str) -> None:
    if regions and region not in regions:
        raise invalid(f"{what} is not supported in {region}; it is in {', '.join(regions)}")


def details(model_id: str, region: str) -> dict[str, Any]:
    """GetFoundationModel's modelDetails of one id, as far as anybody reads them."""
    found = foundation(model_id, region)
    return {
        "modelArn": found.arn,
        "modelId": found.name,
        "modelName": found.base.name,
        "providerName": found.base.provider,
        "modelLifecycle": _lifecycle(found.base),
    }


def _lifecycle(model: BaseModel) -> dict[str, Any]:
    # The API knows no "EOL": such a model is Legacy with an end of life in the past.
    life = model.lifecycle
    members: dict[str, Any] = {"status": "ACTIVE" if life.status == "ACTIVE" else "LEGACY"}
    if life.legacy_date is not None:
        members["legacyTime"] = _midnight(life.legacy_date)
    if life.end_of_life is not None:
        members["endOfLifeTime"] = _midnight(life.end_of_life)
    return members


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def require_hyperparameters(given: Mapping[str, str], model: BaseModel, kind: str) -> None:
    """Raise ValidationException for an unknown, missing or wrong hyperparameter.

    kind: the type of job.
    """
    _, parameters = model.hyperparameters_of(kind)
    unknown = sorted(set(given) - set(parameters))
    if unknown:
        raise invalid(
            f"Invalid hyperparameters for {model.customization_id}: unknown {', '.join(unknown)}"
        )
    for name, known in parameters.items():
        if name in given:
            _check_value(given[name], known)
        elif known.required:
            raise invalid(f"The hyperparameter {name} is required for {model.customization_id}")


def _check_value(text: str, known: Hyperparameter) -> None:
    if known.choices:
        if text not in known.choices:
            raise invalid(f"The hyperparameter {known.name} must be one of {known.choices}")
        return
    # Which spelling of "auto" a model takes is published inconsistently (conflict C6).
    if known.type == "string" or (known.auto is not None and text.lower() == known.auto.lower()):
        return
    try:
        value = int(text) if known.type == "integer" else float(text)
    except ValueError:
        raise invalid(f"The hyperparameter {known.name} must be an {known.type}: {text}") from None
    low, high, step = known.min, known.max, known.multiple_of
    if (low is not None and value < low) or (high is not None and value > high):
        raise invalid(f"The hyperparameter {known.name} must be between {low} and {high}: {text}")
    if step is not None and value % step:
        raise invalid(f"The hyperparameter {known.name} must be a multiple of {step}: {text}")
