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
from typing import Any, Final

import urllib3

from lambdas import _aws, _customizations, _endpoints, _pointers, _runs
from tuning import cost
from tuning.environment import ThroughputEnvironment
from tuning.serving import Action, Wish, commitment_reason, plan, removable

logger = logging.getLogger(__name__)

# Leave the function time to answer CloudFormation before its own timeout.
_RESERVE_MS: Final = 30_000
_PAUSE_SECONDS: Final = 10
# CloudFormation takes 4,096 bytes in all.
_REASON_LENGTH: Final = 1_000


def handler(event: dict[str, Any], context: Any) -> None:
    """event: a CloudFormation custom resource request; the answer goes to its ResponseURL.

    ResourceProperties: Customization, and the wished serving, so that a change of it is an update.
    """
    # One identity for life: replacing is our own work, so that a new endpoint is proved before the
    # old one goes. CloudFormation would delete the old one first.
    env = ThroughputEnvironment.from_env(os.environ)
    name = event["ResourceProperties"]["Customization"]
    answer: dict[str, Any] = {
        "Status": "SUCCESS",
        "PhysicalResourceId": f"provisioned-throughput/{env.environment}/{name}",
        **{key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")},
    }
    try:
        if event["RequestType"] == "Delete":
            answer["Reason"] = _remove(env, event["ResourceProperties"], context)
        else:
            answer["Data"] = _reconcile(env, name)
    except Exception as error:
        logger.exception("custom resource failed")
        answer |= {"Status": "FAILED", "Reason": f"{type(error).__name__}: {error}"}
    answer["Reason"] = answer.get("Reason", "")[:_REASON_LENGTH] or "done"
    _send(event["ResponseURL"], answer)


def _reconcile(env: ThroughputEnvironment, name: str) -> dict[str, str]:
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
    if step.action is Action.READY and not step.surplus:
        status = "ready"
    elif step.action not in settled:
        _hand_over(env, name)
        status = "handed-over"
    return {
        "Status": status,
        "Detail": step.reason,
        "Price": "; ".join(map(str, cost.estimate(customization=customization).rates)),
        "ProvisionedModelArn": step.target.arn if step.target else "",
    }


def _hand_over(env: ThroughputEnvironment, name: str) -> None:
    serving = {
        "customization": name,
        "run": f"deploy-{_runs.now().replace(':', '')}",
        "started_by": "deployment",
    }
    _aws.stepfunctions().start_execution(
        stateMachineArn=env.workflow_arn, input=json.dumps({"serving": serving})
    )


def _remove(env: ThroughputEnvironment, properties: dict[str, Any], context: Any) -> str:
    """Deletes what is billed by the hour; says what stays and why."""
    name = properties["Customization"]
    mine = [
        endpoint
        for endpoint, tags in _endpoints.provisioned(env.environment)
        if tags.get(_endpoints.CUSTOMIZATION) == name
    ]
    if properties.get("OnDelete") == "retain":
        kept = ", ".join(e.arn for e in mine)
        return f"kept, because the customization says on_delete = retain: {kept or 'nothing'}"
    reasons = [commitment_reason(e) for e in mine if not removable(e)]
    waiting = [e for e in mine if removable(e)]
    while waiting:
        waiting = [e for e in waiting if not _endpoints.delete(e)]
        if waiting and context.get_remaining_time_in_millis() < _RESERVE_MS:
            arns = ", ".join(e.arn for e in waiting)
            raise TimeoutError(
                f"still billed: Bedrock refuses to delete {arns} while it changes; "
                "delete the stack again in some minutes"
            )
        if waiting:
            time.sleep(_PAUSE_SECONDS)
    _pointers.withdraw(env.parameter_prefix, name, "endpoint")
    return "; ".join(reasons) or "nothing is served any more"


def _send(url: str, answer: dict[str, Any]) -> None:
    body = json.dumps(answer).encode()
    response = urllib3.PoolManager().request(
        "PUT",
        url,
        body=body,
        headers={"content-type": "", "content-length": str(len(body))},
        retries=urllib3.Retry(total=5, backoff_factor=1, allowed_methods=["PUT"]),
    )
    logger.info("answered", extra={"answer": answer, "http_status": response.status})
