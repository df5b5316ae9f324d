"""H: rules about hyperparameters, alone and against the size of the dataset."""

from collections.abc import Iterator
from contextlib import suppress

from bedrock_tuning.catalogue import Hyperparameter
from bedrock_tuning.dataset.dataset import Dataset
from bedrock_tuning.rules.rule import Fault, Severity, rule
from bedrock_tuning.wording import counted

_TITAN_IMAGE = "titan-image-generator-v2"
_EXPRESS = "titan-text-express"
# Our own: the table's authors found 5,000 steps best where it recommends 7,500.
_FAR_OFF = 2


def _numbers(dataset: Dataset) -> Iterator[tuple[Hyperparameter, float, str]]:
    """Each hyperparameter that has a numeric value, with the value and its text."""
    for name, text in dataset.requirements.hyperparameters.items():
        parameter = dataset.requirements.base_model.hyperparameters.get(name)
        if parameter is not None:
            # "Auto" and the like are no numbers.
            with suppress(ValueError):
                yield parameter, float(text), text


def _value(dataset: Dataset, name: str) -> float | None:
    return next((value for item, value, _ in _numbers(dataset) if item.name == name), None)


@rule(
    "H101",
    bad='{"hyperparameters": {"batchSize": "100"}}',
    good='{"hyperparameters": {"batchSize": "576"}}',
    fix="Write a value within the range.",
)
def hyperparameter_out_of_range(dataset: Dataset, _: object) -> Iterator[Fault]:
    """A hyperparameter is outside the range on the model's page."""
    for parameter, value, text in _numbers(dataset):
        low, high = parameter.min, parameter.max
        if (low is not None and value < low) or (high is not None and value > high):
            yield Fault(f"{parameter.name} is {text}", parameter.name, text, f"{low:,} to {high:,}")


@rule(
    "H102",
    bad='{"hyperparameters": {"batchSize": "12"}}',
    good='{"hyperparameters": {"batchSize": "16"}}',
    fix="Write a multiple of that number.",
    model=_TITAN_IMAGE,
)
def hyperparameter_not_a_multiple(dataset: Dataset, _: object) -> Iterator[Fault]:
    """A hyperparameter is not a multiple of the number that the model requires."""
    for parameter, value, text in _numbers(dataset):
        if parameter.multiple_of and value % parameter.multiple_of:
            limit = f"multiples of {parameter.multiple_of}"
            yield Fault(f"{parameter.name} is {text}", parameter.name, text, limit)


@rule(
    "H103",
    bad='{"hyperparameters": {"learningRateWarmupSteps": "50"}}',
    good='{"hyperparameters": {"learningRateWarmupSteps": "10"}}',
    severity=Severity.WARNING,
    fix="To be safe, stay below the lower limit.",
    model="nova-lite",
)
def hyperparameter_disputed(dataset: Dataset, _: object) -> Iterator[Fault]:
    """A hyperparameter is above one published limit and below another."""
    for parameter, value, text in _numbers(dataset):
        warn, high = parameter.warn, parameter.max
        if warn is not None and value > warn and (high is None or value <= high):
            limit = f"{warn:,} on one page, {high:,} on another"
            yield Fault(f"{parameter.name} is {text}", parameter.name, text, limit)


@rule(
    "H104",
    bad='{"training": {"records": 60}, "hyperparameters": {"stepCount": "40000"}}',
    good='{"training": {"records": 60}, "hyperparameters": {"stepCount": "5000"}}',
    severity=Severity.WARNING,
    source=("S2",),
    fix="Start with the recommended number and adjust it to your results.",
    model=_TITAN_IMAGE,
)
def steps_far_from_recommended(dataset: Dataset, _: object) -> Iterator[Fault]:
    """The number of steps is less than half or more than twice the number that AWS recommends.

    The recommendation is a table by number of images. Between its rows this rule interpolates:
    linearly up to 64 images, logarithmically above. You pay for steps. If the results do not show
    the style, use more steps; if they show artifacts or blur, use fewer; if the maximum is not
    enough, increase the batch size or the learning rate.
    """
    table = dataset.requirements.base_model.step_recommendation
    images = dataset.text("training").records
    steps = _value(dataset, "stepCount")
    if table is None or not images or steps is None:
        return
    advice = table.steps_for(images=images)
    if not advice.steps / _FAR_OFF <= steps <= advice.steps * _FAR_OFF:
        direction = "more" if steps < advice.steps else "fewer"
        origin = "interpolated" if advice.interpolated else "AWS table"
        yield Fault(
            f"{steps:,.0f} steps for {counted(images, 'image')}: try {direction}",
            "stepCount",
            f"{steps:,.0f} steps",
            f"about {advice.steps:,} steps ({origin})",
            kind="training",
        )


