"""What is counted for each customization, for its own alarms.

CloudWatch makes metrics of log lines in its embedded metric format, which a function writes to its
standard output (docs/facts/workflow.md, Metrics in logs): nothing has to be called or allowed.

A module of its own: functions count, and the contracts of alarms name what is counted.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal

Metric = Literal["RunsFailed", "LeasesNotKept"]
NAMESPACE: Final = "BedrockTuning"


def dimensions(*, environment: str, customization: str) -> Mapping[str, str]:
    """What a count belongs to."""
    return {"Environment": environment, "Customization": customization}


def counted_once(metric: Metric, *, environment: str, customization: str, now: datetime) -> str:
    """A line of a log that CloudWatch counts as one."""
    of = dimensions(environment=environment, customization=customization)
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [list(of)],
        "Metrics": [{"Name": metric, "Unit": "Count"}],
    }
    metadata = {"Timestamp": int(now.timestamp() * 1000), "CloudWatchMetrics": [directive]}
    return json.dumps({"_aws": metadata, **of, metric: 1})
