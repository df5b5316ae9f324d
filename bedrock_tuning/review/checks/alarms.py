"""Checks of alarms and of the dashboard, which are those of the contracts."""

from collections.abc import Iterator

from bedrock_tuning.contracts.alarms import ALARM
from bedrock_tuning.review.check import Evidence, Violation, check, differing


@check(
    "W516",
    "The dashboard has the environment's name and shows metrics, and nothing that is loaded or "
    "run.",
    fix="Deploy it as bedrock_tuning/contracts/written/dashboard.py says",
)
def shows_metrics(evidence: Evidence) -> Iterator[Violation]:
    yield from differing(evidence, "AWS::CloudWatch::Dashboard")


@check(
    "W518",
    "The alarms of the platform and of every customization count what their contracts say, fire "
    "at the first failure or when calls stop, and notify the topic, also when the alarm ends.",
    fix="Deploy them as bedrock_tuning/contracts/alarms.py says",
)
def as_contracted(evidence: Evidence) -> Iterator[Violation]:
    yield from differing(evidence, ALARM)
