"""The workflow of a run as an Amazon States Language definition: plain data, no CDK.

${Names} are placeholders that CloudFormation fills in (DefinitionSubstitutions), so the template
shows the definition as one readable text and a reviewer sees every state, retry and catch.
"""

from collections.abc import Collection
from typing import Any, Final

from bedrock_tuning.contracts import job_text
from bedrock_tuning.contracts.contract import (
    NO_SLOT,
    SETTINGS_VALUE,
    Contracts,
    settings_prefix,
)
from bedrock_tuning.contracts.ending import CLOSE_RUN, DRAW_PAGE, RECORD_JOB
from bedrock_tuning.contracts.functions import (
    ADMIT,
    CHECK_IMAGES,
    CHECK_MANIFEST,
    MERGE,
    START_JOB,
    TAKE_TURN,
    VERIFY_IMAGES,
)
from bedrock_tuning.contracts.states.asl import (
    READER_RETRY,
    RETRY,
    TRAIN_RETRY,
    WATCH_RETRY,
    State,
    approval,
    call,
    choose,
    equals,
    load_settings,
    publish,
    to,
)
from bedrock_tuning.contracts.states.serving_states import serving_states
from bedrock_tuning.run.job import JobRequest
from bedrock_tuning.run.job_queue import QUEUE_DAYS

DAY_SECONDS: Final = 86_400
# Jobs take hours to days; nothing but a person's approval and the queue, with limits of their own,
# takes longer.
_LONGEST_DAYS: Final = 30

# Where no function words it any more; what was caught follows. States.Format takes no quotes.
_UNRECORDED: Final = (
    "The end of the run could not be recorded: see docs/runbook.md, A permission is missing."
)
_UNTOLD: Final = (
    "The message of the run could not be sent: see docs/runbook.md, A permission is missing."
)


def _with_error(words: str) -> str:
    return f"States.Format('{words} {{}}: {{}}', $.error.Error, $.error.Cause)"


def definition_of(contracts: Contracts) -> dict[str, Any]:
    """The whole state machine of an environment."""
    return definition(
        environment=contracts.environment,
        approval_days=contracts.chosen.approval_days,
        placeholders=contracts.placeholders,
        starters=contracts.chosen.jobs_started_by == "starter",
    )


def definition(
    *,
    environment: str,
    approval_days: int,
    placeholders: Collection[str] = (),
    starters: bool = True,
) -> dict[str, Any]:
    """The whole state machine.

    environment: its name, for the commands in messages. approval_days: how long a run waits for a
    person. placeholders: of the contracts; those of a network and of a model key are added to the
    job's request. starters: whether a role of the customization starts its job.
    """
    states = {
        **_admission(environment),
        **_checks(),
        **_price(environment, approval_days),
        **_turns(),
        **_training(placeholders, starters=starters),
        **serving_states(environment, approval_days * DAY_SECONDS),
        **_end(environment),
    }
    return {
        "Comment": "From an uploaded manifest to a served custom model, or to what must be fixed",
        "StartAt": "Upload or deployment?",
        # At this time-out nobody is told but the alarm, so every wait inside ends before it.
        "TimeoutSeconds": (_LONGEST_DAYS + QUEUE_DAYS + approval_days) * DAY_SECONDS,
        "States": states,
    }


def _admission(environment: str) -> dict[str, State]:
    return {
        "Upload or deployment?": choose(
            {"Variable": "$.serving", "IsPresent": True, "Next": "Load settings to serve"},
            default="Load settings",
        ),
        # The folder of the upload names the customization: no function decides whose run it is.
        "Load settings": load_settings(
            settings_prefix(environment),
            "States.ArrayGetItem(States.StringSplit($.detail.object.key, '/'), 0)",
            then="Admit",
            unknown="Not a customization",
        ),
        "Load settings to serve": load_settings(
            settings_prefix(environment), "$.serving.customization", then="Serve"
        ),
        # Somebody else's folder, about which nobody waits for a message.
        "Not a customization": {"Type": "Succeed"},
        "Admit": call(ADMIT, then="Admitted?"),
        "Admitted?": choose(
            equals("$.admission.decision", "run", "Check manifest"), default="Close run"
        ),
    }


