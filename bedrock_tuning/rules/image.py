"""I1, I4: rules about one image or video as an object: is it there, is it what it claims to be.

I306 is about what the file says beside its pixels.
"""

from collections.abc import Iterator
from functools import partial

from bedrock_tuning.dataset.images.image import ENDINGS, Image
from bedrock_tuning.dataset.images.magic import MP4, QUICKTIME, VIDEOS
from bedrock_tuning.dataset.images.source import extension_of
from bedrock_tuning.dataset.scope import DatasetScope
from bedrock_tuning.dataset.suggestions import key_hint
from bedrock_tuning.rules._example import GOOD_IMAGE
from bedrock_tuning.rules.rule import Fault, Severity
from bedrock_tuning.rules.rule import rule as define


def is_video_for(format: str, scope: DatasetScope) -> bool:
    """Whether the object is a video and the model accepts videos; pixel limits do not apply."""
    media = scope.contract.media
    return format in VIDEOS and media is not None and bool(media.video_formats)


def _format_name(format: str) -> str:
    return format.upper() if format.islower() else format


rule = partial(define, good=GOOD_IMAGE)


@rule("I101", bad='{"outcome": "missing"}', fix="Upload the image, or drop the record.")
def image_missing(image: Image, scope: DatasetScope) -> Iterator[Fault]:
    """There is no object with an image's key.

    Keys are case-sensitive, and "+" and spaces are taken literally. If the images are files in a
    folder and the name of one differs only in case or extension, the message suggests it.
    """
    if image.outcome == "missing":
        hint = f'did you mean "{image.reason}"?' if image.reason else key_hint(image.key)
        words = f"there is no such object – {hint}" if hint else "there is no such object"
        yield Fault(words, scope.image_field, image.key)


@rule("I102", bad='{"outcome": "denied"}', fix="Allow the role to read the image.")
def image_not_readable(image: Image, scope: DatasetScope) -> Iterator[Fault]:
    """An image exists, but access to it is denied.

    Another account owns the object, or the role may not use the object's KMS key.
    """
    if image.outcome == "denied":
        yield Fault(f"the image cannot be read: {image.reason}", scope.image_field, image.key)


@rule("I103", bad='{"size": 0}', fix="Upload the image again.")
def empty_image(image: Image, scope: DatasetScope) -> Iterator[Fault]:
    """An image's file is empty, usually because an upload was interrupted."""
    if image.outcome == "" and image.size == 0:
        yield Fault("the object is empty", scope.image_field, image.key, "at least one byte")


@rule("I104", bad='{"format": "HTML"}', fix="Convert the file to a format that the model reads.")
def image_format_not_supported(image: Image, scope: DatasetScope) -> Iterator[Fault]:
    """An image is in a format that the model does not read, whatever its name says.

    The content decides. HTML usually means that a download returned an error page.
    """
    limits, media, header = scope.contract.image, scope.contract.media, image.header
    if limits is None or header is None or not image.size:
        return
    if header.format not in limits.formats and not is_video_for(header.format, scope):
        formats = (*limits.formats, *(media.video_formats if media is not None else ()))
        names = " or ".join(name.upper() for name in formats)
        kind = "of an unknown format" if header.format == "unknown" else header.format
        yield Fault(f"the object is {kind}, not {names}", scope.image_field, header.format, names)


@rule(
    "I105",
    bad='{"problem": "the file ends inside its header", "truncated": true}',
    fix="Upload the image again.",
)
def truncated_image(image: Image, scope: DatasetScope) -> Iterator[Fault]:
    """An image's file ends too early.

    Only the header is read: the lengths that it states do not fit into the file.
    """
    if image.header is not None and image.size and image.header.truncated:
        yield Fault(image.header.problem, scope.image_field, f"{image.size:,} bytes")


@rule("I106", bad='{"problem": "the checksum of IHDR is wrong"}', fix="Save the image again.")
def corrupt_image(image: Image, scope: DatasetScope) -> Iterator[Fault]:
    """An image's header cannot be read."""
    header = image.header
    if header is not None and header.problem and not header.truncated:
        problem = f"the {_format_name(header.format)} header is broken: {header.problem}"
        yield Fault(problem, scope.image_field, image.key)


@rule("I107", bad='{"outcome": "changed"}', fix="Finish all uploads, then start the run again.")
def image_changed_meanwhile(image: Image, scope: DatasetScope) -> Iterator[Fault]:
    """An image was overwritten while it was being checked.

    The version that was checked is not the one that the model would be trained on.
    """
    if image.outcome == "changed":
        yield Fault("the image was overwritten during the check", scope.image_field, image.key)


@rule("I108", bad='{"outcome": "key"}', fix="Shorten the key.")
def image_key_too_long(image: Image, scope: DatasetScope) -> Iterator[Fault]:
    """An image's key is longer than S3 allows, so no such object can exist."""
    if image.outcome == "key":
        length = len(image.key.encode())
        yield Fault("the key is too long", scope.image_field, f"{length:,} bytes", "1,024 bytes")


@rule(
    "I109",
    bad='{"format": "jpeg", "key": "folder/1.png"}',
    severity=Severity.WARNING,
    fix="Rename the object.",
)
def wrong_image_extension(image: Image, scope: DatasetScope) -> Iterator[Fault]:
    """An image's file name extension does not match its content.

    Readers that trust the name fail. AWS does not document whether Amazon Bedrock is one of them.
    """
    header, limits = image.header, scope.contract.image
    if header is None or limits is None:
        return
    if header.format not in limits.formats and not is_video_for(header.format, scope):
        return
    ending = extension_of(image.key)
    promised = ENDINGS.get(ending, header.format)
    # QuickTime and MP4 are one family of files, and cameras mix their names.
    if promised != header.format and {promised, header.format} != {MP4, QUICKTIME}:
        yield Fault(
            f"the name ends with .{ending}, the content is {_format_name(header.format)}",
            scope.image_field,
            image.key,
            header.format,
        )


@rule(
    "I401",
    bad='{"outcome": "undecodable"}',
    fix="Save or export the image again from its original.",
)
def image_does_not_decode(image: Image, scope: DatasetScope) -> Iterator[Fault]:
    """An image's header is valid, but its pixels cannot be decoded.

    Only `tuning validate --deep` finds this: it decodes every image in full, which needs the whole
    file and takes about a thousand times as long. Interrupted downloads and failing disks leave
    such files.
    """
    if image.outcome == "undecodable":
        yield Fault(f"the image does not decode: {image.reason}", scope.image_field, image.key)


@rule(
    "I306",
    bad='{"format": "jpeg", "located": true}',
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
