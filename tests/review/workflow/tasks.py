"""What the tasks of a state machine ask of AWS: the requests that its role must be allowed."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from bedrock_tuning import s3_layout
from bedrock_tuning.review.assembly import identity
from bedrock_tuning.review.iam.policy import as_list
from bedrock_tuning.review.iam.simulator import EvalRequest, usual_context

_LAMBDA: Final = ":lambda:"
_LOADED: Final = re.compile(r"States\.Format\('([^{}]+)/\{\}', .+\)")


class UnknownTaskError(ValueError):
    """A task calls something that this review does not know."""


def requests(
    state: Mapping[str, Any],
    *,
    role: str,
    machine: str,
    region: str,
    tags: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[EvalRequest]:
    """The requests of one state of a machine; raises UnknownTaskError.

    tags: those that a job bears.
    """
    if state.get("Type") == "Map":
        yield from _map(state, role, machine)
    if state.get("Type") != "Task":
        return
    resource = str(state.get("Resource", ""))
    context = usual_context()
    if _LAMBDA in resource and ":states:" not in resource:
        yield EvalRequest(
            principal=role, action="lambda:InvokeFunction", resource=resource, context=context
        )
        return
    call = resource.partition(":::")[2].removeprefix("aws-sdk:").partition(".")[0]
    parameters = state.get("Parameters", state.get("Arguments", {}))
    known = {
        "sns:publish": _publish,
        "dynamodb:updateItem": _update,
        "bedrock:createModelCustomizationJob": _train,
        "bedrock:getModelCustomizationJob": _read_job,
        "ssm:getParameter": _settings,
    }
    if call not in known:
        raise UnknownTaskError(resource)
    for action, target, extra in known[call](parameters, region):
        borne = {f"{kind}/{key}": value for kind in extra for key, value in tags.items()}
        yield EvalRequest(
            principal=role, action=action, resource=target, context={**context, **borne}
        )


# Action, resource, and where the request shows the job's tags.
Asked = tuple[str, str, tuple[str, ...]]


def _publish(parameters: Mapping[str, Any], _region: str) -> Iterator[Asked]:
    yield "sns:Publish", str(parameters.get("TopicArn", "")), ()


def _update(parameters: Mapping[str, Any], region: str) -> Iterator[Asked]:
    table = str(parameters.get("TableName", ""))
    known = identity.Identity(kind="AWS::DynamoDB::Table", name=table, region=region)
    yield "dynamodb:UpdateItem", known.arn, ()


def _settings(parameters: Mapping[str, Any], region: str) -> Iterator[Asked]:
    written = _LOADED.fullmatch(str(parameters.get("Name.$")))
    name = f"{written[1] if written else 'unknown'}/sample"
    known = identity.Identity(kind="AWS::SSM::Parameter", name=name, region=region)
    yield "ssm:GetParameter", known.arn, ()


def _train(_parameters: Mapping[str, Any], region: str) -> Iterator[Asked]:
    jobs = f"arn:{identity.PARTITION}:bedrock:{region}:{identity.ACCOUNT}"
    for kind in ("model-customization-job", "custom-model"):
        yield "bedrock:CreateModelCustomizationJob", f"{jobs}:{kind}/sample", ("aws:RequestTag",)
    # .sync: Step Functions looks at the job and stops it with the execution.
    for action in ("GetModelCustomizationJob", "StopModelCustomizationJob"):
        yield f"bedrock:{action}", f"{jobs}:model-customization-job/sample", ("aws:ResourceTag",)


def _read_job(_parameters: Mapping[str, Any], region: str) -> Iterator[Asked]:
    jobs = f"arn:{identity.PARTITION}:bedrock:{region}:{identity.ACCOUNT}"
    job = f"{jobs}:model-customization-job/sample"
    yield "bedrock:GetModelCustomizationJob", job, ("aws:ResourceTag",)


def _map(state: Mapping[str, Any], role: str, machine: str) -> Iterator[EvalRequest]:
    context = usual_context()
    processor = state.get("ItemProcessor", {}).get("ProcessorConfig", {})
    if processor.get("Mode") == "DISTRIBUTED":
        # Its items are executions of the same state machine.
        execution = machine.replace(":stateMachine:", ":execution:") + "/sample:sample"
        for action, resource in (
            ("states:StartExecution", machine),
            ("states:DescribeExecution", execution),
            ("states:StopExecution", execution),
        ):
            yield EvalRequest(principal=role, action=action, resource=resource, context=context)
    if "ItemReader" not in state:
        return
    reader = state["ItemReader"]
    call = str(reader.get("Resource", "")).partition(":::")[2]
    if call != "s3:getObject":
        raise UnknownTaskError(call)
    bucket = str(as_list(reader.get("Parameters", {}).get("Bucket"))[0])
    yield EvalRequest(
        principal=role,
        action="s3:GetObject",
        resource=f"arn:{identity.PARTITION}:s3:::{bucket}/{s3_layout.work_prefix('sample')}shards.jsonl",
        context=context,
    )
