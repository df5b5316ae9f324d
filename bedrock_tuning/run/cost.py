"""What a run and its serving cost, and how long it takes; an unknown price is never zero."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from bedrock_tuning.catalogue import BaseModel, Sourced, cite
from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.config.hyperparameters import number
from bedrock_tuning.run.price_list import NOT_ASKED, ListedPrices

HOURS_PER_DAY: Final = 24
# What a teacher's answers or a grader's calls cost is in no price list.
_PRICED_TYPES: Final = ("FINE_TUNING", "CONTINUED_PRE_TRAINING")
# A month of the price lists: 30 days.
HOURS_PER_MONTH: Final = 30 * HOURS_PER_DAY
_TERMS: Final = {
    "OneMonth": ("prices.throughput_one_month", 1),
    "SixMonths": ("prices.throughput_six_months", 6),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CostLine:
    """One position of an estimate, in US dollars.

    usd: None when no price is known. low_usd: what it costs under another published formula.
    how: the calculation, or why there is none. seen: the day on which the source showed the price.
    """

    label: str
    usd: float | None
    how: str
    source: tuple[str, ...] = ()
    seen: date | None = None
    low_usd: float | None = None

    def __str__(self) -> str:
        """The line as people read it."""
        price = "unknown" if self.usd is None else f"{self.usd:,.2f} USD"
        if self.low_usd is not None:
            price += f" (or {self.low_usd:,.2f} USD)"
        citation = f"; {cite(self.source)}" if self.source else ""
        citation += f", seen {self.seen}" if self.seen else ""
        return f"{self.label}: {price}: {self.how}{citation}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The price of one run.

    lines: what the run costs: training, a month of storage, the lease or the commitment.
    training_time: what is known about how long the job takes, in words.
    rates: what goes on costing while the model is served; not part of the total.
    total_usd: of the known lines, so a lower bound unless `known`.
    price_date: of the oldest price used; None when none was.
    notes: which prices could not be asked for, so that older ones are shown.
    """

    lines: tuple[CostLine, ...]
    rates: tuple[CostLine, ...]
    training_time: str
    notes: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        """Whether every line has a price."""
        return all(line.usd is not None for line in self.lines)

    @property
    def unknown(self) -> tuple[str, ...]:
        """The labels of the lines without a price."""
        return tuple(line.label for line in self.lines if line.usd is None)

    @property
    def total_usd(self) -> float:
        """The sum of the known lines."""
        return round(sum(line.usd for line in self.lines if line.usd is not None), 2)

    @property
    def price_date(self) -> date | None:
        """The day of the oldest price in this estimate."""
        return min((line.seen for line in self.lines if line.seen is not None), default=None)

    def __str__(self) -> str:
        """The estimate as people read it, one line each, the sum last."""
        words = "total" if self.known else f"at least, without {' and '.join(self.unknown)}"
        date_note = f", prices of {self.price_date} or later" if self.price_date else ""
        total = f"{words}: {self.total_usd:,.2f} USD{date_note}"
        time = f"training time: {self.training_time}"
        return "\n".join([*map(str, self.lines), *self.notes, time, total])


def estimate(
    *,
    customization: CustomizationSettings,
    training_records: int | None = None,
    training_characters: int | None = None,
    serving_only: bool = False,
    listed: ListedPrices = NOT_ASKED,
) -> Estimate:
    """The price of one run of a customization.

    training_records: images or records in the training manifest, if already counted.
    training_characters: of all its texts together, for models that charge by token.
    serving_only: of a model that is trained already. listed: prices of today, where they are known.
    """
    model = customization.base_model
    facts = {**model.facts, **listed.prices}
    lines = [
        _training(customization, facts, records=training_records, characters=training_characters),
        _price_line(model, facts, "storage for a month", "prices.storage_per_month"),
    ]
    if serving_only:
        lines = []
    elif customization.evaluation.not_worse_than_base:
        lines.append(_evaluation(customization, facts))
    if customization.serving.mode == "provisioned":
        lines.append(_throughput(customization))
    return Estimate(
        lines=tuple(lines),
        rates=tuple(_rates(customization)),
        training_time=training_time(model),
        notes=listed.problems,
    )


