"""D1: rules about how much data there is, and in which manifests."""

from collections.abc import Iterator
from functools import partial

from bedrock_tuning.catalogue import Range
from bedrock_tuning.dataset.dataset import Dataset
from bedrock_tuning.rules._example import GOOD_DATASET
from bedrock_tuning.rules.rule import Fault, Severity
from bedrock_tuning.rules.rule import rule as define
from bedrock_tuning.s3_layout import Kind
from bedrock_tuning.wording import counted


def _range(dataset: Dataset, kind: Kind) -> Range:
    contract = dataset.requirements.dataset
    return (contract.training_records if kind == "training" else contract.validation_records) or (
        Range()
    )


def _words(limits: Range) -> str:
    if limits.max is None:
        return f"at least {limits.min or 0:,}"
    if limits.min is None:
        return f"at most {limits.max:,}"
    return f"{limits.min:,} to {limits.max:,}"


def _count(records: int, limits: Range, kind: Kind | None = None) -> Fault:
    """A wrong number of records: of one kind, or of both together."""
    start = "training and validation together have" if kind is None else f"the {kind} manifest has"
    words = f"{start} {counted(records, 'record')}"
    return Fault(words, value=f"{records:,}", limit=_words(limits), kind=kind)


rule = partial(define, good=GOOD_DATASET)


@rule(
    "D101",
    bad='{"training": {"records": 0}, "validation": {"records": 8}}',
    fix="Upload a manifest with one record per line.",
)
def empty_manifest(dataset: Dataset, _: object) -> Iterator[Fault]:
    """A manifest has no records."""
    for kind in dataset.kinds:
        if not dataset.text(kind).records:
            yield Fault(
                f"the {kind} manifest has no records",
                value="0",
                limit="at least 1",
                kind=kind,
            )


@rule(
    "D102", bad='{"training": {"records": 999}, "validation": {"records": 8}}', fix="Add records."
)
def too_few_records(dataset: Dataset, _: object) -> Iterator[Fault]:
    """A manifest has fewer records than the model needs."""
    for kind in dataset.kinds:
        limits, records = _range(dataset, kind), dataset.text(kind).records
        if records and limits.min is not None and records < limits.min:
            yield _count(records, limits, kind)


@rule(
    "D103",
    bad='{"training": {"records": 500001}, "validation": {"records": 8}}',
    fix="Remove records.",
)
def too_many_records(dataset: Dataset, _: object) -> Iterator[Fault]:
    """A manifest has more records than the model accepts."""
    for kind in dataset.kinds:
        limits, records = _range(dataset, kind), dataset.text(kind).records
        if limits.max is not None and records > limits.max:
            yield _count(records, limits, kind)


@rule(
    "D104",
    bad='{"training": {"records": 60}, "validation": {"records": 39}}',
    good='{"training": {"records": 60}, "validation": {"records": 40}}',
    fix="Add records.",
    model="llama-3-1-8b",
)
def too_few_records_in_total(dataset: Dataset, _: object) -> Iterator[Fault]:
    """The training and validation manifests together have fewer records than the model needs."""
    limits = dataset.requirements.dataset.total_records
    if limits is not None and limits.min is not None and 0 < dataset.records < limits.min:
        yield _count(dataset.records, limits)


@rule(
    "D105",
    bad='{"training": {"records": 9001}, "validation": {"records": 1000}}',
    good='{"training": {"records": 9000}, "validation": {"records": 1000}}',
    fix="Remove records.",
    model="llama-3-1-8b",
)
def too_many_records_in_total(dataset: Dataset, _: object) -> Iterator[Fault]:
    """The training and validation manifests together have more records than the model accepts."""
    limits = dataset.requirements.dataset.total_records
    if limits is not None and limits.max is not None and dataset.records > limits.max:
        yield _count(dataset.records, limits)


@rule(
    "D106",
    bad='{"training": {"records": 50000}, "validation": {"records": 8}}',
    severity=Severity.WARNING,
    fix="Request a higher quota in Service Quotas before the run, or remove records.",
)
def above_record_quota(dataset: Dataset, _: object) -> Iterator[Fault]:
    """There are more records than an account's default quota allows.

    The quota covers training and validation records together and can be increased. Your account's
    actual quota is not known to this check.
    """
    quota, total = (
        dataset.requirements.dataset.total_records_quota,
        dataset.requirements.dataset.total_records,
    )
    most = total.max if total is not None and total.max is not None else dataset.records
    if quota is not None and quota < dataset.records <= most:
        yield Fault(
            f"training and validation together have {counted(dataset.records, 'record')}",
            value=f"{dataset.records:,}",
            limit=f"{quota:,} by default",
        )


@rule(
    "D111",
    bad='{"training": {"records": 8, "media": {"image": 4, "video": 4}}}',
    good='{"training": {"records": 8, "media": {"image": 8}}}',
    source=("NOVA-UG", "UG-nova2"),
    fix="Make one dataset of the records with images and another of those with videos.",
    model="nova-lite",
)
def images_and_videos_in_dataset(dataset: Dataset, _: object) -> Iterator[Fault]:
    """Some records have images and others videos, and the model accepts only one of the two.

    A dataset has texts only, texts with images, or texts with videos.
    """
    limits = dataset.requirements.dataset.media
    if limits is None or limits.mixed_kinds:
        return
    images, videos = (
        sum(dataset.text(kind).media.get(medium, 0) for kind in dataset.kinds)
        for medium in ("image", "video")
    )
    if images and videos:
        value = f"{counted(images, 'record')} with images, {videos:,} with videos"
        yield Fault("the dataset has images and videos", "messages", value, "one of the two")


