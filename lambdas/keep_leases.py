"""Deletes every Provisioned Throughput whose lease has ended; runs every quarter of an hour."""

import json
import logging
import os
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from bedrock_tuning.config.lambda_environment import LeaseEnvironment
from bedrock_tuning.run.failure_advice import with_advice
from bedrock_tuning.serving.plan import Endpoint, removable
from lambdas import _aws, _customizations, _endpoints, _pointers

logger = logging.getLogger(__name__)


def handler(event: dict[str, Any], context: object) -> dict[str, list[str]]:
    """Returns the ARNs under "deleted", "kept" (a lease or commitment runs) and "busy".

    Raises after all endpoints were looked after, so that the function's alarm rings: when one
    could not be looked after, when an uncommitted one has no lease, or when one with our name is
    not tagged as ours. Then somebody took the tag away, and nothing will end its billing.
    """
    env = LeaseEnvironment.from_env(os.environ)
    try:
        return _look_after_all(env)
    except ClientError as error:
        # The alarm's mail and the log are all that a person gets.
        raise RuntimeError(with_advice(f"no lease was looked after: {error}")) from error


def _look_after_all(env: LeaseEnvironment) -> dict[str, list[str]]:
    result: dict[str, list[str]] = {"deleted": [], "kept": [], "busy": []}
    problems: list[str] = []
    for endpoint, tags in _endpoints.provisioned(env.environment):
        try:
            result[_keep(env, endpoint, tags)].append(endpoint.arn)
        except Exception as error:
            # Whatever is wrong with one endpoint, the others' leases end in time.
            logger.exception("lease not kept", extra={"endpoint": endpoint.arn})
            problems.append(with_advice(f"{endpoint.arn}: {error}"))
    problems += [
        f"{arn}: its name is ours, its tag {_endpoints.ENVIRONMENT} is gone, so nothing ends its "
        "billing; tag it again or delete it"
        for arn in _endpoints.disowned(env.environment, _customizations.all_())
    ]
    logger.info("leases", extra=result)
    if problems:
        raise RuntimeError("; ".join(problems))
    return result


def _keep(env: LeaseEnvironment, endpoint: Endpoint, tags: dict[str, str]) -> str:
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
        Subject=f"{name or 'An endpoint'}: lease ended"[:100],
        Message=json.dumps(
            {
                "status": "lease-ended",
                "customization": name,
                "message": f"The lease of {endpoint.arn} ended {expires}: it was deleted, billing "
                "stopped. The custom model is kept."
                + (f" Serve it again: tuning serve {name} -e {env.environment}" if name else ""),
            }
        ),
    )
    return "deleted"


def _time(text: str) -> datetime:
    """A lease's end; without a zone it is taken as UTC. Raises ValueError for anything else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"billed without an end: it has neither a commitment nor a time in its tag "
            f"{_endpoints.EXPIRES} ({text}); tag it with an ISO 8601 time or delete it"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
