"""Every single change of a template: each value dropped, switched, multiplied or misspelled."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.review.broken import Raw, Synthesized

# What may change without anybody being worse off, and why; everything else must be noticed.
HARMLESS_NAMES = {
    "Sid": "names a statement",
    "Description": "for people",
    "PolicyName": "names an inline policy",
    "Label": "names the map's executions",
    "Comment": "for people",
    "Cause": "for people",
    "Error": "for people",
    "Subject": "for people",
    "DependsOn": "an order that references give as well",
    "Tags": "for the bill",
}
# Numbers with room: more memory, disk or patience within AWS's limits.
HARMLESS_NUMBERS = {
    "MemorySize",
    "Size",
    "IntervalSeconds",
    "MaxDelaySeconds",
    "MaxAttempts",
    "MaxConcurrency",
    "NumericGreaterThan",
    "Timeout",
    "TimeoutSeconds",
    "ServiceTimeout",
}
_STATEFUL = ("AWS::S3::Bucket", "AWS::KMS::Key", "AWS::DynamoDB::Table")
_DEFINITION = ("Properties", "Definition")
_POLICIES = {"DeletionPolicy", "UpdateReplacePolicy"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change: where, what it was, what it is (None: gone)."""

    stack: str
    logical_id: str
    path: tuple[str | int, ...]
    value: Any
    dropped: bool

    def __str__(self) -> str:
        what = "gone" if self.dropped else repr(self.value)
        return f"{self.stack}/{self.logical_id}: {'.'.join(map(str, self.path))} {what}"[:240]

    @property
    def property(self) -> tuple[str, ...]:
        """Which property is changed, of whichever resource, list item or state."""
        names = tuple(step for step in self.path if isinstance(step, str))
        return (*names[:2], *names[-1:]) if names[:2] == _DEFINITION else names

    def apply(self, source: Synthesized) -> dict[str, Raw]:
        """A copy of the templates with the change."""
        copy = source.copy()
        resource = copy.template(self.stack)["Resources"][self.logical_id]
        _set(resource, self.path, self.value, dropped=self.dropped)
        return copy.templates

    def is_harmless(self, kind: str) -> bool:
        """Whether nobody needs to notice."""
        names = [step for step in self.path if isinstance(step, str)]
        last = names[-1] if names else ""
        if set(names) & set(HARMLESS_NAMES):
            return True
        if self.dropped and last in _POLICIES and kind not in _STATEFUL:
            return True
        if "ErrorEquals" in names and self.dropped:
            # One name fewer of many: the ones that matter are asked for by name.
            return isinstance(self.path[-1], int)
        return not self.dropped and last in HARMLESS_NUMBERS


def _set(value: Any, path: tuple[str | int, ...], new: Any, *, dropped: bool) -> None:
    for step in path[:-1]:
        value = value[step]
    if dropped:
        del value[path[-1]]
    else:
        value[path[-1]] = new


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[Any, Any]]:
    """Every place in a value, with what is there."""
    if path:
        yield path, value
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves(inner, (*path, number))


def _others(value: Any) -> Iterator[Any]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield value * 10
        if value:
            yield 0
    elif isinstance(value, str):
        yield f"x{value}"


def changes(source: Synthesized) -> Iterator[Change]:
    """All of them, resource by resource."""
    for stack, logical_id, resource in source.copy().all():
        for path, value in leaves(resource):
            if path[0] == "Metadata":
                continue
            yield from _changes(stack, logical_id, path, value)


def _changes(
    stack: str,
    logical_id: str,
    path: tuple[str | int, ...],
    value: Any,
) -> Iterator[Change]:
    for new, dropped in [(None, True), *((other, False) for other in _others(value))]:
        yield Change(
            stack=stack,
            logical_id=logical_id,
            path=path,
            value=new,
            dropped=dropped,
        )
