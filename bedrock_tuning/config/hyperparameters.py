"""Checks a customization's hyperparameters against the catalogue and spells them for Bedrock."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bedrock_tuning.catalogue import BaseModel, Hyperparameter, cite
from bedrock_tuning.config.toml_section import (
    Problems,
    Section,
    closest,
    did_you_mean,
    listed,
    misplaced,
    shown,
)


def spell(value: int | float | str) -> str:
    """A value as Bedrock wants it: every hyperparameter is sent as a string.

    Whole numbers without a fraction, others as a plain decimal ("0.00005", never "5e-05"): every
    request that AWS publishes is written so, and what each model's parser makes of an exponent is
    documented nowhere.
    """
    if isinstance(value, float):
        plain = format(Decimal(repr(value)), "f")
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    return str(value)


def resolve(*, section: Section, model: BaseModel) -> dict[str, str]:
    """All hyperparameters of a job, defaults filled in, as strings; reports what is wrong."""
    known = model.hyperparameters
    given: dict[str, Any] = {}
    for name, value in section.entries():
        if name in known:
            given[name] = value
        else:
            names = f"use {', '.join(known)}" if known else "this model has none"
            hint = misplaced(name, path="hyperparameters")
            hint = hint or did_you_mean(name, known) or f": {names}"
            section.problem(name, f"{model.name} has no such hyperparameter{hint}")
            # What was probably meant is not missing, and its value is checked, too.
            meant = closest(name, known)
            if meant and meant not in section:
                given.setdefault(meant, value)
    resolved: dict[str, str] = {}
    for name, parameter in known.items():
        value = given.get(name, parameter.default)
        if name in given:
            value = _checked(value, section=section, model=model, parameter=parameter)
        elif value is None and parameter.required:
            section.problem(
                name,
                f"is missing, {model.name} has no default for it "
                f"({_source(model, parameter)}): use {_allowed(parameter)}",
            )
        if value is not None:
            resolved[name] = spell(value)
    return resolved


def check_without_model(*, section: Section, models: Mapping[str, BaseModel]) -> None:
    """Reports what is wrong with hyperparameters whatever the base model, while that is unknown."""
    names = list(dict.fromkeys(name for model in models.values() for name in model.hyperparameters))
    for name, value in section.entries():
        takers = [model for model in models.values() if name in model.hyperparameters]
        if not takers:
            hint = misplaced(name, path="hyperparameters")
            hint = hint or did_you_mean(name, names) or f": use some of {', '.join(names)}"
            section.problem(name, f"no model of the catalogue has such a hyperparameter{hint}")
        elif not any(_takes(model, name=name, value=value) for model in takers):
            some = takers[0]
            section.problem(
                name,
                f"{shown(value)} is possible with no model of the catalogue: {some.name}, for "
                f"example, takes {_allowed(some.hyperparameters[name])}",
            )


def _takes(model: BaseModel, *, name: str, value: Any) -> bool:
    aside = Problems(file="")
    section = Section(table={name: value}, path="", problems=aside)
    _checked(value, section=section, model=model, parameter=model.hyperparameters[name])
    return not aside.found


def number(*, hyperparameters: Mapping[str, str], name: str) -> float | None:
    """A resolved hyperparameter as a number; None when it is not sent or Bedrock chooses it."""
    try:
        return float(hyperparameters[name])
    except (KeyError, ValueError):
        return None


def _checked(
    value: Any, *, section: Section, model: BaseModel, parameter: Hyperparameter
) -> int | float | str | None:
    """The value to send, or None after reporting why it cannot be sent."""
    name = parameter.name
    where = f"({model.name}, {_source(model, parameter)}): use {_allowed(parameter)}"
    if isinstance(value, str):
        return _checked_text(value, section=section, parameter=parameter, where=where)
    if isinstance(value, bool) or not isinstance(value, int | float):
        section.problem(name, f"must be a number, not {shown(value)} {where}")
        return None
    if parameter.type == "string":
        section.problem(name, f"must be text in quotes, not {shown(value)} {where}")
        return None
    if value != value or value in (float("inf"), float("-inf")):
        section.problem(name, f"{shown(value)} is not a finite number {where}")
        return None
    if parameter.type == "integer" and isinstance(value, float):
        section.problem(name, f"must be a whole number, not {shown(value)} {where}")
        return None
    if parameter.min is not None and value < parameter.min:
        low = _bound(model, parameter, "min")
        section.problem(name, f"{shown(value)} is below the least {low}: use {_allowed(parameter)}")
        return None
    if parameter.max is not None and value > parameter.max:
        high = _bound(model, parameter, "max")
        section.problem(name, f"{shown(value)} is above the most {high}: use {_allowed(parameter)}")
        return None
    if parameter.multiple_of is not None and value % parameter.multiple_of:
        step = _bound(model, parameter, "multiple_of")
        near = round(value / parameter.multiple_of) * parameter.multiple_of
        section.problem(name, f"{value} is not a multiple of {step}: use for example {near}")
        return None
    if parameter.warn is not None and value > parameter.warn:
        others = model.source_of(f"hyperparameters.{name}.max").alternatives
        tags = ", ".join(tag for other in others for tag in other.source)
        section.warn(
            name,
            f"{shown(value)} is above {spell(parameter.warn)}, the most according to {tags}; "
            f"{_bound(model, parameter, 'max')} is allowed elsewhere",
        )
    return value


def _checked_text(
    value: str, *, section: Section, parameter: Hyperparameter, where: str
) -> str | None:
    if parameter.type == "string" and (not parameter.choices or value in parameter.choices):
        return value
    if parameter.auto is not None and value.lower() == parameter.auto.lower():
        return parameter.auto
    if value.lower() == "auto":
        section.problem(parameter.name, f"Bedrock does not choose it by itself {where}")
    elif parameter.type == "string":
        section.problem(parameter.name, f"{shown(value)} is not possible {where}")
    else:
        section.problem(
            parameter.name, f"must be a number without quotes, not {shown(value)} {where}"
        )
    return None


def _bound(model: BaseModel, parameter: Hyperparameter, side: str) -> str:
    fact = model.source_of(f"hyperparameters.{parameter.name}.{side}")
    return f"{spell(fact.value)} ({model.name}, {cite(fact.source)})"


def _source(model: BaseModel, parameter: Hyperparameter) -> str:
    path = f"hyperparameters.{parameter.name}.max"
    return cite(model.facts[path].source if path in model.facts else parameter.source)


def _allowed(parameter: Hyperparameter) -> str:
    """What may be written, e.g. 8 to 192 in steps of 8."""
    if parameter.choices:
        return listed(parameter.choices)
    text = "a number"
    if parameter.min is not None and parameter.max is not None:
        same = parameter.min == parameter.max
        text = spell(parameter.min)
        text += "" if same else f" to {spell(parameter.max)}"
    if parameter.multiple_of:
        text += f" in steps of {parameter.multiple_of}"
    return text + (f' or "{parameter.auto}"' if parameter.auto else "")
