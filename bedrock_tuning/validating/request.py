"""What `tuning validate` does: its options as one check, and the files that it writes."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from bedrock_tuning.catalogue import BaseModel, DatasetContract, catalogue
from bedrock_tuning.client.aws import Aws
from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.dataset.dataset import ModelRequirements
from bedrock_tuning.dataset.images.source import ImageSource
from bedrock_tuning.dataset.sample import Sampled, sampled
from bedrock_tuning.dataset.scope import DatasetScope
from bedrock_tuning.dataset.suggestions import s3_hint
from bedrock_tuning.errors import UserError
from bedrock_tuning.progress import Meter, silent
from bedrock_tuning.report.formats import to_junit, to_sarif
from bedrock_tuning.report.html import Pictures, to_html
from bedrock_tuning.report.report import Report
from bedrock_tuning.rules.finding import FINDINGS_PER_RULE, FindingsFile
from bedrock_tuning.s3_layout import Kind, uri
from bedrock_tuning.sources.folder import Folders
from bedrock_tuning.sources.locations import (
    ImageLocation,
    beside,
    first_reference,
    image_location,
    parse_map,
    references,
)
from bedrock_tuning.sources.manifests import (
    LocalManifest,
    Manifest,
    S3Manifest,
    bucket_region,
    manifests_in,
)
from bedrock_tuning.sources.pictures import thumbnails
from bedrock_tuning.validating.check import DatasetCheck, Reach
from bedrock_tuning.validating.outputs import check_outputs, write_accepted
from bedrock_tuning.wording import counted, did_you_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateOptions:
    """The options of `tuning validate`, as its help describes them."""

    manifest: str
    model: BaseModel | None = None
    customization: CustomizationSettings | None = None
    type: str | None = None
    kind: Kind = "training"
    validation: str | None = None
    maps: tuple[str, ...] = ()
    bucket: str | None = None
    no_images: bool = False
    s3_images: bool = False
    deep: bool = False
    html: Path | None = None
    junit: Path | None = None
    sarif: Path | None = None
    rejected: Path | None = None
    findings_per_rule: int = FINDINGS_PER_RULE
    accepted: Path | None = None

    @property
    def in_s3(self) -> bool:
        """Whether anything is read from S3; without, no AWS configuration is asked for."""
        names = (self.manifest, self.validation or "")
        return self.s3_images or any(name.startswith("s3://") for name in names)

    @property
    def outputs(self) -> dict[str, Path | None]:
        """Files to write, by option."""
        return {
            "--html": self.html,
            "--junit": self.junit,
            "--sarif": self.sarif,
            "--rejected": self.rejected,
            "--accepted": self.accepted,
        }


def validate(
    options: ValidateOptions, aws: Aws, *, note: Callable[[str], None], meter: Meter = silent
) -> tuple[Report, list[str]]:
    """Makes the check and writes its files; returns the report, and where the files are.

    note: receives a sentence about what is not checked, and why. Raises UserError for options that
    contradict each other and for what cannot be read.
    """
    manifests = _manifests(options, aws)
    check_outputs(options.outputs, manifests.values())
    check = _Locator(options, aws, note).check(alone=len(manifests) == 1)
    check.meter = meter
    with nullcontext() if options.rejected is None else options.rejected.open("wb") as file:
        if file is not None:
            check.listener = FindingsFile(file, per_rule=options.findings_per_rule).add
        report = check.run(manifests)
    written = []
    if options.accepted is not None:
        bad = check.bad.get(options.kind, set())
        kept = write_accepted(manifests[options.kind], bad, options.accepted)
        written.append(f"{counted(kept, 'record')} without an error: {options.accepted}")
    if options.rejected is not None:
        written.append(f"{_listed(report)}: {options.rejected}")
    written += _reports(options, report, check, manifests)
    return report, written


def _listed(report: Report) -> str:
    found = sum(report.counts.values())
    if report.listed == found:
        return "Every finding"
    return f"{report.listed:,} of {found:,} findings are listed"


def _reports(
    options: ValidateOptions, report: Report, check: DatasetCheck, manifests: dict[Kind, Manifest]
) -> Iterator[str]:
    """Writes the report in each form that was asked for."""
    if options.html is not None:
        about = {f"{kind} manifest".capitalize(): each.name for kind, each in manifests.items()}
        page = to_html(report, about=about, pictures=_pictures(report, check, manifests))
        options.html.write_text(page, "utf-8")
        yield f"The report as a page: {options.html}"
    if options.junit is not None:
        options.junit.write_bytes(to_junit(report))
        yield f"The report as JUnit XML: {options.junit}"
    if options.sarif is not None:
        names = {str(kind): manifest.name for kind, manifest in manifests.items()}
        options.sarif.write_bytes(to_sarif(report, manifests=names))
        yield f"The report as SARIF: {options.sarif}"


def _pictures(report: Report, check: DatasetCheck, manifests: dict[Kind, Manifest]) -> Pictures:
    """As far as images can be reached; the sample shows captions in any case."""

    def draw(kind: Kind, keys: Sequence[str]) -> dict[str, str]:
        reach = check.reached.get(kind)
        return {} if reach is None or reach.source is None else thumbnails(reach.source, keys)

    training, reach = manifests.get("training"), check.reached.get("training")
    sample: list[Sampled] = []
    if training is not None and reach is not None:
        sample = sampled(training.piece, training.size, reach.subject)
    return Pictures.drawn(report, sample, draw)


def _manifests(options: ValidateOptions, aws: Aws) -> dict[Kind, Manifest]:
    folder = Path(options.manifest)
    if not options.manifest.startswith("s3://") and folder.is_dir():
        below = manifests_in(folder)
        if options.kind == "validation":
            below = {"validation": below.get("validation") or below["training"]}
        found: dict[Kind, Manifest] = {kind: LocalManifest(path) for kind, path in below.items()}
    else:
        found = {options.kind: _open(options.manifest, aws)}
    if options.validation is not None:
        if options.kind == "validation":
            raise UserError(
                "--validation belongs to a training manifest",
                fix="omit --validation or --kind validation",
            )
        found["validation"] = _open(options.validation, aws)
    return found


def _open(name: str, aws: Aws) -> Manifest:
    """The manifest of a path or an s3:// URI."""
    if name.startswith("s3://"):
        return S3Manifest(name, client=aws.s3, credentials=aws.credentials)
    meant = s3_hint(name)
    if meant or "://" in name:
        fix = f"did you mean {meant}?" if meant else "download it, and pass the file"
        raise UserError("this is neither a path nor an S3 URI", where=name, fix=fix)
    return LocalManifest(Path(name))


