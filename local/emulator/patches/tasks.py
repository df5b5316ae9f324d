"""Tasks of a state machine, which run with its role."""

import contextlib
import contextvars
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from local.emulator import roles
from local.emulator.patching import around, expect, expect_source

OPTIMIZED: Final = {"dynamodb": "DynamoDB", "events": "EventBridge", "sns": "SNS", "sqs": "SQS"}
"""Optimized integrations that become signed requests: service -> prefix of its error names."""

BOTOCORE_NAMES: Final = {
    "cloudwatchlogs": "logs",
    "eventbridge": "events",
    "sfn": "stepfunctions",
    "bedrockruntime": "bedrock-runtime",
}

LAMBDA_CALL: Final = "lambda_svc._execute_function_with_config_scope(exec_record, event)"
"""What a Lambda task does in the emulator."""


@dataclass(frozen=True, slots=True)
class RunningTask:
    """The task that a thread works on; `deadline` on the monotonic clock, in seconds.

    role: the ARN of the role that the task's Credentials name, "" for the state machine's own.
    """

    session: roles.Session
    execution: Mapping[str, Any]
    deadline: float
    role: str = ""


_task: contextvars.ContextVar[RunningTask] = contextvars.ContextVar("task")


def task_is_wanted() -> bool:
    """Whether anybody still waits for this thread's task: no timeout, no end of its execution."""
    task = _task.get()
    return task.execution["status"] == "RUNNING" and time.monotonic() < task.deadline


def running_execution() -> Mapping[str, Any]:
    """The execution that this thread's task belongs to."""
    return _task.get().execution


def tasks_run_as_the_state_machine() -> None:
    """Gap: tasks of a state machine run inside the emulator without its role, or not at all.

    SNS, DynamoDB and SDK tasks become signed requests to this very server, of the state machine's
    role or of the one that a task's Credentials name; Lambda tasks, map readers and map children
    are checked against the role's policies.
    """
    from ministack.services import stepfunctions

    _act_as_the_machine(stepfunctions)
    _sign_integrations(stepfunctions)
    _check_lambda_tasks(stepfunctions)
    _check_distributed_maps(stepfunctions)


def _act_as_the_machine(stepfunctions: Any) -> None:
    @around(
        stepfunctions, "_execute_task", "def _execute_task(state_def, raw_input, execution, ctx)"
    )
    def execute_task(
        upstream: Any,
        state: dict[str, Any],
        task_input: Any,
        execution: dict[str, Any],
        context: Any,
    ) -> Any:
        seconds = state.get("TimeoutSeconds", float("inf"))
        credentials = stepfunctions._resolve_params_obj(
            state.get("Credentials", {}), task_input, context
        )
        with _acting(stepfunctions, execution, seconds, role=credentials.get("RoleArn", "")):
            return upstream(state, task_input, execution, context)

    # At the call itself: a task that may not become its role fails as any other, with its Catch.
    @around(stepfunctions, "_invoke_resource", "def _invoke_resource(resource, input_data)")
    def invoke_resource(upstream: Any, resource: str, parameters: Any) -> Any:
        task = _task.get()
        if not task.role:
            return upstream(resource, parameters)
        token = _task.set(replace(task, session=_become(stepfunctions, task)))
        try:
            return upstream(resource, parameters)
        finally:
            _task.reset(token)


@contextlib.contextmanager
def _acting(
    stepfunctions: Any, execution: Mapping[str, Any], seconds: float = float("inf"), role: str = ""
) -> Iterator[None]:
    session = _session(stepfunctions, execution)
    token = _task.set(RunningTask(session, execution, time.monotonic() + seconds, role))
    try:
        yield
    finally:
        _task.reset(token)


def _session(stepfunctions: Any, execution: Mapping[str, Any]) -> roles.Session:
    """Of the machine's role."""
    arn = machine_of(execution)
    try:
        return roles.assume(
            role_arn=stepfunctions._state_machines[arn]["roleArn"],
            service="states.amazonaws.com",
            source_arn=arn,
            session_name="StepFunctions",
            region=arn.split(":")[3],
        )
    except roles.RoleError as error:
        raise stepfunctions._ExecutionError("States.Permissions", str(error)) from error


def _become(stepfunctions: Any, task: RunningTask) -> roles.Session:
    """Of the task's own role, which the machine assumes with its ARN as external ID."""
    arn = machine_of(task.execution)
    try:
        return roles.become(
            task.session,
            role_arn=task.role,
            external_id=arn,
            session_name="StepFunctions",
            region=arn.split(":")[3],
        )
    except roles.RoleError as error:
        raise stepfunctions._ExecutionError("States.TaskFailed", str(error)) from error


def machine_of(execution: Mapping[str, Any]) -> str:
    """The ARN of an execution's state machine."""
    arn: str = execution["stateMachineArn"].split("/")[0]  # a map's child adds "/label"
    return arn


def _sign_integrations(stepfunctions: Any) -> None:
    dispatch = stepfunctions._SERVICE_DISPATCH
    for name, prefix in OPTIMIZED.items():
        resources = [key for key in dispatch if key.startswith(f"arn:aws:states:::{name}:")]
        expect(bool(resources), f"optimized integrations of {name}")
        for resource in resources:
            action = resource.rsplit(":", 1)[-1]
            dispatch[resource] = _signed_call(name, action, prefix)

    expect_source(stepfunctions._invoke_aws_sdk_integration, "service_name = parts[6].lower()")

    def invoke_aws_sdk_integration(resource: str, parameters: Any) -> Any:
        parts = resource.removesuffix(".waitForTaskToken").split(":")
        return call_aws(service=parts[6].lower(), action=parts[7], parameters=parameters)

    stepfunctions._invoke_aws_sdk_integration = invoke_aws_sdk_integration


