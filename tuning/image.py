"""One image that was looked at, as the rules see it."""

from typing import Literal

from tuning.headers import Header

# "" looked at; else why not: no such object, not allowed, overwritten meanwhile, impossible key,
# broken pixels under a sound header (only where images are decoded in full).
Outcome = Literal["", "missing", "denied", "changed", "key", "undecodable"]


class Image:
    """An image: line refers to it, header is None unless bytes were read, size in bytes."""

    __slots__ = ("etag", "header", "key", "line", "outcome", "reason", "size")

    def __init__(
        self,
        *,
        line: int,
        key: str,
        outcome: Outcome = "",
        reason: str = "",
        header: Header | None = None,
        size: int = 0,
        etag: str = "",
    ) -> None:
        self.line = line
        self.key = key
        self.outcome = outcome
        self.reason = reason
        self.header = header
        self.size = size
        self.etag = etag

    @property
    def sized(self) -> Header | None:
        """The header when it can be believed and tells a size."""
        header = self.header
        if header is None or header.problem or not header.width or not header.height:
            return None
        return header
