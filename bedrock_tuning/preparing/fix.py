"""Makes an image and a caption fit a model's limits, and says what it did."""

import io
import math
import re
from bisect import bisect_left
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, NamedTuple

from bedrock_tuning.catalogue import CaptionLimits, ImageLimits
from bedrock_tuning.dataset.images.header import Header, header
from bedrock_tuning.dataset.tokens import too_many_tokens
from bedrock_tuning.preparing.metadata import without_metadata
from bedrock_tuning.preparing.near_duplicates import Look, look_of
from bedrock_tuning.sources.pictures import picture

if TYPE_CHECKING:
    from PIL.Image import Image

# Beyond this an enlarged image shows nothing but blur.
_ENLARGE_MOST: Final = 4.0
_QUALITIES: Final = (95, 90, 85, 80, 70)
_SHRINK: Final = 0.85
_EXTENSIONS: Final = {"png": ".png", "jpeg": ".jpg"}
_HEIF: Final = ("HEIC", "HEIF", "AVIF")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")


class PictureFix(NamedTuple):
    """kind: for the summary, e.g. "resized". detail: what exactly, in words."""

    kind: str
    detail: str


class UnfixableError(Exception):
    """Nothing sensible can be made of it; the text says why. kind: the reason without details."""

    def __init__(self, reason: str, *, kind: str) -> None:
        super().__init__(reason)
        self.kind = kind


@dataclass(slots=True, kw_only=True)
class Fixed:
    """data: the file to write. extension: what its name must end with. changes: in order.

    look: of the picture as it is now.
    """

    data: bytes
    extension: str
    look: Look
    changes: list[PictureFix] = field(default_factory=list)


def fix_image(data: bytes, limits: ImageLimits) -> Fixed:
    """An image within the limits; its own bytes where nothing has to change.

    Where sources disagree on a limit, the stricter one is kept. Raises UnfixableError.
    """
    import PIL.Image

    heic = _reads_heic()
    head = header(data)
    try:
        with picture(data) as image:
            quick = _shrink(image, data, head, limits)
            if quick is not None:
                return quick
            image.load()
            return _fix(image, data, head, limits)
    except UnfixableError:
        raise
    except PIL.UnidentifiedImageError as error:
        name, kind = f"{head.format}, which is not read", f"{head.format} not read"
        if head.format == "unknown":
            name, kind = ("no image", "not an image") if data else ("empty", "empty file")
        elif head.format in _HEIF and not heic:
            name = f"{head.format}; to read it: pip install 'bedrock-tuning[images]'"
        elif head.format in _HEIF:
            name, kind = f"{head.format} and cannot be decoded", "image broken"
        raise UnfixableError(f"the file is {name}", kind=kind) from error
    except Exception as error:
        # Decoders of broken data raise whatever they like.
        words = " ".join(str(error).split())
        name = head.format if head.format != "unknown" else "the file"
        raise UnfixableError(
            f"{name} cannot be decoded: {words or type(error).__name__}", kind="image broken"
        ) from error


def _shrink(image: "Image", data: bytes, head: Header, limits: ImageLimits) -> Fixed | None:
    """A photograph that is only too large, by libvips in half the time of Pillow.

    None where there is more to do, where libvips is not installed, or refuses the data.
    """
    is_plain = (
        head.format == "jpeg"
        and "jpeg" in limits.formats
        and image.mode == "RGB"
        and head.bits == 8
    )
    # Of data that ends too early libvips makes a picture that is gray below.
    is_complete = data.endswith(b"\xff\xd9")
    if (
        not (is_plain and is_complete)
        or head.problem
        or not _has_libvips()
        or image.getexif().get(0x0112, 1) != 1
    ):
        return None
    factor = _factor(image.size, limits)
    if factor >= 1 or _bars(image.size, limits) != image.size:
        return None
    import pyvips
    from PIL import Image as Images

    wide, tall = _scale(image.size, factor, limits)
    try:
        small = pyvips.Image.thumbnail_buffer(
            data, wide, height=tall, size="force", no_rotate=True, fail_on="warning"
        )
        pixels = small.write_to_memory()
    except pyvips.Error:
        return None
    result = Images.frombuffer("RGB", (wide, tall), pixels, "raw", "RGB", 0, 1)
    result.info.update(image.info)
    changes = [PictureFix("resized", f"{image.width} × {image.height} to {wide} × {tall}")]
    if without_metadata(data) != data:
        changes.append(_BARE)
    return _encode(result, "jpeg", limits.bytes_warn or limits.bytes_max, limits, changes)


_BARE: Final = PictureFix("metadata removed", "EXIF and the like: places, names, comments")


@cache
def _has_libvips() -> bool:
    try:
        import pyvips  # noqa: F401
    except (ImportError, OSError):
        # The package is there, and the library that it wraps may not be.
        return False
    return True


@cache
def _reads_heic() -> bool:
    """Whether Pillow can read what telephones write; it can with the package pillow-heif."""
    if find_spec("pillow_heif") is None:
        return False
    import pillow_heif

    pillow_heif.register_heif_opener()
    return True


