"""Deletes every Provisioned Throughput whose lease has ended; runs every 15 minutes."""

import json
import logging
import os
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from bedrock_tuning.config.lambda_environment import LeaseEnvironment
from bedrock_tuning.run.failure_advice import with_advice
from bedrock_tuning.serving.plan import Endpoint, removable
from lambdas import _aws, _endpoints, _pointers

logger = logging.getLogger(__name__)


def handler(event: dict[str, Any], context: object) -> dict[str, list[str]]:
    """Returns the ARNs under "deleted", "kept" (a lease or commitment runs) and "busy".

    Raises after all endpoints were checked, so that the function's alarm fires: if one could not be
    checked, if one without a commitment has no lease, or if one with our name is not tagged as
    ours. Then somebody removed the tag, and nothing will end its billing.
    """
    env = LeaseEnvironment.from_env(os.environ)
    try:
        return _expire_all(env)
    except ClientError as error:
        # The alarm's mail and the log are all that a person gets.
        raise RuntimeError(with_advice(f"no lease was checked: {error}")) from error


def _expire_all(env: LeaseEnvironment) -> dict[str, list[str]]:
    result: dict[str, list[str]] = {"deleted": [], "kept": [], "busy": []}
    problems: list[str] = []
    for endpoint, tags in _endpoints.provisioned(env.environment):
        try:
            result[_expire(env, endpoint, tags)].append(endpoint.arn)
        except Exception as error:
            # Whatever is wrong with one endpoint, the other leases end in time.
            logger.exception("lease not checked", extra={"endpoint": endpoint.arn})
            problems.append(with_advice(f"{endpoint.arn}: {error}"))
    problems += [
        f"{arn}: its name is ours, but its tag {_endpoints.ENVIRONMENT} is missing, so nothing "
        "ends its billing; tag it again or delete it"
        for arn in _endpoints.untagged(env.environment)
    ]
    logger.info("leases", extra=result)
    if problems:
        raise RuntimeError("; ".join(problems))
    return result


def _expire(env: LeaseEnvironment, endpoint: Endpoint, tags: dict[str, str]) -> str:
    if not removable(endpoint):
        return "kept"
    expires = tags.get(_endpoints.EXPIRES, "none")
    if _time(expires) > datetime.now(UTC):
        return "kept"
    if not _endpoints.delete(endpoint):
        return "busy"
    name = tags.get(_endpoints.CUSTOMIZATION)
    if name is not None:
        _pointers.withdraw_from(env.parameter_prefix, name, "endpoint", endpoint.arn)
    _aws.sns().publish(
        TopicArn=env.topic_arn,
        Subject=f"{name or 'An endpoint'}: lease ended",
        Message=json.dumps(
            {
                "status": "lease-ended",
                "customization": name,
                "message": f"The lease of {endpoint.arn} ended {expires}. The endpoint was deleted "
                "and billing stopped. The custom model is kept."
                + (f" Serve it again: tuning serve {name} -e {env.environment}" if name else ""),
            }
        ),
    )
    return "deleted"


def _time(text: str) -> datetime:
    """A lease's end; UTC if it names no time zone. Raises ValueError for anything else."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"billed without an end: it has neither a commitment nor a time in its tag "
            f"{_endpoints.EXPIRES} ({text}); tag it with an ISO 8601 time or delete it"
        ) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
