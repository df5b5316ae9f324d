"""`tuning prepare`: a folder of images and captions becomes a dataset that can be uploaded."""

from pathlib import Path
from shlex import join, quote
from typing import TYPE_CHECKING

import click

from bedrock_tuning.cli.options import (
    CUSTOMIZATIONS,
    complete_customizations,
    complete_models,
    customizations_option,
    deployment_options,
)
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.output import emit, emit_json, emit_table, json_option, say
from bedrock_tuning.errors import UserError

if TYPE_CHECKING:
    from bedrock_tuning.catalogue import BaseModel, DatasetContract
    from bedrock_tuning.cli.options import Deployed
    from bedrock_tuning.client.deployment import Deployment
    from bedrock_tuning.prepare.run import Prepared
    from bedrock_tuning.s3_layout import Kind

_FLAGSHIP = "titan-multimodal-embeddings-g1"
_SHARE = 0.9
_SHOWN = 5


@command(
    order=2,
    examples=(
        "tuning prepare pictures/ --captions captions.csv -c pets-search --fix -o out",
        "tuning prepare pictures/ --captions sidecar --to s3://bucket/pets/ --split 1 -o out",
    ),
)
@click.argument(
    "folder",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of images, with its subfolders.",
)
@click.option(
    "--captions",
    required=True,
    metavar="FILE|sidecar",
    help="CSV, TSV or JSON with the columns file and caption, or the word sidecar: a .txt beside "
    "each image.",
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
    help=f"Share of the records for training; {_SHARE}, or 1 if the model takes no validation set.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Change it to reshuffle.")
@click.option(
    "--fix",
    is_flag=True,
    help="Fit images and captions to the model's limits, in new files; drop duplicates. Needs "
    "Pillow.",
)
@click.option(
    "--model",
    "-m",
    metavar="KEY",
    shell_complete=complete_models,
    help=f"Model whose limits apply; {_FLAGSHIP} by default.",
)
@click.option("--link", is_flag=True, help="Hard-link unchanged images instead of copying them.")
@click.option(
    "--output",
    "-o",
    "out",
    required=True,
    metavar="OUT",
    type=click.Path(path_type=Path),
    help="New folder for the dataset; nothing is overwritten.",
)
@json_option
@deployment_options
def prepare(
    *,
    folder: Path,
    captions: str,
    to: str | None,
    validation_to: str | None,
    customization: str | None,
    customizations: Path,
    split: float | None,
    seed: int,
    fix: bool,
    model: str | None,
    link: bool,
    out: Path,
    as_json: bool,
    deployed: "Deployed",
) -> None:
    """Turn a folder of images and captions into training and validation manifests.

    Writes OUT/training and OUT/validation, each with manifest.jsonl and images/, and
    OUT/changes.jsonl, which says for each image where it went, what was done to it, or why it was
    left out. Your files are never changed. Equal images are never in both sets, and the same inputs
    and seed give the same dataset.

    With --fix, images are converted to PNG or JPEG with 8 bits per channel in RGB, turned upright,
    padded, resized and compressed until they fit; captions are trimmed; duplicates and images that
    cannot be decoded are left out.
    """
    from bedrock_tuning.cli.terminal.progress import ProgressBar
    from bedrock_tuning.prepare.run import PreparePlan
    from bedrock_tuning.prepare.run import prepare as run

    if (to is None) == (customization is None):
        raise UserError(
            "where will the dataset go?",
            fix="pass --to s3://bucket/customization/, or --customization NAME for a deployment",
        )
    known = customization is not None or model is not None
    chosen, contract = _target(model, customization, customizations)
    if fix and not known:
        say(f"note: fixing to the limits of {chosen.name}; --model KEY chooses another")
    share = _share(split, contract if known else None, chosen)
    deployment = deployed() if customization is not None else None
    places = (
        _named_places(str(to), validation_to, share)
        if deployment is None
        else _deployed_places(deployment, str(customization), validation_to)
    )
    prepared = run(
        PreparePlan(
            folder=folder,
            captions=captions,
            places=places,
            share=share,
            seed=seed,
            contract=_fixable(contract) if fix else None,
            link=link,
            out=out,
        ),
        meter=ProgressBar,
    )
    if as_json:
        emit_json(prepared)
    else:
        _show(prepared)
        whose = ["--model", chosen.key]
        if customization is not None:
            whose = ["--customization", customization]
            if customizations != CUSTOMIZATIONS:
                whose += ["--customizations", str(customizations)]
        _show_next(prepared, join(whose), customization, deployment)


def _target(
    model: str | None, customization: str | None, customizations: Path
) -> "tuple[BaseModel, DatasetContract]":
    """Whose limits count."""
    from bedrock_tuning.cli.options import find_customization, find_model

    if customization is None:
        chosen = find_model(model or _FLAGSHIP)
        return chosen, _contract(chosen)
    if model is not None:
        raise UserError("--customization already sets the model", fix="omit --model")
    found = find_customization(customization, customizations)
    _contract(found.base_model)
    return found.base_model, found.dataset


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
    to: str, validation_to: str | None, share: float
) -> "dict[Kind, tuple[str, str]]":
    """Bucket and prefix by kind, as the options say."""
    places: dict[Kind, tuple[str, str]] = {"training": _place("--to", to)}
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
    from importlib.util import find_spec

    if find_spec("PIL") is None:
        raise UserError(
            "--fix needs Pillow, which is not installed",
            fix="pip install 'bedrock-tuning[images]'",
        )
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


def _share(split: float | None, contract: "DatasetContract | None", model: "BaseModel") -> float:
    forbidden = contract is not None and contract.validation == "forbidden"
    if split is None:
        return 1.0 if forbidden else _SHARE
    if split < 1 and forbidden:
        raise UserError(f"{model.name} takes no validation set", fix="--split 1")
    return split


def _show(prepared: "Prepared") -> None:
    from bedrock_tuning.wording import counted

    for kind, count in prepared.records.items():
        where = prepared.out / kind / "manifest.jsonl"
        emit(f"{kind}: {counted(count, 'record')} in {where}")
    if prepared.changes:
        emit()
        emit_table(
            ("CHANGES TO IMAGES AND CAPTIONS", "COUNT"),
            ((kind, f"{count:>8,}") for kind, count in prepared.changes.items()),
        )
    if prepared.left_out:
        emit(f"\nleft out: {len(prepared.left_out):,}")
        for each in prepared.left_out[:_SHOWN]:
            emit(f"  {each.file}: {each.reason}")
        if len(prepared.left_out) > _SHOWN:
            emit(f"  … and {len(prepared.left_out) - _SHOWN:,} more")
    emit(f"\ndetails of every image: {prepared.out / 'changes.jsonl'}")


def _show_next(
    prepared: "Prepared", whose: str, customization: str | None, deployment: "Deployment | None"
) -> None:
    out = quote(str(prepared.out))
    manifests = [f"{out}/{kind}/manifest.jsonl" for kind in prepared.records]
    both = " --validation ".join(manifests)
    emit(f"\ncheck it:\n  tuning validate {both} {whose}")
    if deployment is not None:
        emit("upload it, which starts the run:")
        emit(f"  {deployment.command(f'upload {out} --customization {customization}')}")
        emit("or with any S3 client, the training manifest last, because it starts the run:")
    else:
        emit("upload it, the training manifest last, because it starts the run:")
    for line in prepared.upload:
        emit(f"  {line}")