def training_time(model: BaseModel) -> str:
    """How long a job takes, if a sample was published.

    It is not scaled to another dataset: one measurement does not show how time grows.
    """
    fact = model.facts.get("training_time.hours")
    if fact is None:
        return f"unknown: no published training time for {model.name}"
    return (
        f"unknown for this dataset; {fact.value:g} h in an AWS sample ({fact.note}; "
        f"{cite(fact.source)}). More data or more steps take longer"
    )


def needs_approval(
    *, customization: CustomizationSettings, estimate: Estimate, lacks: Sequence[str] = ()
) -> str | None:
    """Why a person must approve this run before it starts; None if nobody must.

    lacks: what the account has no room for. Then somebody must, whatever the budget says: the run
    would pay for nothing.
    """
    spends = _price_reason(customization, estimate)
    return "; ".join([*lacks, *([spends] if spends else [])]) or None


def approval_in_words(customization: CustomizationSettings, estimate: Estimate) -> str:
    """Why a person must approve a run of this price, or why nobody must."""
    reason = needs_approval(customization=customization, estimate=estimate)
    if reason is None and customization.budget.approval == "never":
        return 'not needed at any price: [budget] approval is "never"'
    return reason or "not needed: the price is within the budget"


def may_wait(customizations: Mapping[str, CustomizationSettings]) -> list[str]:
    """The names of those whose runs can wait for a person."""
    return sorted(
        n for n, customization in customizations.items() if customization.budget.approval != "never"
    )


def _price_reason(customization: CustomizationSettings, estimate: Estimate) -> str | None:
    """Why the price alone needs a person."""
    budget = customization.budget
    if budget.approval == "never":
        return None
    if budget.approval == "always":
        return f"{customization.name} requires approval of every run"
    limit = budget.max_run_usd or 0.0
    if estimate.total_usd > limit:
        bound = "" if estimate.known else "at least "
        excess = estimate.total_usd - limit
        return (
            f"the run costs {bound}{estimate.total_usd:,.2f} USD, the budget is {limit:,.2f} USD: "
            f"{excess:,.2f} USD too much"
        )
    if not estimate.known:
        return (
            f"no price is known for {' and '.join(estimate.unknown)}, "
            f"so the budget of {limit:,.2f} USD cannot be checked"
        )
    return None


def _training(
    customization: CustomizationSettings,
    facts: Mapping[str, Sourced],
    *,
    records: int | None,
    characters: int | None,
) -> CostLine:
    type_ = customization.customization_type
    if type_ not in _PRICED_TYPES:
        how = f"no published price for {type_.lower().replace('_', ' ')}"
        return CostLine(label="training", usd=None, how=how)
    image = facts.get("prices.training_per_image_seen")
    if image is not None:
        return _image_training(customization, image, images=records)
    tokens = facts.get("prices.training_per_1k_tokens")
    if tokens is not None:
        return _token_training(customization, tokens, characters=characters)
    how = f"no published price for {customization.base_model.name}"
    return CostLine(label="training", usd=None, how=how)


def _image_training(
    customization: CustomizationSettings, fact: Sourced, *, images: int | None
) -> CostLine:
    parameters = customization.hyperparameters
    batch = number(hyperparameters=parameters, name="batchSize")
    steps = number(hyperparameters=parameters, name="stepCount")
    if batch is None or steps is None:
        return _line(
            "training", fact, usd=None, how=_describe_automatic(customization, batch, fact.value)
        )
    usd = steps * batch * fact.value
    how = f"{steps:,.0f} steps × batch {batch:,.0f} × {fact.value}"
    if images is None or images >= batch:
        return _line("training", fact, usd=usd, how=how)
    # Conflict C14: the upper of two published formulas counts, the other is shown.
    how += f", or × {images} images in place of the batch"
    return _line("training", fact, usd=usd, how=how, low_usd=steps * images * fact.value)


def _describe_automatic(
    customization: CustomizationSettings, batch: float | None, price: float
) -> str:
    """What is known when Bedrock chooses the number of steps."""
    parameter = customization.base_model.hyperparameters["stepCount"]
    low, high = parameter.auto_usual_min, parameter.auto_usual_max
    if batch is None or low is None or high is None:
        return "Bedrock chooses the number of steps"
    return (
        f"Bedrock chooses the number of steps, usually {low:,} to {high:,}: "
        f"{low * batch * price:,.2f} to {high * batch * price:,.2f} USD"
    )


