"""What is counted, as CloudWatch reads it from a line of a log."""

import json
from datetime import UTC, datetime

from bedrock_tuning.run.metrics import counted_once


def test_a_count_says_what_of_whom_and_when_in_the_embedded_metric_format() -> None:
    now = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
    line = counted_once("RunsFailed", environment="dev", customization="pets", now=now)
    assert json.loads(line) == {
        "_aws": {
            # Milliseconds: CloudWatch takes nothing that is more than two weeks old.
            "Timestamp": 1_795_253_400_000,
            "CloudWatchMetrics": [
                {
                    "Namespace": "BedrockTuning",
                    "Dimensions": [["Environment", "Customization"]],
                    "Metrics": [{"Name": "RunsFailed", "Unit": "Count"}],
                }
            ],
        },
        "Environment": "dev",
        "Customization": "pets",
        "RunsFailed": 1,
    }
