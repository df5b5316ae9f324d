"""Datasets for a notebook: `prepare` and `validate`."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from bedrock_tuning.cli.preparing import Request
from bedrock_tuning.errors import UserError
from bedrock_tuning.notebook.bars import meter
from bedrock_tuning.notebook.checks import check, manifest_of
from bedrock_tuning.notebook.deployment import Deployment
from bedrock_tuning.notebook.results import Checked, Dataset

if TYPE_CHECKING:
    import pandas as pd

# The options of `tuning prepare` that are no parameters here, and what they are by default.
_OPTIONS: Final[Mapping[str, Any]] = {
    "captions": "",
    "file_column": "",
    "caption_column": "",
    "split_column": "",
    "encoding": "",
    "validation_dir": "",
    "to": None,
    "validation_to": None,
    "customizations": None,
    "to_format": None,
    "link": False,
}


def validate(
    dataset: "str | Path | pd.DataFrame",
    *,
    customization: str | None = None,
    model: str | None = None,
    validation: "str | Path | pd.DataFrame | None" = None,
    images: Mapping[str, str | Path] | None = None,
    deployment: Deployment | None = None,
) -> Checked:
    """Checks a dataset against every rule, as `tuning validate` and each run do.

    dataset, validation: a manifest or a folder with one, local or in S3, or a DataFrame whose
    columns are the fields of a record. images: the folders where the images of
    "s3://bucket/folder" lie. customization or model: what it is for.
    """
    return check(
        dataset, deployed=(deployment or Deployment()).deployed, customization=customization,
        model=model, validation=validation, images=images,
    )  # fmt: skip


def prepare(
    source: "str | Path | pd.DataFrame",
    out: str | Path,
    *,
    customization: str | None = None,
    model: str | None = None,
    images: str | Path | None = None,
    split: float | None = None,
    fix: bool = False,
    seed: int = 0,
    deployment: Deployment | None = None,
    **more: Any,
) -> Dataset:
    """Turns what you have into manifests with their images, in the new folder `out`.

    source: anything that `tuning prepare` reads, or a DataFrame with one record a row: texts, or
    the names of pictures in the folder `images` with their captions. more: other options of the
    command, such as caption_column, to or to_format.
    """
    unknown = sorted(more.keys() - _OPTIONS.keys())
    if unknown:
        raise UserError(
            f"prepare has no option {', '.join(unknown)}", fix=f"use one of {', '.join(_OPTIONS)}"
        )
    deployed = (deployment or Deployment()).deployed
    options = {**_OPTIONS, **more}
    with TemporaryDirectory(prefix="tuning-") as folder:
        if isinstance(source, str | Path):
            path = Path(source)
        elif images is None:
            path = Path(manifest_of(source, Path(folder) / "records.jsonl"))
        else:
            path, table = Path(images), Path(folder) / "captions.csv"
            source.to_csv(table, index=False)
            options["captions"] = str(table)
        with Request(
            **options, source=path, customization=customization, model=model, split=split, fix=fix,
            seed=seed, dry_run=False, out=Path(out), deployed=deployed,
        ) as request:  # fmt: skip
            prepared = request.run(meter=meter())
            report = request.verdict(prepared)
        return Dataset(
            folder=prepared.out,
            understood=prepared.understood,
            checked=None if report is None else Checked(report),
            left_out=[(each.file, each.reason) for each in prepared.left_out],
        )
