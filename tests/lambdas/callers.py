"""Which code of lambdas/ makes a call of AWS."""

import sys
import threading
from pathlib import Path
from types import CodeType, FrameType

from lambdas import serve

LAMBDAS = Path(serve.__file__).parent
_OURS = f"{LAMBDAS}/"


def callers() -> tuple[str, ...]:
    """The functions that led to the call that is made now; () if none did.

    Uploads and copies call from other threads: it is the main thread that waits for them. Until it
    waits, its frames end while they are read, and then they are read again.
    """
    while True:
        found: list[str] = []
        frame = sys._current_frames().get(threading.main_thread().ident or 0)
        while frame is not None:
            code = frame.f_code
            if code.co_filename.startswith(_OURS) and not code.co_name.startswith("<"):
                found.append(f"{Path(code.co_filename).stem}.{code.co_name}")
            frame = frame.f_back
        if code is _FIRST:
            return tuple(reversed(found))


def _first_code() -> CodeType:
    """What the main thread, which imports this, began with."""
    frame: FrameType = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
    return frame.f_code


_FIRST = _first_code()
