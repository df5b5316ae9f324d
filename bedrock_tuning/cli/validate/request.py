"""What `tuning validate` does: the request of a command line as one check, and its files."""

from collections.abc import Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bedrock_tuning.catalogue import BaseModel, DatasetContract
from bedrock_tuning.cli.lookup import find_customization
from bedrock_tuning.cli.model_lookup import find_model
from bedrock_tuning.cli.terminal.aws import Aws
from bedrock_tuning.cli.terminal.errors import CannotRun
from bedrock_tuning.cli.terminal.output import say
from bedrock_tuning.cli.validate.check import Check, Reach
from bedrock_tuning.cli.validate.locations import (
    Place,
    beside,
    first_reference,
    parse_map,
    place_of,
)
from bedrock_tuning.cli.validate.manifests import LocalManifest, Manifest, S3Manifest, open_manifest
from bedrock_tuning.cli.validate.outputs import FindingsFile, check_outputs, write_accepted
from bedrock_tuning.config.customization import Customization
from bedrock_tuning.dataset.images.source import ImageSource
from bedrock_tuning.dataset.requirements import ModelRequirements
from bedrock_tuning.dataset.scope import DatasetScope
from bedrock_tuning.report.formats import to_junit, to_sarif
from bedrock_tuning.report.html import to_html
from bedrock_tuning.report.report import Report
from bedrock_tuning.s3_layout import Kind
from bedrock_tuning.sources.folder import Folders
from bedrock_tuning.wording import counted, did_you_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The options of `tuning validate`, as its help describes them."""

    manifest: str
    model: str | None
    customization: str | None
    customizations: Path
    type: str | None
    kind: Kind
    validation: str | None
    maps: tuple[str, ...]
    bucket: str | None
    no_images: bool
    s3_images: bool
    deep: bool
    html: Path | None
    junit: Path | None
    sarif: Path | None
    rejected: Path | None
    accepted: Path | None

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


def validate(request: Request, aws: Aws) -> tuple[Report, list[str]]:
    """Makes the check and writes its files; returns the report, and where the files are.

    Raises CannotRun when the request makes no sense or something cannot be read.
    """
    manifests = _manifests(request, aws)
    check_outputs(request.outputs, manifests.values())
    check = _Locator(request, aws).check(alone=len(manifests) == 1)
    with (
        nullcontext()
        if request.rejected is None
        else closing(FindingsFile(request.rejected)) as file
    ):
        if file is not None:
            check.listener = file.add
        report = check.run(manifests)
    written = []
    if request.accepted is not None:
        bad = check.bad.get(request.kind, set())
        kept = write_accepted(manifests[request.kind], bad, request.accepted)
        written.append(f"{counted(kept, 'record')} without an error: {request.accepted}")
    if request.rejected is not None:
        written.append(f"Every finding: {request.rejected}")
    written += _reports(request, report, check, manifests)
    return report, written


def _reports(
    request: Request, report: Report, check: Check, manifests: dict[Kind, Manifest]
) -> Iterator[str]:
    """Writes the report in each form that was asked for."""
    if request.html is not None:
        from bedrock_tuning.cli.validate.thumbnails import thumbnails

        page = to_html(report, thumbnails=thumbnails(report, check.sources))
        request.html.write_text(page, "utf-8")
        yield f"The report as a page: {request.html}"
    if request.junit is not None:
        request.junit.write_bytes(to_junit(report))
        yield f"The report as JUnit XML: {request.junit}"
    if request.sarif is not None:
        names = {str(kind): manifest.name for kind, manifest in manifests.items()}
        request.sarif.write_bytes(to_sarif(report, manifests=names))
        yield f"The report as SARIF: {request.sarif}"


def _manifests(request: Request, aws: Aws) -> dict[Kind, Manifest]:
    found: dict[Kind, Manifest] = {request.kind: open_manifest(aws, request.manifest)}
    if request.validation is not None:
        if request.kind == "validation":
            raise CannotRun(
                "--validation belongs to a training manifest", fix="leave out one of both options"
            )
        found["validation"] = open_manifest(aws, request.validation)
    return found


class _Locator:
    """Finds for each manifest what it is checked against, and how its images are looked at."""

    def __init__(self, request: Request, aws: Aws) -> None:
        self._request = request
        self._aws = aws
        self._customization = _customization(request)
        self._model = _model(request, self._customization)
        self._contract = _contract(request, self._model, self._customization)
        self._mappings = [parse_map(text) for text in request.maps]
        self._folders = Folders(self._mappings)

    def check(self, *, alone: bool) -> Check:
        """The check; alone: there is only one manifest, so nothing is said about the other."""
        contract, chosen = self._contract, self._customization
        if alone and contract.validation == "required":
            contract = msgspec.structs.replace(contract, validation="optional")
            if self._request.kind == "training":
                say(
                    f"note: {self._model.name} needs a validation manifest too: "
                    "--validation FILE checks both together"
                )
        if alone and self._request.kind == "validation":
            contract = msgspec.structs.replace(contract, total_records=None)
        terms = ModelRequirements(
            base_model=self._model,
            dataset=contract,
            hyperparameters=chosen.hyperparameters if chosen else {},
            overrides=chosen.overrides if chosen else {},
        )
        decoder = None
        if self._request.deep:
            from bedrock_tuning.cli.validate.decode import Decoder

            decoder = Decoder()
        region = self._aws.session.region_name or "" if self._request.in_s3 else ""
        return Check(terms=terms, locate=self.locate, decoder=decoder, job_region=region)

    def locate(self, kind: Kind, manifest: Manifest, chunk: bytes) -> Reach:
        """Decides from a manifest's first bytes."""
        request = self._request
        place = place_of(
            manifest,
            first_reference(chunk),
            mappings=self._mappings,
            bucket=request.bucket if kind == request.kind else None,
            customization=request.customization,
        )
        subject = DatasetScope(
            model=self._model,
            contract=self._contract,
            kind=kind,
            bucket=place.bucket,
            folder=place.folder,
            bucket_region=self._region(manifest, place),
            overrides=self._customization.overrides if self._customization else {},
        )
        source = (
            None
            if request.no_images
            else self._source(manifest, place, chunk, subject.bucket_region)
        )
        return Reach(subject=subject, source=source, waived=request.no_images)

    def _source(
        self, manifest: Manifest, place: Place, chunk: bytes, region: str
    ) -> ImageSource | None:
        if any(each.bucket == place.bucket for each in self._mappings):
            return self._folders.images(place.bucket)
        if isinstance(manifest, S3Manifest) or self._request.s3_images:
            return self._in_s3(place.bucket, region)
        found = beside(manifest, place, chunk)
        if found is not None:
            say(f"note: images of {place.bucket} are looked at in {found.folder}")
            self._folders.add(found)
            return self._folders.images(place.bucket)
        if isinstance(manifest, LocalManifest) and place.bucket and self._contract.image:
            say(
                f"warning: the images of {manifest.name} are not looked at. Where are they? "
                f"--map s3://{place.bucket}/{place.folder}=DIR for a folder here, --s3-images "
                "if they are uploaded, --no-images to check the text only"
            )
        return None

    def _region(self, manifest: Manifest, place: Place) -> str:
        """Of the bucket that the dataset is in; "" for what is not uploaded yet."""
        if isinstance(manifest, S3Manifest) and manifest.bucket == place.bucket:
            return manifest.region
        if place.bucket and (isinstance(manifest, S3Manifest) or self._request.s3_images):
            return self._aws.bucket_region(place.bucket)
        return ""

    def _in_s3(self, bucket: str, region: str) -> ImageSource:
        from bedrock_tuning.sources import s3

        region = region or self._aws.region
        client = s3.store(bucket, region=region, credentials=self._aws.credentials)
        return s3.S3Images(bucket, client=client, boto=self._aws.s3)


