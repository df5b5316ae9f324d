"""A deployed environment for a notebook: its tables, its models, and uploads."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from bedrock_tuning.cli.options import (
    ENVIRONMENT_VARIABLE,
    Deployed,
    new_aws,
    options_to_repeat,
    usual_environment,
)
from bedrock_tuning.cli.terminal.extras import require
from bedrock_tuning.errors import UserError
from bedrock_tuning.notebook.bars import meter
from bedrock_tuning.notebook.checks import check
from bedrock_tuning.notebook.results import Checked, Dataset, frame

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
        self.deployed = Deployed(
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
                "name": each.name,
                "base_model": each.base_model.key,
                "customization_type": each.customization_type,
                "description": each.description,
            }
            for each in self.deployed().customizations.values()
        ]
        return frame(rows)

    def runs(self, customization: str | None = None, *, limit: int = 20) -> "pd.DataFrame":
        """The newest runs, the newest first; a column for each value that is known of one."""
        from bedrock_tuning.client import runs

        found = runs.rows(self.deployed(), customization=customization, limit=limit)
        return frame([runs.visible(each) for each in found])

    def report(self, run: str = "latest", customization: str | None = None) -> Checked:
        """The report of a run, or of the newest one of a customization."""
        import msgspec

        from bedrock_tuning.report.report import Report

        return Checked(msgspec.json.decode(self._stored(run, customization, "report"), type=Report))

    def metrics(self, run: str = "latest", customization: str | None = None) -> "pd.DataFrame":
        """Loss and other metrics, by step: one column each, such as "training loss"."""
        from bedrock_tuning.run.curves import curves

        require("pandas", extra="notebook", what="a DataFrame")
        import pandas as pd

        written = json.loads(self._stored(run, customization, "metrics"))
        found = {
            curve.name: pd.Series({point.step: point.value for point in curve.points})
            for curve in curves(written.get("files", {}))
        }
        return pd.DataFrame(found).rename_axis("step")

    def price(self, customization: str, *, records: int | None = None) -> "Estimate":
        """What a run would cost, line by line; an unknown price is said to be unknown."""
        from bedrock_tuning.run import cost

        deployment = self.deployed()
        deployment.require(customization)
        return cost.estimate(
            customization=deployment.customizations[customization], training_records=records
        )

    def upload(self, dataset: "Dataset | Path | str", customization: str, *, agreed: bool) -> str:
        """Uploads a dataset, which starts a run; returns the run's name, "" if it is not known yet.

        agreed: True says that you know what a run costs (`price`). A run over its budget waits for
        approval all the same. Raises UserError for a dataset with errors.
        """
        from bedrock_tuning.client import runs, upload

        deployment = self.deployed()
        folder = dataset.folder if isinstance(dataset, Dataset) else Path(dataset)
        deployment.require(customization)
        if not agreed:
            raise UserError(
                f"a run costs: {self.price(customization)}", fix="pass agreed=True to start it"
            )
        sides = upload.sides(
            folder, validation=None, customization=customization, deployment=deployment
        )
        checked = check(folder, deployed=self.deployed, customization=customization)
        if not checked.valid:
            raise UserError(f"nothing was sent: {checked!r}", fix="see .findings of `validate`")
        before = runs.newest_before_upload(deployment, customization)
        for side in sides:
            upload.upload_images(upload.sending(side, deployment), deployment, meter=meter())
        # The validation manifest first: the training manifest starts the run.
        for side in reversed(sides):
            upload.upload_manifest(side, deployment)
        if before is None:
            return ""
        started = runs.first_after(deployment, customization, after=before)
        return "" if started is None else str(started["run"])

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

        wanted = list(inputs)
        model = (base_of if base else tuned_of)(self.deployed(), customization)
        items = [of_file(each) if isinstance(each, Path) else of_text(each) for each in wanted]
        with meter()("asking the model", "inputs") as progress:

            def done(count: int) -> None:
                progress.update(share=count / max(1, len(items)), count=count)

            vectors = Embedder(model=model, length=length).vectors(items, done=done)
        return frame(vectors, index=[str(each) for each in wanted])

    def _stored(self, run: str, customization: str | None, what: str) -> bytes:
        from bedrock_tuning.client import reports, runs

        deployment = self.deployed()
        name = runs.chosen(deployment, run, customization=customization)
        known = runs.resolved(deployment, runs.row(deployment, name))
        if what not in known:
            raise UserError(f"run {name} has no {what}: it is {known['status']}")
        return reports.stored(deployment, known).read(str(known[what]).rpartition("/")[2])
