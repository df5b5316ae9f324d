"""I: rules about one image, judged from its header, its size and its name."""

from collections.abc import Iterator
from math import gcd

from bedrock_tuning.dataset.images.image import ENDINGS, Image
from bedrock_tuning.dataset.images.magic import MP4, QUICKTIME, VIDEOS
from bedrock_tuning.dataset.images.source import extension_of
from bedrock_tuning.dataset.scope import DatasetScope
from bedrock_tuning.dataset.suggestions import key_hint
from bedrock_tuning.rules.rule import Fault, Severity, rule

_GOOD = '{"format": "png", "width": 512, "height": 512}'


def is_video_for(format: str, subject: DatasetScope) -> bool:
    """Whether the object is a video and the model takes videos; then its pixels do not count."""
    media = subject.contract.media
    return format in VIDEOS and media is not None and bool(media.video_formats)


def _shown(format: str) -> str:
    return format.upper() if format.islower() else format


@rule("I101", bad='{"outcome": "missing"}', good=_GOOD, fix="Upload the image, or drop the record.")
def image_missing(image: Image, subject: DatasetScope) -> Iterator[Fault]:
    """There is no object under an image's key.

    Keys are case-sensitive, and "+" and blanks are taken as they are. Where the images are files in
    a folder, one whose name differs in case or extension only is named.
    """
    if image.outcome == "missing":
        near = f'did you mean "{image.reason}"?' if image.reason else ""
        hint = near or key_hint(image.key)
        words = f"there is no such object – {hint}" if hint else "there is no such object"
        yield Fault(words, subject.image_field, image.key)


@rule("I102", bad='{"outcome": "denied"}', good=_GOOD, fix="Allow the role to read the image.")
def image_not_readable(image: Image, subject: DatasetScope) -> Iterator[Fault]:
    """An image exists, but may not be read.

    Another account owns the object, or its KMS key is not open to the role.
    """
    if image.outcome == "denied":
        yield Fault(f"the image cannot be read: {image.reason}", subject.image_field, image.key)


@rule("I103", bad='{"size": 0}', good=_GOOD, fix="Upload the image again.")
def empty_image(image: Image, subject: DatasetScope) -> Iterator[Fault]:
    """An image has no bytes: an upload was broken off."""
    if image.outcome == "" and image.size == 0:
        yield Fault("the object is empty", subject.image_field, image.key, "at least one byte")


@rule("I104", bad='{"format": "HTML"}', good=_GOOD, fix="Convert the file to one of these.")
def image_format_not_supported(image: Image, subject: DatasetScope) -> Iterator[Fault]:
    """An image is of a format that the model does not read, whatever its name says.

    Judged by content. HTML is the usual sign of a download that was answered by an error page.
    """
    limits, header = subject.contract.image, image.header
    if limits is None or header is None or not image.size:
        return
    if header.format not in limits.formats and not is_video_for(header.format, subject):
        videos = subject.contract.media.video_formats if subject.contract.media else ()
        allowed = " or ".join(name.upper() for name in (*limits.formats, *videos))
        what = "of an unknown format" if header.format == "unknown" else f"{header.format.strip()}"
        yield Fault(
            f"the object is {what}, not {allowed}", subject.image_field, header.format, allowed
        )


@rule(
    "I105", bad='{"problem": "cut", "truncated": true}', good=_GOOD, fix="Upload the image again."
)
def truncated_image(image: Image, subject: DatasetScope) -> Iterator[Fault]:
    """An image's file ends too early.

    Seen from the header alone: the sizes it announces do not fit into the file.
    """
    if image.header is not None and image.size and image.header.truncated:
        yield Fault(image.header.problem, subject.image_field, f"{image.size:,} bytes")


@rule("I106", bad='{"problem": "no marker"}', good=_GOOD, fix="Save the image again.")
def corrupt_image(image: Image, subject: DatasetScope) -> Iterator[Fault]:
    """An image's header cannot be read."""
    header = image.header
    if header is not None and header.problem and not header.truncated:
        yield Fault(
            f"the {_shown(header.format)} header is broken: {header.problem}", subject.image_field
        )


@rule("I107", bad='{"outcome": "changed"}', good=_GOOD, fix="Start the run when all is uploaded.")
def image_changed_meanwhile(image: Image, subject: DatasetScope) -> Iterator[Fault]:
    """An image was overwritten while it was checked.

    What was judged is no longer what would be trained on.
    """
    if image.outcome == "changed":
        yield Fault("the image was overwritten during the check", subject.image_field, image.key)


