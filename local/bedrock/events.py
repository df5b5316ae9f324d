"""Bedrock's one event: the state change of a customization job (docs/facts/jobs.md#event)."""

import json
from typing import Any

from local.bedrock.data.records import Job
from local.bedrock.simulator import log


def emit(job: Job) -> None:
    """Put the event on the default bus; delivery is best effort, as on AWS."""
    from ministack.services import eventbridge

    entry = {
        "Source": "aws.bedrock",
        "DetailType": "Model Customization Job State Change",
        "Detail": json.dumps(detail_of(job)),
        "Resources": [job.job_arn],
    }
    log.info("simulated job %s is %s", job.job_name, job.status)
    try:
        eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
    except Exception:
        log.exception("the event of simulated job %s was lost", job.job_name)


def detail_of(job: Job) -> dict[str, Any]:
    """The event's detail. Unlike the API's answers its validation data is one flat object."""
    members = job.members()
    validators = job.validation_data_config.get("validators") or []
    detail = {
        "version": "0.0",
        "jobName": job.job_name,
        "jobArn": job.job_arn,
        "outputModelName": job.output_model_name,
        "outputModelArn": job.output_model_arn if job.status == "Completed" else None,
        "roleArn": job.role_arn,
        "jobStatus": job.status,
        "failureMessage": job.failure_message,
        "creationTime": members["creationTime"],
        "lastModifiedTime": members["lastModifiedTime"],
        "endTime": members.get("endTime"),
        "baseModelArn": job.base_model_arn,
        "hyperParameters": job.hyper_parameters,
        "trainingDataConfig": {"s3Uri": job.training_data_config.get("s3Uri")},
        "validationDataConfig": {"s3Uri": validators[0]["s3Uri"]} if validators else None,
        "outputDataConfig": {"s3Uri": job.output_data_config["s3Uri"]},
    }
    return {name: value for name, value in detail.items() if value is not None}
