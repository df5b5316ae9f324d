"""Checks a job's hyperparameters against the catalogue, as Bedrock does when a job is created."""

from collections.abc import Mapping

from bedrock_tuning.catalogue import BaseModel, Hyperparameter
from local.bedrock.errors import invalid


def check(given: Mapping[str, str], model: BaseModel) -> None:
    """Raise ValidationException for an unknown, missing or wrong hyperparameter."""
    unknown = sorted(set(given) - set(model.hyperparameters))
    if unknown:
        raise invalid(
            f"Invalid hyperparameters for {model.customization_id}: unknown {', '.join(unknown)}"
        )
    for name, known in model.hyperparameters.items():
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
