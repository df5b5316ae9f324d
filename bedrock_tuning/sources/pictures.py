"""One way to decode an image of somebody else's: with Pillow, and only the decoders named here."""

import base64
import io
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from bedrock_tuning.dataset.images.source import ByteRange, Fetched, ImageSource

if TYPE_CHECKING:
    from PIL.Image import Image

# What telephones, cameras and web pages write; MPO is opened as JPEG. Left to choose, Pillow hands
# PostScript to a program of the system, whatever the file's name ends with.
_FORMATS: Final = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "HEIF", "AVIF")

_SIDE: Final = 160
_BYTES_MAX: Final = 1 << 25


def thumbnails(source: ImageSource, keys: Iterable[str]) -> dict[str, str]:
    """Data URIs by key of the images that can be read and decoded; one image at a time."""
    uris: dict[str, str] = {}
    for key in keys:
        (answer,) = source.fetch([ByteRange(key, 0, _BYTES_MAX)])
        if isinstance(answer, Fetched) and (uri := thumbnail(answer.data)):
            uris[key] = uri
    return uris


def thumbnail(data: bytes) -> str:
    """A JPEG of at most 160 pixels as data URI; "" if it cannot be decoded, or without Pillow."""
    if find_spec("PIL") is None:
        return ""
    try:
        with picture(data) as image:
            image.draft("RGB", (_SIDE, _SIDE))
            preview = image.convert("RGB")
        preview.thumbnail((_SIDE, _SIDE))
        buffer = io.BytesIO()
        preview.save(buffer, "JPEG", quality=70)
    except Exception:
        # Rejected images are often broken, in whatever way; the page then shows none.
        return ""
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


@contextmanager
def picture(data: bytes) -> Iterator["Image"]:
    """The image, whose pixels are decoded when they are first needed.

    Raises PIL.UnidentifiedImageError for any other format, PIL.Image.DecompressionBombError for
    more pixels than Pillow decodes safely, and whatever a decoder of broken data raises.
    """
    import PIL.Image

    PIL.Image.init()
    formats: list[str] = [name for name in _FORMATS if name in PIL.Image.OPEN]
    # Between its two limits Pillow warns; the checks have said it already.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with PIL.Image.open(io.BytesIO(data), formats=formats) as image:
            yield image