def _signed_call(service: str, action: str, prefix: str) -> Callable[[str, Any], Any]:
    def invoke(_: str, parameters: Any) -> Any:
        return call_aws(service=service, action=action, parameters=parameters, prefix=prefix)

    return invoke


def _check_lambda_tasks(stepfunctions: Any) -> None:
    @around(stepfunctions, "_call_lambda", LAMBDA_CALL)
    def call_lambda(upstream: Any, reference: str, event: Any) -> Any:
        session, region = _task.get().session, _region()
        arn = (
            reference
            if reference.startswith("arn:")
            else f"arn:aws:lambda:{region}:{session.account}:function:{reference}"
        )
        _authorize("lambda:InvokeFunction", arn, error="Lambda.AWSLambdaException")
        return upstream(reference, event)


def _check_distributed_maps(stepfunctions: Any) -> None:
    expect_source(stepfunctions._s3_object_text, "s3._get_object(bucket, key, {}, {})")
    source = '_read_map_items(state_def["ItemReader"], effective, ctx)'

    @around(stepfunctions, "_run_distributed_map", source)
    def run_distributed_map(
        upstream: Any, state: Any, raw: Any, effective: Any, iterator: Any, execution: Any, ctx: Any
    ) -> Any:
        with _acting(stepfunctions, execution):
            _authorize("states:StartExecution", execution["stateMachineArn"].split("/")[0])
            return upstream(state, raw, effective, iterator, execution, ctx)

    def s3_object_text(bucket: str, key: str) -> str:
        try:
            answer = _client("s3").get_object(Bucket=bucket, Key=key)
        except Exception as error:
            raise stepfunctions._ExecutionError(
                "States.ItemReaderFailed", f"s3://{bucket}/{key}: {error}"
            ) from error
        text: str = answer["Body"].read().decode()
        return text

    stepfunctions._s3_object_text = s3_object_text


def _authorize(action: str, resource: str, *, error: str = "States.Permissions") -> None:
    from ministack.services import stepfunctions

    try:
        roles.authorize(_task.get().session, action=action, resource=resource, region=_region())
    except roles.RoleError as refusal:
        service = action.split(":", 1)[0].capitalize()
        raise stepfunctions._ExecutionError(
            error, f"{refusal} (Service: {service}, Status Code: 403)"
        ) from refusal


def _region() -> str:
    from ministack.core.responses import get_region

    region: str = get_region()
    return region


def _client(service: str) -> Any:
    return roles.client(_task.get().session, service, _region())


def call_aws(*, service: str, action: str, parameters: Any, prefix: str | None = None) -> Any:
    """One API call of the state machine's role, in Step Functions' spelling both ways.

    `service` and `action` are as in a task's ARN (`dynamodb`, `updateItem`). Raises the
    emulator's execution error, named as a `Catch` would name it.
    """
    import botocore.exceptions as errors
    from botocore import xform_name
    from ministack.services import stepfunctions

    try:
        client = _client(BOTOCORE_NAMES.get(service, service))
    except errors.UnknownServiceError as error:
        raise stepfunctions._ExecutionError("States.Runtime", str(error)) from error
    model = client.meta.service_model
    operation = action[0].upper() + action[1:]
    if operation not in model.operation_names:
        raise stepfunctions._ExecutionError("States.Runtime", f"{service} has no action {action}")
    shapes = model.operation_model(operation)
    prefix = prefix or stepfunctions._AWS_SDK_ERROR_PREFIX.get(service, service.capitalize())
    try:
        arguments = _to_api(parameters or {}, shapes.input_shape)
        answer = getattr(client, xform_name(operation))(**arguments)
    except errors.ClientError as error:
        details = error.response["Error"]
        code = str(details.get("Code", "Unknown")).rsplit(".", 1)[-1]
        if not code.endswith("Exception"):
            code += "Exception"
        status = error.response["ResponseMetadata"].get("HTTPStatusCode")
        raise stepfunctions._ExecutionError(
            f"{prefix}.{code}",
            f"{details.get('Message', '')} (Service: {prefix}, Status Code: {status})",
        ) from error
    except errors.BotoCoreError as error:
        raise stepfunctions._ExecutionError(f"{prefix}.SdkClientException", str(error)) from error
    answer.pop("ResponseMetadata", None)
    return _from_api(answer, shapes.output_shape)


def _to_api(value: Any, shape: Any) -> Any:
    """A task's parameter in the names and types that botocore takes."""
    from ministack.services.stepfunctions import _api_name_to_sfn_key

    match getattr(shape, "type_name", None):
        case "structure" if isinstance(value, dict):
            names = {_api_name_to_sfn_key(name): name for name in shape.members}
            return {
                (name := names.get(key, key)): _to_api(item, shape.members.get(name))
                for key, item in value.items()
            }
        case "list" if isinstance(value, list):
            return [_to_api(item, shape.member) for item in value]
        case "map" if isinstance(value, dict):
            return {key: _to_api(item, shape.value) for key, item in value.items()}
        case "string" if not isinstance(value, str):
            return json.dumps(value)
        case "integer" | "long" if isinstance(value, float) and value.is_integer():
            return int(value)
        case _:
            return value


def _from_api(value: Any, shape: Any) -> Any:
    """An answer of botocore as Step Functions shows it: PascalCase names, ISO times, text."""
    from ministack.services.stepfunctions import _api_name_to_sfn_key

    if isinstance(value, dict):
        if getattr(shape, "type_name", None) == "map":
            return {key: _from_api(item, shape.value) for key, item in value.items()}
        members = getattr(shape, "members", {})
        return {
            _api_name_to_sfn_key(key): _from_api(item, members.get(key))
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_from_api(item, getattr(shape, "member", None)) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if hasattr(value, "read"):
        value = value.read()
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
