"""Where everything lies in S3 and what a key means, for policies, triggers and handlers alike.

Training and validation bucket, written by users:
    <customization>/manifest.jsonl      the dataset; its upload starts a run
    <customization>/images/…            what the manifest refers to; or in the folders that the
                                        customization's file names instead
but for one prefix, which no customization can be called and which StartJob alone may write:
    _checked/<customization>/<run>/…    training.jsonl or validation.jsonl: what was checked is what
                                        Bedrock reads, whatever is uploaded meanwhile

Output bucket, written by Bedrock (jobs/) and by our functions (the rest), watched by nobody:
    jobs/<output folder>/…              metrics of customization jobs, the access check file; the
                                        folder is called like the customization, or as its file says
    reports/<customization>/<run>/…     report.json, report.html, rejected.jsonl
    work/<run>/…                        shards of the image check and their findings
    comparisons/<customization>/<run>/… answers, vectors and page of `tuning compare`, written by
                                        people
    approvals/<customization>/<run>/…   one object for each decision of a person, never changed
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["training", "validation"]
KINDS: Final[tuple[Kind, Kind]] = ("training", "validation")

MANIFEST_FILE: Final = "manifest.jsonl"
JOBS: Final = "jobs"
CHECKED: Final = "_checked"
REPORTS: Final = "reports"
WORK: Final = "work"
APPROVALS: Final = "approvals"
COMPARISONS: Final = "comparisons"


def folder(customization: str) -> str:
    """The prefix that a customization owns in the training and the validation bucket.

    Its manifest lies there, and what that refers to unless its file names other folders.
    """
    return f"{customization}/"


def manifest_key(customization: str) -> str:
    """The only key whose upload starts a run."""
    return f"{folder(customization)}{MANIFEST_FILE}"


def jobs_prefix(folder: str) -> str:
    """Where Bedrock writes in the output bucket. folder: a customization's output folder."""
    return f"{JOBS}/{folder}/"


def manifests_prefix(customization: str) -> str:
    """Where the checked manifests lie that Bedrock may read, each in the bucket of its dataset.

    Media of some models must be in the bucket of their manifest (docs/facts/jobs.md#media).
    """
    return f"{CHECKED}/{customization}/"


def checked_manifest_key(customization: str, run: str, kind: Kind) -> str:
    """The copy of the manifest that a run checked; who uploads datasets cannot change it."""
    return f"{manifests_prefix(customization)}{run}/{kind}.jsonl"


def report_prefix(customization: str, run: str) -> str:
    """Where a run's report and rejected rows lie in the output bucket."""
    return f"{REPORTS}/{customization}/{run}/"


def work_prefix(run: str) -> str:
    """Intermediate results of one run; expired by a lifecycle rule."""
    return f"{WORK}/{run}/"


def comparisons_prefix(customization: str, run: str) -> str:
    """Where the answers of a run's model to prompts are kept in the output bucket."""
    return f"{COMPARISONS}/{customization}/{run}/"


def approval_key(customization: str, run: str, at: str) -> str:
    """Where a decision about a run is kept. at: ISO 8601 in UTC."""
    return f"{APPROVALS}/{customization}/{run}/{at}.json"


# Placeholders of documentation and of templates are not: <bucket>, my_bucket, ${BUCKET}.
_BUCKET_NAME: Final = re.compile(r"(?!.*\.\.)[a-z0-9][a-z0-9.-]{0,62}(?<![.-])")


def is_bucket_name(text: str) -> bool:
    """Whether Amazon Bedrock reads from a bucket of this name, as far as its characters tell."""
    return _BUCKET_NAME.fullmatch(text) is not None


def uri(bucket: str, key: str) -> str:
    """s3://bucket/key"""
    return f"s3://{bucket}/{key}"


def split_uri(value: str) -> tuple[str, str]:
    """Bucket and key of an s3:// URI; raises ValueError for anything else."""
    scheme, separator, rest = value.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not separator or not bucket:
        raise ValueError(f"not an S3 URI: {value!r}; write s3://bucket/key")
    return bucket, key


@dataclass(frozen=True, slots=True, kw_only=True)
class Buckets:
    """The three buckets of one environment, by name."""

    training: str
    validation: str
    output: str

    def of(self, kind: Kind) -> str:
        """The bucket that holds the dataset of this kind."""
        return self.training if kind == "training" else self.validation

    def kind_of(self, bucket: str) -> Kind | None:
        """What a dataset bucket is for; None for any other bucket."""
        if bucket == self.training:
            return "training"
        return "validation" if bucket == self.validation else None


def customization_of(key: str) -> str | None:
    """The customization whose manifest this key is; None for any other key."""
    name, _, file = key.partition("/")
    return name if name and file == MANIFEST_FILE else None
