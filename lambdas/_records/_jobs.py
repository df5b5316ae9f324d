"""The customization jobs that Bedrock runs now.

A module of its own: most functions know runs and need not read the names of jobs.
"""

from collections.abc import Iterator

from bedrock_tuning.run import job
from bedrock_tuning.sources.listing import jobs
from lambdas import _aws


def running() -> Iterator[tuple[str, str]]:
    """Their names, with the run that each names: a customization can have such names itself."""
    for summary in jobs(_aws.bedrock(), statusEquals="InProgress"):
        if run := job.run_of(summary["jobName"]):
            yield summary["jobName"], run
