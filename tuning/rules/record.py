"""R1: rules about the fields of a record, the same for every format."""

from collections.abc import Iterator

from tuning.record import Record
from tuning.rule import Fault, rule
from tuning.subject import Subject

_GOOD = '{"image-ref": "s3://bucket/folder/1.png", "caption": "a dog"}'


@rule(
    "R101",
    bad='{"afbeelding-ref": "s3://bucket/folder/1.png", "caption": "a dog"}',
    good=_GOOD,
    fix="Rename the field, or remove it.",
)
def unknown_field(record: Record, _: Subject) -> Iterator[Fault]:
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
    fix="Add the field.",
)
def missing_field(record: Record, _: Subject) -> Iterator[Fault]:
    """A record lacks a field that its format demands."""
    for misfit in record.misfits:
        if misfit.kind == "missing":
            yield Fault(misfit.message, misfit.path, misfit.value, misfit.limit)


@rule(
    "R103",
    bad='{"image-ref": "s3://bucket/folder/1.png", "caption": null}',
    good=_GOOD,
    fix="Write a value of that type.",
)
def wrong_type(record: Record, _: Subject) -> Iterator[Fault]:
    """A field's value is of the wrong JSON type."""
    for misfit in record.misfits:
        if misfit.kind == "type":
            yield Fault(misfit.message, misfit.path, misfit.value, misfit.limit)
