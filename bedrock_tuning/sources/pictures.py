"""One way to decode an image of somebody else's: with Pillow, and only the decoders named here."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PIL.Image import Image

# What telephones, cameras and web pages write. Left to choose, Pillow hands PostScript to a program
# of the system, whatever the file's name ends with.
FORMATS: Final = ("JPEG", "MPO", "PNG", "GIF", "BMP", "TIFF", "WEBP", "HEIF", "AVIF")


@contextmanager
def picture(data: bytes) -> Iterator["Image"]:
    """The image, whose pixels are decoded when they are first needed.

    Raises PIL.UnidentifiedImageError for any other format, PIL.Image.DecompressionBombError for
    more pixels than Pillow decodes safely, and whatever a decoder of broken data raises.
    """
    import PIL.Image

    PIL.Image.init()
    known: list[str] = [each for each in FORMATS if each in PIL.Image.OPEN]
    # Between its two limits Pillow warns; the checks have said it already.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with PIL.Image.open(io.BytesIO(data), formats=known) as image:
            yield image
