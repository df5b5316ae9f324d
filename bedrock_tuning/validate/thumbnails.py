"""Small pictures of images with a finding, for the report's page."""

import base64
import io
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Final

from bedrock_tuning.dataset.images.source import ByteRange, Fetched, ImageSource
from bedrock_tuning.report.report import Report
from bedrock_tuning.sources.pictures import picture

_MOST: Final = 200
_SIDE: Final = 160
_BYTES_MAX: Final = 1 << 25


def thumbnails(report: Report, sources: Mapping[str, ImageSource]) -> dict[str, str]:
    """Data URIs by key of images with a finding that Pillow can open; none without Pillow.

    sources: of images by kind, where they can be read.
    """
    if find_spec("PIL") is None:
        return {}
    found: dict[str, str] = {}
    for each in report.findings:
        if len(found) == _MOST:
            break
        if not each.key or each.key in found or each.kind not in sources:
            continue
        (answer,) = sources[each.kind].fetch([ByteRange(each.key, 0, _BYTES_MAX)])
        if isinstance(answer, Fetched) and (uri := thumbnail(answer.data)):
            found[each.key] = uri
    return found


def thumbnail(data: bytes) -> str:
    """A JPEG of at most 160 pixels as data URI; "" if it cannot be decoded, or without Pillow."""
    if find_spec("PIL") is None:
        return ""
    try:
        with picture(data) as image:
            image.draft("RGB", (_SIDE, _SIDE))
            small = image.convert("RGB")
        small.thumbnail((_SIDE, _SIDE))
        out = io.BytesIO()
        small.save(out, "JPEG", quality=70)
    except Exception:
        # Rejected images are often broken, in whatever way; the page then shows none.
        return ""
    return f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}"
