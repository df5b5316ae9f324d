"""A check of manifests and DataFrames with the rules of `tuning validate`."""

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from bedrock_tuning.cli.options import Deployed, find_customization, find_model
from bedrock_tuning.cli.terminal.output import say
from bedrock_tuning.notebook.bars import meter
from bedrock_tuning.notebook.results import Checked

if TYPE_CHECKING:
    import pandas as pd


def check(
    dataset: "str | Path | pd.DataFrame",
    *,
    deployed: Deployed,
    customization: str | None,
    model: str | None = None,
    validation: "str | Path | pd.DataFrame | None" = None,
    images: Mapping[str, str | Path] | None = None,
) -> Checked:
    """As `validate`, for a deployment."""
    from bedrock_tuning.validating.request import ValidateOptions
    from bedrock_tuning.validating.request import validate as checked

    tuned = None if customization is None else find_customization(customization, None, deployed)
    with TemporaryDirectory(prefix="tuning-") as folder:
        second = Path(folder) / "validation.jsonl"
        report, _ = checked(
            ValidateOptions(
                manifest=manifest_of(dataset, Path(folder) / "training.jsonl"),
                validation=None if validation is None else manifest_of(validation, second),
                customization=tuned,
                model=None if model is None else find_model(model),
                maps=tuple(f"{uri}={place}" for uri, place in (images or {}).items()),
            ),
            deployed.aws,
            note=say,
            meter=meter(),
        )
    return Checked(report)


def manifest_of(dataset: "str | Path | pd.DataFrame", file: Path) -> str:
    """The manifest's place; a DataFrame is written to the file."""
    if isinstance(dataset, str | Path):
        return str(dataset)
    lines = [json.dumps(each, ensure_ascii=False) for each in dataset.to_dict("records")]
    file.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return str(file)
