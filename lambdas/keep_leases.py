"""Deletes every Provisioned Throughput whose lease has ended; runs every quarter of an hour."""

import json
import logging
import os
from datetime import UTC, datetime
from typing import Any

from lambdas import _aws, _endpoints, _pointers
from tuning.environment import LeaseEnvironment
from tuning.serving import Endpoint, removable

logger = logging.getLogger(__name__)


def handler(event: dict[str, Any], context: object) -> dict[str, list[str]]:
    """Returns the ARNs under "deleted", "kept" (a lease or commitment runs), "busy" and "unleased".

    Raises when an uncommitted endpoint has no lease, after all others were looked after: somebody
    took the tag away, nothing will end its billing, so the function's alarm must ring.
    """
    env = LeaseEnvironment.from_env(os.environ)
    result: dict[str, list[str]] = {"deleted": [], "kept": [], "busy": [], "unleased": []}
    for endpoint, tags in _endpoints.provisioned(env.environment):
        result[_keep(env, endpoint, tags)].append(endpoint.arn)
    logger.info("leases", extra=result)
    if result["unleased"]:
        raise RuntimeError(
            f"billed without an end: {', '.join(result['unleased'])} has neither a commitment nor "
            f"the tag {_endpoints.EXPIRES}; tag it with an ISO 8601 time or delete it"
        )
    return result


def _keep(env: LeaseEnvironment, endpoint: Endpoint, tags: dict[str, str]) -> str:
    if not removable(endpoint):
        return "kept"
    expires = tags.get(_endpoints.EXPIRES)
    if expires is None:
        return "unleased"
    if datetime.fromisoformat(expires) > datetime.now(UTC):
        return "kept"
    if not _endpoints.delete(endpoint):
        return "busy"
    name = tags.get(_endpoints.CUSTOMIZATION, "")
    if _pointers.read(env.parameter_prefix, name, "endpoint") == endpoint.arn:
        _pointers.withdraw(env.parameter_prefix, name, "endpoint")
    _aws.sns().publish(
        TopicArn=env.topic_arn,
        Subject=f"{name}: lease ended",
        Message=json.dumps(
            {
                "status": "lease-ended",
                "customization": name,
                "message": f"The lease of {endpoint.arn} ended {expires}: it was deleted, billing "
                "stopped. The custom model is kept; deploy or upload to serve it again.",
            }
        ),
    )
    return "deleted"
