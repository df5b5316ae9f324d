"""R1: rules about the fields of a record, the same for every format."""

from collections.abc import Iterator
from functools import partial

from bedrock_tuning.dataset.foreign import UNKNOWN, command_for, is_hopeless, why_not_converted
from bedrock_tuning.dataset.record import Record
from bedrock_tuning.dataset.record_formats import required_of
from bedrock_tuning.dataset.scope import DatasetScope
from bedrock_tuning.dataset.suggestions import EXAMPLES
from bedrock_tuning.rules._example import GOOD_ROW
from bedrock_tuning.rules.rule import Fault, Severity
from bedrock_tuning.rules.rule import rule as define

_NAMES_SHOWN = 6
# Reported once, so a record far from the beginning needs no reason.
_EARLY = 100

rule = partial(define, good=GOOD_ROW)


@rule(
    "R104",
    bad='{"prompt": "what is AWS", "completion": "it is Amazon Web Services"}',
    once=True,
    fix="If the finding names a command, run it; if not, rewrite the records, or choose a model "
    "that accepts this format.",
)
def record_of_another_format(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """The whole record is in a different format.

    Each model accepts one format per customization type, and other tools and services use others.
    Usually the whole file is in that format, so it is reported once per manifest, and the fields of
    such a record are not reported one by one.
    A record that has none of the fields that the format needs counts as such a record if the first
    one does.
    """
    lookalike = record.lookalike
    if lookalike is None:
        return
    is_early = record.line <= _EARLY
    need = f"{scope.model.name} needs {record.format}"
    words, way = f"the record is in the format {lookalike.name}; {need}", lookalike.way
    if lookalike is UNKNOWN:
        words = f"the record has no {' and no '.join(required_of(record.format))}; {need}"
        way = "texts" if is_early else ""
    contract = scope.contract
    validates = contract.validation != "forbidden"
    command = command_for(way, record.format, scope.named, validation=validates)
    if is_early and command and record.format != "image-caption":
        answered = not contract.teacher_answers
        reason = why_not_converted(record.value, record.format, answered=answered)
        command = "" if is_hopeless(reason, lookalike) else command
        if reason is not None and str(reason):
            words += f", which this record cannot become: {reason}"
            words += "; for the others" if command else ""
    yield Fault(
        words + (f": {command}" if command else ""),
        value=", ".join(list(record.value)[:_NAMES_SHOWN]),
        limit=EXAMPLES[record.format],
    )


@rule(
    "R101",
    bad='{"afbeelding-ref": "s3://bucket/folder/1.png", "caption": "a dog"}',
    fix="Rename the field or remove it.",
)
def unknown_field(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A record has a field that its format does not have.

    Often the name is misspelled, or was copied from a machine-translated page.
    """
    for misfit in record.misfits:
        if misfit.kind == "unknown":
            yield Fault(misfit.message, misfit.path, misfit.value, misfit.limit)


@rule(
    "R105",
    bad='{"prompt": "what is AWS", "completion": "a cloud", "source": "wiki"}',
    good='{"prompt": "what is AWS", "completion": "a cloud"}',
    severity=Severity.WARNING,
    fix="Remove the field; if it was meant to be another one, rename it.",
    model="llama-3-1-8b",
)
def ignored_field(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A record has a field that its format does not have, and that nobody reads.

    AWS's validator for this model accepts such fields. Often the name of an optional field is
    misspelled, and the model then learns without it.
    """
    for misfit in record.misfits:
        if misfit.kind == "ignored":
            yield Fault(misfit.message, misfit.path, misfit.value, misfit.limit)


@rule(
    "R102",
    bad='{"image-ref": "s3://bucket/folder/1.png"}',
    fix="Add the field. If several are mutually exclusive, keep one.",
)
def missing_field(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A record lacks a required field, or has several fields of which only one is allowed."""
    for misfit in record.misfits:
        if misfit.kind == "missing":
            yield Fault(misfit.message, misfit.path, misfit.value, misfit.limit)


@rule(
    "R103",
    bad='{"image-ref": "s3://bucket/folder/1.png", "caption": null}',
    fix="Write a value of the type that the format requires.",
)
def wrong_type(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A field's value has the wrong JSON type."""
    for misfit in record.misfits:
        if misfit.kind == "type":
            yield Fault(misfit.message, misfit.path, misfit.value, misfit.limit)
