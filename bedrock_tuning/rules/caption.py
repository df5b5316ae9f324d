"""R2: rules about a record of an image and its caption."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Final

from bedrock_tuning.catalogue import CaptionLimits, Format
from bedrock_tuning.dataset.record import Record
from bedrock_tuning.dataset.scope import DatasetScope, ReferenceProblem, characters_in
from bedrock_tuning.dataset.suggestions import s3_hint
from bedrock_tuning.dataset.tokens import too_many_tokens
from bedrock_tuning.rules._example import GOOD_ROW
from bedrock_tuning.rules.rule import Fault, Severity
from bedrock_tuning.rules.rule import rule as define

_TITAN_IMAGE = "titan-image-generator-v1"
_CAPTIONS: Final[tuple[Format, ...]] = ("image-caption",)
_REFERENCES: Final[tuple[Format, ...]] = ("image-caption", "converse")
CONTROL: Final = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f]")


def _pair(caption: str) -> str:
    return f'{{"image-ref": "s3://bucket/folder/1.png", "caption": "{caption}"}}'


rule = partial(define, good=GOOD_ROW, formats=_CAPTIONS)


@rule("R201", bad=_pair("dog " * 700), fix="Shorten the caption.")
def caption_too_long(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """A caption has more characters than the model accepts."""
    caption, limits = record.text("caption"), scope.contract.caption
    if caption is not None and limits is not None and len(caption) > limits.chars_max:
        yield _length(caption, limits)


def _length(caption: str, limits: CaptionLimits) -> Fault:
    length = f"{len(caption):,} characters"
    limit = f"{limits.chars_min:,} to {limits.chars_max:,} characters"
    return Fault(f"the caption has {length}", "caption", length, limit)


@rule("R202", bad=_pair("ab"), fix="Describe the image in words.", model=_TITAN_IMAGE)
def caption_too_short(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """A caption has fewer characters than the model accepts."""
    caption, limits = record.text("caption"), scope.contract.caption
    if caption is not None and limits is not None and len(caption) < limits.chars_min:
        yield _length(caption, limits)


@rule(
    "R203",
    bad=_pair("dog " * 160),
    severity=Severity.WARNING,
    fix="Shorten the caption: the model may not read its end.",
)
def caption_over_token_limit(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """A caption probably has more tokens than the model reads.

    Tokens are estimated from characters with the ratio on the model's page, which is for English; a
    character of another script counts as a token. Only the model knows the actual number, so this
    is a warning.
    """
    caption, limits = record.text("caption"), scope.contract.caption
    if caption is None or limits is None or len(caption) > limits.chars_max:
        return
    tokens = too_many_tokens(caption, limits)
    if tokens:
        ratio = limits.chars_per_token or 1
        at_inference = scope.model.inference.text_tokens_max
        also = ""
        if at_inference is not None and tokens > at_inference:
            also = f"; a text of an invocation has at most {at_inference}"
        yield Fault(
            f"the caption has about {tokens:,.0f} tokens",
            "caption",
            f"{len(caption):,} characters",
            f"{limits.tokens_max} tokens, about {characters_in(limits.tokens_max or 0, ratio):,} "
            f"characters of English{also}",
        )


@rule(
    "R204",
    bad=_pair("   "),
    severity=Severity.WARNING,
    fix="Describe the image, or make the caption empty if that is intended.",
)
def blank_caption(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A caption consists of white space.

    Models that accept empty captions accept this too, but it is rarely intended.
    """
    caption = record.text("caption")
    if caption and caption.isspace():
        yield Fault("the caption is white space", "caption", caption, "text, or an empty caption")


@rule("R205", bad=_pair("a \\u0000 dog"), severity=Severity.WARNING, fix="Remove the character.")
def control_character_in_caption(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A caption contains a control character other than tab, newline and carriage return.

    JSON allows it when escaped, but it is nearly always left over from a conversion, and the model
    learns it.
    """
    caption = record.text("caption")
    bad = CONTROL.search(caption) if caption is not None else None
    if bad is not None:
        name = f"U+{ord(bad[0]):04X}"
        yield Fault(f"{name} in the caption", "caption", name, "no control characters")


def _refs(
    record: Record, scope: DatasetScope, problem: ReferenceProblem, words: str
) -> Iterator[Fault]:
    """A fault for every reference with this problem."""
    for ref in record.refs:
        if ref.problem == problem:
            suffix = _not_s3(ref.uri) if problem == "not-s3" else ""
            limit = " or ".join(scope.prefixes) if scope.bucket else "s3://bucket/folder/…"
            yield Fault(words + suffix, ref.field, ref.uri, limit)


def _not_s3(text: str) -> str:
    """Why a reference is no S3 URI, or which one it was meant to be."""
    scheme, _, rest = text.partition("s3://")
    if not scheme and (bucket := rest.partition("/")[0]):
        return f': no bucket can be named "{bucket}"'
    hint = s3_hint(text)
    return f" – did you mean {hint}?" if hint else ""


@rule(
    "R211",
    bad='{"image-ref": "/ron_01.jpg", "caption": "a dog"}',
    formats=_REFERENCES,
    fix="Write the full S3 URI: s3://bucket/folder/image.png.",
)
def image_ref_not_s3(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """An image reference is not an S3 URI.

    Amazon Bedrock reads images from S3 only, not from relative paths or web addresses.
    """
    yield from _refs(record, scope, "not-s3", "the reference is not an S3 URI")


@rule(
    "R212",
    bad='{"image-ref": "s3://other-bucket/folder/1.png", "caption": "a dog"}',
    formats=_REFERENCES,
    fix="Copy the image into the dataset's bucket and folder.",
)
def image_in_another_bucket(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """An image is in a bucket that the service role cannot read."""
    yield from _refs(record, scope, "bucket", "the image is in another bucket")


@rule(
    "R213",
    bad='{"image-ref": "s3://bucket/folder/../secret/1.png", "caption": "a dog"}',
    formats=_REFERENCES,
    fix='Write the key without "." and ".." segments.',
)
def image_path_climbs(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """An image's key has a "." or ".." segment.

    S3 takes such a segment literally, while many tools resolve it, so different readers read
    different objects.
    """
    yield from _refs(record, scope, "climbs", 'the key has a "." or ".." segment')


@rule(
    "R214",
    bad='{"image-ref": "s3://bucket/elsewhere/1.png", "caption": "a dog"}',
    formats=_REFERENCES,
    source=("S0", "S1", "S3"),
    fix="Move the image into the customization's folder, or name its folder in [dataset] folders.",
)
def image_outside_folder(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """An image is outside the folder that the service role can read.

    Images must be in the folders that the role's policy names; otherwise the job fails after it was
    queued.
    """
    yield from _refs(record, scope, "folder", "the image is outside the folder")


@rule(
    "R215",
    bad='{"image-ref": "s3://bucket/folder/", "caption": "a dog"}',
    formats=_REFERENCES,
    fix="Name one image instead of its folder.",
)
def image_ref_without_name(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """An image reference names a folder, not an object."""
    yield from _refs(record, scope, "no-name", "the reference names no object")
