"""Gap: a burst of Lambda tasks starts one process for each; forty runs were 6 GB of Python.

More tasks than slots queue here, as they would for AWS's account concurrency with retries.
"""

import functools
import threading
from collections.abc import Callable
from typing import Any

from local.emulator.layout import LAMBDA_SLOTS
from local.emulator.patches._patching import expect_source


def apply() -> None:
    from ministack.services import stepfunctions

    upstream: Callable[[str, Any], Any] = stepfunctions._call_lambda
    expect_source(upstream, "lambda_svc._execute_function_with_config_scope(exec_record, event)")
    slots = threading.BoundedSemaphore(LAMBDA_SLOTS)

    @functools.wraps(upstream)
    def call_lambda(reference: str, event: Any) -> Any:
        with slots:
            return upstream(reference, event)

    stepfunctions._call_lambda = call_lambda
