"""Ordered faults: each waits for the call or change it applies to, and is used once."""

import threading
from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from local.bedrock import shapes
from local.bedrock.errors import BedrockError

_SERVICES: Final = ("bedrock", "bedrock-runtime")
FaultKind = Literal[
    "error",
    "fail-job",
    "stop-job",
    "throughput-stuck",
    "throughput-fails",
    "event-twice",
    "event-late",
]


class FaultOrder(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """One order.

    error: the next `times` calls of `operation` answer with `code` and `message`.
    fail-job: the next `times` jobs that start fail with `message`.
    stop-job: the next `times` jobs stop half-way, as if someone had stopped them.
    throughput-stuck: the next `times` throughputs never settle.
    throughput-fails: the next `times` creations or updates of one end as Failed with `message`.
    event-twice: EventBridge delivers the next `times` events of S3 twice.
    event-late: it delivers them `seconds` later, in real seconds.
    """

    kind: FaultKind
    operation: str = ""
    code: str = "ThrottlingException"
    message: str = ""
    times: int = msgspec.field(default=1)
    seconds: float = 0

    def __post_init__(self) -> None:
        if self.times < 1:
            raise ValueError("times must be at least 1")
        if self.kind != "error":
            return
        services = [name for name in _SERVICES if self.operation in shapes.operations(name)]
        if not services:
            raise ValueError(f"operation {self.operation!r} is none of Bedrock's")
        codes = sorted(shapes.errors(services[0]))
        if self.code not in codes:
            raise ValueError(f"code {self.code!r} is none of {', '.join(codes)}")


class FaultQueue:
    """The pending orders, oldest first."""

    def __init__(self) -> None:
        self._pending: list[FaultOrder] = []
        self._lock = threading.Lock()

    def order(self, fault: Mapping[str, Any]) -> None:
        """Raises ValueError, saying why, for an order that is invalid."""
        order = msgspec.convert(fault, FaultOrder)
        with self._lock:
            self._pending.append(order)

    def clear(self) -> None:
        with self._lock:
            self._pending.clear()

    def pending(self) -> list[dict[str, Any]]:
        with self._lock:
            return [msgspec.to_builtins(fault) for fault in self._pending]

    def take(self, kind: FaultKind, *, operation: str = "") -> FaultOrder | None:
        """The oldest order of this kind, used up once; None when there is none."""
        with self._lock:
            for index, fault in enumerate(self._pending):
                if fault.kind == kind and fault.operation == operation:
                    if fault.times > 1:
                        self._pending[index] = msgspec.structs.replace(fault, times=fault.times - 1)
                    else:
                        del self._pending[index]
                    return fault
        return None

    def strike(self, operation: str) -> None:
        """Raise the error that was ordered for this operation, if one was."""
        fault = self.take("error", operation=operation)
        if fault is not None:
            default = "Too many requests, please wait before trying again."
            raise BedrockError(fault.code, f"[Bedrock simulator] {fault.message or default}")
