"""I2, I3: rules about the bytes, pixels, colors and length of one image or video."""

from collections.abc import Iterator
from functools import partial
from math import gcd

from bedrock_tuning.dataset.images.header import Header
from bedrock_tuning.dataset.images.image import Image
from bedrock_tuning.dataset.images.magic import VIDEOS
from bedrock_tuning.dataset.scope import DatasetScope
from bedrock_tuning.rules._example import GOOD_IMAGE, NOVA
from bedrock_tuning.rules.image import is_video_for
from bedrock_tuning.rules.rule import Fault, Severity
from bedrock_tuning.rules.rule import rule as define


def _size(header: Header) -> str:
    return f"{header.width} × {header.height} px"


rule = partial(define, good=GOOD_IMAGE)


@rule("I201", bad='{"size": 25000001}', fix="Compress the image or scale it down.")
def image_too_many_bytes(image: Image, scope: DatasetScope) -> Iterator[Fault]:
    """The file of an image or a video is larger than the model accepts."""
    limits, media, header = scope.contract.image, scope.contract.media, image.header
    if limits is None or header is None:
        return
    most: int | None = limits.bytes_max
    if media is not None and is_video_for(header.format, scope):
        most = media.video_bytes_max
    if most is not None and image.size > most:
        size = f"{image.size:,} bytes"
        yield Fault(f"the file has {size}", scope.image_field, size, f"{most:,} bytes")


@rule(
    "I202",
    bad='{"size": 5000001}',
    severity=Severity.WARNING,
    fix="To be safe, stay below the lower limit.",
)
def image_bytes_disputed(image: Image, scope: DatasetScope) -> Iterator[Fault]:
    """An image's file is larger than one of the published limits allows.

    AWS pages give different limits for this model. A file above the higher one is an error; a file
    between the two gets this warning.
    """
    limits = scope.contract.image
    if limits is None or limits.bytes_warn is None or image.header is None:
        return
    if limits.bytes_warn < image.size <= limits.bytes_max:
        yield Fault(
            f"the file has {image.size:,} bytes",
            scope.image_field,
            f"{image.size:,} bytes",
            scope.contract.readings(
                "image.bytes_max", limits.bytes_warn, limits.bytes_max, " bytes"
            ),
        )


def _sides(header: Header) -> tuple[tuple[str, int], ...]:
    return ("width", header.width), ("height", header.height)


@rule("I203", bad='{"width": 255}', fix="Use a larger image.")
def image_side_too_small(image: Image, scope: DatasetScope) -> Iterator[Fault]:
    """An image's width or height is below the minimum that the model accepts."""
    limits, sized = scope.contract.image, image.sized
    if limits is None or limits.side_min is None or sized is None:
        return
    for name, side in _sides(sized):
        if side < limits.side_min:
            limit = f"at least {limits.side_min:,} px"
            yield Fault(f"the {name} is {side:,} px", scope.image_field, _size(sized), limit)


@rule("I204", bad='{"width": 4097, "height": 2048}', fix="Scale the image down.")
def image_side_too_large(image: Image, scope: DatasetScope) -> Iterator[Fault]:
    """An image's width or height is above the maximum that the model accepts."""
    limits, sized = scope.contract.image, image.sized
    if limits is None or limits.side_max is None or sized is None:
        return
    for name, side in _sides(sized):
        if side > limits.side_max:
            limit = f"at most {limits.side_max:,} px"
            yield Fault(f"the {name} is {side:,} px", scope.image_field, _size(sized), limit)


@rule("I205", bad='{"width": 4096, "height": 3073}', fix="Scale the image down.")
def too_many_pixels(image: Image, scope: DatasetScope) -> Iterator[Fault]:
    """An image has more pixels (width × height) than the model accepts.

    Both sides can be within their limits and the product still too large, as in 4096 × 4096.
    """
    limits, sized = scope.contract.image, image.sized
    if limits is None or limits.pixels_max is None or sized is None:
        return
    pixels = sized.width * sized.height
    if pixels > limits.pixels_max:
        limit = f"at most {limits.pixels_max:,} pixels"
        yield Fault(f"the image has {pixels:,} pixels", scope.image_field, _size(sized), limit)


@rule(
    "I206",
    bad='{"width": 4096, "height": 3072}',
    severity=Severity.WARNING,
    source=("UG-mm", "S1"),
    fix="To be safe, scale the image down slightly.",
)
def pixels_disputed(image: Image, scope: DatasetScope) -> Iterator[Fault]:
    """An image has more pixels than one of the published limits allows.

    Two AWS pages give 12,582,912 and a table gives 12,528,912; the digits are probably transposed.
    """
    limits, sized = scope.contract.image, image.sized
    if limits is None or limits.pixels_warn is None or limits.pixels_max is None or sized is None:
        return
    pixels = sized.width * sized.height
    if limits.pixels_warn < pixels <= limits.pixels_max:
        yield Fault(
            f"the image has {pixels:,} pixels",
            scope.image_field,
            _size(sized),
            scope.contract.readings("image.pixels_max", limits.pixels_warn, limits.pixels_max),
        )


@rule("I207", bad='{"width": 2000, "height": 400}', fix="Crop the image.")
def aspect_ratio_out_of_range(image: Image, scope: DatasetScope) -> Iterator[Fault]:
    """An image is too wide or too tall for the model: width divided by height is out of range."""
    limits, sized = scope.contract.image, image.sized
    if limits is None or sized is None:
        return
    low, high = limits.aspect_min or 0, limits.aspect_max or float("inf")
    if not low * sized.height <= sized.width <= high * sized.height:
        part = gcd(sized.width, sized.height)
        yield Fault(
            f"width / height is {sized.width / sized.height:.3f}",
            scope.image_field,
            f"{_size(sized)} ({sized.width // part}:{sized.height // part})",
            f"{low:g} to {high:g}",
        )


