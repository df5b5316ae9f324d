"""The run that an upload starts: it appears some seconds later, and then it has a name."""

import time
from typing import Final

from bedrock_tuning.client.deployment import Deployment
from bedrock_tuning.client.runs import Row, rows

POLL_SECONDS: Final = 1.0
# An event takes seconds; a function that starts cold some more.
_PATIENCE_SECONDS: Final = 60.0


def newest_run(deployment: Deployment, customization: str) -> str | None:
    """The newest run before an upload, "" if there is none; None for who may not read the table."""
    from botocore.exceptions import ClientError

    try:
        found = rows(deployment, customization=customization, limit=1)
    except ClientError as error:
        if not error.response["Error"]["Code"].startswith("AccessDenied"):
            raise
        return None
    return str(found[0]["run"]) if found else ""


def begun_run(deployment: Deployment, customization: str, *, after: str) -> Row | None:
    """The first admitted run after another one; None if none appears in time."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        later = [
            each
            for each in rows(deployment, customization=customization, limit=5)
            if str(each["run"]) > after and each.get("training_version")
        ]
        if later:
            return later[-1]
        if time.monotonic() >= until:
            return None
        time.sleep(POLL_SECONDS)
