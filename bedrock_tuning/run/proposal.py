"""A first customization file for some data: each value with why it was chosen."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from bedrock_tuning.catalogue import BaseModel, catalogue, cite
from bedrock_tuning.config.customization import CustomizationSettings, load
from bedrock_tuning.config.customization_fields import HOMES, SECTIONS
from bedrock_tuning.config.job_checks import JOB_KEYS
from bedrock_tuning.errors import UserError
from bedrock_tuning.run.cost import Estimate, estimate
from bedrock_tuning.wording import counted, or_meant

LEASE_HOURS: Final = 8
MAX_RUN_USD: Final = 50.0
_SMOKE_TEXT_MAX: Final = 100
_SCHEMA: Final = "#:schema ../docs/customization.schema.json"
_OURS: Final = "CreateModelCustomizationJob"
_NOUNS: Final = {
    "image-caption": "images with captions",
    "chat": "texts",
    "chat-with-images": "texts with images",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """What the data is. records: for training. characters: of all texts; None if not counted.

    example: a caption, or a question. described: in one line. prepared: it is a manifest already.
    """

    form: Literal["image-caption", "chat", "chat-with-images"]
    records: int
    characters: int | None
    example: str
    described: str
    prepared: bool = False

    @property
    def noun(self) -> str:
        """What it is, for sentences."""
        return _NOUNS[self.form]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedValue:
    """One line of the file. table: "" is the file itself. why: its comment."""

    table: str
    key: str
    value: Any
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A customization, its file's text, and what a run of it costs."""

    customization: CustomizationSettings
    values: tuple[ProposedValue, ...]
    text: str
    price: Estimate
    said: tuple[str, ...]


def fitting(data: Data | None) -> dict[str, BaseModel]:
    """The models that take new jobs with such data, by key; with any data for None."""
    return {key: model for key, model in catalogue().items() if not unfit(model, data)}


def unfit(model: BaseModel, data: Data | None) -> str:
    """Why a model cannot be tuned with some data; "" if it can."""
    reason = model.lifecycle.closed_because()
    if reason:
        return reason
    if model.job_api != _OURS:
        return f"its jobs are started through the {model.job_api} API only"
    if data is not None and _type(model, data) is None:
        formats = sorted({contract.format for contract in model.datasets.values()})
        return f"it is trained on {' or '.join(formats)}, not on {data.noun}"
    return "" if _types(model) else "each of its jobs needs a grader or a teacher"


def _types(model: BaseModel) -> list[str]:
    """The types of jobs that need nothing beside a dataset: no grader, no teacher."""
    special = set(JOB_KEYS.values())
    return [
        type_ for type_ in model.datasets if type_ in model.started_types and type_ not in special
    ]


def _type(model: BaseModel, data: Data) -> str | None:
    """The type of job that takes the data."""
    if data.form == "chat-with-images" and "image" not in model.input:
        return None
    for name in _types(model):
        is_pairs = model.datasets[name].format == "image-caption"
        if is_pairs == (data.form == "image-caption"):
            return name
    return None


def propose(
    name: str, model: BaseModel, *, data: Data | None, why_model: str, given: Mapping[str, str]
) -> Proposal:
    """A customization of a model for some data.

    given: values that the user wants, by key, as they are written in TOML. Raises UserError for a
    key that does not exist, CustomizationError for values that the file may not have.
    """
    values = {value.key: value for value in _values(model, data, why_model)}
    for key, text in given.items():
        values[key] = _user_value(model, key, text)
    file = f"customizations/{name}.toml"
    ordered = tuple(values.values())
    customization = load(_text(ordered, name), file=file)
    price = estimate(
        customization=customization,
        training_records=None if data is None else data.records,
        training_characters=None if data is None else data.characters,
    )
    if price.known and "max_run_usd" not in given:
        # The file is the record of what was agreed to: a dearer dataset asks again.
        budget = ProposedValue(
            table="budget",
            key="max_run_usd",
            value=float(math.ceil(price.total_usd)),
            why=f"a run with this data costs {price.total_usd:,.2f} USD; "
            "a more expensive one waits",
        )
        ordered = tuple(budget if value.key == budget.key else value for value in ordered)
        customization = load(_text(ordered, name), file=file)
    return Proposal(
        customization=customization,
        values=ordered,
        text=_text(ordered, name),
        price=price,
        said=tuple(_warnings(customization, data)),
    )


def _warnings(customization: CustomizationSettings, data: Data | None) -> Iterator[str]:
    """What would stop a run with this data."""
    yield from customization.warnings
    limits = customization.dataset.training_records
    if data is not None and limits.min is not None and data.records < limits.min:
        yield (
            f"{data.records:,} records are too few: {customization.base_model.name} takes at least "
            f"{limits.min:,}"
        )
    if data is not None and limits.max is not None and data.records > limits.max:
        yield (
            f"{data.records:,} records are too many: {customization.base_model.name} takes at most "
            f"{limits.max:,}"
        )


