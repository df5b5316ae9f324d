"""Lambda functions: what is installed for them, how they start, and the class of their errors."""

import contextlib
import hashlib
import json
import os
import sys
import sysconfig
import tempfile
import threading
import venv
import zipfile
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from local.emulator import roles
from local.emulator.layout import FUNCTION_URLS, HOST
from local.emulator.patching import around, expect_source, replace_once

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
            _, marker, details = str(body.get("errorMessage", "")).partition(MARK)
            if marker:
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


def packages_are_unpacked_once() -> None:
    """Gap: each process of a function unpacks its zips, and compiles all that it imports.

    That is most of what a cold start takes. Zips of the same content share one folder here, in
    which Python keeps what it compiled.
    """
    from ministack.core import lambda_runtime

    expect_source(
        lambda_runtime.Worker._spawn,
        'with zipfile.ZipFile(os.path.join(self._tmpdir, "code.zip")) as zf:',
        "with zipfile.ZipFile(lzip) as lzf:",
    )
    shared = Path(os.environ["TMPDIR"]) / "unpacked"
    shared.mkdir(exist_ok=True)
    lock = threading.Lock()

    class UnpackedOnce(zipfile.ZipFile):
        def extractall(self, path: Any = None, *_: Any, **__: Any) -> None:
            with Path(str(self.filename)).open("rb") as file:
                folder = shared / hashlib.file_digest(file, "sha256").hexdigest()
            with lock:
                if not folder.exists():
                    draft = Path(tempfile.mkdtemp(dir=shared))
                    super().extractall(draft)
                    draft.rename(folder)
            with contextlib.suppress(FileNotFoundError):
                Path(path).rmdir()
            Path(path).symlink_to(folder)

    vars(lambda_runtime)["zipfile"] = SimpleNamespace(**{**vars(zipfile), "ZipFile": UnpackedOnce})


def addresses_know_their_callers() -> None:
    """Gap: a function's address is one of AWS's, tells nobody's name, and asks for one right only.

    Here it is an address of this server. The event says who signed, and the caller needs
    `lambda:InvokeFunction` under `lambda:InvokedViaFunctionUrl` as well, as AWS has asked for since
    October 2025 (Lambda developer guide, "Control access to Lambda function URLs").
    """
    from ministack.core import iam_evaluator
    from ministack.core.responses import get_region
    from ministack.core.router import extract_access_key_id
    from ministack.services import lambda_svc

    @around(lambda_svc, "_create_function_url_config", '"FunctionUrl": f"https://')
    def create(upstream: Any, name: str, data: Any, qualifier: str | None) -> Any:
        answer = upstream(name, data, qualifier)
        if answer[0] != 201:
            return answer
        config = lambda_svc._function_urls[lambda_svc._url_config_key(name, qualifier)]
        identifier = config["FunctionUrl"].split("://", 1)[1].split(".", 1)[0]
        host = f"http://{HOST}:{os.environ['GATEWAY_PORT']}"
        config["FunctionUrl"] = f"{host}{FUNCTION_URLS}{identifier}/"
        return lambda_svc.json_response(config, status=201)

    @around(lambda_svc, "_function_url_id", 'split(".", 1)[0]')
    def identifier_of(_: Any, address: str) -> str:
        return address.rstrip("/").rpartition("/")[2]

    @around(lambda_svc, "_build_function_url_event", '"requestContext": {')
    def build(upstream: Any, *arguments: Any, **options: Any) -> Any:
        event = upstream(*arguments, **options)
        arn = iam_evaluator.request_caller_arn(arguments[5], arguments[7])
        event["requestContext"]["authorizer"] = {
            "iam": {
                "accessKey": extract_access_key_id(arguments[5], arguments[7]),
                "accountId": arguments[1],
                "userArn": arn,
            }
        }
        return event

    @around(lambda_svc, "handle_function_url_request", "resolve_function_url(url_id)")
    async def handle(
        upstream: Any, url_id: str, method: str, path: str, headers: Any, *rest: Any, **options: Any
    ) -> Any:
        target = options.get("resolved") or lambda_svc.resolve_function_url(url_id)
        if target is not None:
            account, region, name = target[:3]
            reason = roles.refusal(
                extract_access_key_id(headers, rest[1]),
                action="lambda:InvokeFunction",
                resource=f"arn:aws:lambda:{region}:{account}:function:{name}",
                region=get_region(),
                context={"lambda:invokedviafunctionurl": "true"},
            )
            if reason is not None:
                return (
                    403,
                    {"Content-Type": "application/json"},
                    json.dumps({"Message": reason}).encode(),
                )
        return await upstream(url_id, method, path, headers, *rest, **options)


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
