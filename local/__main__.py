"""`python -m local`: start, stop and inspect the local AWS."""

import signal

if __name__ == "__main__":
    # Ctrl-C while the rest is imported: an end without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import shlex
import time
from pathlib import Path

import click

from local.emulator.layout import UNSET
from local.emulator.server import (
    CLOCK_MAX,
    DEFAULT_CLOCK,
    DEFAULT_PORT,
    DEFAULT_STATE,
    PORT_MAX,
    LocalAws,
    LocalAwsError,
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


def _clock(_context: click.Context, _option: click.Parameter, value: float) -> float:
    # click's ranges let "nan" through.
    if not 1 <= value <= CLOCK_MAX:
        raise click.BadParameter(f"{value:g} is not a number from 1 to {CLOCK_MAX:.0f}.")
    return value


@main.command()
@STATE
@click.option(
    "--port",
    type=click.IntRange(0, PORT_MAX),
    default=DEFAULT_PORT,
    show_default=True,
    help="0 picks a free port.",
)
@click.option(
    "--clock",
    callback=_clock,
    default=DEFAULT_CLOCK,
    show_default=True,
    help="Simulated Bedrock seconds per real second; with 3600 an hour takes one second.",
)
@click.option("--fresh", is_flag=True, help="Discard the state of an earlier local AWS.")
@click.option(
    "--allow-closed-models", is_flag=True, help="Allow jobs on models past their end of life."
)
def up(*, state: Path, port: int, clock: float, fresh: bool, allow_closed_models: bool) -> None:
    """Start the local AWS in the background; print its endpoint."""
    running = LocalAws.attach(state=state)
    if running is not None and not fresh:
        click.echo(f"already running (pid {running.record.pid})", err=True)
        wanted = {"clock": clock, "allow_closed_models": allow_closed_models}
        if port not in (0, DEFAULT_PORT):
            wanted["port"] = port
        for name, value in wanted.items():
            if getattr(running.record, name) != value:
                click.echo(
                    f"the running one keeps its {name} ({getattr(running.record, name)})", err=True
                )
        click.echo(running.endpoint)
        return
    if running is not None:
        running.stop()
    click.echo("starting the local AWS (a simulator, IAM enforced) ...", err=True)
    began = time.monotonic()
    server = LocalAws.start(
        state=state,
        port=port,
        clock=clock,
        fresh=fresh,
        allow_closed_models=allow_closed_models,
        detach=True,
    )
    took = time.monotonic() - began
    click.echo(f"up after {took:.1f} s, pid {server.record.pid}, log {server.layout.log}", err=True)
    click.echo(server.endpoint)


@main.command()
@STATE
def down(*, state: Path) -> None:
    """Stop the local AWS; the next `up` continues with its state."""
    running = LocalAws.attach(state=state)
    if running is None:
        click.echo(f"no local AWS runs with its state in {state}", err=True)
        return
    running.stop()
    click.echo(f"stopped (pid {running.record.pid}); state kept in {state}", err=True)


@main.command()
@STATE
def status(*, state: Path) -> None:
    """Print whether the local AWS is running, and what its Bedrock simulator holds."""
    running = LocalAws.attach(state=state)
    if running is None:
        click.echo("down")
        raise SystemExit(3)
    click.echo(f"up  {running.endpoint}  pid {running.record.pid}")
    for key, value in running.status().items():
        click.echo(f"{key}: {value}")


@main.command()
@STATE
def env(*, state: Path) -> None:
    """Print shell commands that point AWS clients and `tuning` at the local AWS.

    Use as: eval "$(python -m local env)"
    """
    running = LocalAws.attach(state=state)
    if running is None:
        raise LocalAwsError("no local AWS runs: start it with `python -m local up`")
    click.echo(f"unset {' '.join(UNSET)}")
    for key, value in running.environment().items():
        click.echo(f"export {key}={shlex.quote(value)}")


def entry_point() -> None:
    """Exit codes. 0: done; 2: failed; 3: `status` while nothing is running; 130: Ctrl-C."""
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
        raise SystemExit(130) from None


if __name__ == "__main__":
    entry_point()
