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
    model = _by_id().get(name)
    if model is None:
        raise not_found("foundation model", identifier)
    arn = foundation_arn(name, region)
    return BedrockResource(arn=arn, name=name, model=model.key, members={"foundationModelArn": arn})


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
    model = foundation(model_id, region)
    return {
        "modelArn": model.arn,
        "modelId": model.name,
        "modelName": model.base.name,
        "providerName": model.base.provider,
        "modelLifecycle": _lifecycle(model.base),
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


def require_hyperparameters(values: Mapping[str, str], model: BaseModel, kind: str) -> None:
    """Raise ValidationException for an unknown, missing or wrong hyperparameter.

    kind: the type of job.
    """
    _, parameters = model.hyperparameters_of(kind)
    unknown = sorted(set(values) - set(parameters))
    if unknown:
        raise invalid(
            f"Invalid hyperparameters for {model.customization_id}: unknown {', '.join(unknown)}"
        )
    for name, parameter in parameters.items():
        if name in values:
            _check_value(values[name], parameter)
        elif parameter.required:
            raise invalid(f"The hyperparameter {name} is required for {model.customization_id}")


def _check_value(text: str, parameter: Hyperparameter) -> None:
    if parameter.choices:
        if text not in parameter.choices:
            raise invalid(f"The hyperparameter {parameter.name} must be one of {parameter.choices}")
        return
    # Which spelling of "auto" a model takes is published inconsistently (conflict C6).
    if parameter.type == "string" or (
        parameter.auto is not None and text.lower() == parameter.auto.lower()
    ):
        return
    try:
        value = int(text) if parameter.type == "integer" else float(text)
    except ValueError:
        raise invalid(
            f"The hyperparameter {parameter.name} must be an {parameter.type}: {text}"
        ) from None
    low, high, step = parameter.min, parameter.max, parameter.multiple_of
    if (low is not None and value < low) or (high is not None and value > high):
        raise invalid(
            f"The hyperparameter {parameter.name} must be between {low} and {high}: {text}"
        )
    if step is not None and value % step:
        raise invalid(f"The hyperparameter {parameter.name} must be a multiple of {step}: {text}")
