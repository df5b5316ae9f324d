"""The options of `tuning prepare` as one request: whose limits, which places, which work."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from shlex import join
from typing import TYPE_CHECKING, Final

from bedrock_tuning.cli.options import DeploymentOption, find_customization, find_model
from bedrock_tuning.cli.terminal.errors import Interrupted
from bedrock_tuning.cli.terminal.output import say
from bedrock_tuning.defaults import DEFAULT_MODEL
from bedrock_tuning.errors import UserError
from bedrock_tuning.progress import Meter

if TYPE_CHECKING:
    from bedrock_tuning.catalogue import BaseModel, DatasetContract
    from bedrock_tuning.client.deployment import DeploymentClient
    from bedrock_tuning.config.customization import CustomizationSettings
    from bedrock_tuning.preparing.run import Prepared
    from bedrock_tuning.report.report import Report
    from bedrock_tuning.s3_layout import Kind

TRAINING_SHARE: Final = 0.9
# Of texts: those of Amazon Bedrock first, then those of other tools. A test compares this with
# what is written; importing the writers would cost each start of the command.
TEXT_FORMATS: Final = (
    "converse",
    "prompt-completion",
    "input-only",
    "claude-messages",
    "rft",
    "openai",
    "sharegpt",
    "alpaca",
    "vertex",
)
_PAIRS: Final = "image-caption"
Places = Mapping["Kind", tuple[str, str]]


@dataclass(kw_only=True)
class PrepareRequest:
    """One call of `tuning prepare`; the fields are its options, to be closed after use."""

    source: Path
    captions: str = ""
    file_column: str = ""
    caption_column: str = ""
    split_column: str = ""
    encoding: str = ""
    validation_dir: str = ""
    to: str | None = None
    validation_to: str | None = None
    customization: str | None
    customizations: Path | None = None
    split: float | None
    to_format: str | None = None
    job_type: str | None = None
    seed: int
    fix: bool
    model: str | None
    link: bool = False
    dry_run: bool
    out: Path | None
    deployed: DeploymentOption
    _stack: ExitStack = field(default_factory=ExitStack)

    def close(self) -> None:
        """Throws away what a dry run wrote."""
        self._stack.close()

    @cached_property
    def tuned(self) -> "CustomizationSettings | None":
        """The customization that the dataset is for."""
        if self.customization is None:
            return None
        if self.model is not None:
            raise UserError("--customization already sets the model", fix="omit --model")
        return find_customization(self.customization, self.customizations, self.deployed)

    @cached_property
    def base(self) -> "BaseModel | None":
        """The model that was named; None if none was."""
        if self.tuned is not None:
            return self.tuned.base_model
        return find_model(self.model) if self.model is not None else None

    @cached_property
    def type(self) -> str | None:
        """The type of job whose records have the wanted format; None without a model."""
        if self.base is None:
            return None
        if self.job_type is not None:
            from bedrock_tuning.validating.request import known_type

            return known_type(self.base, self.job_type)
        types = self.base.datasets.items()
        fitting = [name for name, contract in types if contract.format == self.to_format]
        return next(iter(fitting or self.base.datasets), None)

    @cached_property
    def contract(self) -> "DatasetContract | None":
        """What the named model accepts."""
        if self.tuned is not None:
            return self.tuned.dataset
        return None if self.base is None or self.type is None else self.base.datasets[self.type]

    @cached_property
    def is_text(self) -> bool:
        """Whether the records are texts."""
        return bool(self.to_format) or (
            self.contract is not None and self.contract.format != _PAIRS
        )

    @cached_property
    def deployment(self) -> "DeploymentClient | None":
        """Where the customization's dataset will lie."""
        return self.deployed() if self.customization is not None and not self.dry_run else None

    @property
    def whose(self) -> str:
        """The options of other commands that name the same model."""
        if self.customization is None:
            name = self.base.key if self.base is not None else DEFAULT_MODEL
            kind = ["--type", self.job_type] if self.job_type is not None else []
            return "" if self.is_text and self.base is None else join(["--model", name, *kind])
        options = ["--customization", self.customization]
        if self.customizations is not None:
            options += ["--customizations", str(self.customizations)]
        return join(options)

    def run(self, *, meter: Meter) -> "Prepared":
        """Does the work; raises UserError for options that make no sense."""
        self._check()
        try:
            return self._texts() if self.is_text else self._images(meter)
        except KeyboardInterrupt:
            raise Interrupted(
                "nothing is in OUT yet", fix="the same command continues where it stopped"
            ) from None

    def _check(self) -> None:
        if self.is_text and self.to_format is None and self.contract is not None:
            if self.source.is_dir() or self.captions or self.fix:
                raise UserError(
                    f"{self.base.name if self.base else ''} is not trained on images with captions",
                    fix=f"`tuning models` lists the formats of each model; for texts pass "
                    f"--to-format {self.contract.format}",
                )
            self.to_format = self.contract.format
        if self.job_type is not None and self.model is None:
            raise UserError("--type is a type of a model", fix="pass --model, or omit --type")
        if self.to is not None and self.customization is not None:
            raise UserError(_WHERE, fix=_WHERE_FIX)
        if self.dry_run:
            return
        if self.to is None and self.customization is None and not self.is_text:
            raise UserError(_WHERE, fix=_WHERE_FIX)
        if self.out is None:
            raise UserError("where should the dataset be written?", fix="-o OUT, or --dry-run")

    def _target(self) -> Path:
        """The folder to write; one that is thrown away for a dry run."""
        from tempfile import TemporaryDirectory

        if self.out is not None and not self.dry_run:
            return self.out
        return Path(self._stack.enter_context(TemporaryDirectory(prefix="tuning-"))) / "out"

    def _images(self, meter: Meter) -> "Prepared":
        from bedrock_tuning.dataset.layouts.reading import LayoutOptions
        from bedrock_tuning.preparing.run import PreparePlan, prepare

        model = self.base or find_model(DEFAULT_MODEL)
        contract = self.contract or model.datasets["FINE_TUNING"]
        if self.fix and self.base is None:
            say(f"note: fixing to the limits of {model.name}; --model KEY chooses another")
        share = self._share()
        return prepare(
            PreparePlan(
                source=self.source,
                options=LayoutOptions(
                    captions=self.captions,
                    file_column=self.file_column,
                    caption_column=self.caption_column,
                    split_column=self.split_column,
                    encoding=self.encoding,
                    validation=self.validation_dir,
                ),
                places=self._places(validates=(share or TRAINING_SHARE) < 1),
                share=share,
                usual_share=TRAINING_SHARE,
                seed=self.seed,
                contract=_fixable(contract) if self.fix else None,
                link=self.link or self.dry_run,
                out=self._target(),
            ),
            meter=meter,
        )

    def _texts(self) -> "Prepared":
        from bedrock_tuning.preparing.texts import TextPlan, prepare_texts

        required = self.contract is not None and self.contract.validation == "required"
        requested = self._share()
        share = requested or (TRAINING_SHARE if required else 1.0)
        places: Places = {}
        if self.to is not None or self.customization is not None or self.dry_run:
            places = self._places(validates=share < 1)
        return prepare_texts(
            TextPlan(
                source=self.source,
                format=str(self.to_format),
                contract=self.contract,
                places=places,
                share=share,
                validates=requested is None or requested < 1,
                seed=self.seed,
                encoding=self.encoding,
                split_column=self.split_column,
                out=self._target(),
            )
        )

    def _share(self) -> float | None:
        """The share for training as it was asked for, 1 for a model without validation set."""
        contract, model = self.contract, self.base
        if contract is None or model is None or contract.validation != "forbidden":
            return self.split
        if self.split is not None and self.split < 1:
            raise UserError(f"{model.name} takes no validation set", fix="--split 1")
        return 1.0

    def _places(self, *, validates: bool) -> Places:
        """Bucket and prefix by kind."""
        if self.deployment is not None:
            return self._deployed_places(self.deployment)
        if self.to is None:
            return {"training": ("training", "dry-run/"), "validation": ("validation", "dry-run/")}
        places: dict[Kind, tuple[str, str]] = {"training": _place("--to", self.to)}
        if self.validation_to is not None:
            places["validation"] = _place("--validation-to", self.validation_to)
        elif validates:
            raise UserError(
                "where will the validation set go? A deployment keeps it in a separate bucket",
                fix=f"{_VALIDATION}, {_OR_DEPLOYED}",
            )
        if places["training"] == places.get("validation"):
            raise UserError(
                "--to and --validation-to are the same: one manifest would overwrite the other",
                fix="name two folders or two buckets",
            )
        return places

    def _deployed_places(self, deployment: "DeploymentClient") -> Places:
        name = str(self.customization)
        if self.validation_to is not None:
            raise UserError("--customization already sets all buckets", fix="omit --validation-to")
        deployment.require(name)
        buckets, prefix = deployment.buckets, deployment.customizations[name].media_folders[0]
        return {"training": (buckets.training, prefix), "validation": (buckets.validation, prefix)}

    def verdict(self, prepared: "Prepared") -> "Report | None":
        """What the checker says of a prepared dataset; None for texts without a model."""
        from bedrock_tuning.validating.request import ValidateOptions, validate

        model = self.base if self.is_text else self.base or find_model(DEFAULT_MODEL)
        if model is None or (self.contract is not None and self._is_foreign()):
            return None
        manifests = [str(prepared.out / kind / "manifest.jsonl") for kind in prepared.records]
        report, _ = validate(
            ValidateOptions(
                manifest=manifests[0],
                model=None if self.tuned is not None else model,
                customization=self.tuned,
                type=None if self.tuned is not None else self.type,
                validation=manifests[1] if len(manifests) > 1 else None,
            ),
            self.deployed.aws,
            note=lambda _: None,
        )
        return report

    def _is_foreign(self) -> bool:
        """Whether the records are not in the model's own format."""
        return self.is_text and self.contract is not None and self.contract.format != self.to_format


_WHERE: Final = "where will the dataset go?"
_VALIDATION: Final = (
    "--validation-to s3://validation-bucket/customization/, or --split 1 for no validation set"
)
_OR_DEPLOYED: Final = "or --customization NAME for both places of a deployment"
_WHERE_FIX: Final = f"pass --to s3://bucket/customization/ and {_VALIDATION}, {_OR_DEPLOYED}"


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
