"""What a file is by its first bytes, for the sentence "this is not a PNG, it is …"."""

from typing import Final

PNG: Final = b"\x89PNG\r\n\x1a\n"
MP4: Final = "MP4 video"
QUICKTIME: Final = "QuickTime video"
MATROSKA: Final = "Matroska video"
VIDEOS: Final = frozenset({MP4, QUICKTIME, MATROSKA})
_MAGIC: Final = (
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\0\0\x01\0", "an icon"),
    (b"8BPS", "Photoshop"),
    (b"%PDF", "PDF"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "gzip"),
    (b"version https://git-lfs", "a Git LFS pointer"),
    (b"\x1aE\xdf\xa3", MATROSKA),
    # Bytes that went through something for texts: a transfer, a database, a JSON document.
    *(
        (mark, "an image damaged by being handled as text")
        for mark in (
            b"\x89PNG",
            b"\xc2\x89PNG",
            b"\xef\xbf\xbdPNG",
            b"\xc3\xbf\xc3\x98\xc3\xbf",
            b"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
        )
    ),
)
_MARKUP: Final = (
    (b"<!doctype html", "HTML"),
    (b"<html", "HTML"),
    (b"<head", "HTML"),
    (b"<svg", "SVG"),
    (b"<?xml", "XML"),
    (b"{", "JSON"),
    *((mark, "an image in Base64") for mark in (b"ivborw0kggo", b"/9j/", b"data:image/")),
)
_BRANDS: Final = {
    b"avif": "AVIF",
    b"avis": "AVIF",
    b"heic": "HEIC",
    b"heix": "HEIC",
    b"heim": "HEIC",
    b"heis": "HEIC",
    b"hevc": "HEIC",
    b"hevx": "HEIC",
    b"msf1": "HEIF",
    b"crx ": "a Canon raw file",
    b"M4A ": "MPEG-4 audio",
    **dict.fromkeys((b"mif1", b"mif2", b"heif", b"hevm", b"hevs", b"avci", b"avcs"), "HEIF"),
    b"qt  ": QUICKTIME,
}
_PICTURES: Final = ("AVIF", "HEIC", "HEIF")
_BRANDS_END: Final = 64


def sniff(data: bytes) -> str:
    """ "gif" or "webp", another format's name, "text", or "unknown"; from at least 32 bytes."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[4:8] == b"ftyp":
        # Behind its own brand stand those that it is compatible with.
        end = min(int.from_bytes(data[:4]), _BRANDS_END)
        others = (_BRANDS.get(data[at : at + 4]) for at in range(16, end, 4))
        other = next((name for name in others if name in _PICTURES), MP4)
        return _BRANDS.get(data[8:12], other)
    # QuickTime of old begins with any of its boxes.
    if data[4:8] in (b"moov", b"mdat", b"wide"):
        return QUICKTIME
    for magic, name in _MAGIC:
        if data.startswith(magic):
            return name
    start = data[:64].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for magic, name in _MARKUP:
        if start.startswith(magic):
            return name
    # A character of several bytes may be cut at the end.
    head = data[:512].decode(errors="replace").rstrip("\ufffd")
    is_text = all(char >= " " or char in "\t\n\r" for char in head)
    return "text" if head and is_text and "\ufffd" not in head else "unknown"
