"""Lambda functions: what is installed for them, and the class of their errors."""

import json
import os
import sys
import sysconfig
import venv
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from local.emulator import roles
from local.emulator.patching import around, replace_once

RUNTIME_PACKAGES: Final = (
    "boto3",
    "botocore",
    "jmespath",
    "python-dateutil",
    "s3transfer",
    "six",
    "urllib3",
)

MARK: Final = "<error-class>"

_HANDLER_FAILED = '{"status": "error", "error": str(e), "trace": traceback.format_exc()}'
_HANDLER_FAILED_NOW = (
    '{"status": "ok", "result": {"<error-class>": {"errorMessage": str(e), '
    '"errorType": type(e).__name__, "stackTrace": traceback.format_list('
    'traceback.extract_tb(e.__traceback__)[1:])}, "trace": traceback.format_exc()}}'
)
_INIT_FAILED = '_real_stdout.write(json.dumps({"status": "error", "error": str(e)}) + "\\n")'
_INIT_FAILED_NOW = (
    '_real_stdout.write(json.dumps({"status": "error", "error": '
    '"<error-class>" + json.dumps({"errorMessage": ("Unable to import module \'%s\': %s" '
    '% (module_name, e)) if isinstance(e, ImportError) else str(e), "errorType": '
    '"Runtime.ImportModuleError" if isinstance(e, ImportError) else type(e).__name__, '
    '"stackTrace": []})}) + "\\n")'
)


def errors_have_their_class() -> None:
    """Gap: a Python function's error reaches its caller as `Runtime.HandlerError`, never its class.

    `Retry` and `Catch` by error class, which our state machine relies on, would never match.
    The worker reports class and stack behind a marker; they are unpacked where the response is
    made. To the emulator they are a result: after an error it would start another process, which
    costs a second, while AWS goes on with the same. A module that cannot be imported becomes
    `Runtime.ImportModuleError`.
    """
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    script = replace_once(script, _HANDLER_FAILED, _HANDLER_FAILED_NOW)
    lambda_runtime._PYTHON_WORKER_SCRIPT = replace_once(script, _INIT_FAILED, _INIT_FAILED_NOW)
    sources = (
        'return {"body": result.get("result"), "log": result.get("log", "")}',
        '"errorMessage": error_msg',
    )

    @around(lambda_svc, "_execute_function_warm", *sources)
    def execute_function_warm(upstream: Any, function: Any, event: Any, request_id: str) -> Any:
        result = upstream(function, event, request_id)
        body = result.get("body")
        if isinstance(body, dict) and MARK in body:
            result["error"] = True
            result["log"] = "\n".join(filter(None, (result["log"], body["trace"])))
            result["body"] = {**body[MARK], "requestId": request_id}
        elif result.get("error") and isinstance(body, dict):
            _, marked, details = str(body.get("errorMessage", "")).partition(MARK)
            if marked:
                result["body"] = {**json.loads(details), "requestId": request_id}
        return result


def runtime_is_bare() -> None:
    """Gap: functions run in the server's own interpreter and see every package installed there.

    A function whose asset or layer lacks a package would work here and fail on AWS. They get an
    environment of their own with what AWS's Python runtime brings: the standard library and boto3.
    """
    from ministack.core import lambda_runtime

    python = str(_make_runtime(Path(os.environ["TMPDIR"]) / "python-runtime"))
    source = "return sys.executable, _PYTHON_WORKER_SCRIPT"

    @around(lambda_runtime, "_detect_runtime_binary", source)
    def detect_runtime_binary(upstream: Any, runtime: str) -> tuple[str, str]:
        binary, script = upstream(runtime)
        return (python if binary == sys.executable else binary), script


def _make_runtime(folder: Path) -> Path:
    """A virtual environment that links to the server's copy of each runtime package."""
    venv.EnvBuilder(clear=True, symlinks=True, with_pip=False).create(folder)
    paths = sysconfig.get_paths(vars={"base": str(folder), "platbase": str(folder)})
    packages = Path(paths["purelib"])
    for name in RUNTIME_PACKAGES:
        distribution = metadata.distribution(name)
        for top in {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}:
            (packages / top).symlink_to(str(distribution.locate_file(top)))
    return folder / "bin" / "python"


def sessions_are_secret() -> None:
    """Gap: the credentials of a function are hashes of its ARN and its role's ARN.

    A caller that knows the names of both could sign as the function.
    """
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    @around(lambda_runtime, "execution_credentials", "sts_svc.register_session(access_key, {")
    def execution_credentials(_: Any, config: dict[str, Any]) -> dict[str, str]:
        name = config["FunctionName"][:64]
        session = roles.session_of(config["Role"], name, seed=config["FunctionArn"])
        return {
            "AWS_ACCESS_KEY_ID": session.access_key,
            "AWS_SECRET_ACCESS_KEY": session.secret_key,
            "AWS_SESSION_TOKEN": session.token,
        }

    lambda_svc.execution_credentials = execution_credentials
