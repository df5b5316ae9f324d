"""R5: rules about images and videos that a conversation refers to."""

import re
from collections.abc import Iterator

from tuning.formats import SCHEMA_VERSION
from tuning.record import Medium, Record
from tuning.rule import Fault, rule
from tuning.subject import Subject

_NOVA = "nova-lite"


def _medium(kind: str, format: str, key: str) -> str:
    uri = f"s3://bucket/{key}"
    return f'{{"{kind}": {{"format": "{format}", "source": {{"s3Location": {{"uri": "{uri}"}}}}}}}}'


def _talk(*media: str) -> str:
    content = ", ".join(('{"text": "what is this"}', *media))
    return (
        f'{{"schemaVersion": "{SCHEMA_VERSION}", "messages": ['
        f'{{"role": "user", "content": [{content}]}}, '
        f'{{"role": "assistant", "content": [{{"text": "a dog"}}]}}]}}'
    )


_IMAGE = _medium("image", "png", "folder/1.png")
_VIDEO = _medium("video", "mp4", "folder/1.mp4")
_GOOD = _talk(_IMAGE)


def _of(record: Record, kind: str) -> list[Medium]:
    return [medium for medium in record.media if medium.kind == kind]


@rule(
    "R501",
    bad=_GOOD,
    good=_talk(),
    fix="Remove the image or the video, or choose a model that sees.",
    model="nova-micro",
)
def media_not_supported(record: Record, subject: Subject) -> Iterator[Fault]:
    """A conversation refers to an image or a video, and the model reads text only."""
    contract = subject.contract
    videos = contract.media is not None and bool(contract.media.video_formats)
    for medium in record.media:
        if (medium.kind == "image" and contract.image is None) or (
            medium.kind == "video" and not videos
        ):
            yield Fault(f"the model takes no {medium.kind}s", medium.path, medium.uri)


@rule("R502", bad=_talk(*[_IMAGE] * 11), good=_GOOD, fix="Use fewer images.", model=_NOVA)
def too_many_images_in_record(record: Record, subject: Subject) -> Iterator[Fault]:
    """A conversation refers to more images than the model takes."""
    limits = subject.contract.media
    images = len(_of(record, "image"))
    if limits is not None and limits.images_per_record_max is not None:
        most = limits.images_per_record_max
        if images > most:
            yield Fault(f"{images} images", "messages", f"{images} images", f"{most} images")


@rule("R503", bad=_talk(_VIDEO, _VIDEO), good=_talk(_VIDEO), fix="Use one video.", model=_NOVA)
def too_many_videos_in_record(record: Record, subject: Subject) -> Iterator[Fault]:
    """A conversation refers to more videos than the model takes."""
    limits = subject.contract.media
    videos = len(_of(record, "video"))
    if limits is not None and limits.videos_per_record_max is not None:
        most = limits.videos_per_record_max
        if videos > most:
            yield Fault(f"{videos} videos", "messages", f"{videos} videos", f"{most} videos")


@rule(
    "R504",
    bad=_talk(_IMAGE, _VIDEO),
    good=_GOOD,
    fix="Make two records of it.",
    model=_NOVA,
)
def images_and_video_mixed(record: Record, subject: Subject) -> Iterator[Fault]:
    """A conversation refers to images and to a video, and the model takes only one kind."""
    limits = subject.contract.media
    if limits is None or limits.mixed_kinds:
        return
    kinds = {medium.kind for medium in record.media}
    if len(kinds) > 1:
        yield Fault("images and video in one record", "messages", limit="one kind")


@rule(
    "R505",
    bad=_talk(_medium("image", "bmp", "folder/1.bmp")),
    good=_GOOD,
    fix="Convert the file, and write its format.",
    model=_NOVA,
)
def unknown_media_format(record: Record, subject: Subject) -> Iterator[Fault]:
    """A conversation names a format of an image or a video that the model does not read."""
    contract = subject.contract
    images = contract.image.formats if contract.image is not None else ()
    videos = contract.media.video_formats if contract.media is not None else ()
    known = {"image": images, "video": videos}
    for medium in record.media:
        allowed = known[medium.kind]
        if allowed and medium.format not in allowed:
            yield Fault(
                f'unknown {medium.kind} format "{medium.format}"',
                f"{medium.path}.format",
                medium.format,
                ", ".join(allowed),
            )


@rule(
    "R506",
    bad=_talk(_medium("image", "png", "folder/my dog.png")),
    good=_GOOD,
    fix="Rename the file.",
    model=_NOVA,
)
def media_key_characters(record: Record, subject: Subject) -> Iterator[Fault]:
    """The key of an image or a video holds a character that the model's page does not allow."""
    limits = subject.contract.media
    if limits is None or not limits.key_characters:
        return
    allowed = re.compile(f"[{limits.key_characters}]*")
    for medium in record.media:
        key = medium.uri.removeprefix("s3://")
        match = allowed.match(key)
        if match is not None and match.end() < len(key):
            bad = key[match.end()]
            yield Fault(f"{bad!r} in the key", medium.path, medium.uri, limits.key_characters)
