"""docs/messages.md: what the SNS topic says, and how a subscription chooses."""

import json
from typing import Any, Final

import msgspec

from bedrock_tuning.contracts.contract import dashboard_name
from bedrock_tuning.run.messages import ATTRIBUTES, STATUSES, Message

_HEADER: Final = """# Messages

`make docs` writes this page from `bedrock_tuning/run/messages.py`. Edit that, not the page.

Whatever happens to a run, an approval or a lease is published to the environment's SNS topic as
JSON ([schema](message.schema.json)). `alarm_email` in `cdk.json` subscribes an address to all of
it, alarms included. The topic's ARN is the output `Topic` of the stack `tuning-dev-pipeline`. The
CloudWatch dashboard `{dashboard}` shows runs, functions, lost events and model calls.

## Subscribe to some of it

Each message has the attributes {attributes}.
A filter policy chooses by them. Alarms have neither, so a subscription with a filter policy gets no
alarms. For example, what a team has to act on:

```console
aws sns subscribe --topic-arn TOPIC --protocol email --notification-endpoint team@example.com \\
  --attributes '{attribute}'
```

An SQS queue or a Lambda function subscribes in the same way.

## Statuses

| `status` | Meaning |
| --- | --- |
"""
_EXAMPLE: Final = {"customization": ["pets-search"], "status": ["awaiting-approval", "failed"]}


def messages_page() -> str:
    """The whole page."""
    head = _HEADER.format(
        dashboard=dashboard_name("dev"),
        attributes=" and ".join(f"`{each}`" for each in ATTRIBUTES),
        attribute=json.dumps({"FilterPolicy": json.dumps(_EXAMPLE)}),
    )
    rows = [f"| `{status}` | {meaning} |" for status, meaning in STATUSES.items()]
    return head + "\n".join(rows) + "\n"


def message_schema() -> dict[str, Any]:
    """Of one message."""
    return msgspec.json.schema(Message)
