"""Files about a run in S3: its report, brought here never over others unasked, and comparisons.

The page is drawn here, from what lies there: so it shows a run as it is now.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from bedrock_tuning.client.deployment import DeploymentClient
from bedrock_tuning.errors import UserError
from bedrock_tuning.report.run_page import METRICS, read_files, run_page
from bedrock_tuning.run.curves import Curve, curves
from bedrock_tuning.run.row import Row
from bedrock_tuning.s3_layout import comparisons_prefix, split_uri, uri

_PAGE: Final = "report.html"
_FILES: Final = (_PAGE, "report.json", "rejected.jsonl")


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """Files about one run in a bucket. prefix: with its slash. names: of those of a report."""

    deployment: DeploymentClient
    bucket: str
    prefix: str
    names: tuple[str, ...] = ()

    def uri(self, name: str) -> str:
        """Of one file."""
        return uri(self.bucket, f"{self.prefix}{name}")

    def find(self, name: str) -> bytes | None:
        """A small file; None if it is not there, or, for who may not list the bucket, refused."""
        from botocore.exceptions import ClientError

        try:
            return self.read(name)
        except UserError:
            return None
        except ClientError as error:
            # S3 says that a key is missing only to those who may list.
            if error.response["Error"]["Code"] != "AccessDenied":
                raise
            return None

    def read(self, name: str) -> bytes:
        """A small file; raises UserError if it is not there any more."""
        s3 = self.deployment.aws.s3
        try:
            answer = s3.get_object(Bucket=self.bucket, Key=f"{self.prefix}{name}")
        except s3.exceptions.NoSuchKey:
            raise UserError("the report no longer exists", where=self.uri(name)) from None
        return answer["Body"].read()

    def download(self, name: str, path: Path) -> None:
        """Any file, through the disk: rejected rows may have gigabytes."""
        self.deployment.aws.s3.download_file(self.bucket, f"{self.prefix}{name}", str(path))

    def write(self, name: str, body: bytes, content_type: str) -> None:
        """Keeps a file in place of what was there."""
        self.deployment.aws.s3.put_object(
            Bucket=self.bucket, Key=f"{self.prefix}{name}", Body=body, ContentType=content_type
        )


def comparisons(deployment: DeploymentClient, customization: str, run: str) -> Folder:
    """Where what the model of a run answered is kept.

    It stays there when the model is not served any more, so that a later one can be compared with
    it, and so that nothing is asked or billed twice.
    """
    return Folder(
        deployment=deployment,
        bucket=deployment.buckets.output,
        prefix=comparisons_prefix(customization, run),
    )


def stored(deployment: DeploymentClient, row: Row) -> Folder:
    """Where the report of a run is; raises UserError if the run has none, or none yet."""
    run, status = row["run"], row["status"]
    if "report" not in row:
        taker = row.get("taken_by")
        fix = f"`{deployment.command(f'run {run}')}` shows it"
        if taker:
            fix = f"`{deployment.command(f'report {taker}')}`: that run has it"
        raise UserError(f"run {run} has no report: it is {status}", fix=fix)
    bucket, key = split_uri(str(row["report"]))
    return Folder(
        deployment=deployment,
        bucket=bucket,
        prefix=f"{key.rpartition('/')[0]}/",
        names=(*_FILES, *([METRICS] if "metrics" in row else [])),
    )


def losses_of(deployment: DeploymentClient, row: Row) -> list[Curve]:
    """The losses that a run's job left by step; none where it left nothing."""
    if "metrics" not in row:
        return []
    metrics = json.loads(stored(deployment, row).read(METRICS))
    return [curve for curve in curves(metrics.get("files", {})) if curve.is_loss]


def page_of(files: Folder, row: Row, *, billed: bool) -> str:
    """The page of a run; billed: also ask for its bill, which AWS bills.

    Raises UserError for a report of another version of this project.
    """
    try:
        result_files = read_files(files.find)
    except msgspec.ValidationError as error:
        raise UserError(
            f"the report was written by another version of this tool: {error}",
            where=files.uri("report.json"),
            fix="install the version that is deployed, or read report.html there",
        ) from None
    if billed:
        result_files = msgspec.structs.replace(
            result_files, billed=_bill(files.deployment, str(row["run"]))
        )
    deployment = files.deployment
    return run_page(row, result_files, place=deployment.place, command=deployment.command)


def _bill(deployment: DeploymentClient, run: str) -> str:
    from bedrock_tuning.client.spending import billed_for

    usd = billed_for(deployment, run)
    if usd is None:
        return "nothing yet under the tag bedrock-tuning:run, which must be active for billing"
    return f"{usd:,.2f} USD for its job, model and endpoint so far; bills are a day late"


def save(
    files: Folder, targets: Mapping[str, Path], *, overwrite: bool, page: Callable[[], str]
) -> None:
    """Writes files by name, all of them or, if one is there already, none (UserError).

    page: draws report.html.
    """
    existing = [str(path) for path in targets.values() if path.exists()]
    if existing and not overwrite:
        raise UserError(
            "these files already exist, and are not overwritten by default",
            where=", ".join(existing),
            fix="choose another location with -o DIR or --html FILE, or add --overwrite",
        )
    for name, path in targets.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if name == _PAGE:
            path.write_text(page(), "utf-8")
        else:
            files.download(name, path)
