"""States of the Amazon States Language as plain data: calls, choices, messages, their retries."""

from typing import Any, Final

from bedrock_tuning.contracts import FunctionSpec
from bedrock_tuning.contracts.contract import DISCARDED, NO_SETTINGS, SETTINGS_STATE
from bedrock_tuning.run.items import APPROVAL, RUN
from bedrock_tuning.run.messages import ATTRIBUTES
from bedrock_tuning.run.row import at

State = dict[str, Any]

RETRY: Final = [
    {
        # The service's own trouble, by Lambda's names; a function that ran out of time or memory;
        # connections that break, by botocore's; refusals that pass and a dataset's source, by ours.
        "ErrorEquals": [
            "Lambda.ServiceException",
            "Lambda.AWSLambdaException",
            "Lambda.SdkClientException",
            "Lambda.TooManyRequestsException",
            "Lambda.Unknown",
            "Sandbox.Timedout",
            "Runtime.ExitError",
            "PassingError",
            "EndpointConnectionError",
            "ConnectionClosedError",
            "ConnectTimeoutError",
            "ReadTimeoutError",
            "ResponseStreamingError",
            "IncompleteReadError",
            "SourceError",
        ],
        "IntervalSeconds": 2,
        "MaxAttempts": 6,
        "BackoffRate": 2,
        "MaxDelaySeconds": 60,
        "JitterStrategy": "FULL",
    }
]
# An endpoint took half an hour to make: the first error of an unknown name does not undo it.
PATIENT_RETRY: Final = [
    *RETRY,
    {
        "ErrorEquals": ["States.TaskFailed"],
        "IntervalSeconds": 20,
        "MaxAttempts": 2,
        "BackoffRate": 1,
    },
]
SERVICE_RETRY: Final = [
    {
        # A service's throttling and its own trouble; SDK integrations spell two services otherwise.
        "ErrorEquals": [
            "Bedrock.ThrottlingException",
            "Bedrock.InternalServerException",
            "Bedrock.ServiceUnavailableException",
            "Bedrock.SdkClientException",
            *(
                f"{service}.{error}Exception"
                for service in ("DynamoDB", "DynamoDb")
                for error in (
                    "Throttling",
                    "ProvisionedThroughputExceeded",
                    "RequestLimitExceeded",
                    "InternalServerError",
                    "SdkClient",
                )
            ),
            *(
                f"{service}.{error}Exception"
                for service in ("SNS", "Sns")
                for error in ("Throttled", "InternalError", "KMSThrottling", "SdkClient")
            ),
            "Ssm.ThrottlingException",
            "Ssm.InternalServerErrorException",
            "Ssm.SdkClientException",
        ],
        "IntervalSeconds": 5,
        "MaxAttempts": 6,
        "BackoffRate": 2,
        "MaxDelaySeconds": 120,
        "JitterStrategy": "FULL",
    }
]
# Whatever S3 answers to Step Functions, it is one error (docs/facts/workflow.md#errors-of-a-map).
READER_RETRY: Final = [{**SERVICE_RETRY[0], "ErrorEquals": ["States.ItemReaderFailed"]}]
# A job that is watched is billed: the watch outlasts more than an hour of throttling. The job's
# token makes a repeated start the same job.
WATCH_RETRY: Final = [{**SERVICE_RETRY[0], "MaxAttempts": 20, "MaxDelaySeconds": 900}]
TRAIN_RETRY: Final = [
    *WATCH_RETRY,
    {
        # How Bedrock may refuse a role that was made a moment ago (docs/facts/iam.md#new-roles).
        # Whatever else it refuses so is refused again, and has cost nothing.
        "ErrorEquals": ["Bedrock.ValidationException"],
        "IntervalSeconds": 30,
        "MaxAttempts": 3,
        "BackoffRate": 2,
        "MaxDelaySeconds": 120,
        "JitterStrategy": "FULL",
    },
]


def call(function: FunctionSpec, *, then: str, action: str = "", catch: str = "Close run") -> State:
    """Calls a function as it is specified; any error that its retries do not cure goes to `catch`.

    action: for a function that does several things.
    """
    return {
        "Type": "Task",
        "Resource": f"${{{function.name}}}",
        "Parameters": {**({"action": action} if action else {}), **function.handed},
        **({"ResultPath": function.answer.path} if function.answer else DISCARDED),
        "Retry": RETRY,
        "Catch": [to(catch)],
        "Next": then,
    }


