"""Each message is an event, and nothing else is; one that is not taken is asked for again."""

import json
from typing import Any

import jsonschema
import msgspec
import pytest

from bedrock_tuning.run.messages import STATUSES, Event
from lambdas import announce
from tests.lambdas.aws import Aws


def _from_topic(message: dict[str, Any]) -> dict[str, Any]:
    """As SNS hands a message to a function, as far as it is read."""
    return {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": json.dumps(message)}}]}


def _message(**fields: Any) -> dict[str, Any]:
    return {"status": "served", "environment": "dev", "customization": "pets", **fields}


@pytest.mark.slow
@pytest.mark.parametrize("status", STATUSES)
def test_a_message_of_each_status_is_an_event_as_documented(aws: Aws, status: str) -> None:
    # Fields of a later version go on, too.
    message = _message(status=status, run="20261121-093000-aaaaaa", later=1)
    announce.handler(_from_topic(message), None)
    (entry,) = aws.events.taken
    event = {
        "source": entry["Source"],
        "detail-type": entry["DetailType"],
        "detail": json.loads(entry["Detail"]),
    }
    assert event["detail"] == message
    jsonschema.validate(event, msgspec.json.schema(Event))


@pytest.mark.parametrize(
    "text", ["no JSON", '{"AlarmName": "x"}', json.dumps(_message(status="x"))]
)
def test_what_is_no_message_of_ours_is_no_event(aws: Aws, text: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        announce.handler({"Records": [{"Sns": {"Message": text}}]}, None)
    assert aws.events.calls == []


def test_an_event_that_is_not_taken_fails_so_that_it_is_asked_for_again(aws: Aws) -> None:
    aws.events.refused = "InternalFailure"
    with pytest.raises(announce.NotTakenError, match="InternalFailure: because"):
        announce.handler(_from_topic(_message()), None)
