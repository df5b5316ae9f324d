"""For a notebook: a deployed environment with its tables and models, and checks and datasets."""

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import MISSING, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from bedrock_tuning.cli.options import (
    ENVIRONMENT_VARIABLE,
    DeploymentOption,
    find_customization,
    find_model,
    new_aws,
    options_to_repeat,
    usual_environment,
)
from bedrock_tuning.cli.preparing import PrepareRequest
from bedrock_tuning.cli.terminal.extras import require
from bedrock_tuning.cli.terminal.output import say
from bedrock_tuning.errors import UserError
from bedrock_tuning.notebook.bars import meter
from bedrock_tuning.notebook.results import Checked, PreparedDataset, frame

if TYPE_CHECKING:
    import pandas as pd

    from bedrock_tuning.run.cost import Estimate


class Deployment:
    """A deployed environment, as `tuning -e NAME` reaches it; nothing is asked before it is needed.

    environment, profile, region: by default those of `tuning`: variables, config.toml, the AWS
    CLI. deployed: the same for functions of this package.
    """

    def __init__(
        self,
        environment: str | None = None,
        *,
        profile: str | None = None,
        region: str | None = None,
    ) -> None:
        name = environment or os.environ.get(ENVIRONMENT_VARIABLE) or usual_environment()
        self.deployed = DeploymentOption(
            aws=new_aws(region=region, profile=profile),
            environment=name,
            options=options_to_repeat(name, region=region, profile=profile),
        )

    def __repr__(self) -> str:
        return f"Deployment({self.deployed.environment!r})"

    @property
    def customizations(self) -> "pd.DataFrame":
        """Columns: name, base_model, customization_type, description."""
        rows = [
            {
                "name": customization.name,
                "base_model": customization.base_model.key,
                "customization_type": customization.customization_type,
                "description": customization.description,
            }
            for customization in self.deployed().customizations.values()
        ]
        return frame(rows)

    def runs(self, customization: str | None = None, *, limit: int = 20) -> "pd.DataFrame":
        """The newest runs, the newest first; a column for each value that is known of one."""
        from bedrock_tuning.client import runs

        rows = runs.rows(self.deployed(), customization=customization, limit=limit)
        return frame([runs.visible(row) for row in rows])

    def report(self, run: str = "latest", customization: str | None = None) -> Checked:
        """The report of a run, or of the newest one of a customization."""
        import msgspec

        from bedrock_tuning.report.report import Report

        return Checked(
            msgspec.json.decode(self._stored_file(run, customization, "report"), type=Report)
        )

    def metrics(self, run: str = "latest", customization: str | None = None) -> "pd.DataFrame":
        """Loss and other metrics, by step: one column each, such as "training loss"."""
        from bedrock_tuning.run.curves import curves

        require("pandas", extra="notebook", what="a DataFrame")
        import pandas as pd

        document = json.loads(self._stored_file(run, customization, "metrics"))
        columns = {
            curve.name: pd.Series({point.step: point.value for point in curve.points})
            for curve in curves(document.get("files", {}))
        }
        return pd.DataFrame(columns).rename_axis("step")

    def price(self, customization: str, *, records: int | None = None) -> "Estimate":
        """What a run would cost, line by line; an unknown price is said to be unknown."""
        from bedrock_tuning.run import cost

        deployment = self.deployed()
        deployment.require(customization)
        return cost.estimate(
            customization=deployment.customizations[customization], training_records=records
        )

    def upload(
        self, dataset: "PreparedDataset | Path | str", customization: str, *, agreed: bool
    ) -> str:
        """Uploads a dataset, which starts a run; returns the run's name, "" if it is not known yet.

        agreed: True says that you know what a run costs (`price`). A run over its budget waits for
        approval all the same. Raises UserError for a dataset with errors.
        """
        from bedrock_tuning.client import runs, upload

        deployment = self.deployed()
        folder = dataset.folder if isinstance(dataset, PreparedDataset) else Path(dataset)
        deployment.require(customization)
        if not agreed:
            raise UserError(
                f"a run costs: {self.price(customization)}", fix="pass agreed=True to start it"
            )
        sides = upload.sides(
            folder, validation=None, customization=customization, deployment=deployment
        )
        result = validate(folder, customization=customization, deployment=self)
        if not result.valid:
            raise UserError(f"nothing was sent: {result!r}", fix="see .findings of `validate`")
        newest = runs.newest_before_upload(deployment, customization)
        for side in sides:
            upload.upload_images(upload.sending(side, deployment), deployment, meter=meter())
        # The validation manifest first: the training manifest starts the run.
        for side in reversed(sides):
            upload.upload_manifest(side, deployment)
        if newest is None:
            return ""
        row = runs.first_after(deployment, customization, after=newest)
        return "" if row is None else str(row["run"])

    def ask(self, customization: str, text: str, *, base: bool = False) -> str:
        """The answer of a model of text: the tuned one, or its base model. Each call is billed."""
        from bedrock_tuning.client.inference import base_of, tuned_of
        from bedrock_tuning.serving import questions

        model = (base_of if base else tuned_of)(self.deployed(), customization)
        return questions.answer_text(model.ask(questions.message(text)))

    def embed(
        self,
        customization: str,
        inputs: "Iterable[str | Path]",
        *,
        length: int | None = None,
        base: bool = False,
    ) -> "pd.DataFrame":
        """Vectors of texts and of image files (as Path), one a row. Known answers cost nothing."""
        from bedrock_tuning.client.embedding import Embedder, of_file, of_text
        from bedrock_tuning.client.inference import base_of, tuned_of

        contents = list(inputs)
        model = (base_of if base else tuned_of)(self.deployed(), customization)
        items = [
            of_file(content) if isinstance(content, Path) else of_text(content)
            for content in contents
        ]
        with meter()("asking the model", "inputs") as progress:

            def done(count: int) -> None:
                progress.update(share=count / max(1, len(items)), count=count)

            vectors = Embedder(model=model, length=length).vectors(items, done=done)
        return frame(vectors, index=[str(content) for content in contents])

    def _stored_file(self, run: str, customization: str | None, what: str) -> bytes:
        from bedrock_tuning.client import reports, runs

        deployment = self.deployed()
        name = runs.chosen(deployment, run, customization=customization)
        values = runs.resolved(deployment, runs.row(deployment, name))
        if what not in values:
            raise UserError(f"run {name} has no {what}: it is {values['status']}")
        return reports.stored(deployment, values).read(str(values[what]).rpartition("/")[2])


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
    from bedrock_tuning.validating.request import ValidateOptions
    from bedrock_tuning.validating.request import validate as checked

    deployed = (deployment or Deployment()).deployed
    settings = None if customization is None else find_customization(customization, None, deployed)
    with TemporaryDirectory(prefix="tuning-") as folder:
        validation_file = Path(folder) / "validation.jsonl"
        report, _ = checked(
            ValidateOptions(
                manifest=_manifest_of(dataset, Path(folder) / "training.jsonl"),
                validation=None
                if validation is None
                else _manifest_of(validation, validation_file),
                customization=settings,
                model=None if model is None else find_model(model),
                maps=tuple(f"{uri}={place}" for uri, place in (images or {}).items()),
            ),
            deployed.aws,
            note=say,
            meter=meter(),
        )
    return Checked(report)


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
) -> PreparedDataset:
    """Turns what you have into manifests with their images, in the new folder `out`.

    source: anything that `tuning prepare` reads, or a DataFrame with one record a row: texts, or
    the names of pictures in the folder `images` with their captions. more: other options of the
    command, such as caption_column, to or to_format.
    """
    options = [field.name for field in fields(PrepareRequest) if field.default is not MISSING]
    unknown = sorted(more.keys() - options)
    if unknown:
        raise UserError(
            f"prepare has no option {', '.join(unknown)}", fix=f"use one of {', '.join(options)}"
        )
    deployed = (deployment or Deployment()).deployed
    with TemporaryDirectory(prefix="tuning-") as folder:
        if isinstance(source, str | Path):
            path = Path(source)
        elif images is None:
            path = Path(_manifest_of(source, Path(folder) / "records.jsonl"))
        else:
            path, table = Path(images), Path(folder) / "captions.csv"
            source.to_csv(table, index=False)
            more["captions"] = str(table)
        prepare_request = PrepareRequest(
            **more, source=path, customization=customization, model=model, split=split, fix=fix,
            seed=seed, dry_run=False, out=Path(out), deployed=deployed,
        )  # fmt: skip
        with closing(prepare_request) as request:
            prepared = request.run(meter=meter())
            report = request.verdict(prepared)
        return PreparedDataset(
            folder=prepared.out,
            understood=prepared.understood,
            checked=None if report is None else Checked(report),
            left_out=[(entry.file, entry.reason) for entry in prepared.left_out],
        )


def _manifest_of(dataset: "str | Path | pd.DataFrame", file: Path) -> str:
    """The manifest's place; a DataFrame is written to the file."""
    if isinstance(dataset, str | Path):
        return str(dataset)
    lines = [json.dumps(record, ensure_ascii=False) for record in dataset.to_dict("records")]
    file.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return str(file)
