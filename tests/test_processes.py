"""A test that fails before it has ended its processes fails no other."""

import subprocess
import sys
import time
from pathlib import Path

from tests.support import processes

FOREVER = [sys.executable, "-c", "import time; time.sleep(600)"]


def test_a_process_that_is_left_is_ended_and_named() -> None:
    with processes.ended() as left:
        process = subprocess.Popen(FOREVER, stdout=subprocess.PIPE)
        assert left == []
    assert process.returncode is not None
    assert left == [str(FOREVER)]


def test_the_group_of_a_process_ends_with_it() -> None:
    code = f"import subprocess; print(subprocess.Popen({FOREVER}).pid, flush=True); input()"
    with processes.ended():
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            start_new_session=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        grandchild = Path(f"/proc/{process.stdout.readline().strip()}/cmdline")
        # Until it has started its program, it has no command.
        while not grandchild.read_bytes():
            time.sleep(0.05)
    # A killed process has no command any more, even before somebody has waited for it.
    while grandchild.exists() and grandchild.read_bytes():
        time.sleep(0.05)


def test_one_that_was_waited_for_is_not_left() -> None:
    with processes.ended() as left:
        subprocess.run([sys.executable, "-c", ""], check=True)
    assert left == []
