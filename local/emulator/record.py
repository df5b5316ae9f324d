"""What a running local AWS was started with, as other processes find it."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, Self

import msgspec

from local.emulator.door import Secrets
from local.emulator.layout import Layout

PORT_MAX: Final = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerRecord:
    """What a server is started with; written next to its lock, for its owner alone.

    `clock` is how many simulated seconds pass in Bedrock per real second. `secrets` are new at
    each start. `pid` is 0 until the process runs.
    """

    pid: int
    port: int
    clock: float
    allow_closed_models: bool
    stop_after_hours: float | None = None
    secrets: Secrets = field(repr=False)

    @classmethod
    def read(cls, layout: Layout) -> Self | None:
        """The last server's record, or None when there is none that could be one."""
        try:
            record = cls.draft(layout.record)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return None
        # Signals to the process 0 or -1 would reach more than one.
        return record if record.pid > 1 and 0 < record.port <= PORT_MAX else None

    @classmethod
    def draft(cls, path: Path) -> Self:
        """What a server that starts now is to be; raises OSError and msgspec's errors."""
        return msgspec.json.decode(path.read_bytes(), type=cls)

    def write(self, layout: Layout) -> None:
        """Whole or not at all, however this process ends."""
        draft = layout.record.with_suffix(".new")
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(asdict(self), indent=2) + "\n")
        draft.replace(layout.record)
