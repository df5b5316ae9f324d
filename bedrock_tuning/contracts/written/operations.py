"""What an environment runs with: its keys, its log groups, its state machine, its mail."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bedrock_tuning.config.settings import Settings
from bedrock_tuning.contracts.contract import VENDED_LOGS, Place, workflow_name


def operations(settings: Settings, places: Mapping[str, Place]) -> dict[str, Place]:
    """By contract name. places: where they stand."""
    name = workflow_name(settings.name)
    result = {
        "data-key": key(
            places["data-key"], f"Datasets and results of bedrock-tuning ({settings.name})"
        ),
        "operations-key": key(
            places["operations-key"], f"Runs, messages and logs of bedrock-tuning ({settings.name})"
        ),
        # Step Functions writes each group elsewhere into the account's policy of log groups, which
        # holds 5,120 characters (docs/facts/workflow.md#logs).
        "logs.workflow": log_group(
            places["logs.workflow"], settings, LogGroupName=f"{VENDED_LOGS}{name}"
        ),
        "workflow": replace(places["workflow"], properties=_state_machine(name)),
    }
    mail = settings.alarm_email
    if mail:
        result["mail"] = Place(
            stack="pipeline",
            path=f"Messages/Topic/{mail.replace('/', '--')}",
            type="AWS::SNS::Subscription",
            properties={"Protocol": "email", "Endpoint": mail, "TopicArn": "{topic}"},
        )
    return result


def key(place: Place, about: str) -> Place:
    """A key that rotates."""
    return replace(place, properties={"Description": about, "EnableKeyRotation": True})


def log_group(place: Place, settings: Settings, **properties: Any) -> Place:
    """A log group that is kept as long as the settings say, under the key of its stack."""
    stack_key = "network-key" if place.stack == "network" else "operations-key"
    days = settings.log_retention_days
    properties |= {"RetentionInDays": days, "KmsKeyId": f"{{{stack_key}}}"}
    return replace(place, properties=properties)


def _state_machine(name: str) -> dict[str, Any]:
    """It logs all that it does, without the data of its executions, which stays in the buckets."""
    return {
        # Roles name it: a reference would be a cycle.
        "StateMachineName": name,
        "RoleArn": "{role.workflow}",
        "LoggingConfiguration": {
            "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": "{logs.workflow}"}}],
            "IncludeExecutionData": False,
            "Level": "ALL",
        },
    }
