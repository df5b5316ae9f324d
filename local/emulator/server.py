"""Starts and stops the local AWS as a child process, and gives clients of it."""

import contextlib
import fcntl
import http.client
import os
import secrets
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

from local import REPOSITORY
from local.emulator.door import Secrets
from local.emulator.faults import Faults, ask_simulator
from local.emulator.layout import (
    HOST,
    REGION,
    Layout,
    clean,
    client_environment,
    server_command,
    server_environment,
)
from local.emulator.record import PORT_MAX, ServerRecord

DEFAULT_PORT: Final = 4566
DEFAULT_STATE: Final = Path("build/local")
DEFAULT_CLOCK: Final = 3600.0
# Faster than that, everything already takes the simulator's shortest time.
CLOCK_MAX: Final = 1_000_000.0
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 60.0
LOG_TAIL_LINES: Final = 25


class LocalAwsError(Exception):
    """The local AWS cannot be started, found or stopped; the message says why and what to do."""


class LocalAws:
    """A running local AWS; as a context manager it stops the server that it started.

    `client` uses root's credentials, which are new at each start; functions and state machines
    run with their own roles.
    """

    def __init__(
        self,
        *,
        layout: Layout,
        record: ServerRecord,
        process: subprocess.Popen[bytes] | None = None,
        saved: datetime | None = None,
    ) -> None:
        """saved: when the one before saved for the last time, if it was killed after that."""
        self.saved = saved
        self.layout = layout
        self.record = record
        self._process = process
        self._clients: dict[str, Any] = {}

    @classmethod
    def start(
        cls,
        *,
        state: Path = DEFAULT_STATE,
        port: int = 0,
        clock: float = DEFAULT_CLOCK,
        fresh: bool = False,
        allow_closed_models: bool = False,
        detach: bool = False,
        stop_after_hours: float | None = None,
        patched: bool = True,
    ) -> Self:
        """Start a server and wait until it answers.

        `port` 0 takes a free one. `clock` is simulated seconds of Bedrock per second. Unless
        `detach`, the server ends with this process, however that ends; detached, it stops by itself
        after `stop_after_hours` and keeps its state. Without `patched` it is
        the emulator as it comes, which the contract tests of the patches need.
        Raises LocalAwsError when one already runs on `state` or the new one does not come up.
        """
        # Also refuses anything but a number.
        if not 1 <= clock <= CLOCK_MAX:
            raise LocalAwsError(
                f"the clock factor must be a number from 1 to {CLOCK_MAX:.0f}, not {clock:g}: "
                "3600 makes an hour a second"
            )
        layout = Layout(state.resolve())
        has_state = layout.data[0].is_dir() and not fresh
        with _writing(layout), _lock(layout) as lock:
            if lock is None:
                other = ServerRecord.read(layout)
                place = f" on port {other.port} (pid {other.pid})" if other else ""
                raise LocalAwsError(
                    f"a local AWS already runs{place} with its state in {layout.root}: "
                    "stop it with `python -m local down`, or choose another --state"
                )
            for folder in layout.data if fresh else (layout.temporary,):
                shutil.rmtree(folder, ignore_errors=True)
            layout.make()
            saved = _last_save_time(layout) if has_state and layout.unsaved.exists() else None
            chosen_port = _free_port(port)
            layout.move_addresses(chosen_port)
            draft = ServerRecord(
                pid=0,
                port=chosen_port,
                clock=clock,
                allow_closed_models=allow_closed_models,
                stop_after_hours=stop_after_hours,
                secrets=_new_secrets(),
            )
            draft.write(layout)
            process = _spawn(layout=layout, draft=draft, lock=lock, detach=detach, patched=patched)
        record = replace(draft, pid=process.pid)
        record.write(layout)
        server = cls(layout=layout, record=record, process=process, saved=saved)
        try:
            server._wait_until_ready(has_state=has_state)
        except BaseException:
            server.stop()
            raise
        return server

    @classmethod
    def attach(cls, *, state: Path = DEFAULT_STATE) -> Self | None:
        """The server that runs with this state directory, or None when none does.

        Raises LocalAwsError when one runs and nothing says how to reach it.
        """
        layout = Layout(state.resolve())
        if not os.path.lexists(layout.lock):
            return None
        with _writing(layout), _lock(layout) as lock:
            if lock is not None:
                return None
        record = ServerRecord.read(layout)
        if record is None:
            raise LocalAwsError(
                f"a local AWS runs with its state in {layout.root}, but {layout.record}, which "
                f"says how to reach it, is missing or damaged: delete {layout.lock}, which ends "
                "that server without saving, and start again; `python -m local up --fresh` if "
                "what it kept does not matter"
            )
        return cls(layout=layout, record=record)

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.record.port}"

    @property
    def faults(self) -> Faults:
        """Order faults in the Bedrock simulator."""
        return Faults(endpoint=self.endpoint, token=self.record.secrets.token)

    def environment(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """`base` (default: nothing) cleaned of AWS settings, plus what a client needs."""
        variables = client_environment(
            layout=self.layout,
            port=self.record.port,
            access_key=self.record.secrets.access_key,
            secret_key=self.record.secrets.secret_key,
        )
        return clean(base or {}) | variables

    @property
    def region_name(self) -> str:
        """As boto3's session has it."""
        return REGION

    def get_credentials(self) -> Any:
        """Root's, as boto3's session has them."""
        from botocore.credentials import Credentials

        secrets = self.record.secrets
        return Credentials(secrets.access_key, secrets.secret_key)

    def client(self, service: str, **arguments: Any) -> Any:
        """A boto3 client of the local AWS; root credentials unless `arguments` has others.

        The server closes it when it stops.
        """
        key = f"{service} {sorted(arguments.items())}"
        if key not in self._clients:
            self._clients[key] = _make_client(
                service, self.endpoint, self.record.secrets, arguments
            )
        return self._clients[key]

    def status(self) -> dict[str, Any]:
        """What the simulator says about itself; raises LocalAwsError when it does not answer."""
        try:
            return ask_simulator(self.endpoint, timeout=5)
        except (OSError, ValueError) as error:
            raise LocalAwsError(f"{self.endpoint} does not answer: {error}") from error

    def stop(self) -> None:
        """Let the server save its state and end, then end the functions it left running.

        Raises LocalAwsError when it had to be killed: what it did not save before is then lost.
        """
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        pid = self.record.pid
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        has_ended = self._wait_until_gone(STOP_SECONDS)
        # The server leads its own process group, so no function outlives it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
            if self._process.stdin is not None:
                self._process.stdin.close()
        if not has_ended:
            raise LocalAwsError(
                f"the local AWS (pid {pid}) did not stop within {STOP_SECONDS:g} s and was killed; "
                f"what happened in its last half minute may be lost. Its log: {self.layout.log}"
            )

    def log_tail(self) -> str:
        text = self.layout.log.read_text(errors="replace") if self.layout.log.exists() else ""
        return "\n".join(text.splitlines()[-LOG_TAIL_LINES:])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _wait_until_ready(self, *, has_state: bool) -> None:
        """has_state: it reads what an earlier server left, which may be what is wrong."""
        deadline = time.monotonic() + START_SECONDS
        reason = f"did not answer on {self.endpoint} within {START_SECONDS:g} s"
        while time.monotonic() < deadline:
            if self._process is not None and self._process.poll() is not None:
                reason = f"ended with code {self._process.returncode} while starting"
                break
            with contextlib.suppress(LocalAwsError):
                if self.status()["pid"] == self.record.pid:
                    return
            time.sleep(0.05)
        hint = (
            f"\nIf what an earlier one left in {self.layout.root} is the reason: "
            "`python -m local up --fresh` (`make local-up FRESH=1`) forgets it"
        )
        raise LocalAwsError(
            f"the local AWS {reason}; the end of {self.layout.log}:\n{self.log_tail()}"
            f"{hint if has_state else ''}"
        )

    def _wait_until_gone(self, timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self._process is not None:
                if self._process.poll() is not None:
                    return True
            elif not self.layout.lock.exists():
                # Somebody deleted its folder; it ends by itself (local.child).
                return True
            else:
                with _lock(self.layout) as lock:
                    if lock is not None:
                        return True
            time.sleep(0.05)
        return False


def _last_save_time(layout: Layout) -> datetime:
    """When a server last saved anything; the beginning of time if it never did."""
    times = [file.stat().st_mtime for file in layout.data[0].glob("*.json")]
    return datetime.fromtimestamp(max(times, default=0), UTC)


def _new_secrets() -> Secrets:
    return Secrets(
        access_key=f"LOCAL{secrets.token_hex(8).upper()}",
        secret_key=secrets.token_hex(20),
        token=secrets.token_hex(20),
    )


def _make_client(service: str, endpoint: str, root: Secrets, arguments: Mapping[str, Any]) -> Any:
    from botocore.config import Config

    defaults = {
        "aws_access_key_id": root.access_key,
        "aws_secret_access_key": root.secret_key,
        "config": Config(retries={"total_max_attempts": 1}, read_timeout=120),
    }
    options: dict[str, Any] = defaults | dict(arguments)
    # As in the environment (layout.py): no host before loopback.
    options["config"] = options["config"].merge(Config(inject_host_prefix=False))
    with _making:
        return _session().client(service, endpoint_url=endpoint, **options)


# Clients are safe to share between threads; making them is not.
_making: Final = threading.Lock()


@cache
def _session() -> Any:
    """Keeps what botocore knows of services: another one would read it again, for each client."""
    import boto3

    return boto3.session.Session(region_name=REGION)


def _spawn(
    *, layout: Layout, draft: ServerRecord, lock: IO[str], detach: bool, patched: bool
) -> subprocess.Popen[bytes]:
    arguments = [f"--record={layout.record}", f"--lock={lock.fileno()}"]
    if not patched:
        arguments.append("--as-it-comes")
    if not detach:
        arguments.append("--end-with-stdin")
    with layout.log.open("wb") as log:
        return subprocess.Popen(  # noqa: S603 - our own interpreter and module
            server_command(arguments=arguments),
            cwd=REPOSITORY,
            env=server_environment(layout=layout, port=draft.port, clock=draft.clock),
            stdin=subprocess.DEVNULL if detach else subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # The server inherits the lock: who gets the lock knows that the server is gone.
            pass_fds=(lock.fileno(),),
        )


@contextlib.contextmanager
def _lock(layout: Layout) -> Iterator[IO[str] | None]:
    """The lock of a state directory, or None while a server holds it."""
    with layout.lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield file


@contextlib.contextmanager
def _writing(layout: Layout) -> Iterator[None]:
    """The folder is there; raises LocalAwsError when nothing can be written into it."""
    try:
        layout.root.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise LocalAwsError(
            f"the state of the local AWS cannot be kept in {layout.root} ({error.strerror}): "
            "choose a folder that you may write with --state"
        ) from error


def _free_port(port: int) -> int:
    """`port` when it is free, any free one for 0; raises LocalAwsError when it is not."""
    if not 0 <= port <= PORT_MAX:
        raise LocalAwsError(f"there is no port {port}: use 1 to {PORT_MAX}, or 0 for a free one")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise LocalAwsError(
                f"port {port} of {HOST} cannot be used ({error.strerror}){_holder(port)}: choose "
                f"another with `make local-up PORT={DEFAULT_PORT + 1}` or `python -m local up "
                f"--port {DEFAULT_PORT + 1}`; 0 takes any free one"
            ) from error
        free_port: int = probe.getsockname()[1]
        return free_port


def _holder(port: int) -> str:
    """Another local AWS that listens there, as the middle of a sentence; "" if it is none."""
    try:
        state = ask_simulator(f"http://{HOST}:{port}", timeout=1)
        return f"; a local AWS answers there (pid {state['pid']}, state in {state['folder']})"
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException):
        return ""
