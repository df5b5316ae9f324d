"""What a run does next: after each of its deeds, by the answer; the order that people rely on.

A deed is a function (with its action), what the workflow does itself, or an end. "" stands for any
answer, "else" for any other, "error" for a failure that no retry overcame. "pause" is a Wait.
"""

from collections.abc import Mapping
from typing import Final

Routes = Mapping[str, Mapping[str, str]]

ROUTES: Final[Routes] = {
    "start": {"$.serving is there": "Serve serve", "else": "Admit"},
    "Admit": {
        "$.admission.decision = run": "CheckManifest",
        "else": "CloseRun",
        "error": "CloseRun",
    },
    "CheckManifest": {"$.check.shards > 0": "map", "else": "set $.shards", "error": "CloseRun"},
    "map": {"": "Merge", "error": "CloseRun"},
    "set $.shards": {"": "Merge"},
    "Merge": {"$.report.valid = true": "StartJob", "else": "CloseRun", "error": "CloseRun"},
    "StartJob": {
        "$.start.decision = start, $.start.with_validation = true": "train validated",
        "$.start.decision = start, else": "train",
        "$.start.decision = approve": "tell awaiting-approval",
        "else": "CloseRun",
        "error": "CloseRun",
    },
    "tell awaiting-approval": {"": "await approval", "error": "CloseRun"},
    "await approval": {"": "dynamodb:updateItem", "error": "CloseRun"},
    "dynamodb:updateItem": {
        "$.start.with_validation = true": "train validated",
        "else": "train",
        "error": "CloseRun",
    },
    "train": {"": "RecordJob", "error": "CloseRun"},
    "train validated": {"": "RecordJob", "error": "CloseRun"},
    "RecordJob": {"": "Serve serve", "error": "CloseRun"},
    "Serve serve": {
        "$.serving.step = wait, pause": "Serve serve",
        "$.serving.step = smoke": "Serve smoke",
        "$.serving.step = roll-back": "Serve roll-back",
        "else": "CloseRun",
        "error": "Serve roll-back",
    },
    "Serve smoke": {
        "$.serving.step = publish": "Serve publish",
        "else": "Serve roll-back",
        "error": "Serve roll-back",
    },
    "Serve publish": {
        "$.serving.step = wait, pause": "Serve serve",
        "else": "CloseRun",
        "error": "Serve roll-back",
    },
    "Serve roll-back": {
        "$.serving.step = roll-back-wait, pause": "Serve roll-back",
        "else": "CloseRun",
        "error": "CloseRun",
    },
    "CloseRun": {
        "$.outcome.notify = true": "tell outcome",
        "else, $.outcome.failed = true": "fail: $.outcome.status",
        "else, else": "succeed",
        "error": "tell failed",
    },
    "tell outcome": {
        "$.outcome.failed = true": "fail: $.outcome.status",
        "else": "succeed",
        "error": "fail: NotifyFailed",
    },
    "succeed": {},
    "fail: $.outcome.status": {},
    "tell failed": {"": "fail: CloseRunFailed", "error": "fail: NotifyFailed"},
    "fail: CloseRunFailed": {},
    "fail: NotifyFailed": {},
}
# Of one shard of the images, inside of the map.
SHARD_ROUTES: Final[Routes] = {
    "start": {"": "CheckImages"},
    "CheckImages": {"error": "set $"},
    "set $": {},
}
