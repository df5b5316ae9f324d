"""The report of a run in S3, and its files brought here: never over others unasked."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bedrock_tuning.client.deployment import Deployment
from bedrock_tuning.client.runs import Row
from bedrock_tuning.errors import UserError
from bedrock_tuning.s3_layout import split_uri, uri

_FILES: Final = ("report.html", "report.json", "rejected.jsonl")
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


def save(files: Stored, targets: Mapping[str, Path], *, overwrite: bool) -> None:
    """Writes files by name, all of them or, if one is there already, none (UserError)."""
    there = [str(path) for path in targets.values() if path.exists()]
    if there and not overwrite:
        raise UserError(
            "these files already exist, and are not overwritten by default",
            where=", ".join(there),
            fix="choose another location with -o DIR or --html FILE, or add --overwrite",
        )
    for name, path in targets.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        files.download(name, path)
