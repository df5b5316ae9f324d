"""Everything that an operation of AWS lists, page after page."""

from collections.abc import Iterator
from typing import Any


def listed(client: Any, operation: str, rows: str, **asked: Any) -> Iterator[Any]:
    """What an operation has under a name, of all its pages; a page may have none.

    operation: as boto3 calls it. asked: its parameters, and PaginationConfig.
    """
    for page in client.get_paginator(operation).paginate(**asked):
        yield from page.get(rows, ())


def objects(s3: Any, bucket: str, prefix: str) -> Iterator[Any]:
    """The objects of a bucket whose keys begin so."""
    return listed(s3, "list_objects_v2", "Contents", Bucket=bucket, Prefix=prefix)
