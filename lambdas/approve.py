"""Takes a person's answer to a run that waits for one: whose it is, AWS says, never the request.

The function has a URL that takes signed requests only. Lambda checks the signature and puts who
signed into the event; nobody may invoke the function in another way, and say so himself.
"""

import base64
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from botocore.exceptions import ClientError

from bedrock_tuning import s3_layout
from bedrock_tuning.config.lambda_environment import RunEnvironment
from bedrock_tuning.run.approvals import AnswerError, ApprovalAnswer, Decision
from bedrock_tuning.run.row import WAITS
from lambdas import _aws
from lambdas._records import _approvals, _runs
from lambdas._records._approvals import PendingApproval

logger = logging.getLogger(__name__)

# How a run that waited ends without any answer.
_ENDED_UNASKED: Final = ("aborted", "expired", "failed")
# What Step Functions answers when the wait is over: expired, or its execution was aborted.
_OVER: Final = ("TaskTimedOut", "TaskDoesNotExist", "InvalidToken")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """event: as a function URL makes it (payload format 2.0); its body is JSON: {"run", "decision":
    "approve" or "decline", "reason"}, where an approval needs no reason.

    Returns an HTTP answer whose body is JSON: 200 with the decision that is kept; 400, 403, 404,
    409 or, when it is too early, 425 with "error", a sentence. A decision is written into the trail
    and the run's item before the run goes on; asked again, the function does what it could not do
    before.
    """
    env = RunEnvironment.from_env(os.environ)
    identity = event.get("requestContext", {}).get("authorizer", {}).get("iam", {})
    if not identity.get("userArn"):
        return _refuse(403, "nobody has signed this request")
    try:
        answer = ApprovalAnswer.from_json(_body(event))
    except AnswerError as error:
        return _refuse(400, str(error))
    run = _runs.item_of(env.runs_table, answer.run)
    if run is None:
        return _refuse(404, f"unknown run {answer.run}")
    question = _approvals.read(env.runs_table, answer.run)
    is_waiting = run["status"] == WAITS
    if is_waiting and (question is None or not question.token):
        return _refuse(425, f"run {answer.run} is about to ask: send the answer again in a moment")
    if question is None or (question.decision is None and not is_waiting):
        return _refuse(409, f"run {answer.run} is not waiting for approval: it is {run['status']}")
    decision = question.decision
    if decision is None:
        decision = _approvals.decide(
            env.runs_table,
            _decision(answer, run, question, str(identity["userArn"])),
            token=question.token,
        )
    if decision.decision != answer.decision:
        return _refuse(
            409, f"run {answer.run} was {decision.past} by {decision.by} at {decision.at}"
        )
    return _carry_out(env, decision, token=question.token)


def _body(event: Mapping[str, Any]) -> str:
    body = str(event.get("body", ""))
    if not event.get("isBase64Encoded"):
        return body
    try:
        return base64.b64decode(body).decode()
    except ValueError:
        return ""


def _decision(
    answer: ApprovalAnswer, run: Mapping[str, Any], question: PendingApproval, caller: str
) -> Decision:
    return Decision(
        run=answer.run,
        customization=str(run["customization"]),
        decision=answer.decision,
        by=caller,
        at=_runs.now(),
        reason=answer.reason,
        price=question.price,
        asked_because=question.because,
        about=json.loads(question.about),
    )


def _carry_out(env: RunEnvironment, decision: Decision, *, token: str) -> dict[str, Any]:
    """Writes a decision down, then lets the run go on."""
    logger.info("decision", extra={"run": decision.run, "by": decision.by, "was": decision.past})
    _keep(env.output_bucket, decision)
    if token:
        _runs.update_run(env.runs_table, decision.run, **_decision_attributes(decision))
        try:
            _send(decision, token)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _OVER:
                raise
            refusal = _refuse_late(env, decision)
            if refusal is not None:
                return refusal
        _approvals.forget_token(env.runs_table, decision.run, token)
    return _answer(200, asdict(decision))


def _refuse_late(env: RunEnvironment, decision: Decision) -> dict[str, Any] | None:
    """The answer if nobody waited any more; None if the answer was sent already, and this one lost.

    Step Functions says the same of both, so the run's status tells.
    """
    run = _runs.item_of(env.runs_table, decision.run) or {}
    status = str(run.get("status"))
    if status == WAITS:
        return _refuse(425, f"run {decision.run} is about to go on or to end: ask again")
    if status in _ENDED_UNASKED:
        return _refuse(409, f"run {decision.run} no longer waits: it is {status}")
    return None


def _keep(bucket: str, decision: Decision) -> None:
    """Writes the trail, in which nothing is ever written over."""
    key = s3_layout.approval_key(decision.customization, decision.run, decision.at)
    _aws.none_if(
        "PreconditionFailed",
        lambda: _aws.s3().put_object(
            Bucket=bucket,
            Key=key,
            Body=decision.to_json().encode(),
            ContentType="application/json",
            IfNoneMatch="*",
        ),
    )


def _decision_attributes(decision: Decision) -> dict[str, Any]:
    """What is kept in the run's item, for `tuning run`."""
    return {
        f"{decision.past}_by": decision.by,
        "decided_at": decision.at,
        "decision_reason": decision.reason or None,
        "decided_price": decision.price,
        "decided_about": json.dumps(decision.about),
    }


def _send(decision: Decision, token: str) -> Any:
    output = {"approved_by": decision.by, "reason": decision.reason}
    states = _aws.stepfunctions()
    if decision.decision == "approve":
        return states.send_task_success(taskToken=token, output=json.dumps(output))
    cause = json.dumps({"declined_by": decision.by, "reason": decision.reason})
    return states.send_task_failure(taskToken=token, error="Declined", cause=cause)


def _refuse(status: int, error: str) -> dict[str, Any]:
    return _answer(status, {"error": error})


def _answer(status: int, body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        "body": json.dumps(body),
    }
