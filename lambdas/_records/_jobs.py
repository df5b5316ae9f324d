"""The customization jobs that Bedrock runs now."""

from collections.abc import Iterator

from bedrock_tuning.run import job
from lambdas import _aws


def running() -> Iterator[tuple[str, str]]:
    """Their names, with the run that each names: a customization can have such names itself."""
    pages = (
        _aws.bedrock()
        .get_paginator("list_model_customization_jobs")
        .paginate(statusEquals="InProgress")
    )
    for page in pages:
        for each in page.get("modelCustomizationJobSummaries", ()):
            if run := job.run_of(each["jobName"]):
                yield each["jobName"], run
