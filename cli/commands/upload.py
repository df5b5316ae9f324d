"""`tuning upload`: a prepared dataset goes to a deployment, which starts a run."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.deployment import deployment_options
from cli.output import emit, emit_json, json_option, say

if TYPE_CHECKING:
    from cli.deployment import Deployed


@click.command()
@click.argument(
    "folder",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="What `tuning prepare` wrote, or a folder with manifest.jsonl and its images.",
)
@click.option("--customization", "-c", required=True, help="Whose dataset it is.")
@json_option
@deployment_options
def upload(*, folder: Path, customization: str, deployed: "Deployed", as_json: bool) -> None:
    """Upload a dataset: images first, the training manifest last, because it starts the run.

    Images that are already there are not sent again.
    """
    from cli.customizations import demand_deployed
    from cli.errors import Interrupted
    from cli.upload import sides, upload_images, upload_manifest
    from tuning.wording import counted

    deployment = deployed()
    demand_deployed(customization, deployment)
    found = sides(folder, customization=customization, deployment=deployment)
    counts = {}
    manifests: list[str] = []
    try:
        for side in found:
            sent, there = upload_images(side, deployment)
            counts[side.kind] = {"sent": sent, "already_there": there}
            say(f"{side.kind}: {counted(sent, 'image')} sent, {there:,} already there")
        # The validation manifest first: a run that needs both starts when the second one comes.
        for side in reversed(found):
            manifests.append(upload_manifest(side, deployment))
    except KeyboardInterrupt:
        again = deployment.command(f"upload {folder} -c {customization}")
        what = "no run was started" if not manifests else "the training manifest was not sent"
        raise Interrupted(
            f"{what}; images that are there stay there", fix=f"go on: {again}"
        ) from None
    if as_json:
        emit_json({"images": counts, "manifests": manifests})
        return
    for uri in manifests:
        emit(uri)
    follow = deployment.command(f"run latest --customization {customization} --follow")
    say(f"the run appears in a moment: {follow}")
