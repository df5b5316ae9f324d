"""What a service checks in a request and botocore does not: lengths, enumerations, patterns."""

import re
from collections.abc import Iterator
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

# The published pattern of job names needs exponential time for names that it refuses.
_JOB_NAME = r"[a-zA-Z0-9](-*[a-zA-Z0-9\+\-\.])*"
_SAFE = r"[a-zA-Z0-9][a-zA-Z0-9+.\-]*"


def refusals(value: Any, shape: Shape, path: str = "") -> Iterator[str]:
    """Everything about a request that its published model forbids, beyond types."""
    limits = shape.metadata
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            if name in value:
                yield from refusals(value[name], member, f"{path}.{name}")
    elif isinstance(shape, ListShape):
        for item in value:
            yield from refusals(item, shape.member, path)
    elif isinstance(shape, MapShape):
        for key, item in value.items():
            yield from refusals(key, shape.key, path)
            yield from refusals(item, shape.value, path)
    elif isinstance(value, str):
        if limits.get("enum") and value not in limits["enum"]:
            yield f"{path}: {value} is none of {limits['enum']}"
        pattern = limits.get("pattern", "").replace(_JOB_NAME, _SAFE)
        if pattern and not re.fullmatch(pattern, value, re.ASCII):
            yield f"{path}: {value!r} does not match {pattern}"
    size = len(value) if hasattr(value, "__len__") else None
    if size is not None and not limits.get("min", 0) <= size <= limits.get("max", size):
        yield f"{path}: {size} is not {limits.get('min', 0)} to {limits.get('max')}"
    if type(value) is int and not limits.get("min", value) <= value <= limits.get("max", value):
        yield f"{path}: {value} is not {limits.get('min')} to {limits.get('max')}"