def _customization(request: Request) -> Customization | None:
    if request.customization is None:
        return None
    return find_customization(request.customization, request.customizations)


def _model(request: Request, customization: Customization | None) -> BaseModel:
    if customization is None:
        if request.model is None:
            raise CannotRun(
                "which model is the dataset for?",
                fix="add --model KEY (`tuning models` lists them) or --customization NAME",
            )
        return find_model(request.model)
    if request.model not in (None, customization.base_model.key):
        raise CannotRun(
            f"{customization.name} tunes {customization.base_model.key}, not {request.model}",
            fix="leave out --model or --customization",
        )
    return customization.base_model


def _contract(
    request: Request, model: BaseModel, customization: Customization | None
) -> DatasetContract:
    if not model.datasets:
        raise CannotRun(
            f"no dataset format of {model.name} is known", fix=f"`tuning models {model.key}`"
        )
    wanted = None if request.type is None else request.type.upper().replace("-", "_")
    if wanted is not None and wanted not in model.datasets:
        hint = did_you_mean(wanted, model.datasets)
        raise CannotRun(
            f'there is no customization type "{request.type}" for {model.name}{hint}',
            fix=f"--type {' or '.join(model.datasets)}",
        )
    if customization is not None:
        if wanted not in (None, customization.customization_type):
            raise CannotRun(
                f"{customization.name} is of the type {customization.customization_type}, "
                f"not {wanted}",
                where=customization.file,
                fix="leave out --type or --customization",
            )
        return customization.dataset
    return next(iter(model.datasets.values())) if wanted is None else model.datasets[wanted]
