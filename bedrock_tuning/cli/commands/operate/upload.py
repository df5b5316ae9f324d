"""`tuning upload`: a prepared dataset goes to a deployment, which starts a run."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bedrock_tuning.cli.options import complete_customizations, deployment_options
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.errors import EXIT_NO, Interrupted
from bedrock_tuning.cli.terminal.output import emit, emit_json, json_option, say

if TYPE_CHECKING:
    from bedrock_tuning.cli.options import Deployed
    from bedrock_tuning.client.deployment import Deployment
    from bedrock_tuning.client.runs import Row
    from bedrock_tuning.client.upload import Side


@command(
    order=1,
    examples=("tuning upload out -c pets-search --follow",),
)
@click.argument(
    "dataset",
    metavar="DATASET",
    type=click.Path(exists=True, path_type=Path),
    help="What `tuning prepare` wrote, a folder with manifest.jsonl and its images, or a training "
    "manifest of any name with its images beside it.",
)
@click.option(
    "--validation",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The validation manifest, where DATASET is a manifest.",
)
@click.option(
    "--customization",
    "-c",
    metavar="NAME",
    required=True,
    shell_complete=complete_customizations,
    help="Customization the dataset belongs to.",
)
@click.option("--follow", "-f", is_flag=True, help="Follow the run until it ends.")
@json_option
@deployment_options
@click.pass_context
def upload(
    ctx: click.Context,
    /,
    *,
    dataset: Path,
    validation: Path | None,
    customization: str,
    follow: bool,
    deployed: "Deployed",
    as_json: bool,
) -> None:
    """Upload a dataset: images first, the training manifest last, because it starts the run.

    Images that are already uploaded are not sent again. The run starts some seconds later, and its
    name is shown then. With --follow, exit code 1 means that the run did not reach its goal, and 3
    that it waits for approval and nobody can answer here.
    """
    from bedrock_tuning.cli.following import exit_code, show_until_end
    from bedrock_tuning.cli.terminal.progress import ProgressBar
    from bedrock_tuning.client.runs import newest_before_upload
    from bedrock_tuning.client.upload import sides, upload_images, upload_manifest
    from bedrock_tuning.wording import counted

    deployment = deployed()
    deployment.require(customization)
    found = sides(
        dataset, validation=validation, customization=customization, deployment=deployment
    )
    counts = {}
    manifests: list[str] = []
    try:
        for side in found:
            sent, replaced, there = upload_images(side, deployment, meter=ProgressBar)
            counts[side.kind] = {"sent": sent, "replaced": replaced, "already_there": there}
            if side.files or there:
                say(f"{side.kind}: {counted(sent, 'image')} sent, {there:,} already uploaded")
            if replaced:
                # A run that checks another dataset of this customization now sees these.
                old = counted(replaced, "image")
                say(f"{side.kind}: {old} of these replaced another of the same name")
        before = newest_before_upload(deployment, customization)
        # The validation manifest first: a run that needs both starts when the second one comes.
        for side in reversed(found):
            manifests.append(upload_manifest(side, deployment))
    except KeyboardInterrupt:
        beside = f" --validation {validation}" if validation else ""
        again = deployment.command(f"upload {dataset}{beside} -c {customization}")
        what = "no run was started" if not manifests else "the training manifest was not sent"
        raise Interrupted(
            f"{what}; images already uploaded stay there", fix=f"to continue: {again}"
        ) from None
    if not as_json:
        for uri in manifests:
            emit(uri)
    run = _started(deployment, customization, found, before)
    if run is not None and follow:
        run = show_until_end(deployment, run, show=say if as_json else emit)
        say(f"run {run['run']} is {run['status']}: {run.get('message', '')}")
    if as_json:
        name = None if run is None else run["run"]
        emit_json({"images": counts, "manifests": manifests, "run": name})
    if follow:
        ctx.exit(EXIT_NO if run is None else exit_code(run))


def _started(
    deployment: "Deployment", customization: str, sides: "list[Side]", before: str | None
) -> "Row | None":
    """The run that this upload started; None if it is unknown or there is none."""
    from bedrock_tuning.client.runs import first_after

    newest = deployment.command(f"run latest -c {customization} --follow")
    if not any(side.kind == "training" for side in sides):
        listed = deployment.command(f"runs -c {customization}")
        say(
            "no training manifest was uploaded: a run starts with the next one, "
            f"or now if one waits for this validation set: {listed}"
        )
        return None
    if before is None:
        say(f"the run starts in a moment: {newest}")
        return None
    say("waiting for the run to start …")
    try:
        run = first_after(deployment, customization, after=before)
    except KeyboardInterrupt:
        raise Interrupted("everything was uploaded, and the run starts", fix=newest) from None
    if run is None:
        say(f"no run has started within a minute; check again: {newest}")
        say('if there is still none, see "The dead-letter queue has messages" in docs/runbook.md')
        return None
    name = run["run"]
    say(f"run {name} has started: {deployment.command(f'run {name} --follow')}")
    return run
