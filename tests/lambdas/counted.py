"""What functions have counted, as CloudWatch reads it from their logs."""

import json
from collections import Counter

import pytest

from bedrock_tuning.run.metrics import NAMESPACE


def counted(out: pytest.CaptureFixture[str]) -> Counter[tuple[str, str, str]]:
    """Environment, customization and metric of each count since the last call."""
    found: Counter[tuple[str, str, str]] = Counter()
    for line in out.readouterr().out.splitlines():
        read = json.loads(line)
        (directive,) = read["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == NAMESPACE
        (names,) = directive["Dimensions"]
        environment, customization = (read[name] for name in names)
        for metric in directive["Metrics"]:
            found[environment, customization, metric["Name"]] += read[metric["Name"]]
    return found
