"""R5: rules about images and videos that a conversation refers to."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Final

from bedrock_tuning.catalogue import DatasetContract
from bedrock_tuning.dataset.images.source import extension_of
from bedrock_tuning.dataset.record import Medium, Record
from bedrock_tuning.dataset.scope import DatasetScope
from bedrock_tuning.rules._example import IMAGE, LLAMA_VISION, NOVA, VIDEO, asked, attached
from bedrock_tuning.rules.rule import Fault, Severity
from bedrock_tuning.rules.rule import rule as define
from bedrock_tuning.wording import counted

# The formats of Converse by file name extension.
_FORMATS: Final = {
    "png": "png",
    "jpg": "jpeg",
    "jpeg": "jpeg",
    "jpe": "jpeg",
    "gif": "gif",
    "webp": "webp",
    "mp4": "mp4",
    "m4v": "mp4",
    "mov": "mov",
    "mkv": "mkv",
    "webm": "webm",
}


_ACCOUNT: Final = re.compile("[0-9]{12}")
_GOOD = asked(IMAGE)


def _media_of(record: Record, kind: str) -> list[Medium]:
    return [medium for medium in record.media if medium.kind == kind]


rule = partial(define, good=_GOOD, formats=("converse",), model=NOVA)


@rule(
    "R501",
    bad=_GOOD,
    good=asked(),
    fix="Remove the image or video, or choose a model that accepts it.",
    model="nova-micro",
)
def media_not_supported(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """A conversation refers to an image or a video that the model cannot read."""
    limits = scope.contract.conversation
    if limits is None:
        return
    for medium in record.media:
        if medium.kind != "document" and medium.kind not in limits.user_blocks:
            words = f"the model does not accept {medium.kind}s"
            yield Fault(words, medium.path, medium.uri, f"no {medium.kind}s")


@rule("R502", bad=asked(*[IMAGE] * 11), fix="Use fewer images.")
def too_many_images_in_record(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """A conversation refers to more images than the model accepts."""
    limits = scope.contract.media
    if limits is not None:
        yield from _too_many(record, "image", limits.images_per_record_max)


@rule("R503", bad=asked(VIDEO, VIDEO), good=asked(VIDEO), fix="Use one.")
def too_many_videos_in_record(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """A conversation refers to more videos or documents than the model accepts."""
    limits = scope.contract.media
    if limits is not None:
        yield from _too_many(record, "video", limits.videos_per_record_max)
        yield from _too_many(record, "document", limits.documents_per_record_max)


def _too_many(record: Record, kind: str, most: int | None) -> Iterator[Fault]:
    count = len(_media_of(record, kind))
    if most is not None and count > most:
        words = counted(count, kind)
        yield Fault(f"the record has {words}", "messages", words, f"at most {most}")


@rule("R504", bad=asked(IMAGE, VIDEO), fix="Split it into two records.")
def images_and_video_mixed(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """A conversation refers to a video beside images or documents, which the model does not accept.

    The rule images-and-videos-in-dataset checks the whole dataset.
    """
    limits = scope.contract.media
    if limits is None or limits.mixed_kinds:
        return
    counts: Counter[str] = Counter(medium.kind for medium in record.media)
    others = [kind for kind in ("image", "document") if counts[kind]]
    if counts["video"] and others:
        kinds = ", ".join(counted(counts[kind], kind) for kind in (*others, "video"))
        words = f"a video stands beside {' and '.join(f'{kind}s' for kind in others)}"
        yield Fault(words, "messages", kinds, "images and documents, or one video")


@rule(
    "R505",
    bad=asked(attached("image", "bmp", "folder/1.bmp")),
    fix="Write the format of the file; convert the file if the model does not accept it.",
)
def unknown_media_format(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """A conversation states an image or video format that the model does not accept."""
    contract = scope.contract
    images = contract.image.formats if contract.image is not None else ()
    videos = contract.media.video_formats if contract.media is not None else ()
    formats = {"image": images, "video": videos, "document": ("pdf",)}
    for medium in record.media:
        accepted = formats[medium.kind]
        if accepted and medium.format.lower() not in accepted:
            slip = _FORMATS.get(medium.format.lower())
            hint = f' – did you mean "{slip}"?' if slip in accepted else ""
            yield Fault(
                f'unknown {medium.kind} format "{medium.format}"{hint}',
                f"{medium.path}.format",
                medium.format,
                ", ".join(accepted),
            )


@rule("R506", bad=asked(attached("image", "png", "folder/my dog.png")), fix="Rename the file.")
def media_key_characters(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """The key of an image or a video contains a character that the model does not allow."""
    limits = scope.contract.media
    if limits is None or not limits.key_characters:
        return
    pattern = re.compile(f"[{limits.key_characters}]*")
    for medium in record.media:
        # Another rule reports references that are not S3 URIs.
        key = medium.uri.removeprefix("s3://") if medium.uri.startswith("s3://") else ""
        match = pattern.match(key)
        if match is not None and match.end() < len(key):
            bad = key[match.end()]
            yield Fault(f"{bad!r} in the key", medium.path, medium.uri, limits.key_characters)


@rule(
    "R507",
    bad=asked(attached("image", "png", "folder/1.jpg")),
    severity=Severity.WARNING,
    fix="Write the format of the file, or rename the file.",
)
def media_format_not_as_named(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """The stated format of an image or a video differs from its file name extension.

    One of the two is wrong. The rule wrong-image-extension compares the name with the file's
    content.
    """
    for medium in record.media:
        by_name, label = _FORMATS.get(extension_of(medium.uri)), medium.format.lower()
        if by_name is not None and label in _FORMATS.values() and by_name != label:
            yield Fault(
                f'the stated format is "{medium.format}", the file name says {by_name}',
                f"{medium.path}.format",
                medium.format,
                by_name,
            )


def _tokens(record: Record, contract: DatasetContract, tiles: int) -> tuple[int, int] | None:
    """Tokens of a record whose images have this many tiles each, and the model's limit."""
    image, text = contract.image, contract.text
    images = len(_media_of(record, "image"))
    if image is None or image.tile_tokens is None or text is None or not images:
        return None
    most = text.record_tokens_max_for(batch_size=None)
    spoken = sum(length for _, length, _ in record.measured) / (text.chars_per_token or 1)
    if most is None or spoken > most:
        return None
    return images * tiles * image.tile_tokens + int(spoken), most