@rule("I108", bad='{"outcome": "key"}', good=_GOOD, fix="Shorten the reference.")
def image_key_too_long(image: Image, subject: DatasetScope) -> Iterator[Fault]:
    """An image's key is longer than S3 allows, so no such object can exist."""
    if image.outcome == "key":
        length = len(image.key.encode())
        yield Fault(
            "S3 has no keys that long", subject.image_field, f"{length:,} bytes", "1,024 bytes"
        )


@rule(
    "I109",
    bad='{"format": "jpeg", "key": "folder/1.png"}',
    good=_GOOD,
    severity=Severity.WARNING,
    fix="Rename the object.",
)
def wrong_image_extension(image: Image, subject: DatasetScope) -> Iterator[Fault]:
    """An image's name promises another format than its content has.

    Readers that trust names fail; whether Amazon Bedrock is one of them is not published.
    """
    header, limits = image.header, subject.contract.image
    if header is None or limits is None:
        return
    if header.format not in limits.formats and not is_video_for(header.format, subject):
        return
    ending = extension_of(image.key)
    promised = ENDINGS.get(ending, header.format)
    # QuickTime and MP4 are one family of files, and cameras mix their names.
    if promised != header.format and {promised, header.format} != {MP4, QUICKTIME}:
        yield Fault(
            f"the name ends with .{ending}, the content is {_shown(header.format)}",
            subject.image_field,
            image.key,
            header.format,
        )


@rule("I201", bad='{"size": 25000001}', good=_GOOD, fix="Compress or scale the image down.")
def image_too_many_bytes(image: Image, subject: DatasetScope) -> Iterator[Fault]:
    """The file of an image, or of a video, is larger than the model accepts."""
    limits, media, header = subject.contract.image, subject.contract.media, image.header
    if limits is None or header is None:
        return
    most: int | None = limits.bytes_max
    if media is not None and is_video_for(header.format, subject):
        most = media.video_bytes_max
    if most is not None and image.size > most:
        yield Fault(
            f"the file has {image.size:,} bytes",
            subject.image_field,
            f"{image.size:,} bytes",
            f"{most:,} bytes",
        )


@rule(
    "I202",
    bad='{"size": 5000001}',
    good=_GOOD,
    severity=Severity.WARNING,
    fix="Stay below the lower number to be safe.",
)
def image_bytes_disputed(image: Image, subject: DatasetScope) -> Iterator[Fault]:
    """An image's file is larger than one of the published limits allows.

    Amazon's pages give different numbers for this model. The higher one is enforced, above the
    lower one you are warned.
    """
    limits = subject.contract.image
    if limits is None or limits.bytes_warn is None or image.header is None:
        return
    if limits.bytes_warn < image.size <= limits.bytes_max:
        yield Fault(
            f"the file has {image.size:,} bytes",
            subject.image_field,
            f"{image.size:,} bytes",
            f"{limits.bytes_warn:,} bytes on one page, {limits.bytes_max:,} on another",
        )


@rule("I203", bad='{"width": 255}', good=_GOOD, fix="Use a larger image.")
def image_side_too_small(image: Image, subject: DatasetScope) -> Iterator[Fault]:
    """An image's width or height is below what the model accepts."""
    limits, sized = subject.contract.image, image.sized
    if limits is not None and limits.side_min is not None and sized is not None:
        for side, name in ((sized.width, "width"), (sized.height, "height")):
            if side < limits.side_min:
                yield Fault(
                    f"the {name} is {side:,} px",
                    subject.image_field,
                    f"{sized.width} × {sized.height} px",
                    f"at least {limits.side_min:,} px",
                )


@rule("I204", bad='{"width": 4097, "height": 2048}', good=_GOOD, fix="Scale the image down.")
def image_side_too_large(image: Image, subject: DatasetScope) -> Iterator[Fault]:
    """An image's width or height is above what the model accepts."""
    limits, sized = subject.contract.image, image.sized
    if limits is not None and limits.side_max is not None and sized is not None:
        for side, name in ((sized.width, "width"), (sized.height, "height")):
            if side > limits.side_max:
                yield Fault(
                    f"the {name} is {side:,} px",
                    subject.image_field,
                    f"{sized.width} × {sized.height} px",
                    f"at most {limits.side_max:,} px",
                )


@rule("I205", bad='{"width": 4096, "height": 3073}', good=_GOOD, fix="Scale the image down.")
def too_many_pixels(image: Image, subject: DatasetScope) -> Iterator[Fault]:
    """An image has more pixels, width times height, than the model accepts.

    An image within the limits of its sides can still be beyond this one: 4096 × 4096 is.
    """
    limits, sized = subject.contract.image, image.sized
    if limits is None or limits.pixels_max is None or sized is None:
        return
    if sized.width * sized.height > limits.pixels_max:
        yield Fault(
            f"{sized.width * sized.height:,} pixels",
            subject.image_field,
            f"{sized.width} × {sized.height} px",
            f"at most {limits.pixels_max:,} pixels",
        )


