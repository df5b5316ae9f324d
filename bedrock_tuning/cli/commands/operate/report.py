"""`tuning report`: a run as a page, and its report as data."""

import json
from pathlib import Path
from typing import Any

import click

from bedrock_tuning.cli.options import DeploymentOption, deployment_options, run_or_latest
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.output import emit, emit_json, json_option, say
from bedrock_tuning.errors import UserError


@command(
    order=4,
    examples=(
        "tuning report latest -c pets-search --open",
        "tuning report RUN -o report --overwrite",
        "tuning report RUN --html page.html --billed",
    ),
    needs=("find the deployment", "read runs", "read reports"),
)
@run_or_latest
@click.option(
    "--output",
    "-o",
    "out",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for all files of the report; report-RUN by default.",
)
@click.option(
    "--html",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write only the page, to this file.",
)
@click.option(
    "--billed",
    is_flag=True,
    help="Also ask Cost Explorer for the run's bill; AWS bills each such request. Needs "
    "ce:GetCostAndUsage.",
)
@click.option("--open", "show", is_flag=True, help="Open the page in a browser.")
@click.option("--overwrite", is_flag=True, help="Replace existing files.")
@json_option
@deployment_options
def report(
    *,
    run: str,
    customization: str | None,
    out: Path | None,
    html: Path | None,
    billed: bool,
    show: bool,
    overwrite: bool,
    deployed: DeploymentOption,
    as_json: bool,
) -> None:
    """Write the page of a run, and download its report: what is wrong with its dataset, what was
    trained at which price, who approved it, and what the model answered.

    report.html is the page to read, drawn from the run as it is now; report.json is the result of
    the check, as data; rejected.jsonl has every finding with its line; metrics.json exists once a
    model is trained. With --json, the report itself is printed, and files are written only where
    -o or --html names them.
    """
    from bedrock_tuning.client.reports import page_of, save, stored
    from bedrock_tuning.client.runs import chosen, resolved, row

    if html is not None and out is not None:
        raise UserError("--html writes the page only, -o writes all files", fix="omit one of them")
    if show and as_json and out is None and html is None:
        raise UserError("--open needs a page", fix="add -o DIR or --html FILE, or omit --json")
    deployment = deployed()
    details = resolved(
        deployment, row(deployment, chosen(deployment, run, customization=customization))
    )
    files = stored(deployment, details)
    result = json.loads(files.read("report.json"))
    folder = out or Path(f"report-{details['run']}")
    targets: dict[str, Path] = {}
    if html is not None:
        targets = {"report.html": html}
    elif out is not None or not as_json:
        targets = {name: folder / name for name in files.names}
    save(files, targets, overwrite=overwrite, page=lambda: page_of(files, details, billed=billed))
    if as_json:
        emit_json(result)
    else:
        emit(_verdict(result))
        for path in targets.values():
            emit(str(path))
    if show:
        file = targets["report.html"]
        if click.launch(file.resolve().as_uri()):
            say(f"no browser could be started; open {file}")


def _verdict(result: dict[str, Any]) -> str:
    from bedrock_tuning.wording import counted

    parts = [counted(result[f"{noun}s"], noun) for noun in ("record", "error", "warning")]
    word = "VALID" if result["valid"] else "REJECTED"
    return f"{word} for {result['model_name']}: {', '.join(parts)}"
