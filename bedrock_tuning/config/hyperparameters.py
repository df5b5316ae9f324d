"""Checks a customization's hyperparameters against the catalogue and spells them for Bedrock."""

from collections.abc import Mapping
from typing import Any, Final

from bedrock_tuning.catalogue import BaseModel, Hyperparameter, catalogue, cite
from bedrock_tuning.config.customization_fields import HOMES
from bedrock_tuning.config.fields import Choice, FieldKind, Number, TextField
from bedrock_tuning.config.messages import meant_key, plain_number
from bedrock_tuning.config.reader import Section, misplaced

# What other tools call them, and other models what this one has.
_ELSEWHERE: Final = {
    "lr": "learningRate",
    "learningratemultiplier": "learningRate",
    "learning_rate_multiplier": "learningRate",
    "n_epochs": "epochCount",
    "num_train_epochs": "epochCount",
    "num_epochs": "epochCount",
    "max_steps": "stepCount",
    "warmup_steps": "learningRateWarmupSteps",
    "per_device_train_batch_size": "batchSize",
}


def hyperparameter_kind(
    model: BaseModel, parameter: Hyperparameter, *, table: str = "hyperparameters"
) -> FieldKind:
    """What a hyperparameter of a model may be, each bound with the catalogue's source.

    table: of the catalogue, where its facts are.
    """
    path = f"{table}.{parameter.name}"
    source = model.facts[f"{path}.max"].source if f"{path}.max" in model.facts else parameter.source
    why = f"{model.name}, {cite(source)}"
    if parameter.type == "string":
        if parameter.choices:
            return Choice(choices=parameter.choices, why=why)
        return TextField(most=100, example=str(parameter.default or "…"))

    def because(bound: str, value: int | float | None) -> str:
        if value is None:
            return ""
        return f"{model.name}, {cite(model.source_of(f'{path}.{bound}').source)}"

    return Number(
        least=parameter.min,
        why_least=because("min", parameter.min),
        most=parameter.max,
        why_most=because("max", parameter.max),
        step=parameter.multiple_of,
        why_step=because("multiple_of", parameter.multiple_of),
        whole=parameter.type == "integer",
        auto=parameter.auto,
        why=why,
    )


def spell(value: int | float | str) -> str:
    """A value as Bedrock wants it: every hyperparameter is sent as a string.

    Whole numbers without a fraction, others as a plain decimal ("0.00005", never "5e-05"): every
    request that AWS publishes is written so, and what each model's parser makes of an exponent is
    documented nowhere.
    """
    return value if isinstance(value, str) else plain_number(value)


def resolve(*, section: Section, model: BaseModel, type_: str) -> dict[str, str]:
    """All hyperparameters of a job, defaults filled in, as strings; reports what is wrong."""
    table, parameters = model.hyperparameters_of(type_)
    values: dict[str, Any] = {}
    written: dict[str, str] = {}
    for name, value in section.items():
        if name in parameters:
            values[name] = value
            continue
        free = [key for key in parameters if key not in section]
        use = f"use {', '.join(free)}" if free else "remove it"
        word = _ELSEWHERE.get(name.lower(), "")
        word = word if word in parameters else name
        # What only other models have is not compared: steps are not epochs.
        others = {key for model in catalogue().values() for key in model.hyperparameters} - {
            *parameters
        }
        hint, guess = ("", "") if word in others else meant_key(word, parameters, [*section])
        hint = misplaced(name, table="hyperparameters", homes=HOMES) or hint
        hint = hint or f": {use if parameters else f'{type_} has none'}"
        section.problem(name, f"{model.name} has no such hyperparameter{hint}")
        # What was probably meant is not missing, and its value is checked, too.
        if guess and guess not in values:
            values[guess], written[guess] = value, name
    resolved: dict[str, str] = {}
    for name, parameter in parameters.items():
        kind = hyperparameter_kind(model, parameter, table=table)
        value = values.get(name, parameter.default)
        problem = kind.problem(value) if name in values else ""
        if name not in values and value is None and parameter.required:
            source = model.facts.get(f"{table}.{name}.max")
            cited = cite(source.source if source else parameter.source)
            problem = f"is missing, {model.name} has no default for it ({cited}): {kind.fix}"
        if problem:
            problem = f"as {name}, {problem}" if name in written else problem
            section.problem(written.get(name, name), problem)
        elif value is not None:
            _warn(value, section=section, model=model, parameter=parameter, table=table)
            resolved[name] = spell(_automatic(value, parameter))
    return resolved


def _automatic(value: Any, parameter: Hyperparameter) -> Any:
    """With Bedrock's spelling of "auto"."""
    is_text = isinstance(value, str) and parameter.auto is not None
    return parameter.auto if is_text else value


def _warn(
    value: Any, *, section: Section, model: BaseModel, parameter: Hyperparameter, table: str
) -> None:
    """Where sources disagree about the maximum or a choice, what only one allows is a warning."""
    path = f"{table}.{parameter.name}"
    fact = model.facts.get(f"{path}.choices")
    if fact is not None and value in parameter.choices:
        for other in fact.alternatives:
            if value not in other.value:
                section.warn(
                    parameter.name,
                    f"{value} is not among the choices of {', '.join(other.source)}; elsewhere it "
                    f"is ({model.name}, {cite(fact.source)})",
                )
    if parameter.warn is None or isinstance(value, str) or value <= parameter.warn:
        return
    maximum = model.source_of(f"{path}.max")
    tags = ", ".join(tag for other in maximum.alternatives for tag in other.source)
    section.warn(
        parameter.name,
        f"{value} is above {spell(parameter.warn)}, the maximum according to {tags}; elsewhere it "
        f"is {spell(maximum.value)} ({model.name}, {cite(maximum.source)})",
    )


def check_without_model(*, section: Section) -> None:
    """Reports what is wrong with hyperparameters whatever the base model, while that is unknown."""
    models = catalogue().values()
    names = list(dict.fromkeys(name for model in models for name in model.hyperparameters))
    for name, value in section.items():
        takers = [model for model in models if name in model.hyperparameters]
        kinds = [hyperparameter_kind(model, model.hyperparameters[name]) for model in takers]
        if not takers:
            hint = misplaced(name, table="hyperparameters", homes=HOMES)
            hint = (
                hint or meant_key(name, names, [*section])[0] or f": use some of {', '.join(names)}"
            )
            section.problem(name, f"no model of the catalogue has such a hyperparameter{hint}")
        elif all(kind.problem(value) for kind in kinds):
            problem = kinds[0].problem(value)
            section.problem(
                name, f"fits no model of the catalogue; for {takers[0].name}: {problem}"
            )


def number(*, hyperparameters: Mapping[str, str], name: str) -> float | None:
    """A resolved hyperparameter as a number; None when it is not sent or Bedrock chooses it."""
    try:
        return float(hyperparameters[name])
    except (KeyError, ValueError):
        return None