@rule(
    "D112",
    bad='{"training": {"records": 199}}',
    good='{"training": {"records": 200}}',
    severity=Severity.WARNING,
    fix="To be safe, keep the stricter limit.",
    model="nova-2-lite",
)
def dataset_size_disputed(dataset: Dataset, _: object) -> Iterator[Fault]:
    """The dataset is within one published limit and beyond another."""
    contract = dataset.requirements.dataset
    total = contract.total_records or Range()
    least, safe = total.min, total.min_warn
    if least is not None and safe is not None and least <= dataset.records < safe:
        yield Fault(
            f"there are {counted(dataset.records, 'record')}",
            value=f"{dataset.records:,}",
            limit=contract.readings("total_records.min", safe, least),
        )
    size, most = dataset.text("training").size, contract.training_bytes_max
    strict = contract.training_bytes_warn
    if strict is not None and most is not None and strict < size <= most:
        yield Fault(
            f"the training manifest has {size:,} bytes",
            value=f"{size:,} bytes",
            limit=contract.readings("training_bytes_max", strict, most, " bytes"),
            kind="training",
        )


@rule(
    "D107",
    bad='{"training": {"records": 100, "size": 10000000001}}',
    good='{"training": {"records": 100, "size": 10000000000}}',
    fix="Split the dataset.",
    model="claude-3-haiku",
)
def manifest_too_large(dataset: Dataset, _: object) -> Iterator[Fault]:
    """A manifest's file is larger than the model accepts."""
    contract = dataset.requirements.dataset
    limits = {"training": contract.training_bytes_max, "validation": contract.validation_bytes_max}
    for kind in dataset.kinds:
        most, size = limits[kind], dataset.text(kind).size
        if most is not None and size > most:
            yield Fault(
                f"the {kind} manifest has {size:,} bytes",
                value=f"{size:,} bytes",
                limit=f"{most:,} bytes",
                kind=kind,
            )


@rule(
    "D108",
    bad='{"training": {"records": 1000}}',
    fix='Upload a validation manifest, or set validation = "optional" in the customization.',
)
def validation_missing(dataset: Dataset, _: object) -> Iterator[Fault]:
    """The model needs a validation manifest, and there is none.

    AWS pages disagree for some models; the customization's [dataset] validation setting decides.
    """
    if dataset.requirements.dataset.validation == "required" and "validation" not in dataset.kinds:
        yield Fault(
            "there is no validation manifest", value="none", limit="required", kind="validation"
        )


@rule(
    "D109",
    bad='{"training": {"records": 60}, "validation": {"records": 8}}',
    good='{"training": {"records": 60}}',
    fix='Remove the validation manifest, or set validation = "optional" in the customization.',
    model="titan-image-generator-v1",
)
def validation_not_supported(dataset: Dataset, _: object) -> Iterator[Fault]:
    """The model accepts no validation manifest, and there is one."""
    contract = dataset.requirements.dataset
    if contract.validation == "forbidden" and "validation" in dataset.kinds:
        records = counted(dataset.text("validation").records, "record")
        dispute = contract.dispute("validation")
        limit = f"none: {dispute.ours}" if dispute is not None else "none"
        yield Fault("there is a validation manifest", "", records, limit, kind="validation")


@rule(
    "D110",
    bad='{"training": {"records": 1000, "bucket_region": "eu-west-1"}, '
    '"validation": {"records": 8}, "job_region": "us-east-1"}',
    good='{"training": {"records": 1000, "bucket_region": "us-east-1"}, '
    '"validation": {"records": 8, "bucket_region": "us-east-1"}, "job_region": "us-east-1"}',
    source=("UG-fail",),
    fix="Copy the dataset to a bucket in the job's Region, or run the job where the bucket is.",
)
def bucket_in_another_region(dataset: Dataset, _: object) -> Iterator[Fault]:
    """A dataset's bucket is in a different AWS Region than the job.

    Amazon Bedrock reads datasets only from the job's own Region, and each model accepts jobs in few
    Regions. A bucket cannot be moved; copy its objects instead. The job's Region is the
    deployment's or, for `tuning validate`, that of --region or the AWS profile. If the model does
    not accept jobs there, this rule accepts every Region in which it does.
    """
    possible = dataset.requirements.base_model.regions.customization
    regions = (dataset.job_region,) if dataset.job_region in possible else possible
    for kind in dataset.kinds:
        region = dataset.text(kind).bucket_region
        if region and region not in regions:
            yield Fault(
                f"the {kind} bucket is in {region}, the job would run in {' or '.join(regions)}",
                value=region,
                limit=" or ".join(regions),
                kind=kind,
            )
        elif region:
            # One job reads both buckets.
            regions = (region,)