class _Locator:
    """Finds for each manifest what it is checked against, and where its images are read."""

    def __init__(self, options: ValidateOptions, aws: Aws, note: Callable[[str], None]) -> None:
        self._options = options
        self._aws = aws
        self._note = note
        self._customization = options.customization
        self._model = _model(options)
        self._contract = _contract(options, self._model)
        self._mappings = [parse_map(text) for text in options.maps]
        self._folders = Folders(self._mappings)

    def check(self, *, alone: bool) -> DatasetCheck:
        """The check; alone: there is only one manifest, so nothing is said about the other."""
        contract, chosen = self._contract, self._customization
        if alone and contract.validation == "required":
            contract = msgspec.structs.replace(contract, validation="optional")
            if self._options.kind == "training":
                self._note(
                    f"note: {self._model.name} needs a validation manifest too: "
                    "--validation FILE checks both together"
                )
        if alone and self._options.kind == "validation":
            contract = msgspec.structs.replace(contract, total_records=None)
        terms = ModelRequirements(
            base_model=self._model,
            dataset=contract,
            hyperparameters=chosen.hyperparameters if chosen else {},
            overrides=chosen.overrides if chosen else {},
        )
        decoder = None
        if self._options.deep:
            from bedrock_tuning.validating.decode import Decoder

            decoder = Decoder()
        region = self._aws.session.region_name or "" if self._options.in_s3 else ""
        return DatasetCheck(
            terms=terms,
            locate=self.locate,
            findings_per_rule=self._options.findings_per_rule,
            decoder=decoder,
            job_region=region,
        )

    def locate(self, kind: Kind, manifest: Manifest, chunk: bytes) -> Reach:
        """Decides from a manifest's first bytes."""
        options, chosen = self._options, self._customization
        place = image_location(
            manifest,
            first_reference(chunk),
            mappings=self._mappings,
            bucket=options.bucket if kind == options.kind else None,
            folders=() if chosen is None else chosen.media_folders,
        )
        subject = DatasetScope(
            model=self._model,
            contract=self._contract,
            kind=kind,
            bucket=place.bucket,
            folders=place.folders,
            bucket_region=self._region(manifest, place),
            overrides=chosen.overrides if chosen else {},
        )
        source = (
            None
            if options.no_images
            else self._source(manifest, place, chunk, subject.bucket_region)
        )
        return Reach(subject=subject, source=source, waived=options.no_images)

    def _source(
        self, manifest: Manifest, place: ImageLocation, chunk: bytes, region: str
    ) -> ImageSource | None:
        if any(each.bucket == place.bucket for each in self._mappings):
            return self._folders.images(place.bucket)
        if isinstance(manifest, S3Manifest) or self._options.s3_images:
            return self._in_s3(place.bucket, region)
        found = None
        if isinstance(manifest, LocalManifest):
            keys = (key for bucket, key in references([chunk]) if bucket == place.bucket)
            found = beside(manifest.path.parent, place.bucket, keys)
        if found is not None:
            self._note(f"note: images of {place.bucket} are read from {found.folder}")
            self._folders.add(found)
            return self._folders.images(place.bucket)
        if isinstance(manifest, LocalManifest) and place.bucket and self._contract.image:
            where = uri(place.bucket, "".join(place.folders[:1]))
            self._note(
                f"warning: the images of {manifest.name} are not checked. Where are they? "
                f"--map {where}=DIR for a local folder, --s3-images if they are in S3, "
                "--no-images to check the text only"
            )
        return None

    def _region(self, manifest: Manifest, place: ImageLocation) -> str:
        """Of the bucket that the dataset is in; "" for what is not uploaded yet."""
        if isinstance(manifest, S3Manifest) and manifest.bucket == place.bucket:
            return manifest.region
        if place.bucket and (isinstance(manifest, S3Manifest) or self._options.s3_images):
            return bucket_region(self._aws.s3, place.bucket)
        return ""

    def _in_s3(self, bucket: str, region: str) -> ImageSource:
        from bedrock_tuning.sources import s3

        region = region or self._aws.region
        client = s3.store(bucket, region=region, credentials=self._aws.credentials)
        return s3.S3Images(bucket, client=client, boto=self._aws.s3)


