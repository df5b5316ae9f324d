"""The answer of a custom resource, sent to the address that CloudFormation has signed for it."""

import json
import logging
from collections.abc import Mapping
from typing import Any, Final

import urllib3

from bedrock_tuning.run.failure_advice import explain

logger = logging.getLogger(__name__)

# CloudFormation takes an answer of 4,096 bytes in all; texts are cut to the first length that fits.
_ANSWER_BYTES: Final = 4_096
_LENGTHS: Final = (1_000, 400, 150, 100)
# Of a reason's 1,000 characters, so that there is room for what to do: AWS's refusals are long.
_ERROR_LENGTH: Final = 600


def answer_to(event: dict[str, Any], *, physical_id: str) -> dict[str, Any]:
    """A successful answer, to which Data or a failure can be added."""
    return {
        "Status": "SUCCESS",
        "PhysicalResourceId": physical_id,
        **{key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")},
    }


def reason(error: Exception) -> str:
    """What failed and, where it is known, what to do: all that whoever deploys gets to see."""
    words = f"{type(error).__name__}: {error}"
    found = explain(words)
    return f"{words[:_ERROR_LENGTH]}\nWhat to do: {found.fix}" if found.known else words


def send(url: str, answer: Mapping[str, Any]) -> None:
    """Puts the answer; without it CloudFormation would wait until its timeout.

    Reason, and the texts under Data, are cut where the whole would be too long.
    """
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
