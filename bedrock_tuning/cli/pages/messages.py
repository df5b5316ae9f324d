"""docs/messages.md: what the SNS topic says, and how a subscription chooses."""

import json
from typing import Any, Final

import msgspec

from bedrock_tuning.contracts.alarms import dashboard_name
from bedrock_tuning.run.messages import (
    ATTRIBUTES,
    SOURCE,
    STATUSES,
    DetailType,
    Event,
    Message,
    detail_type,
)

_HEADER: Final = """# Messages

`make docs` writes this page from `bedrock_tuning/run/messages.py`. Edit that, not the page.

Whatever happens to a run, an approval or a lease is published to the environment's SNS topic as
JSON ([schema](message.schema.json)). `alarm_email` in `cdk.json` subscribes an address to all of
it, alarms included. The topic's ARN is the output `Topic` of the stack `tuning-dev-pipeline`. The
CloudWatch dashboard `{dashboard}` shows runs, functions, lost events and model calls.

## Subscribe to some of it

Each message has the attributes {attributes}.
A filter policy selects messages by them. Alarms have none, so a subscription with a filter policy
gets no alarms. For example, what a team has to act on:

```console
aws sns subscribe --topic-arn TOPIC --protocol email --notification-endpoint team@example.com \\
  --attributes '{attribute}'
```

An SQS queue or a Lambda function subscribes in the same way.

## Act on it in a program

Each message is also an event on the account's default EventBridge bus
([schema](event.schema.json)): its source is `{source}`, its `detail` is the message.
A rule with this pattern gets an event whenever a run of one customization ends:

```json
{pattern}
```

The event is made from the message, so it comes after it. If EventBridge does not accept it, no run
fails: the alarm `EventsNotSent` fires.

## Statuses

| `status` | Meaning | `detail-type` of its event |
| --- | --- | --- |
"""
_FILTER: Final = {"customization": ["pets-search"], "status": ["awaiting-approval", "failed"]}
_PATTERN: Final = {
    "source": [SOURCE],
    "detail-type": [DetailType.RUN],
    "detail": {"environment": ["dev"], "customization": ["pets-search"]},
}


def messages_page() -> str:
    """The whole page."""
    head = _HEADER.format(
        dashboard=dashboard_name("dev"),
        attributes=", ".join(f"`{each}`" for each in ATTRIBUTES),
        attribute=json.dumps({"FilterPolicy": json.dumps(_FILTER)}),
        source=SOURCE,
        pattern=json.dumps(_PATTERN, indent=2),
    )
    rows = [
        f"| `{status}` | {meaning} | {detail_type(status)} |"
        for status, meaning in STATUSES.items()
    ]
    return head + "\n".join(rows) + "\n"


def message_schema() -> dict[str, Any]:
    """Of one message."""
    return msgspec.json.schema(Message)


def event_schema() -> dict[str, Any]:
    """Of one event, as far as it is ours."""
    return msgspec.json.schema(Event)