def _model(options: ValidateOptions) -> BaseModel:
    customization = options.customization
    if customization is None:
        if options.model is None:
            raise UserError(
                "which model is the dataset for?",
                fix="add --model KEY (`tuning models` lists them) or --customization NAME",
            )
        return options.model
    if options.model not in (None, customization.base_model):
        raise UserError(
            f"{customization.name} tunes {customization.base_model.key}, not {options.model.key}",
            fix="omit --model or --customization",
        )
    return customization.base_model


def _contract(options: ValidateOptions, model: BaseModel) -> DatasetContract:
    customization = options.customization
    if not model.datasets:
        raise UserError(
            f"{model.name} has no known dataset format", fix=f"see `tuning models {model.key}`"
        )
    wanted = None if options.type is None else known_type(model, options.type)
    if customization is not None:
        if wanted not in (None, customization.customization_type):
            raise UserError(
                f"{customization.name} is of the type {customization.customization_type}, "
                f"not {wanted}",
                where=customization.file,
                fix="omit --type or --customization",
            )
        return customization.dataset
    return next(iter(model.datasets.values())) if wanted is None else model.datasets[wanted]


_TYPES: Final = {
    "sft": "FINE_TUNING",
    "rft": "REINFORCEMENT_FINE_TUNING",
    "cpt": "CONTINUED_PRE_TRAINING",
}


def known_type(model: BaseModel, name: str) -> str:
    """A customization type of a model as it is written; raises UserError for another one."""
    wanted = name.upper().replace("-", "_")
    if wanted not in model.datasets:
        others = [key for key, other in catalogue().items() if wanted in other.datasets]
        # What other models have is no misspelling.
        hint = "" if others else did_you_mean(wanted, model.datasets, aliases=_TYPES)
        fix = f"--type {' or '.join(model.datasets)}"
        raise UserError(
            f'{model.name} has no customization type "{name}"{hint}',
            fix=f"{fix}; models that take {wanted}: {', '.join(others)}" if others else fix,
        )
    return wanted