def _checks() -> dict[str, State]:
    return {
        "Check manifest": call(CHECK_MANIFEST, then="Any images?"),
        "Any images?": choose(
            {"Variable": "$.check.shards", "NumericGreaterThan": 0, "Next": "Check images"},
            default="No images",
        ),
        "Check images": {
            "Type": "Map",
            "Label": "Images",
            "MaxConcurrency": 20,
            "ItemReader": {
                "Resource": "arn:aws:states:::s3:getObject",
                "ReaderConfig": {"InputType": "JSONL"},
                "Parameters": {"Bucket": "${OutputBucket}", "Key.$": "$.check.shards_key"},
            },
            "ItemSelector": CHECK_IMAGES.handed,
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": "Check shard",
                "States": {
                    "Check shard": {
                        "Type": "Task",
                        "Resource": f"${{{CHECK_IMAGES.name}}}",
                        "Retry": RETRY,
                        "Catch": [to("Shard not checked")],
                        "End": True,
                    },
                    # A child that fails only says that too many did; so each says what happened,
                    # and merge refuses to go on: an image that nobody checked must not be paid for.
                    # By its name only, since a thousand causes would not fit into a state.
                    "Shard not checked": {
                        "Type": "Pass",
                        "Parameters": {
                            "number.$": "$.shard.number",
                            "error.$": "$.error.Error",
                        },
                        "End": True,
                    },
                },
            },
            "ResultPath": "$.shards",
            "Retry": READER_RETRY,
            "Catch": [to("Close run")],
            "Next": "Merge report",
        },
        "No images": {
            "Type": "Pass",
            "Result": [],
            "ResultPath": "$.shards",
            "Next": "Merge report",
        },
        "Merge report": call(MERGE, then="Valid?"),
        "Valid?": choose(
            {"Variable": "$.report.valid", "BooleanEquals": True, "Next": "Prepare job"},
            default="Close run",
        ),
    }


def _price(environment: str, approval_days: int) -> dict[str, State]:
    return {
        "Prepare job": call(START_JOB, then="Price known and allowed?"),
        "Price known and allowed?": choose(
            equals("$.start.decision", "start", "Take a turn"),
            equals("$.start.decision", "approve", "Ask for approval"),
            default="Close run",
        ),
        **approval(
            ("Ask for approval", "Await approval", "Note the approval"),
            environment=environment,
            seconds=approval_days * DAY_SECONDS,
            of="$.admission",
            reason="$.start.reason",
            estimate="$.start.estimate",
            about="$.start.about",
            answer="$.approval",
            status="training",
            then="Take a turn",
        ),
    }


def _job_request(placeholders: Collection[str]) -> State:
    """The request that StartJob built and checked, and what the settings add to it."""
    fields = [name for name in JobRequest.__annotations__ if name in JobRequest.__required_keys__]
    request: State = {}
    for name in fields:
        field = f"{name[0].upper()}{name[1:]}"
        request[f"{field}.$"] = f"$.start.request.{field}"
    subnets, groups = (
        [f"${{{name}}}" for name in placeholders if name.startswith(kind)]
        for kind in ("JobSubnet", "JobGroup")
    )
    if subnets:
        request["VpcConfig"] = {"SubnetIds": subnets, "SecurityGroupIds": groups}
    if "ModelKey" in placeholders:
        request["CustomModelKmsKeyId"] = "${ModelKey}"
    return request


def _turns() -> dict[str, State]:
    return {
        "Take a turn": call(TAKE_TURN, then="A turn?"),
        "A turn?": choose(
            equals("$.turn.decision", "train", "Verify images"),
            equals("$.turn.decision", "wait", "Wait for a turn"),
            default="Close run",
        ),
        # As late as possible: Bedrock reads images where they lie, and people may replace them.
        "Verify images": call(VERIFY_IMAGES, then="Images as checked?"),
        "Images as checked?": choose(
            equals("$.images.decision", "same", "With configuration?"), default="Close run"
        ),
        # After a refusal a turn is never given at once, so that no loop is without a wait.
        "Queue for a slot": call(TAKE_TURN, then="Queued?"),
        "Queued?": choose(
            equals("$.turn.decision", "wait", "Wait for a turn"), default="Close run"
        ),
        "Wait for a turn": {
            "Type": "Wait",
            "SecondsPath": "$.turn.seconds",
            "Next": "Take a turn",
        },
        # A path that is not in the input is an error, so each combination is a state.
        "With configuration?": _with("configuration", "Validated, too?", "Validated?"),
        "Validated?": _with("validation", "Train with validation", "Train"),
        "Validated, too?": _with(
            "validation", "Train with configuration and validation", "Train with configuration"
        ),
    }


