"""The intent item of each customization in the runs table: read, and written if nobody else did."""

from dataclasses import replace
from typing import Final

from bedrock_tuning.config.lambda_environment import (
    LeaseEnvironment,
    ServeEnvironment,
    ThroughputEnvironment,
)
from bedrock_tuning.run.items import INTENT
from bedrock_tuning.serving.intent import Intent, Published
from lambdas._records import _pointers, _runs

# How often an item that others write at the same moment is read again.
ATTEMPTS: Final = 5


def read(
    env: ServeEnvironment | ThroughputEnvironment | LeaseEnvironment, customization: str
) -> Intent:
    """The item now. Where none was ever written, what the pointers say: version 0.

    Environments that were deployed before there were such items have the pointers only.
    """
    intent = stored(env.runs_table, customization)
    if intent is not None:
        return intent
    endpoint, model, run = (
        _pointers.read(env.parameter_prefix, customization, name) or ""
        for name in ("endpoint", "model", "run")
    )
    return Intent(
        customization=customization,
        on=bool(endpoint),
        why="it was served before" if endpoint else "",
        order=run,
        model_arn=model,
        model_run=run,
        published=Published(endpoint_arn=endpoint, model_arn=model, model_run=run),
    )


def write(table: str, intent: Intent) -> Intent | None:
    """As it is stored now; None if somebody else has written since it was read."""
    successor = replace(intent, version=intent.version + 1)
    item = {
        "id": f"{INTENT}{intent.customization}",
        "version": successor.version,
        "intent": successor.to_json(),
    }
    expected = {"version": intent.version} if intent.version else None
    return successor if _runs.put_if(table, item, has=expected) else None


def stored(table: str, customization: str) -> Intent | None:
    """The item, if it was ever written."""
    item = _runs.get(table, f"{INTENT}{customization}")
    return Intent.from_json(item["intent"]) if item else None
