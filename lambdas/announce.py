"""Makes an event of each message, so that programs need not read the topic.

The topic calls it: what people are told is the only source of events. One that is lost fails no
run, and an alarm rings.
"""

import logging
from typing import Any

import msgspec

from bedrock_tuning.run.messages import SOURCE, Message, detail_type
from lambdas import _aws

logger = logging.getLogger(__name__)


class NotTakenError(Exception):
    """EventBridge took the call, and not the event."""


def handler(event: dict[str, Any], context: object) -> None:
    """event: SNS's, with one message. Raises NotTakenError, and Lambda then calls again."""
    for record in event["Records"]:
        text = record["Sns"]["Message"]
        status = msgspec.json.decode(text, type=Message).status
        kind = detail_type(status)
        entry = {"Source": SOURCE, "DetailType": kind.value, "Detail": text}
        (response,) = _aws.events().put_events(Entries=[entry])["Entries"]
        if "ErrorCode" in response:
            raise NotTakenError(f"{response['ErrorCode']}: {response.get('ErrorMessage', '')}")
        logger.info("announced", extra={"status": status, "kind": kind.value})
