"""`tuning metrics`: how the loss of runs fell, and what that says about the next run."""

import csv
import io
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bedrock_tuning.cli.options import DeploymentOption, customization_of_latest, deployment_options
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.output import (
    emit,
    emit_json,
    emit_table,
    json_option,
    overwrite_option,
    require_free,
    say,
)
from bedrock_tuning.errors import UserError

if TYPE_CHECKING:
    from bedrock_tuning.run.curves import Curve

_WIDTH_MAX = 100


@command(
    order=1,
    examples=(
        "tuning metrics latest -c pets-search",
        "tuning metrics RUN OTHER-RUN --draw loss.svg",
        "tuning metrics RUN --csv > loss.csv",
    ),
    needs=("find the deployment", "read runs", "read reports"),
)
@click.argument(
    "run", nargs=-1, required=True, help="Runs, as in `tuning runs`, or the word latest."
)
@customization_of_latest
@click.option("--csv", "as_csv", is_flag=True, help="Print every value as CSV.")
@click.option("--plot/--no-plot", default=True, help="Draw the loss in the terminal.")
@click.option(
    "--draw",
    "file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw the loss into this file: .svg, .png or .pdf.",
)
@overwrite_option
@json_option
@deployment_options
def metrics(
    *,
    run: tuple[str, ...],
    customization: str | None,
    as_csv: bool,
    plot: bool,
    file: Path | None,
    overwrite: bool,
    deployed: DeploymentOption,
    as_json: bool,
) -> None:
    """Show the training and validation loss of runs, and what to change in the next one.

    Amazon Bedrock writes the loss when a job ends, so a run that is still training has none.
    """
    from bedrock_tuning.run.curves import advice

    if as_csv and as_json:
        raise UserError("--csv and --json contradict each other", fix="pass one of them")
    require_free(file, overwrite=overwrite)
    found = _curves(deployed, run, customization)
    losses = {name: [each for each in curves if each.is_loss] for name, curves in found.items()}
    if as_json:
        said = {
            name: {
                "curves": [{"name": each.name, **asdict(each)} for each in curves],
                "advice": advice(curves),
            }
            for name, curves in found.items()
        }
        emit_json(said)
    elif as_csv:
        emit(_as_csv(found).rstrip("\n"))
    else:
        _show(found, losses, plot=plot)
    if file is not None:
        from bedrock_tuning.cli.terminal.plot import draw

        draw(_labelled(losses), title="loss", file=file)
        say(f"wrote {file}")


def _curves(
    deployed: DeploymentOption, runs: Sequence[str], customization: str | None
) -> "Mapping[str, list[Curve]]":
    """The curves of each run; raises UserError for a run that has none."""
    from bedrock_tuning.client.reports import stored
    from bedrock_tuning.client.runs import chosen, resolved, row
    from bedrock_tuning.report.run_page import METRICS
    from bedrock_tuning.run.curves import curves

    deployment = deployed()
    found: dict[str, list[Curve]] = {}
    for each in dict.fromkeys(runs):
        name = chosen(deployment, each, customization=customization)
        known = resolved(deployment, row(deployment, name))
        if "metrics" not in known:
            raise UserError(
                f"run {name} has no metrics: it is {known['status']}",
                fix=f"`{deployment.command(f'run {name}')}` shows it; they come with the model",
            )
        written: dict[str, Any] = json.loads(stored(deployment, known).read(METRICS))
        for problem in written.get("unreadable", ()):
            say(f"{name}: a file of metrics could not be read: {problem}")
        found[name] = curves(written.get("files", {}))
        if not found[name]:
            final = written.get("training_loss")
            last = "" if final is None else f"; Bedrock's final training loss is {final}"
            say(f"{name}: the job wrote no metrics by step{last}")
    return found


def _show(
    found: "Mapping[str, list[Curve]]", losses: "Mapping[str, list[Curve]]", *, plot: bool
) -> None:
    from bedrock_tuning.cli.terminal.plot import terminal_chart
    from bedrock_tuning.run.curves import advice

    labelled = _labelled(losses)
    if plot and labelled:
        width = min(shutil.get_terminal_size().columns, _WIDTH_MAX)
        emit(terminal_chart(labelled, title="loss by step", width=width))
    emit_table(
        ("RUN", "METRIC", "STEPS", "FIRST", "LAST", "LOWEST", "AT STEP"),
        (
            (
                name,
                curve.name,
                str(len(curve.points)),
                f"{curve.points[0].value:.4g}",
                f"{curve.points[-1].value:.4g}",
                f"{curve.best.value:.4g}",
                str(curve.best.step),
            )
            for name, curves in found.items()
            for curve in curves
        ),
    )
    for name, curves in found.items():
        for sentence in advice(curves):
            say(f"{name}: {sentence}" if len(found) > 1 else sentence)


def _labelled(losses: "Mapping[str, list[Curve]]") -> "list[tuple[str, Curve]]":
    several = len(losses) > 1
    return [
        (f"{name} {curve.name}" if several else curve.name, curve)
        for name, curves in losses.items()
        for curve in curves
    ]


def _as_csv(found: "Mapping[str, list[Curve]]") -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("run", "metric", "step", "epoch", "value"))
    for name, curves in found.items():
        for curve in curves:
            for point in curve.points:
                rows.writerow((name, curve.name, point.step, point.epoch, point.value))
    return text.getvalue()
