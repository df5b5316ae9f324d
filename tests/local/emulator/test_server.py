"""The server process: how it starts, what it is given, what it leaves behind."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from local import REPOSITORY
from local.__main__ import entry_point, main
from local.emulator import patches, server
from local.emulator.layout import HOST
from local.emulator.server import LocalAws, LocalAwsError
from tests.local.conftest import OF_THE_CALLER
from tests.local.support import Pets, bucket, eventually, function


def local(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """`python -m local …`, ended."""
    return subprocess.run(
        [sys.executable, "-m", "local", *map(str, arguments)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture
def local_here(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """`python -m local …` in this process, where a command costs no start of an interpreter."""

    def run(*arguments: str | Path) -> Ended:
        monkeypatch.setattr(sys, "argv", ["local", *map(str, arguments)])
        code: Any = 0
        try:
            entry_point()
        except SystemExit as ended:
            code = ended.code
        return Ended(code, *capsys.readouterr())

    return run


def test_each_patch_is_listed_with_the_gap_that_it_closes() -> None:
    ended = CliRunner().invoke(main, ["patches"])
    assert ended.exit_code == 0
    listed = dict(line.split(": ", 1) for line in ended.stdout.splitlines())
    names = [each.__name__ for each in patches.PATCHES]
    assert [name.rpartition(".")[2] for name in listed] == names
    assert all(gap.endswith(".") for gap in listed.values())


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def group_members(leader: int) -> Sequence[int]:
    """Processes whose group this process leads."""
    members = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == leader and fields[0] != "Z":
            members.append(int(folder.name))
    return members


def test_up_prints_only_the_endpoint_and_down_stops_it(
    tmp_path: Path, local_here: Callable[..., Ended]
) -> None:
    up = local("up", "--state", tmp_path, "--port", "0")
    try:
        assert up.returncode == 0, up.stderr
        endpoint = up.stdout.strip()
        assert endpoint.startswith(f"http://{HOST}:")
        again = local_here("up", "--state", tmp_path, "--port", "0")
        assert again.out.strip() == endpoint
        assert "already running" in again.err
        environment = local_here("env", "--state", tmp_path).out
        assert f"export AWS_ENDPOINT_URL={endpoint}" in environment
        assert "nothing here is AWS" in local_here("status", "--state", tmp_path).out
    finally:
        down = local("down", "--state", tmp_path)
    assert down.returncode == 0
    eventually(lambda: not listens(int(endpoint.rpartition(":")[2])))


def test_status_of_a_server_that_does_not_run_is_down_and_not_zero(
    tmp_path: Path, local_here: Callable[..., Ended]
) -> None:
    found = local_here("status", "--state", tmp_path)
    assert (found.out.strip(), found.code) == ("down", 3)


def test_env_without_a_server_says_how_to_start_one(
    tmp_path: Path, local_here: Callable[..., Ended]
) -> None:
    found = local_here("env", "--state", tmp_path)
    assert found.code == 2
    assert "python -m local up" in found.err


def test_a_second_server_on_the_same_state_is_refused(aws: LocalAws) -> None:
    with pytest.raises(LocalAwsError, match=f"already runs on port {aws.record.port}"):
        LocalAws.start(state=aws.layout.root)


def test_a_taken_port_is_refused_with_a_way_out(tmp_path: Path, aws: LocalAws) -> None:
    with pytest.raises(LocalAwsError) as caught:
        LocalAws.start(state=tmp_path, port=aws.record.port)
    said = str(caught.value)
    assert f"(pid {aws.record.pid}, state in {aws.layout.root})" in said
    assert "`make local-up PORT=4567` or `python -m local up --port 4567`; 0 takes any" in said


def test_a_server_that_breaks_while_starting_shows_the_end_of_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*, arguments: list[str]) -> list[str]:
        return [sys.executable, "-c", "print('no such luck'); raise SystemExit(7)"]

    monkeypatch.setattr(server, "server_command", broken)
    with pytest.raises(LocalAwsError, match=r"ended with code 7(?s:.*)no such luck"):
        LocalAws.start(state=tmp_path)


def test_only_loopback_is_listened_on(aws: LocalAws) -> None:
    addresses = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{aws.record.pid}/net/{table}").read_text().splitlines()[1:]:
            local_address, state = line.split()[1], line.split()[3]
            if state == "0A" and int(local_address.rpartition(":")[2], 16) == aws.record.port:
                addresses.add(local_address.rpartition(":")[0])
    assert addresses == {"0100007F"}


def test_nothing_of_the_callers_environment_reaches_the_server(aws: LocalAws) -> None:
    environment = Path(f"/proc/{aws.record.pid}/environ").read_text()
    assert "GATEWAY_PORT=" in environment
    assert OF_THE_CALLER not in environment
    assert f"HOME={Path.home()}\0" not in environment


def test_the_client_environment_points_nowhere_else(aws: LocalAws) -> None:
    base = {"AWS_PROFILE": "production", "AWS_ENDPOINT_URL_S3": "http://elsewhere", "PATH": "/bin"}
    environment = aws.environment(base)
    assert environment["PATH"] == "/bin"
    assert environment["AWS_ENDPOINT_URL"] == aws.endpoint
    assert not {"AWS_PROFILE", "AWS_ENDPOINT_URL_S3"} & set(environment)


def test_what_was_there_is_there_after_a_restart(tmp_path: Path) -> None:
    with LocalAws.start(state=tmp_path, clock=3_600) as first:
        first.faults.options(new_role_seconds=0)
        pets = Pets.make(first)
        model = pets.trained()
        slow = pets.start()
        job = first.client("bedrock").get_model_customization_job(jobIdentifier=slow)
        assert job["status"] == "InProgress"
    with LocalAws.start(state=tmp_path, clock=36_000) as second:
        bedrock = second.client("bedrock")
        assert bedrock.get_custom_model(modelIdentifier=model)["modelArn"] == model
        listed = second.client("s3").list_objects_v2(Bucket=pets.output)["Contents"]
        assert any("step_wise_training_metrics.csv" in entry["Key"] for entry in listed)
        # A job that was under way goes on.
        again = Pets(second, pets.training, pets.output, pets.role_arn)
        ended = again.finished(slow)
        assert ended["status"] == "Completed", ended.get("failureMessage")


def test_fresh_forgets_what_was_there(tmp_path: Path) -> None:
    with LocalAws.start(state=tmp_path) as first:
        bucket(first)
    with LocalAws.start(state=tmp_path, fresh=True) as second:
        assert second.client("s3").list_buckets()["Buckets"] == []
        # As in a new account.
        assert second.faults.options()["model_units"] == 0


def test_a_killed_server_loses_seconds_and_the_next_one_says_so(tmp_path: Path) -> None:
    with LocalAws.start(state=tmp_path) as first:
        assert first.saved is None
        first.client("ssm").put_parameter(Name="/kept", Value="yes", Type="String")
        kept = first.layout.data[0] / "ssm.json"
        eventually(lambda: kept.exists() and "/kept" in kept.read_text())
        os.kill(first.record.pid, signal.SIGKILL)
        assert first._process is not None
        first._process.wait()
        assert LocalAws.attach(state=tmp_path) is None
    with LocalAws.start(state=tmp_path) as second:
        assert second.saved is not None
        assert abs((datetime.now(UTC) - second.saved).total_seconds()) < 60
        found = second.client("ssm").get_parameter(Name="/kept")
        assert found["Parameter"]["Value"] == "yes"
    # It has saved everything, so the next one has nothing to say.
    assert not second.layout.unsaved.exists()


def test_the_address_of_a_function_follows_the_server_to_another_port(tmp_path: Path) -> None:
    with LocalAws.start(state=tmp_path) as first:
        named = {"FunctionName": function(first, "def handler(event, context): return 'here'")}
        functions = first.client("lambda")
        functions.create_function_url_config(**named, AuthType="AWS_IAM")
    with LocalAws.start(state=tmp_path) as second:
        assert second.endpoint != first.endpoint
        url = second.client("lambda").get_function_url_config(**named)["FunctionUrl"]
        assert url.startswith(f"{second.endpoint}/")


def test_no_function_outlives_the_server(tmp_path: Path) -> None:
    with LocalAws.start(state=tmp_path) as started:
        busy = function(started, "import time\ndef handler(event, context): time.sleep(60)")
        started.client("lambda").invoke(FunctionName=busy, InvocationType="Event", Payload="{}")
        leader = started.record.pid
        eventually(lambda: len(group_members(leader)) > 1)
    eventually(lambda: not group_members(leader))


def test_the_server_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys\n"
        "from local.emulator.server import LocalAws\n"
        f"print(LocalAws.start(state=pathlib.Path({str(tmp_path)!r})).record.port, flush=True)\n"
        "os._exit(0)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    eventually(lambda: not listens(int(found.stdout)))


def make(*arguments: str, cwd: Path = REPOSITORY) -> str:
    """What make would do, or did; a failure fails the test."""
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True).stdout


def test_make_passes_port_clock_and_fresh_on() -> None:
    assert "python -m local up --port 0 --clock 60 --fresh\n" in make(
        "--dry-run", "local-up", "PORT=0", "CLOCK=60", "FRESH=1"
    )
    assert re.search(r"^python -m local up *$", make("--dry-run", "local-up"), re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--port", "99999"), "there is no port 99999: use 1 to 65535"),
        (("--port", "-1"), "there is no port -1"),
        (("--port", "x"), "'x' is not a valid integer"),
        (("--clock", "nan"), "must be a number from 1 to 1000000, not nan"),
        (("--clock", "inf"), "must be a number from 1 to 1000000, not inf"),
        (("--clock", "0"), "must be a number from 1 to 1000000, not 0"),
        (("--clock", "-1"), "must be a number from 1 to 1000000, not -1"),
        (("--state", "/proc/x"), "cannot be kept in /proc/x"),
        (("--state", "/dev/null/x"), "cannot be kept in /dev/null/x (Not a directory)"),
    ],
)
def test_an_impossible_option_is_refused_with_the_reason(
    arguments: tuple[str, ...], said: str, tmp_path: Path, local_here: Callable[..., Ended]
) -> None:
    state = () if "--state" in arguments else ("--state", str(tmp_path))
    ended = local_here("up", *state, *arguments)
    assert ended.code == 2
    assert said in ended.err
    assert ended.out == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--state", "/proc/x"), "error: the state of the local AWS cannot be"),
        (("--port", "99999"), "there is no port 99999: use 1 to 65535"),
    ],
)
def test_a_demo_that_cannot_run_says_why(arguments: tuple[str, ...], said: str) -> None:
    command = [sys.executable, "-m", "local", "demo", *arguments]
    found = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert found.returncode == 2
    assert said in found.stderr
    assert "Traceback" not in found.stderr


@pytest.mark.parametrize("clock", [float("nan"), float("inf"), 0, -1, 0.5])
def test_a_clock_that_is_no_factor_starts_nothing(clock: float, tmp_path: Path) -> None:
    with pytest.raises(LocalAwsError, match="must be a number from 1 to 1000000"):
        LocalAws.start(state=tmp_path, clock=clock)


DAMAGED = (b"", b"{", b"[]", b"{}", b"\xff", b'{"pid": -1, "port": 1, "clock": 1}')
# A signal to -1 would end everything that this user runs.
DAMAGED += (b'{"pid": -1, "port": 4566, "clock": 1, "allow_closed_models": false}',)
DAMAGED += (b'{"pid": "1", "port": 4566, "clock": 1, "allow_closed_models": false}',)


@pytest.mark.parametrize("record", DAMAGED)
def test_a_damaged_record_without_a_server_counts_as_none(
    record: bytes, tmp_path: Path, local_here: Callable[..., Ended]
) -> None:
    (tmp_path / "server.json").write_bytes(record)
    (tmp_path / "server.lock").touch()
    assert local_here("status", "--state", tmp_path).code == 3
    assert LocalAws.attach(state=tmp_path) is None


@pytest.mark.parametrize("record", [*DAMAGED, None])
def test_a_damaged_record_of_a_running_server_says_how_to_end_that(
    record: bytes | None, aws: LocalAws, local_here: Callable[..., Ended]
) -> None:
    kept = aws.layout.record.read_bytes()
    try:
        aws.layout.record.unlink()
        if record is not None:
            aws.layout.record.write_bytes(record)
        for command in ("down", "up", "env", "status"):
            ended = local_here(command, "--state", aws.layout.root)
            assert ended.code == 2, command
            assert "is missing or damaged: delete" in ended.err
            assert "`python -m local up --fresh`" in ended.err
        with pytest.raises(LocalAwsError, match="already runs with its state"):
            LocalAws.start(state=aws.layout.root)
    finally:
        aws.layout.record.write_bytes(kept)
    assert aws.status()["pid"] == aws.record.pid


def test_a_server_whose_files_are_deleted_ends_with_its_functions(tmp_path: Path) -> None:
    started = LocalAws.start(state=tmp_path / "state", detach=True)
    busy = function(started, "import time\ndef handler(event, context): time.sleep(60)")
    started.client("lambda").invoke(FunctionName=busy, InvocationType="Event", Payload="{}")
    leader = started.record.pid
    eventually(lambda: len(group_members(leader)) > 1)
    shutil.rmtree(started.layout.root, ignore_errors=True)
    # First of all: a process that nobody waited for would fail whatever test runs later.
    assert started._process is not None
    assert started._process.wait(timeout=300) is not None
    eventually(lambda: not group_members(leader))
    # A killed process is gone from the list before its last thread has closed the socket.
    eventually(lambda: not listens(started.record.port))


def test_make_clean_stops_the_server_before_it_removes_its_files(tmp_path: Path) -> None:
    for name in ("local", "bedrock_tuning", "Makefile", ".venv"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    state = tmp_path / "build" / "local"
    up = local("up", "--state", state, "--port", "0")
    assert up.returncode == 0, up.stderr
    make("clean", cwd=tmp_path)
    assert not (tmp_path / "build").exists()
    eventually(lambda: not listens(int(up.stdout.rpartition(":")[2])))


def test_make_clean_ends_a_server_that_it_cannot_ask(tmp_path: Path) -> None:
    for name in ("local", "bedrock_tuning", "Makefile", ".venv"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    state = tmp_path / "build" / "local"
    up = local("up", "--state", state, "--port", "0")
    (state / "server.json").write_text("damaged")
    make("clean", cwd=tmp_path)
    assert not (tmp_path / "build").exists()
    eventually(lambda: not listens(int(up.stdout.rpartition(":")[2])))


def test_a_state_that_does_not_start_names_the_way_to_forget_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*, arguments: list[str]) -> list[str]:
        return [sys.executable, "-c", "raise SystemExit('cannot read the state')"]

    monkeypatch.setattr(server, "server_command", broken)
    with pytest.raises(LocalAwsError) as first:
        LocalAws.start(state=tmp_path)
    assert "--fresh" not in str(first.value)
    with pytest.raises(LocalAwsError, match=r"local up --fresh` \(`make local-up FRESH=1`\)"):
        LocalAws.start(state=tmp_path)


def test_ctrl_c_while_importing_is_no_traceback(tmp_path: Path) -> None:
    # Each module that is imported is told on stderr: interrupted at the first of the slow ones.
    command = [sys.executable, "-X", "importtime", "-m", "local", "up", "--state", str(tmp_path)]
    with subprocess.Popen(
        command, cwd=REPOSITORY, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        said = ""
        for line in process.stderr:
            said += line
            if "click.core" in line:
                process.send_signal(signal.SIGINT)
                break
        said += process.communicate(timeout=300)[1]
    assert process.returncode == -signal.SIGINT  # 130 to a shell
    assert "Traceback" not in said
