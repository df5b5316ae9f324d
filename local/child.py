"""The server process: MiniStack with the patches and the Bedrock simulator, until SIGTERM."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import click

from local.emulator.layout import Layout
from local.emulator.record import ServerRecord

LOCK_SECONDS = 0.5


@click.command()
@click.option("--record", type=click.Path(path_type=Path), required=True)
@click.option("--lock", type=int, required=True, help="The state's lock, as an open file.")
@click.option("--as-it-comes", is_flag=True, help="MiniStack without patches and simulator.")
@click.option("--end-with-stdin", is_flag=True, help="End when the parent closes our stdin.")
def main(*, record: Path, lock: int, as_it_comes: bool, end_with_stdin: bool) -> None:
    os.umask(0o077)
    start = ServerRecord.draft(record)
    threading.Thread(target=_end_with_lock, args=(lock,), daemon=True, name="end-with-lock").start()
    if end_with_stdin:
        threading.Thread(target=_end_with_stdin, daemon=True, name="end-with-stdin").start()
    if start.stop_after_hours is not None:
        timer = threading.Timer(start.stop_after_hours * 3600, _stop)
        timer.daemon = True
        timer.start()
    # MiniStack knows root by these; its functions get their roles' credentials in their place.
    os.environ["AWS_ACCESS_KEY_ID"] = start.secrets.access_key
    os.environ["AWS_SECRET_ACCESS_KEY"] = start.secrets.secret_key
    # MiniStack reads its settings from the environment when it is imported.
    from ministack import app

    from local.bedrock import known, pages, quotas
    from local.bedrock.install import install
    from local.bedrock.simulator import Clock, Simulator, SimulatorOptions
    from local.emulator import door, patches, saving
    from local.emulator.patches import events

    options = SimulatorOptions(
        model_units=known.model_units(), allow_closed_models=start.allow_closed_models
    )
    simulator = Simulator(clock=Clock(start.clock), options=options)
    if not as_it_comes:
        patches.apply()
        events.delivered_as_ordered(simulator.faults.take)
        install(simulator)
        quotas.install(simulator)
    pages.install(simulator)
    door.install(start.secrets, start.port)
    saving.install()
    sys.argv = sys.argv[:1]  # MiniStack parses the command line too
    unsaved = Layout(record.parent).unsaved
    unsaved.touch()
    try:
        app.main()
    finally:
        unsaved.unlink(missing_ok=True)


def _end_with_lock(lock: int) -> None:
    """Ends the server and its functions when somebody deletes its files, e.g. with `rm -rf build`.

    Without them nobody could find it any more, and there is nothing left to save.
    """
    while os.fstat(lock).st_nlink:
        time.sleep(LOCK_SECONDS)
    os.killpg(os.getpgid(0), signal.SIGKILL)


def _end_with_stdin() -> None:
    sys.stdin.buffer.read()
    _stop()


def _stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