def _images(record: Record) -> str:
    return counted(len(_media_of(record, "image")), "image")


@rule(
    "R508",
    bad=asked(*[IMAGE] * 10),
    good=asked(*[IMAGE] * 2),
    fix="Use fewer images, or less text.",
    model=LLAMA_VISION,
)
def images_over_token_limit(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """The images of a conversation exceed the model's token limit, even if they are small.

    The model cuts an image into tiles with a fixed number of tokens each, and the smallest image is
    one tile. The text counts too; its tokens are estimated from characters.
    """
    tokens = _tokens(record, scope.contract, 1)
    if tokens is not None and tokens[0] > tokens[1]:
        yield Fault(
            f"the text and {_images(record)} have at least {tokens[0]:,} tokens",
            "messages",
            f"at least {tokens[0]:,} tokens",
            f"{tokens[1]:,} tokens",
        )


@rule(
    "R509",
    bad=asked(*[IMAGE] * 3),
    good=asked(*[IMAGE] * 2),
    severity=Severity.INFO,
    fix="Keep the sides of the images below two tiles, or use fewer images.",
    model=LLAMA_VISION,
)
def images_may_exceed_token_limit(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """The images of a conversation exceed the model's token limit if they are large.

    An image has the most tokens when both sides are at least two tiles long. The actual sizes of
    this conversation's images were not checked.
    """
    limits = scope.contract.image
    if limits is None or limits.tiles_per_side_max is None or limits.tile_pixels is None:
        return
    lowest = _tokens(record, scope.contract, 1)
    tokens = _tokens(record, scope.contract, limits.tiles_per_side_max**2)
    if lowest is None or tokens is None or lowest[0] > lowest[1] or tokens[0] <= tokens[1]:
        return
    side = limits.tiles_per_side_max * limits.tile_pixels
    yield Fault(
        f"with {_images(record)} of {side:,} × {side:,} px or more there are {tokens[0]:,} tokens",
        "messages",
        f"up to {tokens[0]:,} tokens",
        f"{tokens[1]:,} tokens",
    )


@rule(
    "R510",
    bad=asked(attached("image", "png", "folder/1.png", owner="your-aws-account-id")),
    good=asked(attached("image", "png", "folder/1.png", owner="111122223333")),
    source=("BC",),
    fix="Write the 12 digits of the bucket owner's account, or remove the field.",
)
def bucket_owner_not_an_account(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """The stated owner of a bucket is not the 12 digits of an AWS account.

    Usually the placeholder of a documentation page was copied.
    """
    for medium in record.media:
        if medium.owner is not None and not _ACCOUNT.fullmatch(medium.owner):
            field = f"{medium.path}.source.s3Location.bucketOwner"
            yield Fault(f'"{medium.owner}" is not an account', field, medium.owner, "12 digits")


@rule(
    "R511",
    bad=asked(attached("image", "webp", "folder/1.webp")),
    severity=Severity.WARNING,
    fix="To be safe, convert the file.",
    model="nova-2-lite",
)
def media_format_disputed(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """An image or a video has a format that one source allows and another does not."""
    paths = {"image": "image.formats", "video": "media.video_formats", "document": ""}
    for medium in record.media:
        dispute = scope.contract.dispute(paths[medium.kind], medium.format.lower())
        if dispute is not None:
            yield Fault(
                f"{medium.format} is accepted by {dispute.ours}, not by {dispute.others}",
                f"{medium.path}.format",
                medium.format,
                "sources differ",
            )