@rule(
    "I208",
    bad='{"format": "MP4 video", "width": 0, "height": 0, "seconds": 90.5}',
    good='{"format": "MP4 video", "width": 0, "height": 0, "seconds": 90.0}',
    fix="Cut the video, or split it into several records.",
    model=NOVA,
)
def video_too_long(image: Image, scope: DatasetScope) -> Iterator[Fault]:
    """A video is longer than the model accepts.

    The length is read from the file's header; the video is not played.
    """
    media, header = scope.contract.media, image.header
    if media is None or media.video_seconds_max is None or header is None:
        return
    if header.seconds is not None and header.seconds > media.video_seconds_max:
        yield Fault(
            f"the video is {header.seconds:,.1f} s long",
            scope.image_field,
            f"{header.seconds:,.2f} s",
            f"at most {media.video_seconds_max} s",
        )


@rule(
    "I210",
    bad='{"format": "MP4 video", "width": 0, "height": 0, "seconds": 90.5}',
    good='{"format": "MP4 video", "width": 0, "height": 0, "seconds": 90.0}',
    severity=Severity.WARNING,
    fix="To be safe, cut the video.",
    model="nova-2-lite",
)
def video_length_disputed(image: Image, scope: DatasetScope) -> Iterator[Fault]:
    """A video is longer than one of the published limits allows."""
    media, header = scope.contract.media, image.header
    if media is None or header is None or header.seconds is None:
        return
    seconds, strict, most = header.seconds, media.video_seconds_warn, media.video_seconds_max
    if strict is not None and most is not None and strict < seconds <= most:
        yield Fault(
            f"the video is {seconds:,.1f} s long",
            scope.image_field,
            f"{seconds:,.2f} s",
            scope.contract.readings("media.video_seconds_max", strict, most, " s"),
        )


@rule(
    "I209",
    bad='{"format": "MP4 video", "width": 0, "height": 0}',
    good='{"format": "MP4 video", "width": 0, "height": 0, "seconds": 90.0}',
    severity=Severity.WARNING,
    fix="Check the length yourself, or save the video again as a single, unfragmented file.",
    model=NOVA,
)
def video_length_unknown(image: Image, scope: DatasetScope) -> Iterator[Fault]:
    """A video's header does not state its length, so the length was not checked.

    Streamed and fragmented recordings are written this way.
    """
    media, header = scope.contract.media, image.header
    if media is None or media.video_seconds_max is None or header is None:
        return
    if header.format in VIDEOS and not header.problem and header.seconds is None:
        limit = f"at most {media.video_seconds_max} s"
        yield Fault("the length of the video is unknown", scope.image_field, image.key, limit)


@rule(
    "I301",
    bad='{"animated": true}',
    severity=Severity.WARNING,
    fix="Save the frame that you need as a still image.",
)
def animated_image(image: Image, scope: DatasetScope) -> Iterator[Fault]:
    """An image is animated. AWS does not document which frame the model is trained on."""
    if image.sized is not None and image.sized.animated:
        yield Fault("the image is animated", scope.image_field, image.key)


@rule(
    "I302",
    bad='{"format": "jpeg", "channels": 4}',
    severity=Severity.WARNING,
    fix="Convert the image to RGB.",
)
def cmyk_image(image: Image, scope: DatasetScope) -> Iterator[Fault]:
    """A JPEG has four color channels (CMYK), as used for print.

    Image readers disagree on its colors; some invert them.
    """
    sized = image.sized
    if sized is not None and sized.format == "jpeg" and sized.channels == 4:
        yield Fault("the image is CMYK", scope.image_field, image.key, "RGB")


@rule(
    "I303",
    bad='{"bits": 16}',
    severity=Severity.WARNING,
    fix="Convert the image to 8 bits per channel.",
)
def deep_colour_image(image: Image, scope: DatasetScope) -> Iterator[Fault]:
    """An image has more than 8 bits per color channel.

    It is reduced to 8 bits before training; tools that only drop the low bits make it too dark.
    """
    if image.sized is not None and image.sized.bits > 8:
        bits = f"{image.sized.bits} bits"
        yield Fault(f"the image has {bits} per channel", scope.image_field, bits, "8 bits")


@rule(
    "I304",
    bad='{"format": "jpeg", "orientation": 6}',
    severity=Severity.WARNING,
    fix="Rotate the pixels and remove the EXIF orientation.",
)
def rotated_by_exif(image: Image, scope: DatasetScope) -> Iterator[Fault]:
    """A JPEG is stored sideways, and only its EXIF data says so.

    A reader that ignores EXIF trains on a rotated image. The limits on width and height apply to
    the pixels as stored.
    """
    if image.sized is not None and image.sized.orientation >= 5:
        value = f"orientation {image.sized.orientation}"
        yield Fault("EXIF swaps width and height", scope.image_field, value, "orientation 1")


@rule(
    "I305",
    bad='{"format": "jpeg", "channels": 2}',
    fix="Save the image with one, three or four channels.",
)
def unusual_channels(image: Image, scope: DatasetScope) -> Iterator[Fault]:
    """A JPEG has a number of color channels that image readers do not accept."""
    sized = image.sized
    if sized is not None and sized.format == "jpeg" and sized.channels not in (1, 3, 4):
        channels = f"{sized.channels} channels"
        yield Fault(f"the image has {channels}", scope.image_field, channels, "1, 3 or 4")
