"""D2, D3: rules about the quality of the data: copies, leaks, balance, what was not checked."""

from collections.abc import Callable, Iterator, Mapping

from bedrock_tuning.dataset.dataset import Dataset
from bedrock_tuning.dataset.fingerprints import copies, groups, shared
from bedrock_tuning.dataset.statistics import HASH_BYTES, ImageStats, TextStats
from bedrock_tuning.rules._example import GOOD_DATASET
from bedrock_tuning.rules.rule import Fault, Severity, rule
from bedrock_tuning.s3_layout import Kind
from bedrock_tuning.wording import counted

# Our own thresholds; AWS publishes none.
_EMPTY_SHARE = 0.1
_IMBALANCE = 10
_FEW_PER_CLASS = 5


@rule(
    "D201",
    bad='{"training": {"hashes": ["one", "two", "one"]}}',
    good='{"training": {"hashes": ["one", "two", "three"]}}',
    severity=Severity.WARNING,
    fix="Keep one of them.",
    model="nova-lite",
)
def duplicate_record(dataset: Dataset, _: object) -> Iterator[Fault]:
    """A record is identical to an earlier one in the same manifest, byte for byte.

    Copies give a record more weight than others, and you pay for them in every epoch.
    """
    for kind in dataset.kinds:
        for first, *others in groups(dataset.text(kind).hashes):
            for line, _rest in others:
                yield Fault(
                    f"the record is identical to line {first[0]}",
                    value=f"line {first[0]}",
                    line=line,
                    kind=kind,
                )


@rule(
    "D202",
    bad='{"training": {"images": [["content", "1.png"], ["content", "2.png"]]}}',
    good='{"training": {"images": [["content", "1.png"], ["other content", "2.png"]]}}',
    severity=Severity.WARNING,
    fix="Keep one of them; more variety helps more than copies.",
)
def duplicate_image(dataset: Dataset, _: object) -> Iterator[Fault]:
    """An image is identical to an earlier one in the same manifest.

    Size and ETag decide, not the name. Multipart uploads and different encryption settings give
    identical images different ETags; such copies are not found. One object with several captions is
    not a copy; the same object with the same caption is.
    """
    for kind in dataset.kinds:
        for group in groups(dataset.images(kind).hashes):
            first, _ = group[0]
            for line, is_same in copies(group):
                how = "and the caption are those of" if is_same else "has the same bytes as that of"
                yield Fault(
                    f"the image {how} line {first}",
                    "image-ref",
                    f"line {first}",
                    line=line,
                    kind=kind,
                )


@rule(
    "D203",
    bad='{"training": {"images": [["content", "1.png"]]}, '
    '"validation": {"images": [["content", "9.png"]]}}',
    good='{"training": {"images": [["content", "1.png"]]}, '
    '"validation": {"images": [["other content", "9.png"]]}}',
    fix="Remove the image from one of the manifests.",
)
def image_in_both_manifests(dataset: Dataset, _: object) -> Iterator[Fault]:
    """An image is in both the training and the validation manifest.

    The model is validated on data that it was trained on, so the validation loss looks too good.
    """
    yield from _shared_faults(dataset.images, "image", "image-ref")


def _shared_faults(
    stats: Callable[[Kind], ImageStats | TextStats], thing: str, field: str
) -> Iterator[Fault]:
    """A fault for everything of the validation manifest that is in the training manifest too."""
    for first, line in shared(stats("training").hashes, stats("validation").hashes):
        words = f"the {thing} is also in line {first} of the training manifest"
        yield Fault(words, field, f"training line {first}", line=line, kind="validation")


@rule(
    "D204",
    bad='{"training": {"hashes": ["one"]}, "validation": {"hashes": ["one"]}}',
    good='{"training": {"hashes": ["one"]}, "validation": {"hashes": ["two"]}}',
    fix="Remove the record from one of the manifests.",
    model="nova-lite",
)
def record_in_both_manifests(dataset: Dataset, _: object) -> Iterator[Fault]:
    """A record is in both the training and the validation manifest.

    The model is validated on data that it was trained on, so the validation loss looks too good.
    """
    yield from _shared_faults(dataset.text, "record", "")


@rule(
    "D205",
    bad='{"training": {"records": 1000, "captions": {"a photo": 1000}}}',
    good='{"training": {"records": 1000, "captions": {"a photo of a dog": 999, "a cat": 1}}}',
    severity=Severity.WARNING,
    fix="Describe what is in each image.",
)
def one_caption_for_all(dataset: Dataset, _: object) -> Iterator[Fault]:
    """All images of a manifest have the same caption.

    Such a caption tells the model nothing about any image.
    """
    for kind in dataset.kinds:
        captions = dataset.text(kind).captions.counts
        if captions is not None and len(captions) == 1:
            (caption, count), *_none = captions.items()
            if count > 1 and caption.strip():
                yield Fault(
                    f"all {count:,} captions are the same",
                    "caption",
                    caption,
                    "different captions",
                    kind=kind,
                )


