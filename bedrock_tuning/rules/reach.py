"""What a check did beyond headers, and what it could not do: full decoding, images out of reach."""

from collections.abc import Iterator

from bedrock_tuning.dataset.dataset import Dataset
from bedrock_tuning.dataset.images.image import Image
from bedrock_tuning.dataset.scope import DatasetScope
from bedrock_tuning.rules.rule import Fault, Severity, rule


@rule(
    "I401",
    bad='{"outcome": "undecodable"}',
    good='{"format": "png", "width": 512, "height": 512}',
    fix="Save or export the image again from its original.",
)
def image_does_not_decode(image: Image, subject: DatasetScope) -> Iterator[Fault]:
    """An image's header is sound, but its pixels cannot be decoded.

    Only `tuning validate --deep` finds this: it decodes every image in full, which needs the whole
    file and about a thousand times the work. Broken downloads and disks leave such files behind.
    """
    if image.outcome == "undecodable":
        yield Fault(f"the image does not decode: {image.reason}", subject.image_field, image.key)


@rule(
    "D301",
    bad='{"training": {"records": 1000, "unseen": 1000}}',
    good='{"training": {"records": 1000}}',
    severity=Severity.WARNING,
    fix="Say where the images are: --map s3://bucket/folder=DIR.",
)
def images_not_looked_at(dataset: Dataset, _: object) -> Iterator[Fault]:
    """Records refer to images that this check did not look at.

    The manifest is here and its images are in S3, or nobody said where they are. The verdict is
    about the text alone; the deployed pipeline always looks at every image.
    """
    for kind in dataset.kinds:
        unseen = dataset.text(kind).unseen
        if unseen:
            message = f"nobody looked at the images: {unseen:,} of them"
            yield Fault(message, "image-ref", f"{unseen:,}", kind=kind)