@rule(
    "H105",
    bad='{"training": {"records": 60}, "hyperparameters": {"stepCount": "auto"}}',
    good='{"training": {"records": 60}, "hyperparameters": {"stepCount": "7500"}}',
    severity=Severity.INFO,
    fix="No action is needed; to choose the number yourself, set stepCount.",
    model=_TITAN_IMAGE,
)
def steps_left_to_amazon(dataset: Dataset, _: object) -> Iterator[Fault]:
    """Amazon Bedrock chooses the number of steps, so the price is known only afterwards."""
    model = dataset.requirements.base_model
    parameter = model.hyperparameters.get("stepCount")
    steps = dataset.requirements.hyperparameters.get("stepCount")
    images = dataset.text("training").records
    if parameter is None or parameter.auto is None or steps != parameter.auto or not images:
        return
    if model.step_recommendation is not None:
        advice = model.step_recommendation.steps_for(images=images)
        origin = "interpolated" if advice.interpolated else "AWS table"
        yield Fault(
            f"{counted(images, 'image')}: Amazon Bedrock chooses the steps",
            "stepCount",
            steps,
            f"about {advice.steps:,} steps are recommended ({origin})",
            kind="training",
        )


@rule(
    "H106",
    bad='{"training": {"records": 1000}, "hyperparameters": {"batchSize": "9216"}}',
    good='{"training": {"records": 1000}, "hyperparameters": {"batchSize": "576"}}',
    severity=Severity.WARNING,
    fix="Use a smaller batch size or more records.",
)
def batch_larger_than_dataset(dataset: Dataset, _: object) -> Iterator[Fault]:
    """One batch is larger than the whole training manifest."""
    batch, records = _value(dataset, "batchSize"), dataset.text("training").records
    if batch is not None and 0 < records < batch:
        yield Fault(
            f"batchSize is {batch:,.0f}, the manifest has {counted(records, 'record')}",
            "batchSize",
            f"{batch:,.0f}",
            f"at most {records:,}",
            kind="training",
        )


@rule(
    "H107",
    bad='{"training": {"records": 9, "longest": {"prompt": 9000, "completion": 9000}}, '
    '"hyperparameters": {"batchSize": "4"}}',
    good='{"training": {"records": 9, "longest": {"prompt": 9000, "completion": 9000}}, '
    '"hyperparameters": {"batchSize": "1"}}',
    severity=Severity.WARNING,
    fix="Use a smaller batch size or shorter records.",
    model=_EXPRESS,
)
def batch_too_large_for_long_records(dataset: Dataset, _: object) -> Iterator[Fault]:
    """With this batch size, the longest record may have more tokens than the model accepts.

    A larger batch leaves fewer tokens per record. Tokens are estimated from the longest text in
    each field.
    """
    limits, batch = dataset.requirements.dataset.text, _value(dataset, "batchSize")
    if limits is None or not limits.chars_per_token or batch is None:
        return
    most = limits.record_tokens_max_for(batch_size=int(batch))
    free = limits.record_tokens_max_for(batch_size=None)
    tokens = sum(dataset.text("training").longest.values()) / limits.chars_per_token
    if most is not None and free is not None and most < tokens <= free:
        yield Fault(
            f"with batchSize {batch:,.0f} the longest record may have {tokens:,.0f} tokens",
            "batchSize",
            f"about {tokens:,.0f} tokens",
            f"{most:,} tokens",
            kind="training",
        )


@rule(
    "H108",
    bad='{"training": {"records": 16000}, "hyperparameters": {"learningRateWarmupSteps": "5"}}',
    good='{"training": {"records": 1600}, "hyperparameters": {"learningRateWarmupSteps": "10"}}',
    severity=Severity.INFO,
    fix="Try the value of the rule of thumb.",
    model="nova-lite",
)
def far_from_rule_of_thumb(dataset: Dataset, _: object) -> Iterator[Fault]:
    """A hyperparameter is far from the published rule of thumb for this number of records."""
    records = dataset.text("training").records
    for parameter, value, text in _numbers(dataset):
        advice = parameter.rule_of_thumb(records=records)
        if advice is None:
            continue
        if not advice / _FAR_OFF <= value <= max(advice * _FAR_OFF, 1):
            yield Fault(
                f"{parameter.name} is {text} for {counted(records, 'record')}",
                parameter.name,
                text,
                f"about {advice:,.0f} (records / {parameter.divide_records_by})",
                kind="training",
            )
