"""Saves the state while the server runs, so that a kill costs seconds and not everything."""

import json
import logging
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import IO, Any, Final

from local.emulator.patching import expect_source

# Saving takes at most this part of the time; a small state is saved every second.
_SHARE: Final = 1 / 100
_SHORTEST, LONGEST = 1.0, 30.0


def install() -> None:
    """From now on; MiniStack by itself saves when it ends."""
    from ministack import app
    from ministack.core import persistence

    expect_source(app._handle_lifespan, "save_all(_build_persistence_save_dict())")
    expect_source(persistence.save_all, "save_state(name, state)")
    expect_source(persistence.save_state, "json.dump(")
    upstream, lock = app.save_all, threading.Lock()
    hashes: dict[str, int] = {}
    persistence.save_state = _save_if_changed(persistence, hashes)

    def save_all(services: dict[str, Callable[[], Any]]) -> None:
        # Both write the same drafts of files; the last time, everything is written.
        with lock:
            hashes.clear()
            upstream(services)

    def save_changes() -> None:
        with lock:
            upstream(app._build_persistence_save_dict())

    app.save_all = save_all
    vars(persistence)["json"] = SimpleNamespace(**{**vars(json), "dump": _dump})
    # A line for each service and second would bury what the log is read for.
    logging.getLogger("persistence").setLevel(logging.WARNING)
    threading.Thread(target=_go_on, args=(save_changes,), daemon=True, name="save").start()


def _dump(value: Any, file: IO[str], **options: Any) -> None:
    """json.dump, which by itself writes piece by piece and takes several times as long."""
    file.write(json.dumps(value, **options))


def _save_if_changed(persistence: Any, hashes: dict[str, int]) -> Callable[[str, Any], None]:
    """save_state, which leaves a file alone if what it holds is what would be written.

    The state of Lambda holds the code of each layer: 80 MB, which rarely change.
    """
    upstream = persistence.save_state

    def short(value: Any) -> Any:
        return hash(value) if isinstance(value, bytes) else persistence._json_default(value)

    def save_state(service: str, data: Any) -> None:
        try:
            digest = hash(json.dumps(data, default=short))
        except (TypeError, ValueError, RuntimeError):
            # Upstream says which service it cannot write.
            hashes.pop(service, None)
            upstream(service, data)
            return
        if hashes.get(service) != digest:
            upstream(service, data)
            hashes[service] = digest

    return save_state


def _go_on(save_changes: Callable[[], None]) -> None:
    pause = _SHORTEST
    while True:
        time.sleep(pause)
        began = time.monotonic()
        # A service that changes meanwhile is logged, and saved the next time.
        save_changes()
        pause = min(max((time.monotonic() - began) / _SHARE, _SHORTEST), LONGEST)
