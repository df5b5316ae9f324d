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
    curves_by_run = _curves(deployed, run, customization)
    losses = {
        name: [curve for curve in curves if curve.is_loss] for name, curves in curves_by_run.items()
    }
    if as_json:
        document = {
            name: {
                "curves": [{"name": curve.name, **asdict(curve)} for curve in curves],
                "advice": advice(curves),
            }
            for name, curves in curves_by_run.items()
        }
        emit_json(document)
    elif as_csv:
        emit(_as_csv(curves_by_run).rstrip("\n"))
    else:
        _show(curves_by_run, losses, plot=plot)
    if file is not None:
        from bedrock_tuning.cli.terminal.plot import draw_curves

        draw_curves(_with_labels(losses), title="loss", file=file)
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
    curves_by_run: dict[str, list[Curve]] = {}
    for run in dict.fromkeys(runs):
        name = chosen(deployment, run, customization=customization)
        details = resolved(deployment, row(deployment, name))
        if "metrics" not in details:
            raise UserError(
                f"run {name} has no metrics: it is {details['status']}",
                fix=f"`{deployment.command(f'run {name}')}` shows it; they come with the model",
            )
        document: dict[str, Any] = json.loads(stored(deployment, details).read(METRICS))
        for problem in document.get("unreadable", ()):
            say(f"{name}: a file of metrics could not be read: {problem}")
        curves_by_run[name] = curves(document.get("files", {}))
        if not curves_by_run[name]:
            final = document.get("training_loss")
            hint = "" if final is None else f"; Bedrock's final training loss is {final}"
            say(f"{name}: the job wrote no metrics by step{hint}")
    return curves_by_run


def _show(
    curves_by_run: "Mapping[str, list[Curve]]", losses: "Mapping[str, list[Curve]]", *, plot: bool
) -> None:
    from bedrock_tuning.cli.terminal.plot import terminal_chart
    from bedrock_tuning.run.curves import advice

    labelled_curves = _with_labels(losses)
    if plot and labelled_curves:
        width = min(shutil.get_terminal_size().columns, _WIDTH_MAX)
        emit(terminal_chart(labelled_curves, title="loss by step", width=width))
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
            for name, curves in curves_by_run.items()
            for curve in curves
        ),
    )
    for name, curves in curves_by_run.items():
        for sentence in advice(curves):
            say(f"{name}: {sentence}" if len(curves_by_run) > 1 else sentence)


def _with_labels(losses: "Mapping[str, list[Curve]]") -> "list[tuple[str, Curve]]":
    is_many = len(losses) > 1
    return [
        (f"{name} {curve.name}" if is_many else curve.name, curve)
        for name, curves in losses.items()
        for curve in curves
    ]


def _as_csv(curves_by_run: "Mapping[str, list[Curve]]") -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("run", "metric", "step", "epoch", "value"))
    for name, curves in curves_by_run.items():
        for curve in curves:
            for point in curve.points:
                rows.writerow((name, curve.name, point.step, point.epoch, point.value))
    return text.getvalue()
