"""The custom resource Custom::ProvisionedThroughput: what a deployment changes about serving.

It never waits for an endpoint: making one takes 20 to 45 minutes, a custom resource may take one
hour at most, and a deployment that fails then would leave an endpoint behind. It says what will
happen and starts the workflow at its serving part. Deletion does wait: when the stack is gone,
nothing of it may be billing.
"""

import json
import logging
import os
import time
from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from bedrock_tuning.config.lambda_environment import ThroughputEnvironment
from bedrock_tuning.run import cost
from bedrock_tuning.serving.plan import Action, Endpoint, Wish, commitment_reason, plan, removable
from lambdas import _aws, _cloudformation, _customizations, _endpoints, _pointers, _runs

logger = logging.getLogger(__name__)

# Leave the function time to answer CloudFormation before its own timeout.
_RESERVE_MS: Final = 30_000
_PAUSE_SECONDS: Final = 10


def handler(event: dict[str, Any], context: Any) -> None:
    """event: a CloudFormation custom resource request; the answer goes to its ResponseURL.

    ResourceProperties: Customization, and the wished serving, so that a change of it is an update.
    """
    known = event.get("PhysicalResourceId", "provisioned-throughput/unknown")
    answer = _cloudformation.answer_to(event, physical_id=known)
    try:
        env = ThroughputEnvironment.from_env(os.environ)
        if event["RequestType"] == "Delete":
            answer["Reason"] = _remove(env, event["ResourceProperties"], context)
        else:
            name = event["ResourceProperties"]["Customization"]
            # One identity for life: replacing is our own work, so that a new endpoint is proved
            # before the old one goes. CloudFormation would delete the old one first.
            answer["PhysicalResourceId"] = f"provisioned-throughput/{env.environment}/{name}"
            _pointers.publish(env.parameter_prefix, name, "serving", "deployed")
            answer["Data"] = _reconcile(env, name, event)
    except Exception as error:
        # Without any answer CloudFormation would wait for an hour.
        logger.exception("custom resource failed")
        answer |= {"Status": "FAILED", "Reason": _cloudformation.reason(error)}
        _cloudformation.send(event["ResponseURL"], answer)
        # So that the alarm rings. Lambda then calls again: a deletion is tried once more, nothing
        # is handed over twice, and CloudFormation takes the first answer only.
        raise
    _cloudformation.send(event["ResponseURL"], answer)


def _reconcile(env: ThroughputEnvironment, name: str, event: Mapping[str, Any]) -> dict[str, str]:
    customization = _customizations.get(name)
    model_arn = _pointers.read(env.parameter_prefix, name, "model")
    wish = Wish(
        mode=customization.serving.mode,
        model_arn=model_arn,
        units=customization.serving.model_units,
        commitment=customization.serving.commitment,
    )
    step = plan(wish, _endpoints.of_customization(env.environment, customization))
    settled = (Action.PENDING, Action.NOTHING)
    status = step.action.value
    if step.action is Action.READY and not step.surplus and not _lease_changed(event):
        status = "ready"
    elif step.action not in settled:
        _hand_over(env, name, event["RequestId"])
        status = "handed-over"
    return {
        "Status": status,
        "Detail": step.reason,
        "Price": "; ".join(map(str, cost.estimate(customization=customization).rates)),
        "ProvisionedModelArn": step.target.arn if step.target else "",
    }


def _lease_changed(event: Mapping[str, Any]) -> bool:
    """Whether the endpoint needs a new lease though it serves what is wished."""
    before = event.get("OldResourceProperties", event["ResourceProperties"])
    return bool(before.get("LeaseHours") != event["ResourceProperties"].get("LeaseHours"))


def _hand_over(env: ThroughputEnvironment, name: str, request: str) -> None:
    """Starts the workflow at its serving part, once per request however often that comes."""
    serving = {
        "customization": name,
        "run": f"deploy-{_runs.now().replace(':', '')}-{request[:6]}",
        "started_by": "deployment",
    }
    try:
        _aws.stepfunctions().start_execution(
            stateMachineArn=env.workflow_arn,
            name=f"deploy-{request}",
            input=json.dumps({"serving": serving}),
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
            raise


def _remove(env: ThroughputEnvironment, properties: Mapping[str, Any], context: Any) -> str:
    """Deletes what is served; says what stays and why."""
    name = properties["Customization"]
    # First of all: from here on no run in flight buys an endpoint that nothing would delete.
    _pointers.withdraw(env.parameter_prefix, name, "serving")
    found = _endpoints.provisioned(env.environment)
    if properties.get("Mode") == "on-demand":
        found += _endpoints.deployments(env.environment)
    mine = [e for e, tags in found if tags.get(_endpoints.CUSTOMIZATION) == name]
    if properties.get("OnDelete") == "retain":
        kept = ", ".join(e.arn for e in mine)
        return f"kept, because the customization says on_delete = retain: {kept or 'nothing'}"
    reasons = [commitment_reason(e) for e in mine if not removable(e)]
    waiting = [e for e in mine if removable(e)]
    problems: list[str] = []
    while waiting:
        waiting = [e for e in waiting if not _deleted(e, problems)]
        if waiting and context.get_remaining_time_in_millis() < _RESERVE_MS:
            problems += [
                f"{e.arn}: Bedrock refuses to delete it while it is {e.status}; "
                "delete the stack again in some minutes"
                for e in waiting
            ]
            break
        if waiting:
            time.sleep(_PAUSE_SECONDS)
    if problems:
        raise RuntimeError(f"still billed: {'; '.join(problems)}")
    _pointers.withdraw(env.parameter_prefix, name, "endpoint")
    return "; ".join(reasons) or "nothing is served any more"


def _deleted(endpoint: Endpoint, problems: list[str]) -> bool:
    """Whether there is nothing left to try; one that cannot be deleted keeps none of the others."""
    try:
        return _endpoints.delete(endpoint)
    except ClientError as error:
        problems.append(f"{endpoint.arn}: {error}")
        return True