def _with(part: str, yes: str, no: str) -> State:
    """Whether the request has an optional part."""
    rule = {"Variable": f"$.start.with_{part}", "BooleanEquals": True, "Next": yes}
    return choose(rule, default=no)


def _training(placeholders: Collection[str], *, starters: bool) -> dict[str, State]:
    request = _job_request(placeholders)
    validation, configuration = (
        {f"{field}.$": f"$.start.request.{field}"}
        for field in ("ValidationDataConfig", "CustomizationConfig")
    )
    # As the customization's own starter: the workflow's role may start no job and pass no role.
    credentials: State = {"Credentials": {"RoleArn.$": f"{SETTINGS_VALUE}.starter_role"}}
    if not starters:
        parts, validation, credentials = job_text.request(), job_text.validation(), {}
        keys = {f"{key.removesuffix('.$')}.$" for key in parts}
        request = {key: path for key, path in request.items() if key not in keys} | parts
    # .sync: Step Functions waits for the job, hours or days, without any compute of ours.
    train: State = {
        "Type": "Task",
        "Resource": "arn:aws:states:::bedrock:createModelCustomizationJob.sync",
        **credentials,
        "Parameters": request,
        "ResultPath": "$.job",
        "Retry": TRAIN_RETRY,
        # A full quota is no failure: the run queues for a slot.
        "Catch": [
            {**to("Queue for a slot", "$.start.error"), "ErrorEquals": [NO_SLOT]},
            to("Close run"),
        ],
        "Next": "Read job",
    }
    # What .sync answers with is documented nowhere; only the ARN is relied on.
    state: State = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:bedrock:getModelCustomizationJob",
        **credentials,
        "Parameters": {"JobIdentifier.$": "$.job.JobArn"},
        "ResultPath": "$.job",
        "Retry": WATCH_RETRY,
        "Catch": [to("Close run")],
        "Next": "Record job",
    }
    return {
        "Train": train,
        "Train with validation": {**train, "Parameters": {**request, **validation}},
        # A grader or a teacher.
        "Train with configuration": {**train, "Parameters": {**request, **configuration}},
        "Train with configuration and validation": {
            **train,
            "Parameters": {**request, **configuration, **validation},
        },
        "Read job": state,
        "Record job": call(RECORD_JOB, then="Serve"),
    }


def _end(environment: str) -> dict[str, State]:
    return {
        "Close run": call(CLOSE_RUN, then="Worth a message?", catch="Say that closing failed"),
        "Worth a message?": choose(
            {"Variable": "$.outcome.notify", "BooleanEquals": True, "Next": "Draw page"},
            default="Ended well?",
        ),
        # Without its page a run is told all the same; an alarm says that it was not drawn.
        "Draw page": call(DRAW_PAGE, then="Notify", catch="Notify"),
        "Notify": publish(
            "$.outcome",
            subject="$.outcome.subject",
            then="Ended well?",
            catch="Failed to notify",
        ),
        "Ended well?": choose(
            {"Variable": "$.outcome.failed", "BooleanEquals": True, "Next": "Run failed"},
            default="Run ended",
        ),
        "Run ended": {"Type": "Succeed"},
        "Run failed": {
            "Type": "Fail",
            "ErrorPath": "$.outcome.status",
            "CausePath": "$.outcome.message",
        },
        "Say that closing failed": publish(
            {
                "status": "failed",
                "environment": environment,
                # It may have ended before anybody was known.
                "customization": "unknown",
                "execution.$": "$$.Execution.Id",
                "message.$": _with_error(_UNRECORDED),
            },
            subject="A run could not be closed",
            then="Closing failed",
            catch="Failed to notify",
        ),
        "Closing failed": {
            "Type": "Fail",
            "Error": "CloseRunFailed",
            "CausePath": _with_error(_UNRECORDED),
        },
        "Failed to notify": {
            "Type": "Fail",
            "Error": "NotifyFailed",
            "CausePath": _with_error(_UNTOLD),
        },
    }
