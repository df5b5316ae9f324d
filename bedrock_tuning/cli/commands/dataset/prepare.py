"""`tuning prepare`: images and captions, however they lie, become a dataset to be uploaded."""

from contextlib import closing
from pathlib import Path
from typing import Any

import click

from bedrock_tuning.cli.options import (
    DeploymentOption,
    customization_option,
    deployment_options,
    files_option,
    model_option,
)
from bedrock_tuning.cli.preparing import TEXT_FORMATS, TRAINING_SHARE, PrepareRequest
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.errors import EXIT_NO
from bedrock_tuning.cli.terminal.output import emit_json, json_option, say
from bedrock_tuning.defaults import DEFAULT_MODEL

_DROPPED_MAX = 0.05


@command(
    order=2,
    examples=(
        "tuning prepare pictures/ -c pets-search --fix -o out",
        "tuning prepare pictures/ --captions captions.xlsx --dry-run",
        "tuning prepare pictures/ --captions folders --to s3://bucket/pets/ --split 1 -o out",
        "tuning prepare alpaca.json --to-format converse -m nova-lite -o out",
    ),
    needs=("find the deployment",),
)
@click.argument(
    "source",
    metavar="SOURCE",
    type=click.Path(exists=True, path_type=Path),
    help="Folder of images with its subfolders, a table with its images beside it, an archive; or "
    "a file of texts.",
)
@click.option(
    "--captions",
    default="",
    metavar="FILE|sidecar|folders|filenames",
    help="Where captions are, if they are not recognized: a table, text files beside the images, "
    "names of folders, or names of files.",
)
@click.option("--file-column", default="", metavar="NAME", help="Column that names the images.")
@click.option(
    "--caption-column", default="", metavar="NAME", help="Column of captions, or several: A,B."
)
@click.option("--split-column", default="", metavar="NAME", help="Column that names the splits.")
@click.option("--encoding", default="", help="Encoding of tables and texts, as in cp1252.")
@click.option(
    "--validation-dir",
    default="",
    metavar="DIR|PATTERN",
    help="Images that are the validation set: a folder in SOURCE or elsewhere, or a pattern of "
    "names.",
)
@click.option(
    "--to", metavar="S3", help="s3://bucket/customization/ that will hold the training set."
)
@click.option(
    "--validation-to",
    metavar="S3",
    help="The same for the validation set; a deployment keeps it in a separate bucket.",
)
@customization_option(
    "Instead of --to and --model: the customization's model and the deployment's buckets."
)
@files_option
@click.option(
    "--split",
    type=click.FloatRange(0, 1, min_open=True),
    help="Share of the records for training, if the dataset has no validation set; by default "
    f"{TRAINING_SHARE}, or 1 if the model accepts none.",
)
@click.option(
    "--to-format",
    type=click.Choice(TEXT_FORMATS),
    help="Convert texts to this format; by default the model's.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Change it to reshuffle.")
@click.option(
    "--fix",
    is_flag=True,
    help="Fit images and captions to the model's limits, in new files; drop duplicates and "
    "metadata. Needs Pillow.",
)
@click.option(
    "--dropped-max",
    type=click.FloatRange(0, 1),
    default=_DROPPED_MAX,
    show_default=True,
    metavar="SHARE",
    help="Exit with 1 if more than this share of the records is left out.",
)
@model_option(f"Model whose limits apply; {DEFAULT_MODEL} by default.")
@click.option(
    "--type",
    "job_type",
    help="Customization type of --model; by default its first with the format of --to-format.",
)
@click.option("--link", is_flag=True, help="Hard-link unchanged images instead of copying them.")
@click.option("--dry-run", is_flag=True, help="Show everything and write nothing.")
@click.option(
    "--output",
    "-o",
    "out",
    metavar="OUT",
    type=click.Path(path_type=Path),
    help="New folder for the dataset; nothing is overwritten.",
)
@json_option
@deployment_options
@click.pass_context
def prepare(
    ctx: click.Context,
    /,
    *,
    dropped_max: float,
    as_json: bool,
    deployed: DeploymentOption,
    **options: Any,
) -> None:
    """Turn what you have, images and captions or texts, into training and validation manifests.

    Reads what other tools write: image folders of Hugging Face, COCO, Label Studio, VIA, Flickr8k
    and 30k, LLaVA, SageMaker, WebDataset, tables of all kinds (CSV, Excel, JSON, Parquet), text
    files beside images, class folders. It says what it recognized, and shows five pairs.

    It keeps the splits that the dataset already has: by folders, by a column, by the names of
    tables. It leaves test images out, and puts no picture into both sets. All captions of an image
    are kept.

    Writes OUT/training and OUT/validation, each with manifest.jsonl and images/. OUT/changes.jsonl
    says for each image where it went, what was done to it, or why it was left out. Your files are
    never changed. The same inputs and seed give the same dataset. At the end, it checks the dataset
    as `tuning validate` does. Exit code 1: the dataset is rejected, or too much was left out.

    With --fix, images are converted to PNG or JPEG with 8 bits per channel in RGB, turned upright,
    padded, resized and compressed until they fit; places and names are removed from their metadata;
    captions are trimmed; duplicates and images that cannot be decoded are left out.

    With --to-format, or for a model of texts, SOURCE is a file of texts or a folder of them:
    Alpaca, ShareGPT, chats of OpenAI, Claude and Vertex AI, Dolly, preference pairs, tables of
    prompts and completions, or plain text, which is cut into pieces. It says what it could not
    convert.
    """
    from bedrock_tuning.cli.terminal.prepared import as_document, show_next, show_prepared
    from bedrock_tuning.cli.terminal.progress import ProgressBar

    with closing(PrepareRequest(deployed=deployed, **options)) as request:
        prepared = request.run(meter=ProgressBar)
        report = request.verdict(prepared)
        if as_json:
            emit_json(as_document(prepared, report))
        else:
            show_prepared(prepared, report, dry_run=request.dry_run, texts=request.is_text)
    if not as_json and not request.dry_run:
        show_next(prepared, request.whose, request.customization, request.deployment)
    if prepared.dropped > dropped_max:
        say(
            f"{prepared.dropped:.1%} of the records were left out, more than {dropped_max:.0%}: "
            "see the reasons above, or raise --dropped-max"
        )
        ctx.exit(EXIT_NO)
    if report is not None and not report.valid:
        ctx.exit(EXIT_NO)
