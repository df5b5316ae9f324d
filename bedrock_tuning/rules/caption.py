"""R2: rules about a record of an image and its caption."""

import re
from collections.abc import Iterator

from bedrock_tuning.dataset.record import Record
from bedrock_tuning.dataset.references import Problem
from bedrock_tuning.dataset.scope import DatasetScope
from bedrock_tuning.dataset.suggestions import s3_hint
from bedrock_tuning.dataset.text_budget import characters_in
from bedrock_tuning.rules.rule import Fault, Severity, rule

_GOOD = '{"image-ref": "s3://bucket/folder/1.png", "caption": "a dog"}'
_TITAN_IMAGE = "titan-image-generator-v1"
_CONTROL = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f]")


def _pair(caption: str) -> str:
    return f'{{"image-ref": "s3://bucket/folder/1.png", "caption": "{caption}"}}'


@rule("R201", bad=_pair("dog " * 700), good=_GOOD, fix="Shorten the caption.")
def caption_too_long(record: Record, subject: DatasetScope) -> Iterator[Fault]:
    """A caption has more characters than the model accepts."""
    caption, limits = record.text("caption"), subject.contract.caption
    if caption is not None and limits is not None and len(caption) > limits.chars_max:
        yield Fault(
            f"the caption has {len(caption):,} characters",
            "caption",
            f"{len(caption):,} characters",
            f"{limits.chars_min:,} to {limits.chars_max:,} characters",
        )


@rule("R202", bad=_pair("ab"), good=_GOOD, fix="Describe the image in words.", model=_TITAN_IMAGE)
def caption_too_short(record: Record, subject: DatasetScope) -> Iterator[Fault]:
    """A caption has fewer characters than the model accepts."""
    caption, limits = record.text("caption"), subject.contract.caption
    if caption is not None and limits is not None and len(caption) < limits.chars_min:
        yield Fault(
            f"the caption has {len(caption):,} characters",
            "caption",
            f"{len(caption):,} characters",
            f"{limits.chars_min:,} to {limits.chars_max:,} characters",
        )


@rule(
    "R203",
    bad=_pair("dog " * 160),
    good=_GOOD,
    severity=Severity.WARNING,
    fix="Shorten the caption: the model may not see its end.",
)
def caption_over_token_limit(record: Record, subject: DatasetScope) -> Iterator[Fault]:
    """A caption probably has more tokens than the model reads.

    Tokens are estimated from characters with the ratio that the model's page publishes, so this is
    a warning: the real number is known only to the model.
    """
    caption, limits = record.text("caption"), subject.contract.caption
    if caption is None or limits is None or not limits.tokens_max or not limits.chars_per_token:
        return
    longest = characters_in(limits.tokens_max, limits.chars_per_token)
    if longest < len(caption) <= limits.chars_max:
        tokens = len(caption) / limits.chars_per_token
        yield Fault(
            f"the caption has about {tokens:,.0f} tokens",
            "caption",
            f"{len(caption):,} characters",
            f"{limits.tokens_max} tokens, about {longest:,} characters",
        )


@rule(
    "R204",
    bad=_pair("   "),
    good=_GOOD,
    severity=Severity.WARNING,
    fix="Describe the image, or write an empty caption on purpose.",
)
def blank_caption(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A caption consists of white space only.

    Where empty captions are allowed this counts as one, yet it is rarely meant.
    """
    caption = record.text("caption")
    if caption and caption.isspace():
        yield Fault("the caption is white space only", "caption", caption)


@rule(
    "R205",
    bad=_pair("a \\u0000 dog"),
    good=_GOOD,
    severity=Severity.WARNING,
    fix="Remove the character.",
)
def control_character_in_caption(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A caption holds a control character other than tab and newline.

    Legal in JSON when escaped, yet nearly always a leftover of a conversion, and the model learns
    it.
    """
    caption = record.text("caption")
    bad = _CONTROL.search(caption) if caption is not None else None
    if bad is not None:
        name = f"U+{ord(bad[0]):04X}"
        yield Fault(f"{name} in the caption", "caption", name)


def _refs(record: Record, problem: Problem) -> Iterator[tuple[str, str]]:
    """Field and text of every reference with this problem."""
    for ref in record.refs:
        if ref.place.problem == problem:
            yield ref.field, ref.uri


@rule(
    "R211",
    bad='{"image-ref": "/ron_01.jpg", "caption": "a dog"}',
    good=_GOOD,
    fix="Write the whole S3 URI: s3://bucket/folder/image.png.",
)
def image_ref_not_s3(record: Record, subject: DatasetScope) -> Iterator[Fault]:
    """An image reference is not an S3 URI.

    Amazon Bedrock reads images from S3 only; a relative path or a web address means nothing to it.
    """
    for field, ref in _refs(record, "not-s3"):
        hint = s3_hint(ref)
        words = f" – did you mean {hint}?" if hint else ""
        yield Fault(f"the reference is not an S3 URI{words}", field, ref, subject.prefix)


@rule(
    "R212",
    bad='{"image-ref": "s3://other-bucket/folder/1.png", "caption": "a dog"}',
    good=_GOOD,
    fix="Copy the image into the dataset's bucket and folder.",
)
def image_in_another_bucket(record: Record, subject: DatasetScope) -> Iterator[Fault]:
    """An image lies in a bucket that the service role cannot read."""
    for field, ref in _refs(record, "bucket"):
        yield Fault("the image lies in another bucket", field, ref, subject.prefix)


@rule(
    "R213",
    bad='{"image-ref": "s3://bucket/folder/../secret/1.png", "caption": "a dog"}',
    good=_GOOD,
    fix='Write the key without "." and ".." segments.',
)
def image_path_climbs(record: Record, subject: DatasetScope) -> Iterator[Fault]:
    """An image's key has a segment "." or "..".

    S3 takes such a segment literally, many tools resolve it: what is read depends on who reads.
    """
    for field, ref in _refs(record, "climbs"):
        yield Fault('the key has a "." or ".." segment', field, ref, subject.prefix)


@rule(
    "R214",
    bad='{"image-ref": "s3://bucket/elsewhere/1.png", "caption": "a dog"}',
    good=_GOOD,
    fix="Move the image into the customization's folder.",
)
def image_outside_folder(record: Record, subject: DatasetScope) -> Iterator[Fault]:
    """An image lies outside the folder that the service role may read.

    The documentation demands that images lie in the folders named in the role's policy; else the
    job fails after it was queued.
    """
    for field, ref in _refs(record, "folder"):
        yield Fault("the image lies outside the folder", field, ref, subject.prefix)


@rule(
    "R215",
    bad='{"image-ref": "s3://bucket/folder/", "caption": "a dog"}',
    good=_GOOD,
    fix="Name one image, not its folder.",
)
def image_ref_without_name(record: Record, subject: DatasetScope) -> Iterator[Fault]:
    """An image reference names a folder."""
    for field, ref in _refs(record, "no-name"):
        yield Fault("the reference names no object", field, ref, subject.prefix)
