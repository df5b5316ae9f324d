"""`tuning validate`: every rule on every row and every image, before anything is uploaded."""

from pathlib import Path
from typing import Any

import click

from bedrock_tuning.cli.lookup import customizations_option
from bedrock_tuning.cli.terminal.errors import EXIT_NO
from bedrock_tuning.cli.terminal.output import emit, json_option, say

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("manifest", help="A JSON Lines file, or s3://bucket/key.")
@click.option("--model", "-m", metavar="KEY", help="Base model: a key of `tuning models`.")
@click.option(
    "--customization",
    "-c",
    metavar="NAME",
    help="Model, type, agreed exceptions and folder of customizations/NAME.toml.",
)
@customizations_option
@click.option("--type", help="Customization type; the model's first one by default.")
@click.option(
    "--kind",
    type=click.Choice(["training", "validation"]),
    default="training",
    show_default=True,
    help="What MANIFEST is for.",
)
@click.option("--validation", metavar="FILE", help="The validation manifest that belongs to it.")
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="S3=DIR",
    help="s3://bucket/folder=DIR: images there are files here. Repeat for more folders.",
)
@click.option("--bucket", help="Bucket in which the images of MANIFEST must lie.")
@click.option("--no-images", is_flag=True, help="Check the text only, and do not warn about it.")
@click.option("--s3-images", is_flag=True, help="Look at a local manifest's images in S3.")
@click.option("--deep", is_flag=True, help="Decode every image in full. Slow; needs Pillow.")
@json_option
@click.option("--html", type=_FILE, help="Write the report as one self-contained page.")
@click.option("--junit", type=_FILE, help="Write the report as JUnit XML, one test per rule.")
@click.option("--sarif", type=_FILE, help="Write the report as SARIF, for code hosts and editors.")
@click.option("--rejected", type=_FILE, help="Write every finding, one JSON object per line.")
@click.option("--accepted", type=_FILE, help="Write the records of MANIFEST without an error.")
@click.option("--region", help="AWS Region; as for the AWS CLI if not given.")
@click.pass_context
def validate(ctx: click.Context, /, *, as_json: bool, region: str | None, **options: Any) -> None:
    """Check a manifest and its images: every row against every rule.

    The deployed pipeline runs the same code. Exit code 0: valid, perhaps with warnings; 1: there
    are errors; 2: the check could not be made.

    Images are looked at where they can be reached: in S3 for a manifest in S3, in the folders of
    --map, or beside a local manifest as `tuning prepare` lays them out. Otherwise a warning says
    that nobody looked at them.

    All images must lie in one bucket and one folder, because the service role reads nothing else.
    The bucket is that of --bucket, of a manifest in S3, of --map, or of the first reference, in
    this order; the folder is the customization's, or else the top folder of the same.
    """
    from bedrock_tuning.cli.terminal.aws import Aws
    from bedrock_tuning.cli.validate.request import Request
    from bedrock_tuning.cli.validate.request import validate as check
    from bedrock_tuning.cli.validate.verdict import show

    report, written = check(Request(**options), ctx.obj or Aws(region=region))
    if as_json:
        emit(report.to_json().decode())
        for place in written:
            say(place)
    else:
        show(report, places=written)
    ctx.exit(0 if report.valid else EXIT_NO)
