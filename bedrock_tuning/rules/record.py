"""R1: rules about the fields of a record, the same for every format."""

from collections.abc import Iterator

from bedrock_tuning.dataset.record import Record
from bedrock_tuning.dataset.scope import DatasetScope
from bedrock_tuning.dataset.suggestions import EXAMPLES
from bedrock_tuning.rules.rule import Fault, rule

_NAMES_SHOWN = 6
_GOOD = '{"image-ref": "s3://bucket/folder/1.png", "caption": "a dog"}'


@rule(
    "R104",
    bad='{"prompt": "what is AWS", "completion": "it is Amazon Web Services"}',
    good=_GOOD,
    fix="Rewrite the records in the model's format, or choose a model that takes this one.",
)
def record_of_another_format(record: Record, subject: DatasetScope) -> Iterator[Fault]:
    """A record has the form of another format as a whole.

    Each model takes one format for each customization type; what other tools and services call a
    dataset is mostly another. The fields of such a record are not blamed one by one.
    """
    if record.lookalike:
        yield Fault(
            f"the record has the form of {record.lookalike}; {subject.model.name} takes the format "
            f"{record.format}",
            value=", ".join(list(record.value)[:_NAMES_SHOWN]),
            limit=EXAMPLES[record.format],
        )


@rule(
    "R101",
    bad='{"afbeelding-ref": "s3://bucket/folder/1.png", "caption": "a dog"}',
    good=_GOOD,
    fix="Rename the field, or remove it.",
)
def unknown_field(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A record has a field that its format does not know.

    Often a misspelt name, or one that a translated web page had changed.
    """
    for misfit in record.misfits:
        if misfit.kind == "unknown":
            yield Fault(misfit.message, misfit.path, misfit.value, misfit.limit)


@rule(
    "R102",
    bad='{"image-ref": "s3://bucket/folder/1.png"}',
    good=_GOOD,
    fix="Add the field; of several that exclude each other keep one.",
)
def missing_field(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A record lacks a field that its format demands, or has several of which one is demanded."""
    for misfit in record.misfits:
        if misfit.kind == "missing":
            yield Fault(misfit.message, misfit.path, misfit.value, misfit.limit)


@rule(
    "R103",
    bad='{"image-ref": "s3://bucket/folder/1.png", "caption": null}',
    good=_GOOD,
    fix="Write a value of that type.",
)
def wrong_type(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A field's value is of the wrong JSON type."""
    for misfit in record.misfits:
        if misfit.kind == "type":
            yield Fault(misfit.message, misfit.path, misfit.value, misfit.limit)
