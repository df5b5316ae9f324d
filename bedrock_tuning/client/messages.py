"""Whether somebody is notified when a run waits for approval."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bedrock_tuning.contracts.ending import ANNOUNCE
from bedrock_tuning.sources.listing import listed

# In the name that CloudFormation gives to the function, which makes events and tells no person.
_ANNOUNCES: Final = f"-{ANNOUNCE.path.replace('/', '')}"


def subscriptions(sns: Any, topic: str) -> Sequence[Mapping[str, str]]:
    """All subscriptions of the topic but the app's own, confirmed or not."""
    subscribed = listed(sns, "list_subscriptions_by_topic", "Subscriptions", TopicArn=topic)
    return [
        subscription for subscription in subscribed if _ANNOUNCES not in subscription["Endpoint"]
    ]


def unconfirmed(entries: Sequence[Mapping[str, str]]) -> list[str]:
    """The addresses that were asked by e-mail and have not answered: no message reaches them."""
    return [
        subscription["Endpoint"]
        for subscription in entries
        if subscription["SubscriptionArn"] == "PendingConfirmation"
    ]


def unheard(sns: Any, topic: str) -> str | None:
    """Why nobody hears of a run that waits, with what to do; None if somebody does."""
    recipients = subscriptions(sns, topic)
    waiting = unconfirmed(recipients)
    if len(recipients) > len(waiting):
        return None
    if waiting:
        return (
            f"nobody is notified by e-mail: {', '.join(waiting)} has not confirmed; follow the "
            "link in the e-mail of AWS Notifications"
        )
    return "nobody is notified by e-mail: no alarm_email in cdk.json, and no other subscription"
