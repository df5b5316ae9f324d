"""Gap: a Python function's error reaches its caller as `Runtime.HandlerError`, never its class.

`Retry` and `Catch` by error class, which our state machine relies on, would never match.
The worker reports class and stack inside the message, behind a marker; they are unpacked where
the response is made. A module that cannot be imported becomes `Runtime.ImportModuleError`.
"""

import functools
import json
from collections.abc import Callable
from typing import Any, Final

from local.emulator.patches._patching import expect_source, replace_once

MARK: Final = "<error-class>"

_HANDLER_FAILED = '"error": str(e), "trace": traceback.format_exc()'
_HANDLER_FAILED_NOW = (
    '"error": "<error-class>" + json.dumps({"errorMessage": str(e), '
    '"errorType": type(e).__name__, "stackTrace": traceback.format_list('
    'traceback.extract_tb(e.__traceback__)[1:])}), "trace": traceback.format_exc()'
)
_INIT_FAILED = '_real_stdout.write(json.dumps({"status": "error", "error": str(e)}) + "\\n")'
_INIT_FAILED_NOW = (
    '_real_stdout.write(json.dumps({"status": "error", "error": '
    '"<error-class>" + json.dumps({"errorMessage": ("Unable to import module \'%s\': %s" '
    '% (module_name, e)) if isinstance(e, ImportError) else str(e), "errorType": '
    '"Runtime.ImportModuleError" if isinstance(e, ImportError) else type(e).__name__, '
    '"stackTrace": []})}) + "\\n")'
)


def apply() -> None:
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    script = replace_once(script, _HANDLER_FAILED, _HANDLER_FAILED_NOW)
    lambda_runtime._PYTHON_WORKER_SCRIPT = replace_once(script, _INIT_FAILED, _INIT_FAILED_NOW)

    upstream: Callable[..., dict[str, Any]] = lambda_svc._execute_function_warm
    expect_source(upstream, 'error_type = "Runtime.HandlerError"', '"errorMessage": error_msg')

    @functools.wraps(upstream)
    def execute_function_warm(func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        result = upstream(func, event, request_id)
        body = result.get("body")
        if result.get("error") and isinstance(body, dict):
            _, marked, details = str(body.get("errorMessage", "")).partition(MARK)
            if marked:
                result["body"] = {**json.loads(details), "requestId": request_id}
        return result

    lambda_svc._execute_function_warm = execute_function_warm
