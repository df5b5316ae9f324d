"""Which check has read which property. What no check reads is refused (A107).

AWS adds properties, and most of what a bucket, a function or a table can do is switched on by one:
a copy of all data to another account, code from elsewhere, an alarm without an action. A list of
known names would be silenced by adding a name. Here a property counts as checked only when the code
of a check asks for it by its name while that check runs: `properties["State"]`, `.get("State")`.
Going through names or items, comparing, printing and `in` ask for nothing. Objects are judged by
what is inside them, unless a check takes one as a whole.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Reads:
    """The readers of each property of an assembly.

    readers: ids of checks by resource type and path; a dot leads into an object, or into each
    object of a list. whole: paths below which everything is read. ran: the checks that ran.
    """

    readers: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    whole: set[tuple[str, str]] = field(default_factory=set)
    ran: set[str] = field(default_factory=set)
    _reader: str = ""

    @contextmanager
    def by(self, reader: str) -> Iterator[None]:
        """Counts what is read meanwhile; outside of it, pages and others read unnoticed."""
        outer_reader, self._reader = self._reader, reader
        try:
            yield
            self.ran.add(reader)
        finally:
            self._reader = outer_reader

    def note(self, kind: str, path: str, *, whole: bool = False) -> None:
        """Somebody asks for a property."""
        if self._reader:
            self.readers.setdefault((kind, path), set()).add(self._reader)
            if whole:
                self.whole.add((kind, path))

    def unread(self, kind: str, properties: Mapping[str, Any]) -> list[str]:
        """The paths that no check has read in any resource of this type."""
        return list(dict.fromkeys(self._unread_paths(kind, properties, "")))

    def _unread_paths(self, kind: str, value: Any, path: str) -> Iterator[str]:
        if (kind, path) in self.whole:
            return
        if isinstance(value, Mapping) and value:
            for name, inner in value.items():
                yield from self._unread_paths(kind, inner, f"{path}.{name}" if path else str(name))
        elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
            for item in value:
                yield from self._unread_paths(kind, item, path)
        elif path and (kind, path) not in self.readers:
            yield path


class TrackedProperties(dict[str, Any]):
    """An object of a resource's properties that notes which of its values are asked for."""

    __slots__ = ("_kind", "_path", "_reads")

    def __init__(self, values: Mapping[str, Any], kind: str, reads: Reads, path: str = "") -> None:
        super().__init__(values)
        self._kind, self._path, self._reads = kind, path, reads

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        path = f"{self._path}.{name}" if self._path else name
        self._reads.note(self._kind, path)
        if isinstance(value, dict):
            return TrackedProperties(value, self._kind, self._reads, path)
        if isinstance(value, list):
            return [
                TrackedProperties(item, self._kind, self._reads, path)
                if isinstance(item, dict)
                else item
                for item in value
            ]
        return value

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default

    def objects(self) -> Iterator[tuple[str, "TrackedProperties"]]:
        """The objects in it and in its lists, by name: going through them asks for no value."""
        for name, value in self.items():
            path = f"{self._path}.{name}" if self._path else name
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, dict):
                    yield name, TrackedProperties(item, self._kind, self._reads, path)

    def as_whole(self) -> dict[str, Any]:
        """The same object, for a check that judges everything in it, whatever its name."""
        self._reads.note(self._kind, self._path, whole=True)
        return dict(self)


def as_whole(value: Any) -> Any:
    """A value of properties, all of which the caller judges: a policy, say."""
    if isinstance(value, list):
        return [as_whole(item) for item in value]
    return value.as_whole() if isinstance(value, TrackedProperties) else value
