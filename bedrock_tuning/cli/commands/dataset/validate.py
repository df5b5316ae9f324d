"""`tuning validate`: every rule on every row and every image, before anything is uploaded."""

from pathlib import Path
from typing import Any

import click

from bedrock_tuning.cli.options import (
    DeploymentOption,
    customization_option,
    deployment_options,
    files_option,
    find_customization,
    find_model,
    model_option,
)
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.errors import EXIT_NO
from bedrock_tuning.cli.terminal.output import emit, json_option, say

_FILE = click.Path(dir_okay=False, path_type=Path)


@command(
    order=1,
    examples=(
        "tuning validate out/training/manifest.jsonl -c pets-search",
        "tuning validate train.jsonl -m titan-multimodal-embeddings-g1 --html report.html",
        "tuning validate s3://bucket/pets/manifest.jsonl -m nova-lite --json",
    ),
    needs=("find the deployment", "read datasets"),
)
@click.argument(
    "manifest",
    help="A JSON Lines file, s3://bucket/key, or a folder with training/ and validation/.",
)
@model_option("Base model: a key of `tuning models`.")
@customization_option("Take model, type, rule exceptions and folder from this customization.")
@files_option
@click.option("--type", help="Customization type; by default the model's first.")
@click.option(
    "--kind",
    type=click.Choice(["training", "validation"]),
    default="training",
    show_default=True,
    help="The set that MANIFEST is.",
)
@click.option("--validation", metavar="FILE", help="Validation manifest to check with it.")
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="S3=DIR",
    help="Read images of s3://bucket/folder from DIR. Repeat for more folders.",
)
@click.option("--bucket", help="Bucket that must hold the images of MANIFEST.")
@click.option("--no-images", is_flag=True, help="Check the text only, without a warning.")
@click.option("--s3-images", is_flag=True, help="Read a local manifest's images from S3.")
@click.option("--deep", is_flag=True, help="Decode every image in full. Slow; needs Pillow.")
@json_option
@click.option("--html", type=_FILE, help="Write the report as one self-contained page.")
@click.option("--junit", type=_FILE, help="Write the report as JUnit XML, one test per rule.")
@click.option("--sarif", type=_FILE, help="Write the report as SARIF, for code hosts and editors.")
@click.option("--rejected", type=_FILE, help="Write the findings, one JSON object per line.")
@click.option(
    "--findings-per-rule",
    type=click.IntRange(min=1),
    default=10_000,
    show_default=True,
    metavar="N",
    help="List this many findings of each rule; counts are always exact.",
)
@click.option("--accepted", type=_FILE, help="Write the records of MANIFEST that have no error.")
@deployment_options
@click.pass_context
def validate(
    ctx: click.Context,
    /,
    *,
    model: str | None,
    customization: str | None,
    customizations: Path | None,
    as_json: bool,
    deployed: DeploymentOption,
    **options: Any,
) -> None:
    """Check a manifest and its images: every row against every rule.

    The deployed pipeline runs the same code. Exit code 0: valid, perhaps with warnings; 1: errors
    found; 2: the check could not run.

    Images are checked wherever they are accessible: in S3 for a manifest in S3, in the folders of
    --map, or beside a local manifest, where `tuning prepare` puts them. Otherwise a warning says
    that they were not checked.

    All images must be in one bucket and one folder, because the service role reads no other. The
    bucket comes from --bucket, a manifest in S3, --map, or the first reference, in this order; the
    folder is the customization's, or else the top folder from the same source.
    """
    from bedrock_tuning.cli.terminal.progress import ProgressBar
    from bedrock_tuning.cli.terminal.verdict import show_verdict
    from bedrock_tuning.validating.request import ValidateOptions
    from bedrock_tuning.validating.request import validate as check

    request = ValidateOptions(
        model=None if model is None else find_model(model),
        customization=(
            None
            if customization is None
            else find_customization(customization, customizations, deployed)
        ),
        **options,
    )
    report, places = check(request, deployed.aws, note=say, meter=ProgressBar)
    if as_json:
        emit(report.to_json().decode())
        for place in places:
            say(place)
    else:
        show_verdict(report, places=places)
    ctx.exit(0 if report.valid else EXIT_NO)