def _token_training(
    customization: CustomizationSettings, fact: Sourced, *, characters: int | None
) -> CostLine:
    epochs = number(hyperparameters=customization.hyperparameters, name="epochCount")
    text = customization.dataset.text
    if characters is None or epochs is None or text is None or text.chars_per_token is None:
        return _line("training", fact, usd=None, how="the tokens of the dataset are not counted")
    tokens = characters / text.chars_per_token
    how = f"{epochs:,.0f} epochs × about {tokens:,.0f} tokens × {fact.value} per 1,000"
    return _line("training", fact, usd=epochs * tokens * fact.value / 1000, how=how)


def _throughput(customization: CustomizationSettings) -> CostLine:
    desired, model = customization.serving, customization.base_model
    if desired.commitment is None:
        hours, path = desired.lease_hours or 0, "prices.throughput_per_unit_hour"
        label = f"Provisioned Throughput for a lease of {hours} h"
    else:
        path, months = _TERMS[desired.commitment]
        hours = months * HOURS_PER_MONTH
        label = f"Provisioned Throughput for a commitment of {months} month{'s' * (months > 1)}"
    return _price_line(model, model.facts, label, path, units=desired.model_units, hours=hours)


def serving_prices(customization: CustomizationSettings) -> tuple[CostLine, CostLine]:
    """What a Provisioned Throughput costs in an hour, and in its lease or its commitment's term.

    The hour is the dearest one: with strategy "blue-green" two are billed while one is tested.
    """
    hour = next(_rates(customization))
    return hour, _throughput(customization)


def _evaluation(customization: CustomizationSettings, facts: Mapping[str, Sourced]) -> CostLine:
    """The calls of the base model before publishing: each picture, and its caption at its longest.

    The tuned model's own calls are in the price of its endpoint.
    """
    label, pictures = "evaluation of the base model", customization.evaluation.pictures
    image = facts.get("prices.on_demand_per_image")
    tokens = facts.get("prices.on_demand_per_1k_text_tokens")
    caption = customization.dataset.caption
    if image is None or tokens is None or caption is None:
        how = f"no published price for calls of {customization.base_model.name}"
        return CostLine(label=label, usd=None, how=how)
    # No token is shorter than a character.
    usd = pictures * (image.value + caption.chars_max / 1000 * tokens.value)
    how = (
        f"at most {pictures:,} × ({image.value} + {caption.chars_max:,} characters × "
        f"{tokens.value} per 1,000 tokens)"
    )
    return _line(label, image, usd=usd, how=how)


def _rates(customization: CustomizationSettings) -> Iterator[CostLine]:
    """Per hour, day and month of one no-commitment or committed Provisioned Throughput."""
    desired, model = customization.serving, customization.base_model
    if desired.mode != "provisioned":
        return
    path = "prices.throughput_per_unit_hour"
    if desired.commitment is not None:
        path, _ = _TERMS[desired.commitment]
    if desired.strategy == "blue-green":
        description = "Provisioned Throughput per hour, while a new model is tested beside it"
        units = desired.endpoints_at_once * desired.model_units
        yield _price_line(model, model.facts, description, path, units=units, hours=1)
    for label, hours in (("hour", 1), ("day", HOURS_PER_DAY), ("month", HOURS_PER_MONTH)):
        yield _price_line(
            model,
            model.facts,
            f"Provisioned Throughput per {label}",
            path,
            units=desired.model_units,
            hours=hours,
        )


def _price_line(
    model: BaseModel,
    facts: Mapping[str, Sourced],
    label: str,
    path: str,
    *,
    units: int | None = None,
    hours: int | None = None,
) -> CostLine:
    fact = facts.get(path)
    if fact is None:
        return CostLine(label=label, usd=None, how=f"no published price for {model.name}")
    if units is None or hours is None:
        return _line(label, fact, usd=fact.value, how="for one custom model")
    plural = "s" if units > 1 else ""
    how = f"{units} model unit{plural} × {hours:,} h × {fact.value}"
    return _line(label, fact, usd=units * hours * fact.value, how=how)


def _line(
    label: str, fact: Sourced, *, usd: float | None, how: str, low_usd: float | None = None
) -> CostLine:
    return CostLine(
        label=label,
        usd=None if usd is None else round(usd, 2),
        how=how,
        source=fact.source,
        seen=fact.date,
        low_usd=None if low_usd is None else round(low_usd, 2),
    )
