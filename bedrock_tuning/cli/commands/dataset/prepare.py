"""`tuning prepare`: images and captions, however they lie, become a dataset to be uploaded."""

from contextlib import ExitStack
from pathlib import Path
from shlex import join
from typing import TYPE_CHECKING, Any

import click

from bedrock_tuning.cli.options import (
    CUSTOMIZATIONS,
    complete_customizations,
    complete_models,
    customizations_option,
    deployment_options,
)
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.errors import EXIT_NO, Interrupted
from bedrock_tuning.cli.terminal.output import emit_json, json_option, say
from bedrock_tuning.errors import UserError

if TYPE_CHECKING:
    from bedrock_tuning.catalogue import BaseModel, DatasetContract
    from bedrock_tuning.cli.options import Deployed
    from bedrock_tuning.client.deployment import Deployment
    from bedrock_tuning.config.customization import Customization
    from bedrock_tuning.report.report import Report
    from bedrock_tuning.s3_layout import Kind

_FLAGSHIP = "titan-multimodal-embeddings-g1"
_SHARE = 0.9
_DROPPED_MAX = 0.05


@command(
    order=2,
    examples=(
        "tuning prepare pictures/ -c pets-search --fix -o out",
        "tuning prepare pictures/ --captions captions.xlsx --dry-run",
        "tuning prepare pictures/ --captions folders --to s3://bucket/pets/ --split 1 -o out",
    ),
)
@click.argument(
    "source",
    metavar="SOURCE",
    type=click.Path(exists=True, path_type=Path),
    help="Folder of images with its subfolders, a table with its images beside it, or an archive.",
)
@click.option(
    "--captions",
    default="",
    metavar="FILE|sidecar|folders|filenames",
    help="Where captions are, if not what is recognised: a table, text files beside the images, "
    "names of folders, or names of files.",
)
@click.option("--file-column", default="", metavar="NAME", help="Column that names the images.")
@click.option(
    "--caption-column", default="", metavar="NAME", help="Column of captions; several with commas."
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
@click.option(
    "--customization",
    "-c",
    metavar="NAME",
    shell_complete=complete_customizations,
    help="Instead of --to and --model: the customization's model and the deployment's buckets.",
)
@customizations_option
@click.option(
    "--split",
    type=click.FloatRange(0, 1, min_open=True),
    help="Share of the records for training, where the dataset brings no validation set of its "
    f"own; {_SHARE}, or 1 if the model takes none.",
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
@click.option(
    "--model",
    "-m",
    metavar="KEY",
    shell_complete=complete_models,
    help=f"Model whose limits apply; {_FLAGSHIP} by default.",
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
    source: Path,
    captions: str,
    file_column: str,
    caption_column: str,
    split_column: str,
    encoding: str,
    validation_dir: str,
    to: str | None,
    validation_to: str | None,
    customization: str | None,
    customizations: Path,
    split: float | None,
    seed: int,
    fix: bool,
    dropped_max: float,
    model: str | None,
    link: bool,
    dry_run: bool,
    out: Path | None,
    as_json: bool,
    deployed: "Deployed",
) -> None:
    """Turn images and captions, however they lie, into training and validation manifests.

    Reads what other tools write: image folders of Hugging Face, COCO, Label Studio, Flickr8k and
    30k, LLaVA, SageMaker, WebDataset, tables of all kinds (CSV, Excel, JSON, Parquet), text files
    beside images, class folders. It says what it recognised, and shows five pairs.

    Splits that the dataset brings are kept: by folders, by a column, by the names of tables. Test
    images are left out, and no picture is on two sides. All captions of an image are kept.

    Writes OUT/training and OUT/validation, each with manifest.jsonl and images/, and
    OUT/changes.jsonl, which says for each image where it went, what was done to it, or why it was
    left out. Your files are never changed. The same inputs and seed give the same dataset. At the
    end the dataset is checked as `tuning validate` does. Exit code 1: too much was left out.

    With --fix, images are converted to PNG or JPEG with 8 bits per channel in RGB, turned upright,
    padded, resized and compressed until they fit; places and names are removed from their metadata;
    captions are trimmed; duplicates and images that cannot be decoded are left out.
    """
    from bedrock_tuning.cli.terminal.prepared import show, show_next
    from bedrock_tuning.cli.terminal.progress import ProgressBar
    from bedrock_tuning.dataset.layouts.reading import Options
    from bedrock_tuning.prepare.run import PreparePlan
    from bedrock_tuning.prepare.run import prepare as run

    if not dry_run:
        _check_given(to=to, customization=customization, out=out)
    known = customization is not None or model is not None
    chosen, contract, tuned = _target(model, customization, customizations)
    if fix and not known:
        say(f"note: fixing to the limits of {chosen.name}; --model KEY chooses another")
    share, usual = _share(split, contract if known else None, chosen)
    deployment = deployed() if customization is not None and not dry_run else None
    places = (
        _named_places(to, validation_to, share or usual, dry_run=dry_run)
        if deployment is None
        else _deployed_places(deployment, str(customization), validation_to)
    )
    with ExitStack() as stack:
        plan = PreparePlan(
            source=source,
            options=Options(
                captions=captions,
                file_column=file_column,
                caption_column=caption_column,
                split_column=split_column,
                encoding=encoding,
                validation=validation_dir,
            ),
            places=places,
            share=share,
            usual_share=usual,
            seed=seed,
            contract=_fixable(contract) if fix else None,
            link=link or dry_run,
            out=out if out is not None and not dry_run else _thrown_away(stack),
        )
        try:
            prepared = run(plan, meter=ProgressBar)
        except KeyboardInterrupt:
            raise Interrupted(
                "nothing is in OUT yet", fix="the same command continues where it stopped"
            ) from None
        report = _verdict(prepared.out, prepared.records, chosen, tuned)
        if as_json:
            emit_json(_as_json(prepared, report))
        else:
            show(prepared, report, dry_run=dry_run)
    if not as_json and not dry_run:
        whose = ["--model", chosen.key]
        if customization is not None:
            whose = ["--customization", customization]
            if customizations != CUSTOMIZATIONS:
                whose += ["--customizations", str(customizations)]
        show_next(prepared, join(whose), customization, deployment)
    if prepared.dropped > dropped_max:
        say(
            f"{prepared.dropped:.1%} of the records were left out, more than {dropped_max:.0%}: "
            "see the reasons above, or pass --dropped-max"
        )
        ctx.exit(EXIT_NO)


def _check_given(*, to: str | None, customization: str | None, out: Path | None) -> None:
    if (to is None) == (customization is None):
        raise UserError(
            "where will the dataset go?",
            fix="pass --to s3://bucket/customization/, or --customization NAME for a deployment",
        )
    if out is None:
        raise UserError("where shall the dataset be written?", fix="-o OUT, or --dry-run")


def _thrown_away(stack: ExitStack) -> Path:
    """A folder that is gone when the command ends."""
    from tempfile import TemporaryDirectory

    return Path(stack.enter_context(TemporaryDirectory(prefix="tuning-"))) / "out"


def _verdict(
    out: Path, kinds: "Any", model: "BaseModel", customization: "Customization | None"
) -> "Report | None":
    """What the checker says of a prepared dataset; None if it has no training set."""
    from bedrock_tuning.client.aws import Aws
    from bedrock_tuning.validate.request import ValidateOptions, validate

    manifests = [str(out / kind / "manifest.jsonl") for kind in kinds]
    report, _ = validate(
        ValidateOptions(
            manifest=manifests[0],
            model=None if customization is not None else model,
            customization=customization,
            type=None,
            kind="training",
            validation=manifests[1] if len(manifests) > 1 else None,
            maps=(),
            bucket=None,
            no_images=False,
            s3_images=False,
            deep=False,
            html=None,
            junit=None,
            sarif=None,
            rejected=None,
            findings_per_rule=10_000,
            accepted=None,
        ),
        Aws(region=None),
        note=lambda _: None,
    )
    return report


def _as_json(prepared: "Any", report: "Any") -> "dict[str, Any]":
    from dataclasses import asdict

    verdict = {"valid": report.valid, "model": report.model, "counts": report.counts}
    return {**asdict(prepared), "dropped": round(prepared.dropped, 4), "verdict": verdict}


def _target(
    model: str | None, customization: str | None, customizations: Path
) -> "tuple[BaseModel, DatasetContract, Customization | None]":
    """Whose limits count."""
    from bedrock_tuning.cli.options import find_customization, find_model

    if customization is None:
        chosen = find_model(model or _FLAGSHIP)
        return chosen, _contract(chosen), None
    if model is not None:
        raise UserError("--customization already sets the model", fix="omit --model")
    found = find_customization(customization, customizations)
    _contract(found.base_model)
    return found.base_model, found.dataset, found


def _deployed_places(
    deployment: "Deployment", customization: str, validation_to: str | None
) -> "dict[Kind, tuple[str, str]]":
    """Bucket and prefix by kind, as a deployment wants them."""
    from bedrock_tuning.s3_layout import folder

    if validation_to is not None:
        raise UserError("--customization already sets all buckets", fix="omit --validation-to")
    deployment.require(customization)
    buckets, prefix = deployment.buckets, folder(customization)
    return {"training": (buckets.training, prefix), "validation": (buckets.validation, prefix)}


def _named_places(
    to: str | None, validation_to: str | None, share: float, *, dry_run: bool
) -> "dict[Kind, tuple[str, str]]":
    """Bucket and prefix by kind, as the options say."""
    if dry_run and to is None:
        return {"training": ("training", "dry-run/"), "validation": ("validation", "dry-run/")}
    places: dict[Kind, tuple[str, str]] = {"training": _place("--to", str(to))}
    if validation_to is not None:
        places["validation"] = _place("--validation-to", validation_to)
    elif share < 1:
        raise UserError(
            "where will the validation set go? A deployment keeps it in a separate bucket",
            fix="--validation-to s3://validation-bucket/customization/, or --split 1 for none, or "
            "--customization NAME for both places of a deployment",
        )
    if places["training"] == places.get("validation"):
        raise UserError(
            "--to and --validation-to are the same: one manifest would overwrite the other",
            fix="name two folders or two buckets",
        )
    return places


def _contract(model: "BaseModel") -> "DatasetContract":
    found = [each for each in model.datasets.values() if each.format == "image-caption"]
    if not found:
        raise UserError(
            f"{model.name} is not trained on images with captions",
            fix="`tuning models` lists the formats of each model",
        )
    return found[0]


def _fixable(contract: "DatasetContract") -> "DatasetContract":
    from bedrock_tuning.cli.terminal.extras import require

    require("PIL", extra="images", what="--fix")
    return contract


def _place(option: str, text: str) -> tuple[str, str]:
    """Bucket and prefix with its slash."""
    from bedrock_tuning.s3_layout import split_uri

    try:
        bucket, key = split_uri(text)
    except ValueError as error:
        raise UserError(f"{option}: {error}", fix=f"{option} s3://bucket/customization/") from None
    key = key.strip("/")
    if not key:
        raise UserError(
            f"{option} {text}: the folder is missing",
            fix=f"pass {option} s3://{bucket}/customization/: each customization owns one folder",
        )
    return bucket, f"{key}/"


def _share(
    split: float | None, contract: "DatasetContract | None", model: "BaseModel"
) -> tuple[float | None, float]:
    """The share for training as it was asked for, and the one where nothing was said."""
    forbidden = contract is not None and contract.validation == "forbidden"
    if split is not None and split < 1 and forbidden:
        raise UserError(f"{model.name} takes no validation set", fix="--split 1")
    return (1.0 if forbidden else split), _SHARE
