"""Rules about what an image's file tells of people and places beside its pixels."""

from collections.abc import Iterator

from bedrock_tuning.dataset.images.image import Image
from bedrock_tuning.dataset.scope import DatasetScope
from bedrock_tuning.rules.rule import Fault, Severity, rule


@rule(
    "I306",
    bad='{"format": "jpeg", "located": true}',
    good='{"format": "png", "width": 512, "height": 512}',
    severity=Severity.WARNING,
    fix="Remove the metadata; `tuning prepare --fix` does it and keeps the pixels.",
)
def location_in_image(image: Image, scope: DatasetScope) -> Iterator[Fault]:
    """An image's EXIF data says where it was taken.

    Cameras and telephones store the position. It is uploaded with the image, and everybody who can
    read the bucket can read it. Only the beginning of a file is read: EXIF data after the pixels
    of a PNG or WebP is not seen.
    """
    if image.sized is not None and image.sized.located:
        yield Fault("EXIF says where the image was taken", scope.image_field, image.key)
