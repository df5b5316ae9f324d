"""What Bedrock tells others: the state changes of customization jobs (docs/facts/jobs.md#event),
and how often models are called (docs/facts/api.md#metrics)."""

import json
from typing import Any, Final

from bedrock_tuning.wording import word_list
from local.bedrock.data.records import BedrockResource
from local.bedrock.simulator import log

_SAME: Final = word_list(
    "jobName jobArn outputModelName outputModelArn roleArn failureMessage creationTime",
    "lastModifiedTime endTime baseModelArn hyperParameters",
)
"""Members that are those of the API."""


def emit(job: BedrockResource) -> None:
    """Put the event on the default bus; delivery is best effort, as on AWS."""
    from ministack.services import eventbridge

    entry = {
        "Source": "aws.bedrock",
        "DetailType": "Model Customization Job State Change",
        "Detail": json.dumps(detail_of(job)),
        "Resources": [job.arn],
    }
    log.info("simulated job %s is %s", job.name, job.status)
    try:
        eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
    except Exception:
        log.exception("the event of simulated job %s was lost", job.name)


def count_call(target: BedrockResource) -> None:
    """Count one call of an endpoint or a model in CloudWatch."""
    from ministack.services import cloudwatch

    datum = {
        "MetricName": "Invocations",
        "Dimensions": [{"Name": "ModelId", "Value": target.arn}],
        "Value": 1,
        "Unit": "Count",
    }
    data = {"Namespace": "AWS/Bedrock", "MetricData": [datum]}
    cloudwatch._put_metric_data({}, data, is_cbor=False, is_json=True)


def detail_of(job: BedrockResource) -> dict[str, Any]:
    """The event's detail. Unlike the API's answers its validation data is one flat object."""
    members = job.members
    detail = {"version": "0.0", "jobStatus": job.status}
    detail |= {name: members[name] for name in _SAME if name in members}
    validators = members["validationDataConfig"]["validators"]
    data = {
        "trainingDataConfig": members["trainingDataConfig"],
        "validationDataConfig": validators[0] if validators else {},
        "outputDataConfig": members["outputDataConfig"],
    }
    return detail | {
        name: {"s3Uri": location["s3Uri"]} for name, location in data.items() if location
    }
