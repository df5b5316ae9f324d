"""What programs are told: a message's fields, what each status means, its event.

The words for people are written by run/outcome.py (how a run ended) and lambdas/keep_leases.py.
"""

import json
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, NamedTuple, get_args

from msgspec import Meta, Struct, field

# By which subscriptions choose: each message has these fields as attributes, too.
ATTRIBUTES: Final = ("environment", "customization", "status")
# Of each event on the account's default bus.
EventSource = Literal["bedrock-tuning"]
SOURCE: Final[str] = get_args(EventSource)[0]


class DetailType(StrEnum):
    """The kinds of events, by what their messages are about."""

    APPROVAL = "Bedrock Tuning Approval Requested"
    RUN = "Bedrock Tuning Run Status Change"
    ENDPOINT = "Bedrock Tuning Endpoint Status Change"


_MEANINGS: Final[Mapping[DetailType, Mapping[str, str]]] = {
    DetailType.APPROVAL: {
        "awaiting-approval": "A price has to be approved or declined before anything is billed.",
    },
    DetailType.RUN: {
        "rejected": "The dataset has errors; the report lists them.",
        "trained-on": "Pictures of the validation set are also in the training set.",
        "closed": "The base model accepts no new jobs.",
        "outdated": "What was checked or priced changed before the job started.",
        "superseded": "A newer upload replaced this one before its job started.",
        "already-trained": "A model was already trained on the same data.",
        "in-progress": "Another run is training on the same data.",
        "declined": "Somebody declined the price.",
        "expired": "Nobody approved or declined the price in time.",
        "stopped": "Somebody stopped the job.",
        "aborted": "Somebody stopped the run.",
        "failed": "The job or a step of the run failed.",
        "training": "The run ended early; its job goes on, and is watched.",
        "trained": "The model is trained but not served.",
        "served": "The model is served.",
        "not-better": "The model is kept but not published: its evaluation failed.",
        "serving-failed": "The model is trained but could not be served.",
    },
    DetailType.ENDPOINT: {
        "removed": "The model is no longer served.",
        "withdrawn": "A pointer to an endpoint that is gone was removed.",
        "lease-ends": "The lease of an endpoint ends soon.",
        "lease-ended": "The lease of an endpoint ended, and the endpoint was deleted.",
    },
}
STATUSES: Final[Mapping[str, str]] = {
    status: meaning for meanings in _MEANINGS.values() for status, meaning in meanings.items()
}


def detail_type(status: str) -> DetailType:
    """The kind of event that a message with this status is; raises KeyError for an unknown one."""
    kinds = {name: kind for kind, meanings in _MEANINGS.items() for name in meanings}
    return kinds[status]


class Notice(NamedTuple):
    """How a chat shows events: of these kinds, with values from these paths, in this form."""

    kinds: tuple[DetailType, ...]
    paths: Mapping[str, str]
    template: str


def _notice(*kinds: DetailType, **content: Any) -> Notice:
    """content: what stands beside the title, with fields that all messages of these kinds have."""
    title = "<customization> in <environment>: <status>"
    fields = {"textType": "client-markdown", "title": title, **content}
    envelope = {"version": "1.0", "source": "custom", "content": fields}
    # In quotes, EventBridge puts a value there as it is; alone, as JSON with its own quotes and
    # line ends (docs/facts/workflow.md#chat).
    template = re.sub(r'"(<\w+>)"', r"\1", json.dumps(envelope))
    names = dict.fromkeys(re.findall(r"<(\w+)>", template))
    return Notice(kinds, {name: f"$.detail.{name}" for name in names}, template)


# By the rule that hands them on.
CHAT: Final[Mapping[str, Notice]] = {
    "Questions": _notice(DetailType.APPROVAL, description="<estimate>", nextSteps=["<approve>"]),
    "Messages": _notice(DetailType.RUN, DetailType.ENDPOINT, description="<message>"),
}


class Message(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message in JSON. Fields that do not apply are left out; more fields may come."""

    status: Annotated[str, Meta(description="What happened; docs/messages.md lists all.")]
    environment: Annotated[str, Meta(description="The environment, as in cdk.json.")]
    customization: Annotated[str, Meta(description='Whose it is; "unknown" where nobody knows.')]
    run: Annotated[str, Meta(description="The run, as in `tuning runs`.")] = ""
    subject: Annotated[str, Meta(description="What happened, in a few words.")] = ""
    message: Annotated[str, Meta(description="What happened, and what to do.")] = ""
    reason: Annotated[str, Meta(description="Why somebody is asked.")] = ""
    estimate: Annotated[str, Meta(description="The price that is to be approved.")] = ""
    approve: Annotated[str, Meta(description="The command that approves or declines it.")] = ""
    failed: Annotated[bool, Meta(description="Whether an alarm fires, too.")] = False
    notify: Annotated[bool, Meta(description="Always true in a message.")] = True
    execution: Annotated[str, Meta(description="The execution that could not be closed.")] = ""


class Event(Struct, frozen=True, kw_only=True):
    """What EventBridge delivers of a message, beside the fields that it adds to each event."""

    source: EventSource
    detail_type: Annotated[DetailType, Meta(description="What the message is about.")] = field(
        name="detail-type"
    )
    detail: Annotated[Message, Meta(description="The message itself.")]
