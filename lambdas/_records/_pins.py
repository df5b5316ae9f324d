"""What every image was when it was checked: its ETag, which is another one when its bytes are."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from bedrock_tuning import s3_layout
from bedrock_tuning.dataset.images.source import ByteRange, Fetched, FetchResult, ImageSource
from bedrock_tuning.s3_layout import Kind
from lambdas import _aws

Pins = dict[str, str]
FILE: Final = "pins.json"


class UncheckedError(Exception):
    """Images were not checked, so the dataset is neither valid nor invalid."""


class Pinning:
    """An image source that remembers the ETag of each image that it brings; pins: by key."""

    def __init__(self, source: ImageSource) -> None:
        self._source = source
        self.pins: Pins = {}

    def fetch(self, ranges: Sequence[ByteRange]) -> Sequence[FetchResult]:
        """As the source does it. Of an image that changes meanwhile, the first ETag stays."""
        answers = self._source.fetch(ranges)
        for byte_range, answer in zip(ranges, answers, strict=True):
            if isinstance(answer, Fetched):
                self.pins.setdefault(byte_range.key, answer.etag)
        return answers


def write(bucket: str, run: str, number: str, pins: Mapping[Kind, Pins]) -> None:
    """Keeps what one shard has pinned."""
    _aws.write(bucket, _of_shard(run, number), msgspec.json.encode(pins))


def merge(bucket: str, run: str, customization: str, *, shards: int) -> None:
    """Puts what all shards have pinned where it stays, however long a person takes to approve.

    Raises UncheckedError if a shard has pinned nothing.
    """
    merged: dict[Kind, Pins] = {}
    for number in range(shards):
        key = _of_shard(run, f"{number:05d}")
        for kind, pins in _get(bucket, key).items():
            merged.setdefault(kind, {}).update(pins)
    _aws.write(bucket, _of_run(customization, run), msgspec.json.encode(merged))


def read(bucket: str, run: str, customization: str) -> dict[Kind, Pins]:
    """What a run has pinned; raises UncheckedError if it is not there."""
    return _get(bucket, _of_run(customization, run))


def _get(bucket: str, key: str) -> dict[Kind, Pins]:
    body = _aws.find(bucket, key)
    if body is None:
        raise UncheckedError(f"what images were checked is missing: s3://{bucket}/{key}")
    return msgspec.json.decode(body, type=dict[Kind, Pins])


def _of_shard(run: str, number: str) -> str:
    return f"{s3_layout.work_prefix(run)}pins/{number}.json"


def _of_run(customization: str, run: str) -> str:
    return f"{s3_layout.report_prefix(customization, run)}{FILE}"