def _fix(image: "Image", data: bytes, head: Header, limits: ImageLimits) -> Fixed:
    changes: list[PictureFix] = []
    format = head.format if head.format in limits.formats else _other_format(image, head)
    if format != head.format:
        changes.append(
            PictureFix("converted", f"{(image.format or head.format).lower()} to {format}")
        )
    # Telephones append a second picture to a JPEG and call it MPO; that is not an animation.
    if getattr(image, "is_animated", False) and image.format != "MPO":
        changes.append(PictureFix("first frame kept", "of an animation"))
        image.seek(0)
    if head.bits > 8:
        changes.append(PictureFix("8 bits", f"reduced from {head.bits} bits per channel"))
    if head.problem:
        changes.append(PictureFix("saved again", head.problem))
    result = _upright(_eight_bits(image, changes), changes)
    result = _fit(_pad(result, limits, changes), limits, changes)
    limit = limits.bytes_warn or limits.bytes_max
    copy = without_metadata(data)
    if copy != data:
        changes.append(_BARE)
    if len(copy) <= limit and all(change.kind == "metadata removed" for change in changes):
        return Fixed(data=copy, extension=_EXTENSIONS[format], look=look_of(image), changes=changes)
    return _encode(result, format, limit, limits, changes)


def _other_format(image: "Image", head: Header) -> str:
    """Photos of telephones have lost their exact pixels already; PNG would only take more bytes."""
    return "jpeg" if head.format in _HEIF and image.mode == "RGB" else "png"


def _eight_bits(image: "Image", changes: list[PictureFix]) -> "Image":
    """RGB, RGBA or L with 8 bits per channel."""
    mode = image.mode
    if mode in ("RGB", "L"):
        return image
    if mode in ("RGBA", "LA", "PA"):
        return image if mode == "RGBA" else image.convert("RGBA")
    if mode in ("P", "1"):
        transparent = "transparency" in image.info
        return image.convert("RGBA" if transparent else "RGB" if mode == "P" else "L")
    if mode.startswith("I;16") or mode == "I":
        return image.convert("I").point(lambda value: value / 256).convert("L")
    changes.append(PictureFix("to RGB", f"from {mode}"))
    if mode == "CMYK":
        return _from_print(image)
    return image.convert("RGB")


def _from_print(image: "Image") -> "Image":
    """CMYK by its own colour profile where it has one that works."""
    from PIL import ImageCms

    profile = image.info.get("icc_profile")
    if profile:
        try:
            result = ImageCms.profileToProfile(
                image,
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                outputMode="RGB",
            )
        except (ImageCms.PyCMSError, OSError):
            result = None
        if result is not None:
            result.info.pop("icc_profile", None)
            return result
    return image.convert("RGB")


def _upright(image: "Image", changes: list[PictureFix]) -> "Image":
    from PIL import ImageOps

    orientation = image.getexif().get(0x0112, 1)
    if orientation == 1 or orientation not in range(2, 9):
        return image
    changes.append(PictureFix("turned upright", f"by EXIF orientation {orientation}"))
    return ImageOps.exif_transpose(image)


