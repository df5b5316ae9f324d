"""What the workflow hands to each function and may be answered: the other half of its contract.

Paths as Step Functions writes them: $ is the run's data, $$ the execution's own.
"""

from collections.abc import Mapping
from typing import Final

_RUN: Final = {"run": "$.admission.run", "customization": "$.admission.customization"}

# By function: the name of each value it is given, and where the workflow has it.
PAYLOADS: Final[Mapping[str, Mapping[str, str]]] = {
    "Admit": {
        "event": "$",
        "execution": "$$.Execution.Name",
        "started": "$$.Execution.StartTime",
    },
    "CheckManifest": {
        **_RUN,
        "training_version": "$.admission.training_version",
        "validation_version": "$.admission.validation_version",
    },
    "CheckImages": {**_RUN, "shard": "$$.Map.Item.Value"},
    "Merge": {**_RUN, "shards": "$.shards"},
    "StartJob": {"admission": "$.admission", "report": "$.report"},
    "RecordJob": {"admission": "$.admission", "start": "$.start", "job": "$.job"},
    "Serve": {"serving": "$.serving"},
    "CloseRun": {"state": "$"},
}
# Where the answer of each function is kept; several read it there.
RESULTS: Final[Mapping[str, str]] = {
    "Admit": "$.admission",
    "CheckManifest": "$.check",
    "Merge": "$.report",
    "StartJob": "$.start",
    "RecordJob": "$.serving",
    "Serve": "$.serving",
    "CloseRun": "$.outcome",
}
# What Bedrock answers about the job, the file that lists the shards, and how long Serve waits.
JOB: Final = "$.job"
SHARDS: Final = "$.check.shards_key"
PAUSE: Final = "$.serving.seconds"
# Days that a job and its serving may take, besides the wait for an approval.
JOB_DAYS: Final = 30
# The values of an answer's field that decide how a run goes on.
DECISIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "$.admission.decision": ("run", "waiting", "duplicate", "superseded", "closed", "ignored"),
    "$.start.decision": ("start", "approve", "already-trained", "in-progress", "superseded"),
    "$.serving.step": (
        "wait",
        "smoke",
        "publish",
        "roll-back",
        "roll-back-wait",
        "served",
        "unserved",
        "removed",
        "pending",
        "failed",
    ),
}
# What the workflow must ask after each answer; whatever is not asked for closes the run.
ASKED: Final[Mapping[str, frozenset[str]]] = {
    "Admit": frozenset({"run"}),
    "StartJob": frozenset({"start", "approve"}),
    "Serve serve": frozenset({"wait", "smoke", "roll-back"}),
    "Serve smoke": frozenset({"publish"}),
    "Serve publish": frozenset({"wait"}),
    "Serve roll-back": frozenset({"roll-back-wait"}),
}
# What merge reads of a shard that could not be checked.
UNCHECKED_SHARD: Final = {"number.$": "$.shard.number", "error.$": "$.error.Cause"}
_RUN_ITEM: Final = {"id": {"S.$": "States.Format('run#{}', $.admission.run)"}}
_NAMES: Final = {"#token": "approval_token", "#status": "status"}
# What the workflow itself writes into the runs table; `tuning approve` reads it.
AWAIT_APPROVAL: Final = {
    "Key": _RUN_ITEM,
    "UpdateExpression": "SET #token = :token, #status = :status",
    "ExpressionAttributeNames": _NAMES,
    "ExpressionAttributeValues": {
        ":token": {"S.$": "$$.Task.Token"},
        ":status": {"S": "awaiting-approval"},
    },
}
NOTE_APPROVAL: Final = {
    "Key": _RUN_ITEM,
    "UpdateExpression": "SET #status = :status REMOVE #token",
    "ExpressionAttributeNames": _NAMES,
    "ExpressionAttributeValues": {":status": {"S": "training"}},
}
# What the messages say that the workflow makes itself, by their status: each value and where it
# comes from; "" for words that end with the error.
MESSAGES: Final[Mapping[str, Mapping[str, str]]] = {
    "awaiting-approval": {
        "status": "awaiting-approval",
        **{f"{name}.$": path for name, path in _RUN.items()},
        "reason.$": "$.start.reason",
        "estimate.$": "$.start.estimate",
        "approve.$": "States.Format('tuning approve {} -e {environment}', $.admission.run)",
    },
    "failed": {"status": "failed", "execution.$": "$$.Execution.Id", "message.$": ""},
}
# What every other message says: the outcome, in the words of CloseRun.
OUTCOME: Final = {
    "Subject.$": "$.outcome.subject",
    "Message.$": "States.JsonToString($.outcome)",
}
# Functions through whose disk every finding goes, and the least that they need, in MB.
DISK_MB: Final[Mapping[str, int]] = {
    "CheckManifest": 6_144,
    "CheckImages": 6_144,
    "Merge": 6_144,
}
# Of CreateModelCustomizationJob: every one comes from the request that was built and checked.
JOB_FIELDS: Final = (
    "JobName",
    "CustomModelName",
    "RoleArn",
    "ClientRequestToken",
    "BaseModelIdentifier",
    "CustomizationType",
    "TrainingDataConfig",
    "OutputDataConfig",
    "HyperParameters",
    "JobTags",
    "CustomModelTags",
)
JOB_REQUEST: Final = "$.start.request"
