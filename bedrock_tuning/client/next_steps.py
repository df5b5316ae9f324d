"""What a run has come to, in a few words, and what a person may do about it."""

import re
from typing import Final

from bedrock_tuning.client.deployment import DeploymentClient
from bedrock_tuning.run.job_queue import QUEUED
from bedrock_tuning.run.row import BROKEN, Row, next_words
from bedrock_tuning.wording import counted, word_list

_SHORT: Final = 60
_USD: Final = re.compile(r"[\d,]+\.\d\d USD")
# Their message says best what happened.
_TOLD: Final = word_list(
    "waiting superseded outdated in-progress already-trained closed declined expired",
)


def result(run: Row) -> str:
    """A run's result in one line: its price, what is wrong with its dataset, its model, or why."""
    status = run["status"]
    if status == "awaiting-approval":
        return _price(str(run.get("estimate", "price unknown")))
    if status == "rejected":
        return f"{_count(run, 'errors')}, {_count(run, 'warnings')}"
    if "taken_by" in run:
        return f"taken by {run['taken_by']}"
    if status == QUEUED:
        return f"{run.get('place', 'waits')} for a free slot for its job"
    if status in _TOLD or status in BROKEN:
        return _short(str(run.get("message", "")))
    parts = []
    if "model_arn" in run:
        parts.append(f"model {str(run['model_arn']).rpartition('/')[2]}")
    elif "records" in run:
        parts.append(_count(run, "records"))
    if run.get("warnings"):
        parts.append(_count(run, "warnings"))
    return ", ".join(parts) or _short(str(run.get("message", "")))


def next_step(deployment: DeploymentClient, run: Row) -> str:
    """The command to type next; "" where there is nothing to do."""
    words = next_words(run)
    return deployment.command(words) if words else ""


def _price(estimate: str) -> str:
    """The sum, which is an estimate's last line: "12.00 USD", "at least 12.00 USD"."""
    total = estimate.splitlines()[-1]
    amount = _USD.search(total)
    if amount is None:
        return _short(total)
    return amount[0] if total.startswith("total") else f"at least {amount[0]}, prices are missing"


def _count(run: Row, name: str) -> str:
    return counted(int(run.get(name, 0)), name.removesuffix("s"))


def _short(message: str) -> str:
    line = message.partition("\n")[0]
    return line if len(line) <= _SHORT else f"{line[:_SHORT]}…"
