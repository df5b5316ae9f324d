"""The custom resource Custom::RunGuard: no deployment takes from an open run what it uses.

A new one comes into being whenever that changes, before any role or function of runs does, and the
parameter with what runs use follows it. So the parameter still says what they use now. A rollback
only deletes the new one, which always succeeds.
"""

import os
from typing import Any

from bedrock_tuning.config.lambda_environment import GuardEnvironment
from bedrock_tuning.config.names import stack_name
from bedrock_tuning.run import row
from bedrock_tuning.wording import first_of
from lambdas import _aws
from lambdas._deploying import _cloudformation
from lambdas._records import _runs


def handler(event: dict[str, Any], context: object) -> None:
    """event: a CloudFormation custom resource request. ResourceProperties: Uses, what runs use."""

    def act(answer: dict[str, Any]) -> None:
        if event["RequestType"] == "Delete":
            return
        env = GuardEnvironment.from_env(os.environ)
        answer["PhysicalResourceId"] = f"run-guard/{env.environment}/{event['LogicalResourceId']}"
        # What runs use as long as this deployment has not changed it; nothing before the first one.
        in_use = (_aws.parameter(env.used_parameter) or "").split(", ")
        removed = {*in_use} - {"", *event["ResourceProperties"]["Uses"].split(", ")}
        if removed:
            _refuse(env, sorted(removed))
        answer["Reason"] = "nothing that an open run uses is taken from it"

    _cloudformation.respond(event, act, unknown="run-guard/unknown")


def _refuse(env: GuardEnvironment, removed: list[str]) -> None:
    """Raises RuntimeError if a run needs what goes."""
    runs = [
        f"{item['run']} ({item['status']})"
        for item in _runs.open_runs(env.runs_table)
        if row.needs_what_it_had(item)
    ]
    if runs:
        raise RuntimeError(
            f"this deployment takes {first_of(removed)} from open runs: {first_of(runs)}. First "
            f"deploy the earlier settings again if it has changed "
            f"{stack_name(env.environment, 'data')}: runs cannot write there until you do. Then "
            f"decline or stop them "
            f"{row.HOW_TO_END}, or wait until tuning runs -e {env.environment} shows that "
            "they have ended, then deploy again"
        )
