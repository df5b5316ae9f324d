"""Everything that an operation of AWS lists, page after page.

A module of its own: functions and clients list alike.
"""

from collections.abc import Iterator
from typing import Any


def listed(client: Any, operation: str, rows: str, **parameters: Any) -> Iterator[Any]:
    """What an operation has under a name, of all its pages; a page may have none.

    operation: as boto3 calls it. parameters: its own, and PaginationConfig.
    """
    for page in client.get_paginator(operation).paginate(**parameters):
        yield from page.get(rows, ())


def objects(s3: Any, bucket: str, prefix: str) -> Iterator[Any]:
    """The objects of a bucket whose keys begin so."""
    return listed(s3, "list_objects_v2", "Contents", Bucket=bucket, Prefix=prefix)


def custom_models(bedrock: Any) -> Iterator[Any]:
    """Every custom model of the account and Region."""
    return listed(bedrock, "list_custom_models", "modelSummaries")


def jobs(bedrock: Any, **parameters: Any) -> Iterator[Any]:
    """Customization jobs; all of the account and Region, if nothing else is asked."""
    rows = "modelCustomizationJobSummaries"
    return listed(bedrock, "list_model_customization_jobs", rows, **parameters)


def throughputs(bedrock: Any) -> Iterator[Any]:
    """Every Provisioned Throughput of the account and Region."""
    return listed(bedrock, "list_provisioned_model_throughputs", "provisionedModelSummaries")


def deployments(bedrock: Any) -> Iterator[Any]:
    """Every on-demand deployment of the account and Region."""
    return listed(bedrock, "list_custom_model_deployments", "modelDeploymentSummaries")
