"""Gap: the event of an object in a versioned bucket has no `version-id`.

Our event key is bucket, key and version: without it two uploads of one manifest look the same.
"""

import contextvars
import functools
import json
from collections.abc import Callable
from typing import Any

from local.emulator.patches._patching import expect_source

_version: contextvars.ContextVar[str | None] = contextvars.ContextVar("version", default=None)


def apply() -> None:
    from ministack.services import eventbridge, s3

    fire: Callable[..., None] = s3._fire_s3_event
    expect_source(fire, "_eb._dispatch_event(eb_event)", "version_id: str | None = None")
    expect_source(fire, '"object": {"key": key, "size": size, "etag": clean_etag, "sequencer"')
    dispatch: Callable[..., None] = eventbridge._dispatch_event

    @functools.wraps(fire)
    def fire_s3_event(*arguments: Any, **named: Any) -> None:
        token = _version.set(named.get("version_id"))
        try:
            fire(*arguments, **named)
        finally:
            _version.reset(token)

    @functools.wraps(dispatch)
    def dispatch_event(event: dict[str, Any], *more: Any) -> None:
        version = _version.get()
        if version and event.get("Source") == "aws.s3":
            detail = json.loads(event["Detail"])
            detail["object"]["version-id"] = version
            event = {**event, "Detail": json.dumps(detail)}
        dispatch(event, *more)

    s3._fire_s3_event = fire_s3_event
    eventbridge._dispatch_event = dispatch_event
