"""Which runs a deployment must leave what they were started with, and how people end them."""

from collections.abc import Mapping
from typing import Any, Final

from bedrock_tuning.run.row import is_open

# Of runs that go on without it: their job has ended.
_AFTER_ITS_JOB: Final = ("trained", "serving")
HOW_TO_END: Final = "(tuning approve RUN --decline, tuning stop RUN)"


def needs_what_it_had(item: Mapping[str, Any]) -> bool:
    """Whether a run has a job, or may start one.

    It keeps the definition of the workflow with which it was started, and the settings that it has
    read: both name roles, and the first names functions and buckets.
    """
    return is_open(item) and "training_version" in item and item["status"] not in _AFTER_ITS_JOB
