"""The alarms of a customization: what its team has to know, whatever happens to other teams' runs.

The platform's alarms say that something failed, and ring once for all that fails at the same time.
"""

from typing import Any, Final

from bedrock_tuning.contracts.contract import TOPIC
from bedrock_tuning.run.metrics import NAMESPACE, Metric, dimensions

# By the construct: what is counted, and what its mail says.
ALARMS: Final[dict[str, tuple[Metric, str]]] = {
    "RunFailed": (
        "RunsFailed",
        "A run of {name} failed, or could not be served: `tuning runs -c {name} -e {environment}`",
    ),
    "LeaseNotKept": (
        "LeasesNotKept",
        "The lease of an endpoint of {name} is not kept, so it may be billed beyond it: the last "
        "error in the log of keep_leases says why and what to do",
    ),
}


def dashboard_name(environment: str) -> str:
    """The name of an environment's dashboard."""
    return f"tuning-{environment}"


def alarms_of(environment: str, name: str) -> dict[str, dict[str, Any]]:
    """The properties of a customization's alarms, by their constructs, with placeholders."""
    of = dimensions(environment=environment, customization=name)
    return {
        construct: {
            "AlarmActions": [f"{{{TOPIC}}}"],
            "AlarmDescription": about.format(name=name, environment=environment),
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "Dimensions": [{"Name": key, "Value": value} for key, value in of.items()],
            "EvaluationPeriods": 1,
            "MetricName": metric,
            "Namespace": NAMESPACE,
            "OKActions": [f"{{{TOPIC}}}"],
            "Period": 300,
            "Statistic": "Sum",
            "Threshold": 1,
            "TreatMissingData": "notBreaching",
        }
        for construct, (metric, about) in ALARMS.items()
    }