def _pad(image: "Image", limits: ImageLimits, changes: list[PictureFix]) -> "Image":
    """A strip that is too long gets white (or transparent) bars."""
    width, height = image.size
    wide, tall = _bars(image.size, limits)
    if (wide, tall) == (width, height):
        return image
    from PIL import Image as Images

    changes.append(PictureFix("padded", f"{width} × {height} to {wide} × {tall}"))
    bars: int | tuple[int, ...] = 255 if image.mode == "L" else (255,) * 3
    if image.mode == "RGBA":
        bars = (255, 255, 255, 0)
    canvas = Images.new(image.mode, (wide, tall), bars)
    canvas.paste(image, ((wide - width) // 2, (tall - height) // 2))
    canvas.info.update(image.info)
    return canvas


def _bars(size: tuple[int, int], limits: ImageLimits) -> tuple[int, int]:
    """The size with the bars that a strip needs."""
    width, height = size
    low, high = limits.aspect_min or 0.0, limits.aspect_max or math.inf
    return max(width, math.ceil(height * low)), max(height, math.ceil(width / high))


def _factor(size: tuple[int, int], limits: ImageLimits) -> float:
    """By how much the sides have to grow or shrink; 1 for not at all. Raises UnfixableError."""
    width, height = size
    low = (limits.side_min or 1) / min(width, height)
    high = (limits.side_max or math.inf) / max(width, height)
    pixels = limits.pixels_warn or limits.pixels_max
    if pixels is not None:
        high = min(high, math.sqrt(pixels / (width * height)))
    if low <= 1 <= high:
        return 1.0
    factor = max(1.0, low) if low > 1 else high
    if factor > high or factor < low:
        raise UnfixableError(
            f"{width} × {height} cannot be scaled to fit both limits of its sides", kind="too long"
        )
    if factor > _ENLARGE_MOST:
        raise UnfixableError(
            f"{width} × {height} is too small: it would have to be enlarged {factor:.0f} ×",
            kind="too small",
        )
    return factor


def _scale(size: tuple[int, int], factor: float, limits: ImageLimits) -> tuple[int, int]:
    """The size after scaling, within the limits of the sides."""
    # Enlarged sides round up and reduced ones down, so that neither ends beside its limit.
    turn = math.ceil if factor > 1 else math.floor
    wide, tall = (turn(side * factor) for side in size)
    return _clamp((wide, tall), limits)


def _clamp(size: tuple[int, int], limits: ImageLimits) -> tuple[int, int]:
    low, high = limits.side_min or 1, limits.side_max or max(size)
    wide, tall = (min(high, max(low, side)) for side in size)
    return wide, tall


def _fit(image: "Image", limits: ImageLimits, changes: list[PictureFix]) -> "Image":
    factor = _factor(image.size, limits)
    if factor == 1:
        return image
    return _resize(image, _scale(image.size, factor, limits), limits, changes)


def _resize(
    image: "Image", size: tuple[int, int], limits: ImageLimits, changes: list[PictureFix]
) -> "Image":
    from PIL.Image import Resampling

    wide, tall = _clamp(size, limits)
    changes.append(PictureFix("resized", f"{image.width} × {image.height} to {wide} × {tall}"))
    info = dict(image.info)
    # Reduced, both look the same, and this one takes two thirds of the time.
    method = Resampling.BICUBIC if wide < image.width else Resampling.LANCZOS
    result = image.resize((wide, tall), method)
    result.info.update(info)
    return result


def _encode(
    image: "Image", format: str, limit: int, limits: ImageLimits, changes: list[PictureFix]
) -> Fixed:
    """The smallest loss that fits: PNG, then JPEG of falling quality, then fewer pixels."""
    if format == "png":
        data = _save(image, "png")
        if len(data) <= limit:
            return Fixed(data=data, extension=".png", look=look_of(image), changes=changes)
        changes.append(
            PictureFix("as JPEG", f"because PNG takes {len(data):,} bytes, {limit:,} at most")
        )
    if image.mode == "RGBA":
        changes.append(PictureFix("on white", "transparent parts"))
        image = _on_white(image)
    if not changes:
        changes.append(PictureFix("saved again", f"to have at most {limit:,} bytes"))
    while True:
        for quality in _QUALITIES:
            data = _save(image, "jpeg", quality=quality)
            if len(data) <= limit:
                if quality < _QUALITIES[0]:
                    changes.append(PictureFix("as JPEG", f"of quality {quality}"))
                return Fixed(data=data, extension=".jpg", look=look_of(image), changes=changes)
        size = (int(image.width * _SHRINK), int(image.height * _SHRINK))
        if min(size) < (limits.side_min or 1):
            raise UnfixableError(f"it does not fit into {limit:,} bytes", kind="too many bytes")
        image = _resize(image, size, limits, changes)


def _on_white(image: "Image") -> "Image":
    from PIL import Image as Images

    canvas = Images.new("RGB", image.size, (255, 255, 255))
    canvas.paste(image, mask=image.getchannel("A"))
    return canvas


def _save(image: "Image", format: str, *, quality: int = 95) -> bytes:
    out = io.BytesIO()
    profile = image.info.get("icc_profile") if image.mode != "L" else None
    if format == "png":
        image.save(out, "PNG", optimize=False, icc_profile=profile)
    else:
        image.save(out, "JPEG", quality=quality, icc_profile=profile, exif=b"")
    return without_metadata(out.getvalue())


def fix_caption(caption: str, limits: CaptionLimits) -> tuple[str, list[PictureFix]]:
    """The caption within the limits, and what was done to it; raises UnfixableError."""
    changes = []
    text = _CONTROL.sub(" ", caption).strip()
    # A lone surrogate has no UTF-8, so no manifest can hold it.
    text = text.encode("utf-8", "replace").decode()
    if text != caption:
        changes.append(PictureFix("caption trimmed", "blanks and control characters"))
    limit = _chars_read(text, limits)
    if len(text) > limit:
        piece = text[:limit]
        head, blank, _ = piece.rpartition(" ")
        # At a word's end, unless that costs more than a long word.
        cut = head if blank and len(head) > limit * 0.9 else piece
        changes.append(
            PictureFix("caption cut", f"from {len(text):,} to {len(cut.rstrip()):,} characters")
        )
        text = cut.rstrip()
    if not text or len(text) < limits.chars_min:
        raise UnfixableError(f"the caption has {len(text)} characters", kind="caption too short")
    return text, changes


def _chars_read(text: str, limits: CaptionLimits) -> int:
    """How many characters of a caption the model reads, by the estimate of the rule about it."""
    limit = min(len(text), limits.chars_max)
    if not too_many_tokens(text[:limit], limits):
        return limit
    return bisect_left(range(limit), True, key=lambda n: too_many_tokens(text[:n], limits) > 0) - 1
