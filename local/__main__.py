"""`python -m local`: start, stop and inspect the local AWS, and the demo on it."""

import signal

if __name__ == "__main__":
    # Ctrl-C while the rest is imported: an end without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import json
import shlex
import time
from pathlib import Path

import click

from local.emulator.layout import UNSET
from local.emulator.server import (
    DEFAULT_CLOCK,
    DEFAULT_PORT,
    DEFAULT_STATE,
    LocalAws,
    LocalAwsError,
)

BUILD = Path("build")
STOP_AFTER_HOURS = 8.0
AGAIN = (
    "If leftovers of an earlier run are the cause, start over: `make local-down`, "
    "`make local-up FRESH=1`, `make demo`"
)
STATE = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_STATE,
    show_default=True,
    help="Folder for the state of the local AWS.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """The local AWS: an emulator with IAM enforced and a simulator of Amazon Bedrock.

    Nothing here is AWS, and its models only imitate answers.
    """


@main.command()
@STATE
@click.option(
    "--port",
    type=int,
    default=DEFAULT_PORT,
    show_default=True,
    help="0 picks a free port.",
)
@click.option(
    "--clock",
    default=DEFAULT_CLOCK,
    show_default=True,
    help="Simulated Bedrock seconds per real second; with 3600 an hour takes one second.",
)
@click.option("--fresh", is_flag=True, help="Discard the state of an earlier local AWS.")
@click.option(
    "--allow-closed-models", is_flag=True, help="Allow jobs on models past their end of life."
)
@click.option(
    "--model-units",
    type=click.IntRange(0),
    help="Raise the quota of Provisioned Throughput per base model; it is 0 in a new account.",
)
def up(
    *,
    state: Path,
    port: int,
    clock: float,
    fresh: bool,
    allow_closed_models: bool,
    model_units: int | None,
) -> None:
    """Start the local AWS in the background; print its endpoint."""
    local_aws = LocalAws.attach(state=state)
    if local_aws is not None and not fresh:
        click.echo(f"already running (pid {local_aws.record.pid})", err=True)
        requested = {"clock": clock, "allow_closed_models": allow_closed_models}
        if port not in (0, DEFAULT_PORT):
            requested["port"] = port
        for name, value in requested.items():
            if getattr(local_aws.record, name) != value:
                click.echo(
                    f"the running one keeps its {name} ({getattr(local_aws.record, name)})",
                    err=True,
                )
        _raise(local_aws, model_units)
        click.echo(local_aws.endpoint)
        return
    if local_aws is not None:
        local_aws.stop()
    click.echo("starting the local AWS (a simulator, IAM enforced) ...", err=True)
    began = time.monotonic()
    server = LocalAws.start(
        state=state,
        port=port,
        clock=clock,
        fresh=fresh,
        allow_closed_models=allow_closed_models,
        detach=True,
        stop_after_hours=STOP_AFTER_HOURS,
    )
    took = time.monotonic() - began
    click.echo(f"up after {took:.1f} s, pid {server.record.pid}, log {server.layout.log}", err=True)
    if server.saved is not None:
        click.echo(
            f"the one before was killed: what it did after {server.saved:%Y-%m-%d %H:%M:%S} UTC is "
            "lost, and executions that ran then have failed",
            err=True,
        )
    click.echo(f"it stops by itself after {STOP_AFTER_HOURS:g} hours and keeps its state", err=True)
    _raise(server, model_units)
    click.echo(server.endpoint)


def _raise(server: LocalAws, model_units: int | None) -> None:
    if model_units is not None:
        server.faults.options(model_units=model_units)


@main.command()
@STATE
def down(*, state: Path) -> None:
    """Stop the local AWS; the next `up` continues with its state."""
    local_aws = LocalAws.attach(state=state)
    if local_aws is None:
        click.echo(f"no local AWS runs with its state in {state}", err=True)
        return
    local_aws.stop()
    click.echo(f"stopped (pid {local_aws.record.pid}); state kept in {state}", err=True)


@main.command()
@STATE
def status(*, state: Path) -> None:
    """Print whether the local AWS is running, and what its Bedrock simulator holds."""
    local_aws = LocalAws.attach(state=state)
    if local_aws is None:
        click.echo("down")
        raise SystemExit(3)
    click.echo(f"up  {local_aws.endpoint}  pid {local_aws.record.pid}")
    for key, value in local_aws.status().items():
        click.echo(f"{key}: {value}")


@main.command()
def patches() -> None:
    """List what is patched of MiniStack: each gap, and where its patch is."""
    from inspect import getdoc

    from local.emulator.patches import PATCHES

    for patch in PATCHES:
        gap = " ".join((getdoc(patch) or "").split("\n\n")[0].split()).removeprefix("Gap: ")
        click.echo(f"{patch.__module__.rpartition('.')[2]}.{patch.__name__}: {gap}")


@main.command()
@STATE
def env(*, state: Path) -> None:
    """Print shell commands that point AWS clients and `tuning` at the local AWS.

    Use as: eval "$(python -m local env)"
    """
    local_aws = LocalAws.attach(state=state)
    if local_aws is None:
        raise LocalAwsError("no local AWS runs: start it with `python -m local up`")
    click.echo(f"unset {' '.join(UNSET)}")
    for key, value in local_aws.environment().items():
        click.echo(f"export {key}={shlex.quote(value)}")


@main.command()
@STATE
@click.option(
    "--port",
    type=int,
    default=0,
    help="Port of the local AWS, if none runs yet; 0 picks a free one.",
)
def demo(*, state: Path, port: int) -> None:
    """Deploy the app, upload a dataset, follow it to a served model; reject a broken one.

    Everything is real but Amazon Bedrock, which is a simulator. Writes build/demo.json.
    """
    from bedrock_tuning.errors import TuningError
    from local.demo.deploy import DeployError
    from local.demo.run import DemoFailedError, Narrator, run_demo

    narrator = Narrator()
    narrator.say("Amazon Bedrock is SIMULATED here: no model is trained, nothing is billed")
    try:
        with narrator.step("start", "start the local AWS"):
            aws = LocalAws.attach(state=state) or LocalAws.start(
                state=state, port=port, detach=True, stop_after_hours=STOP_AFTER_HOURS
            )
        # As AWS raises it on request: one to serve, one for a replacement.
        aws.faults.options(model_units=2)
        result = json.dumps(run_demo(aws, narrator, BUILD / "demo"), indent=2)
    except (DemoFailedError, TuningError) as error:
        click.echo(f"\nthe demo failed: {error}\n{AGAIN}", err=True)
        raise SystemExit(1) from error
    except DeployError as error:
        raise LocalAwsError(f"{error}\n{AGAIN}") from error
    (BUILD / "demo.json").write_text(f"{result}\n", "utf-8")
    click.echo(result)
    click.echo(
        f"\nThe local AWS is still running at {aws.endpoint}. To explore it:\n"
        f'    eval "$(.venv/bin/python -m local env)"; .venv/bin/tuning runs\n'
        f"It stops by itself {STOP_AFTER_HOURS:g} hours after its start. To stop it now:\n"
        "    make local-down",
        err=True,
    )


@main.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--count", type=click.IntRange(1), default=200, show_default=True)
@click.option("--pets", is_flag=True, help="Captions of Ron the dog and Smila the cat, one each.")
def pictures(*, folder: Path, count: int, pets: bool) -> None:
    """Draw pictures with captions to try things with, into a new FOLDER."""
    from local.demo import dataset

    if folder.exists():
        raise LocalAwsError(f"{folder} exists: choose a new folder")
    rows = dataset.collect(folder, count=count, pets=pets)
    click.echo(f"{count} pictures and {rows:,} captions in {folder}")


def entry_point() -> None:
    """Exit codes. 0: done; 1: the demo failed; 2: could not; 3: it is down; 130: Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        raise SystemExit(error.exit_code) from error
    except LocalAwsError as error:
        click.echo(f"error: {error}", err=True)
        raise SystemExit(2) from error
    except click.Abort:
        click.echo("interrupted; if the local AWS runs, `make local-down` stops it", err=True)
        raise SystemExit(130) from None


if __name__ == "__main__":
    entry_point()