@rule(
    "I206",
    bad='{"width": 4096, "height": 3072}',
    good=_GOOD,
    severity=Severity.WARNING,
    fix="Scale the image down a little to be safe.",
)
def pixels_disputed(image: Image, subject: DatasetScope) -> Iterator[Fault]:
    """An image has more pixels than one of the published limits allows.

    Two pages give 12,582,912, a table gives 12,528,912: most likely transposed digits.
    """
    limits, sized = subject.contract.image, image.sized
    if limits is None or limits.pixels_warn is None or limits.pixels_max is None or sized is None:
        return
    pixels = sized.width * sized.height
    if limits.pixels_warn < pixels <= limits.pixels_max:
        yield Fault(
            f"{pixels:,} pixels",
            subject.image_field,
            f"{sized.width} × {sized.height} px",
            f"{limits.pixels_warn:,} on one page, {limits.pixels_max:,} on another",
        )


@rule("I207", bad='{"width": 2000, "height": 400}', good=_GOOD, fix="Crop the image.")
def aspect_ratio_out_of_range(image: Image, subject: DatasetScope) -> Iterator[Fault]:
    """An image is too wide or too tall for its other side."""
    limits, sized = subject.contract.image, image.sized
    if limits is None or sized is None:
        return
    low, high = limits.aspect_min or 0, limits.aspect_max or float("inf")
    if not low * sized.height <= sized.width <= high * sized.height:
        part = gcd(sized.width, sized.height)
        yield Fault(
            f"width / height is {sized.width / sized.height:.3f}",
            subject.image_field,
            f"{sized.width} × {sized.height} px ({sized.width // part}:{sized.height // part})",
            f"{low:g} to {high:g}",
        )


@rule(
    "I301",
    bad='{"animated": true}',
    good=_GOOD,
    severity=Severity.WARNING,
    fix="Save the frame that you mean as a still image.",
)
def animated_image(image: Image, subject: DatasetScope) -> Iterator[Fault]:
    """An image is animated: which frame is trained on is not published."""
    if image.sized is not None and image.sized.animated:
        yield Fault("the image is animated", subject.image_field, image.key)


@rule(
    "I302",
    bad='{"format": "jpeg", "channels": 4}',
    good=_GOOD,
    severity=Severity.WARNING,
    fix="Convert the image to RGB.",
)
def cmyk_image(image: Image, subject: DatasetScope) -> Iterator[Fault]:
    """A JPEG has four channels: CMYK, made for print.

    Readers disagree on its colours, some invert them.
    """
    sized = image.sized
    if sized is not None and sized.format == "jpeg" and sized.channels == 4:
        yield Fault("the image is CMYK", subject.image_field, image.key, "RGB")


@rule(
    "I303",
    bad='{"bits": 16}',
    good=_GOOD,
    severity=Severity.WARNING,
    fix="Convert the image to 8 bits per channel.",
)
def deep_colour_image(image: Image, subject: DatasetScope) -> Iterator[Fault]:
    """An image has more than 8 bits per channel.

    It is reduced to 8 before training; tools that only cut the low bits off make it too dark.
    """
    if image.sized is not None and image.sized.bits > 8:
        yield Fault(
            f"the image has {image.sized.bits} bits per channel",
            subject.image_field,
            f"{image.sized.bits} bits",
            "8 bits",
        )


@rule(
    "I304",
    bad='{"format": "jpeg", "orientation": 6}',
    good=_GOOD,
    severity=Severity.WARNING,
    fix="Rotate the pixels and drop the EXIF orientation.",
)
def rotated_by_exif(image: Image, subject: DatasetScope) -> Iterator[Fault]:
    """A JPEG lies on its side and only its EXIF data tells so.

    A reader that ignores EXIF trains on a rotated image. The limits above are judged by the stored
    pixels.
    """
    if image.sized is not None and image.sized.orientation >= 5:
        yield Fault(
            "EXIF swaps width and height",
            subject.image_field,
            f"orientation {image.sized.orientation}",
            "orientation 1",
        )


@rule(
    "I305",
    bad='{"format": "jpeg", "channels": 2}',
    good=_GOOD,
    fix="Save the image with one, three or four channels.",
)
def unusual_channels(image: Image, subject: DatasetScope) -> Iterator[Fault]:
    """A JPEG has a number of channels that image readers do not accept."""
    sized = image.sized
    if sized is not None and sized.format == "jpeg" and sized.channels not in (1, 3, 4):
        yield Fault(
            f"the image has {sized.channels} channels",
            subject.image_field,
            f"{sized.channels} channels",
            "1, 3 or 4",
        )