def _values(model: BaseModel, data: Data | None, why_model: str) -> Iterator[ProposedValue]:
    description = f"Learn from {data.noun}" if data is not None else f"Tune {model.name}"
    yield ProposedValue(
        table="", key="description", value=description, why="What it is for: describe it"
    )
    yield ProposedValue(table="", key="base_model", value=model.key, why=why_model)
    kind = _type(model, data) if data is not None else None
    kinds = _types(model)
    kind = kind or kinds[0]
    yield ProposedValue(
        table="",
        key="customization_type",
        value=kind,
        why=f"The first of {', '.join(kinds)}"
        if len(kinds) > 1
        else "The only type for a dataset alone",
    )
    if model.lifecycle.closed_because():
        yield ProposedValue(
            table="",
            key="allow_closed_model",
            value=True,
            why=f"{model.lifecycle.closed_because()}: only for accounts with extended access",
        )
    yield from _hyperparameters(model, None if data is None else data.records)
    yield from _serving(model, data)
    yield ProposedValue(
        table="budget",
        key="max_run_usd",
        value=MAX_RUN_USD,
        why="Not every price is known, so each run waits for approval whatever stands here",
    )
    yield ProposedValue(
        table="budget",
        key="approval",
        value="over-budget",
        why='A run waits for a person when it costs more, or its price is unknown; or "always"',
    )


def _hyperparameters(model: BaseModel, records: int | None) -> Iterator[ProposedValue]:
    advice = model.step_recommendation
    recommended: dict[str, tuple[Any, str]] = {}
    if advice is not None and records:
        steps = advice.steps_for(images=records)
        citation = cite(model.source_of("step_recommendation.points").source)
        row = f"{records:,} images, {citation}" + (
            ", between two rows" if steps.interpolated else ""
        )
        recommended = {
            "stepCount": (_clamp(model, "stepCount", steps.steps), f"The table for {row}"),
            "batchSize": (advice.batch_size, f"As the same table advises, {citation}"),
            "learningRate": (advice.learning_rate, f"As the same table advises, {citation}"),
        }
    for key, parameter in model.hyperparameters.items():
        source = model.facts.get(f"hyperparameters.{key}.default")
        citation = cite(source.source if source else parameter.source)
        value, reason = parameter.default, f"The default, {citation}"
        if key in recommended:
            value, reason = recommended[key]
        elif (thumb := parameter.rule_of_thumb(records=records or 0)) is not None:
            citation = cite(model.source_of(f"hyperparameters.{key}.divide_records_by").source)
            # None at all is far from any advice.
            value = max(1, round(thumb))
            reason = f"The rule of thumb for {counted(records or 0, 'record')}, {citation}"
        elif value is None and parameter.required:
            value, reason = (
                parameter.auto or parameter.min,
                f"Needed, without a default, {citation}",
            )
        if value == parameter.auto and value is not None:
            reason += "; Amazon Bedrock chooses it from the data"
        if key == "batchSize" and records and isinstance(value, int) and records < value:
            step = int(parameter.multiple_of or 1)
            value = max(int(parameter.min or 1), records // step * step)
            subject = "The minimum, but the data" if value > records else "The data"
            reason = f"{subject} has only {counted(records, 'record')}, {citation}"
        if value is not None:
            yield ProposedValue(table="hyperparameters", key=key, value=value, why=reason)


def _clamp(model: BaseModel, key: str, value: int) -> int:
    parameter = model.hyperparameters[key]
    return int(min(max(value, parameter.min or value), parameter.max or value))


def _serving(model: BaseModel, data: Data | None) -> Iterator[ProposedValue]:
    def line(key: str, value: Any, why: str) -> ProposedValue:
        return ProposedValue(table="serving", key=key, value=value, why=why)

    if model.serving.on_demand:
        citation = cite(model.source_of("serving.on_demand").source)
        yield line("mode", "on-demand", f"Billed by the request, nothing by the hour, {citation}")
    elif model.serving.provisioned_throughput:
        citation = cite(model.source_of("serving.provisioned_throughput").source)
        yield line("mode", "provisioned", f"Billed by the hour until it is deleted, {citation}")
        yield line("model_units", 1, "The least there is; each is billed by the hour")
        yield line("lease_hours", LEASE_HOURS, "It is deleted after so many hours; 1 to 720")
    else:
        yield line("mode", "none", "Nothing published says how custom models of it are served")
        return
    if data is not None and data.example:
        words = " ".join(data.example.split())[:_SMOKE_TEXT_MAX]
        text = "".join(character for character in words if character.isprintable())
        yield line("smoke_text", text, "What the model is asked before it is published")


def _user_value(model: BaseModel, key: str, text: str) -> ProposedValue:
    homes = {**dict.fromkeys(model.hyperparameters, "hyperparameters"), **HOMES}
    if key not in homes:
        raise UserError(
            f"a customization has no key {key}{or_meant(key.rpartition('.')[2], homes)}",
            fix=f"use one of {', '.join(sorted(homes))}",
        )
    return ProposedValue(table=homes[key], key=key, value=_parse(text), why="Your choice")


def _parse(text: str) -> Any:
    """A value as it would stand in the file; a word is a text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _text(values: tuple[ProposedValue, ...], name: str) -> str:
    lines = [
        _SCHEMA,
        f"# The customization {name}: what to tune, how to serve it, what it may cost.",
        "# All keys are in docs/settings.md; what sources such as S2 are is in docs/models.md.",
    ]
    for table in ("", *SECTIONS):
        section = [value for value in values if value.table == table]
        if not section:
            continue
        lines += ["", *([f"[{table}]"] if table else [])]
        for value in section:
            lines += [f"# {value.why}.", f"{value.key} = {_toml(value.value)}"]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    """JSON's texts, numbers and words are TOML's, but for the form of small numbers."""
    return repr(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False)
