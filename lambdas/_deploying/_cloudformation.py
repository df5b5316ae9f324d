"""The answer of a custom resource, sent to the address that CloudFormation has signed for it."""

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

import urllib3

from bedrock_tuning.run.failure_advice import explain

logger = logging.getLogger(__name__)

# CloudFormation takes an answer of 4,096 bytes in all; texts are cut to the first length that fits.
_ANSWER_BYTES: Final = 4_096
_LENGTHS: Final = (1_000, 400, 150, 100)
# Of a reason's 1,000 characters, so that there is room for what to do: AWS's refusals are long.
_ERROR_LENGTH: Final = 600


def respond(
    event: Mapping[str, Any], act: Callable[[dict[str, Any]], None], *, unknown: str
) -> None:
    """Carries out a request and answers it, whatever happens.

    act: carries it out, and adds PhysicalResourceId, Data or Reason to the answer.
    unknown: the physical id of a resource that was never created.
    """
    answer: dict[str, Any] = {
        "Status": "SUCCESS",
        "PhysicalResourceId": event.get("PhysicalResourceId", unknown),
        **{key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")},
    }
    try:
        act(answer)
    except Exception as error:
        # Without an answer CloudFormation would wait for its timeout.
        logger.exception("custom resource failed")
        answer |= {"Status": "FAILED", "Reason": _reason(error)}
        _send(event["ResponseURL"], answer)
        # For the function's alarm, because something may still be billed. Lambda then calls again:
        # a deletion is tried again. CloudFormation undoes anything else, and nothing may redo it.
        if event["RequestType"] == "Delete":
            raise
        return
    _send(event["ResponseURL"], answer)


def _reason(error: Exception) -> str:
    """What failed and, if known, what to do: all that the person who deploys sees."""
    message = f"{type(error).__name__}: {error}"
    advice = explain(message)
    return f"{message[:_ERROR_LENGTH]}\nWhat to do: {advice.fix}" if advice.known else message


def _send(url: str, answer: Mapping[str, Any]) -> None:
    """Puts the answer; Reason and the texts under Data are cut if the whole would be too long."""
    body = _body({"Reason": "done", **answer})
    response = urllib3.PoolManager().request(
        "PUT",
        url,
        body=body,
        headers={"content-type": "", "content-length": str(len(body))},
        retries=urllib3.Retry(total=5, backoff_factor=1, allowed_methods=["PUT"]),
    )
    logger.info("answered", extra={"answer": body.decode(), "http_status": response.status})


def _body(answer: Mapping[str, Any]) -> bytes:
    data = answer.get("Data", {})
    for length in _LENGTHS:
        short: dict[str, Any] = {**answer, "Reason": answer["Reason"][:length]}
        if data:
            short["Data"] = {name: value[:length] for name, value in data.items()}
        body = json.dumps(short).encode()
        if len(body) <= _ANSWER_BYTES:
            break
    return body
