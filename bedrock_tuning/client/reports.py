"""The report of a run in S3, and its files brought here: never over others unasked.

The page is drawn here, from what lies there: so it shows a run as it is now.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from bedrock_tuning.client.deployment import Deployment
from bedrock_tuning.client.runs import Row
from bedrock_tuning.errors import UserError
from bedrock_tuning.report.run_page import read_files, run_page
from bedrock_tuning.s3_layout import split_uri, uri

PAGE: Final = "report.html"
_FILES: Final = (PAGE, "report.json", "rejected.jsonl")
METRICS: Final = "metrics.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Files of one report. prefix: their folder in the bucket, with its slash."""

    deployment: Deployment
    bucket: str
    prefix: str
    names: tuple[str, ...]

    def read(self, name: str) -> bytes:
        """A small file; raises UserError if it is not there any more."""
        s3 = self.deployment.aws.s3
        key = f"{self.prefix}{name}"
        try:
            return s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except s3.exceptions.NoSuchKey:
            raise UserError("the report no longer exists", where=uri(self.bucket, key)) from None

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

    def download(self, name: str, path: Path) -> None:
        """Any file, through the disk: rejected rows may have gigabytes."""
        self.deployment.aws.s3.download_file(self.bucket, f"{self.prefix}{name}", str(path))


def stored(deployment: Deployment, found: Row) -> Stored:
    """Where the report of a run is; raises UserError if the run has none, or none yet."""
    run, status = found["run"], found["status"]
    if "report" not in found:
        taker = found.get("taken_by")
        fix = f"`{deployment.command(f'run {run}')}` shows it"
        if taker:
            fix = f"`{deployment.command(f'report {taker}')}`: that run has it"
        raise UserError(f"run {run} has no report: it is {status}", fix=fix)
    bucket, key = split_uri(str(found["report"]))
    return Stored(
        deployment=deployment,
        bucket=bucket,
        prefix=f"{key.rpartition('/')[0]}/",
        names=(*_FILES, *([METRICS] if "metrics" in found else [])),
    )


def page(files: Stored, found: Row, *, billed: bool) -> str:
    """The page of a run; billed: also ask for its bill, which AWS bills.

    Raises UserError for a report of another version of this project.
    """
    try:
        there = read_files(files.find)
    except msgspec.ValidationError as error:
        raise UserError(
            f"the report was written by another version of this tool: {error}",
            where=uri(files.bucket, f"{files.prefix}report.json"),
            fix="install the version that is deployed, or read report.html there",
        ) from None
    if billed:
        there = msgspec.structs.replace(there, billed=_bill(files.deployment, str(found["run"])))
    deployment = files.deployment
    return run_page(found, there, place=deployment.place, command=deployment.command)


def _bill(deployment: Deployment, run: str) -> str:
    from bedrock_tuning.client.spending import billed_for

    usd = billed_for(deployment, run)
    if usd is None:
        return "nothing yet under the tag bedrock-tuning:run, which must be active for billing"
    return f"{usd:,.2f} USD for its job, model and endpoint so far; bills are a day late"


def save(
    files: Stored, targets: Mapping[str, Path], *, overwrite: bool, page: Callable[[], str]
) -> None:
    """Writes files by name, all of them or, if one is there already, none (UserError).

    page: draws report.html.
    """
    there = [str(path) for path in targets.values() if path.exists()]
    if there and not overwrite:
        raise UserError(
            "these files already exist, and are not overwritten by default",
            where=", ".join(there),
            fix="choose another location with -o DIR or --html FILE, or add --overwrite",
        )
    for name, path in targets.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if name == PAGE:
            path.write_text(page(), "utf-8")
        else:
            files.download(name, path)
