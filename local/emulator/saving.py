"""Saves the state while the server runs, so that a kill costs seconds and not everything."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from local.emulator.patching import expect_source

# Saving takes at most this part of the time; a small state is saved every second.
SHARE: Final = 1 / 50
SHORTEST, LONGEST = 1.0, 30.0


def install() -> None:
    """From now on; MiniStack by itself saves when it ends."""
    from ministack import app

    expect_source(app._handle_lifespan, "save_all(_build_persistence_save_dict())")
    upstream, lock = app.save_all, threading.Lock()

    def save_all(services: dict[str, Callable[[], Any]]) -> None:
        # Both write the same drafts of files.
        with lock:
            upstream(services)

    app.save_all = save_all
    # A line for each service and second would bury what the log is read for.
    logging.getLogger("persistence").setLevel(logging.WARNING)
    threading.Thread(target=_go_on, args=(app,), daemon=True, name="save").start()


def _go_on(app: Any) -> None:
    pause = SHORTEST
    while True:
        time.sleep(pause)
        began = time.monotonic()
        # A service that changes meanwhile is logged, and saved the next time.
        app.save_all(app._build_persistence_save_dict())
        pause = min(max((time.monotonic() - began) / SHARE, SHORTEST), LONGEST)