def load_settings(prefix: str, name: str, *, then: str, unknown: str = "Close run") -> State:
    """Reads a customization's settings, which stay the same for the whole run.

    name: of the customization, a path or an intrinsic function. unknown: where there is none.
    """
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:ssm:getParameter",
        "Parameters": {"Name.$": f"States.Format('{prefix}/{{}}', {name})"},
        "ResultSelector": {
            "value.$": "States.StringToJson($.Parameter.Value)",
            "version.$": "$.Parameter.Version",
        },
        "ResultPath": SETTINGS_STATE,
        "Retry": SERVICE_RETRY,
        "Catch": [{**to(unknown), "ErrorEquals": [NO_SETTINGS]}, to("Close run")],
        "Next": then,
    }


def to(state: str, path: str = "$.error") -> State:
    """A catch of every error; what happened is put at `path`."""
    return {"ErrorEquals": ["States.ALL"], "ResultPath": path, "Next": state}


def choose(*rules: State, default: str) -> State:
    """A choice between rules, the first that holds."""
    return {"Type": "Choice", "Choices": list(rules), "Default": default}


def equals(path: str, value: str, then: str) -> State:
    """A rule of a choice: the text at `path` is this value."""
    return {"Variable": path, "StringEquals": value, "Next": then}


def publish(
    message: State | str,
    *,
    subject: str,
    then: str,
    catch: str = "Close run",
) -> State:
    """Sends a message to the topic: an object, or the path of one.

    The fields by which subscriptions choose messages are attributes, too.
    """
    parameters: State = {"TopicArn": "${Topic}"}
    parameters["Subject.$" if subject.startswith("$") else "Subject"] = subject
    if isinstance(message, str):
        parameters["Message.$"] = f"States.JsonToString({message})"
        fields = {f"{name}.$": f"{message}.{name}" for name in ATTRIBUTES}
    else:
        parameters["Message"] = fields = message
    parameters["MessageAttributes"] = {name: _attribute(fields, name) for name in ATTRIBUTES}
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::sns:publish",
        "Parameters": parameters,
        **DISCARDED,
        "Retry": SERVICE_RETRY,
        "Catch": [to(catch)],
        "Next": then,
    }


def _attribute(fields: State, name: str) -> State:
    key, value = ("StringValue", name) if name in fields else ("StringValue.$", f"{name}.$")
    return {"DataType": "String", key: fields[value]}


def approval(
    names: tuple[str, str, str],
    *,
    environment: str,
    seconds: int,
    of: str,
    reason: str,
    estimate: str,
    about: str,
    answer: str,
    status: str,
    then: str,
) -> dict[str, State]:
    """Asks a person, waits for the answer, notes that it came.

    names: of the three states. of: the path with the run and its customization; reason, estimate,
    about: paths of what is asked; answer: where it is kept; seconds: how long it is waited for;
    status: of a run that was approved.
    """
    ask, wait, note = names

    def item(kind: str) -> State:
        key = {"S.$": f"States.Format('{kind}{{}}', {of}.run)"}
        return {"TableName": "${RunsTable}", "Key": {"id": key}}

    return {
        ask: publish(
            {
                "status": "awaiting-approval",
                "environment": environment,
                "customization.$": f"{of}.customization",
                "run.$": f"{of}.run",
                "reason.$": reason,
                "estimate.$": estimate,
                "approve.$": f"States.Format('tuning approve {{}} -e {environment}', {of}.run)",
            },
            subject="A run awaits approval of its price",
            then=wait,
        ),
        wait: {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken",
            "Parameters": {
                # Apart from the run's item, which people read.
                **item(APPROVAL),
                "UpdateExpression": (
                    "SET #token = :token, #price = :price, #because = :because, #about = :about "
                    "REMOVE #decision"
                ),
                "ExpressionAttributeNames": {
                    f"#{name}": name for name in ("token", "price", "because", "about", "decision")
                },
                "ExpressionAttributeValues": {
                    ":token": {"S.$": "$$.Task.Token"},
                    ":price": {"S.$": estimate},
                    ":because": {"S.$": reason},
                    ":about": {"S.$": f"States.JsonToString({about})"},
                },
            },
            "TimeoutSeconds": seconds,
            "ResultPath": answer,
            "Retry": SERVICE_RETRY,
            "Catch": [to("Close run")],
            "Next": note,
        },
        note: {
            "Type": "Task",
            "Resource": "arn:aws:states:::dynamodb:updateItem",
            "Parameters": {
                **item(RUN),
                "UpdateExpression": "SET #status = :status, #at = :now",
                "ExpressionAttributeNames": {"#status": "status", "#at": at(status)},
                "ExpressionAttributeValues": {
                    ":status": {"S": status},
                    ":now": {"S.$": "$$.State.EnteredTime"},
                },
            },
            **DISCARDED,
            "Retry": SERVICE_RETRY,
            "Catch": [to("Close run")],
            "Next": then,
        },
    }
