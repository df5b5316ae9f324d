"""Processes that a test started and left: ended with it, so that they fail no other test."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

# Libraries that keep a process for the whole session.
_KEEPERS = ("jsii.",)


@contextlib.contextmanager
def ended() -> Iterator[list[str]]:
    """Ends every process that the block starts and leaves; yields a list that gets their commands.

    Otherwise Python would warn of one when it forgets it, in whatever test runs then. Whole process
    groups are ended where a process leads one.
    """
    started: list[subprocess.Popen[Any]] = []
    make = subprocess.Popen.__init__

    def recorded(self: subprocess.Popen[Any], *args: Any, **more: Any) -> None:
        make(self, *args, **more)
        if not sys._getframe(1).f_globals.get("__name__", "").startswith(_KEEPERS):
            started.append(self)

    left: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess.Popen, "__init__", recorded)
        try:
            yield left
        finally:
            for process in started:
                if process.poll() is None:
                    left.append(str(process.args))
                    _end(process)


def _end(process: subprocess.Popen[Any]) -> None:
    with contextlib.suppress(ProcessLookupError):
        if os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