@rule(
    "D206",
    bad='{"training": {"records": 1000, "empty": {"caption": 500}}}',
    good='{"training": {"records": 1000, "empty": {"caption": 10}}}',
    severity=Severity.WARNING,
    fix="Describe the images.",
)
def many_empty_captions(dataset: Dataset, _: object) -> Iterator[Fault]:
    """A tenth or more of the captions are empty.

    If the model accepts empty captions this is not an error, but such images teach it nothing about
    words. The threshold is our own.
    """
    for kind in dataset.kinds:
        text = dataset.text(kind)
        empty = text.empty.get("caption", 0)
        if text.records and empty / text.records >= _EMPTY_SHARE:
            yield Fault(
                f"{empty:,} of {text.records:,} captions are empty ({empty / text.records:.0%})",
                "caption",
                f"{empty:,}",
                f"below {_EMPTY_SHARE:.0%}",
                kind=kind,
            )


def _imbalance(classes: Mapping[str, int]) -> tuple[str, int, str, int] | None:
    """The largest and the smallest class when they are far apart."""
    if len(classes) < 2 or sum(classes.values()) < _FEW_PER_CLASS * len(classes):
        return None
    ranking = sorted(classes.items(), key=lambda item: (item[1], item[0]))
    (least, few), (most, many) = ranking[0], ranking[-1]
    return (most, many, least, few) if many >= _IMBALANCE * few else None


@rule(
    "D207",
    bad='{"training": {"records": 1000, "folders": {"images/dogs": 950, "images/cats": 50}}}',
    good='{"training": {"records": 1000, "folders": {"images/dogs": 500, "images/cats": 500}}}',
    severity=Severity.INFO,
    fix="Add images of the rare class, or remove some of the frequent one.",
)
def unbalanced_classes(dataset: Dataset, _: object) -> Iterator[Fault]:
    """One class has ten times as many images as another.

    Classes are inferred from the folders of the images, or from the captions if there are only a
    few different ones. The model learns the frequent class first and may never learn the rare one.
    The threshold is our own.
    """
    for kind in dataset.kinds:
        guesses = {
            "folder": dataset.images(kind).folders.counts,
            "caption": dataset.text(kind).captions.counts,
        }
        for source, classes in guesses.items():
            imbalance = _imbalance(classes) if classes is not None else None
            if imbalance is not None:
                most, many, least, few = imbalance
                yield Fault(
                    f'{source} "{most}" has {many:,} images, "{least}" has {few:,}',
                    value=f"{many / few:.0f} to 1",
                    limit=f"below {_IMBALANCE} to 1",
                    kind=kind,
                )
                break


@rule(
    "D208",
    bad='{"training": {"records": 1000, "outside": {"s3://bucket/other/": 7}}}',
    good=GOOD_DATASET,
    fix="Move the images into the customization's folder, or name theirs in [dataset] folders: its "
    "role can read no other.",
)
def folders_not_covered(dataset: Dataset, _: object) -> Iterator[Fault]:
    """Images are in folders that the service role cannot read.

    This lists the folders, the first twenty by name; other rules report each record.
    """
    for kind in dataset.kinds:
        for folder, count in dataset.text(kind).outside.items():
            are = "is" if count == 1 else "are"
            message = f"{counted(count, 'image')} {are} in {folder}"
            yield Fault(message, "image-ref", folder, "the customization's folder", kind=kind)


@rule(
    "D209",
    bad='{"training": {"records": 2000000, "hashed": 2000000}}',
    good=GOOD_DATASET,
    severity=Severity.INFO,
    fix="No action is needed.",
)
def copies_only_sampled(dataset: Dataset, _: object) -> Iterator[Fault]:
    """There are so many images or records that only a sample was searched for copies.

    This keeps memory bounded. The sample is chosen by hash, so every run uses the same one.
    """
    for kind in dataset.kinds:
        for stats in (dataset.images(kind), dataset.text(kind)):
            sample = len(stats.hashes) // HASH_BYTES
            if stats.hashed > sample:
                message = f"{sample:,} of {stats.hashed:,} were searched for copies"
                yield Fault(message, value=f"{stats.hashed:,}", limit=f"{sample:,}", kind=kind)


@rule(
    "D301",
    bad='{"training": {"records": 1000, "unseen": 1000}}',
    good='{"training": {"records": 1000}}',
    severity=Severity.WARNING,
    fix="Say where the images are: --map s3://bucket/folder=DIR.",
)
def images_not_checked(dataset: Dataset, _: object) -> Iterator[Fault]:
    """Records refer to images that were not checked.

    The manifest is local and its images are in S3, or their location is unknown. Only the text was
    checked; the deployed pipeline always checks every image.
    """
    for kind in dataset.kinds:
        unseen = dataset.text(kind).unseen
        if unseen:
            message = f"{counted(unseen, 'image')} not checked"
            yield Fault(message, "image-ref", f"{unseen:,}", "every image", kind=kind)
