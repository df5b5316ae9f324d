"""Decides at once that an image is clean, so that no rule has to run: most images are."""

from math import inf
from typing import Final

from bedrock_tuning.catalogue import ImageLimits
from bedrock_tuning.dataset.images.image import ENDINGS, Image
from bedrock_tuning.dataset.images.source import extension_of
from bedrock_tuning.dataset.scope import DatasetScope
from bedrock_tuning.rules import rules_for

# The rules that is_clean speaks for; any other active rule switches this path off.
_OBJECT: Final = "I101 I102 I103 I104 I105 I106 I107 I108 I109 I401"
_PIXELS: Final = "I201 I202 I203 I204 I205 I206 I207 I208 I209 I210 I301 I302 I303 I304 I305 I306"
_DECIDES: Final = frozenset(f"{_OBJECT} {_PIXELS}".split())


class ImageFastPath:
    """May say no to an image that is clean, but never yes to one that a rule would report."""

    def __init__(self, limits: ImageLimits) -> None:
        self._formats = frozenset(limits.formats) & {"png", "jpeg"}
        self._bytes = min(limits.bytes_max, limits.bytes_warn or limits.bytes_max)
        most = limits.pixels_max or inf
        self._pixels = min(most, limits.pixels_warn or most)
        self._least = limits.side_min or 0
        self._most = limits.side_max or inf
        self._low = limits.aspect_min or 0
        self._high = limits.aspect_max or inf

    def is_clean(self, image: Image) -> bool:
        """Whether surely no rule reports the image."""
        header = image.header
        if header is None or header.problem or header.format not in self._formats:
            return False
        width, height = header.width, header.height
        if width <= height:
            low, high = width, height
        else:
            low, high = height, width
        return (
            0 < image.size <= self._bytes
            and self._least <= low
            and high <= self._most
            and width * height <= self._pixels
            and self._low * height <= width <= self._high * height
            and header.bits <= 8
            and header.orientation < 5
            and not header.located
            and (header.channels in (1, 3) or header.format == "png")
            and not header.animated
            and ENDINGS.get(extension_of(image.key), header.format) == header.format
        )


def image_fast_path(scope: DatasetScope) -> ImageFastPath | None:
    """The fast path for a dataset; None if a rule is active that it does not decide."""
    limits = scope.contract.image
    if limits is None or any(rule.id not in _DECIDES for rule in rules_for(Image)):
        return None
    return ImageFastPath(limits)
