"""One execution of the workflow, a state at a time, on the world's clock.

Choices, parameters and errors are worked out by MiniStack's interpreter of the States Language;
tasks are carried out by our functions and by AWS in memory. Only the checks of a dataset are left
out, which have nothing to do with when things happen: a dataset is what its manifest says.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError
from ministack.services import stepfunctions as language

from bedrock_tuning.contracts import FUNCTIONS
from bedrock_tuning.contracts.states import workflow
from lambdas import _aws
from lambdas._records import _runs
from tests.lambdas.aws import OUTPUT, TRAINING, WORKFLOW
from tests.lambdas.fakes import Refused
from tests.lambdas.flow import NAME

if TYPE_CHECKING:
    from tests.lambdas.histories.world import World

DEFINITION = workflow.definition(environment="dev", approval_days=1)
STATES: Mapping[str, Any] = DEFINITION["States"]
MANIFEST = f"{NAME}/manifest.jsonl"
CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 900_000)
# What an SDK integration calls a service in the names of its errors.
_SERVICES = {"ssm": "Ssm", "dynamodb": "DynamoDb", "sns": "Sns", "bedrock": "Bedrock"}


class Aborted(BaseException):
    """Whoever acts is stopped at once, and nothing of it catches that: what it began stays."""


class Pending(BaseException):
    """A task has begun that goes on by itself. until: when it is looked after again."""

    def __init__(self, until: datetime) -> None:
        super().__init__()
        self.until = until


class TaskError(Exception):
    """What Step Functions itself calls the failure of a task."""

    def __init__(self, name: str, cause: str) -> None:
        super().__init__(cause)
        self.name = name


@dataclass
class Execution:
    """data: the workflow's state. status: as Step Functions says it. due: when the next state is.

    begun: what the pending task has to be looked after for. saw: whether its model was served when
    its function looked last. told: what it was about to tell people when it closed.
    """

    world: "World"
    name: str
    data: dict[str, Any]
    due: datetime
    here: str = DEFINITION["StartAt"]
    begun: str = ""
    saw: bool = False
    tries: dict[int, int] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        arn = f"{WORKFLOW.replace(':stateMachine:', ':execution:')}:{self.name}"
        started = f"{self.due:%Y-%m-%dT%H:%M:%S}.123Z"
        execution = {"Id": arn, "Name": self.name, "StartTime": started}
        self.context = {"Execution": execution, "Task": {"Token": f"token-{self.name}"}}
        self.status = "RUNNING"

    @property
    def status(self) -> str:
        """As DescribeExecution answers."""
        return self.world.aws.stepfunctions.statuses[self.name]

    @status.setter
    def status(self, value: str) -> None:
        self.world.aws.stepfunctions.statuses[self.name] = value

    @property
    def ended(self) -> bool:
        """Whether nothing follows."""
        return self.status != "RUNNING"

    @property
    def state(self) -> dict[str, Any]:
        """The serving part of its data."""
        return dict(self.data.get("serving") or {})

    def abort(self) -> None:
        """Somebody stops it; a function that it has called may go on."""
        self.status = "ABORTED"
        self.world.log.append(f"{self.world.now:%H:%M} {self.name} aborted in {self.here}")

    def redrive(self) -> None:
        """Somebody lets it go on where it broke off: the state begins again."""
        self.status, self.begun, self.tries, self.due = "RUNNING", "", {}, self.world.now
        self.world.log.append(f"{self.world.now:%H:%M} {self.name} redriven in {self.here}")

    def act(self) -> None:
        """The next state."""
        described = STATES[self.here]
        match described["Type"]:
            case "Choice":
                self.data, self.here = language._execute_choice(described, self.data, self.context)
            case "Pass":
                self.data, self.here = language._execute_pass(described, self.data, self.context)
            case "Wait":
                seconds = language._resolve_path(described["SecondsPath"], self.data)
                self.due = self.world.after(timedelta(seconds=seconds))
                self.here = described["Next"]
            case "Map":
                self._map(described)
            case "Succeed":
                self.status = "SUCCEEDED"
            case "Fail":
                error = described.get("Error") or language._resolve_path(
                    described["ErrorPath"], self.data
                )
                self.world.aws.stepfunctions.ends[self.name] = {"error": str(error)}
                self.status = "FAILED"
            case _:
                self._task(described)

    def _map(self, described: Mapping[str, Any]) -> None:
        """One child after another, in no time."""
        reader = described["ItemReader"]
        given = language._apply_parameters(
            {"Parameters": reader["Parameters"]}, self.data, self.context
        )
        try:
            with self.world.acting(self):
                found = self.world.aws.s3.answer(
                    "GetObject", {"Bucket": OUTPUT, "Key": given["Key"]}
                )
                results = [
                    self._child(described, json.loads(line))
                    for line in found["Body"].read().splitlines()
                ]
        except Aborted:
            self.abort()
        except Exception as error:
            if not self.ended:
                self._failed(described, "States.ItemReaderFailed", error)
        else:
            if not self.ended:
                self._done(described, results)

    def _child(self, described: Mapping[str, Any], item: Any) -> Any:
        context = {**self.context, "Map": {"Item": {"Value": item}}}
        data = language._apply_parameters(
            {"Parameters": described["ItemSelector"]}, self.data, context
        )
        processor = described["ItemProcessor"]
        here, tries = processor["StartAt"], dict[int, int]()
        while True:
            state = processor["States"][here]
            if state["Type"] == "Pass":
                return language._execute_pass(state, data, context)[0]
            try:
                return self._carried_out(state["Resource"], data)
            except Exception as error:
                name = _name(state["Resource"], error)
                retrier, number = language._find_matching_retrier(state["Retry"], name, tries)
                if retrier is not None:
                    tries[number] = tries.get(number, 0) + 1
                    continue
                catcher = language._find_matching_catcher(state["Catch"], name)
                caught = {"Error": name, "Cause": str(error)}
                data = language._apply_result_path(catcher, data, caught)
                here = catcher["Next"]

    def _task(self, described: Mapping[str, Any]) -> None:
        given = language._apply_parameters(described, self.data, self.context)
        try:
            with self.world.acting(self):
                result = self._carried_out(described["Resource"], given)
        except Aborted:
            self.abort()
        except Pending as pending:
            self.due = pending.until
        except Exception as error:
            if not self.ended:
                self._failed(described, _name(described["Resource"], error), error)
        else:
            if not self.ended:
                self._done(described, result)

    def _done(self, described: Mapping[str, Any], result: Any) -> None:
        # Results that cannot be written as JSON fail here, as on AWS.
        found = language._apply_result_selector(described, json.loads(json.dumps(result)))
        self.data = language._apply_result_path(described, self.data, found)
        self._go_to(described["Next"])

    def _failed(self, described: Mapping[str, Any], name: str, error: Exception) -> None:
        retrier, number = language._find_matching_retrier(
            described.get("Retry", []), name, self.tries
        )
        if retrier is not None:
            tried = self.tries.get(number, 0)
            self.tries[number] = tried + 1
            pause = retrier["IntervalSeconds"] * retrier["BackoffRate"] ** tried
            self.due = self.world.now + timedelta(
                seconds=min(pause, retrier.get("MaxDelaySeconds", pause))
            )
            return
        cause = (
            str(error)
            if isinstance(error, TaskError)
            else json.dumps({"errorMessage": str(error), "errorType": type(error).__name__})
        )
        catcher = language._find_matching_catcher(described.get("Catch", []), name)
        if catcher is None:
            self.status = "FAILED"
            return
        caught = {"Error": name, "Cause": cause}
        self.data = language._apply_result_path(catcher, self.data, caught)
        self._go_to(catcher["Next"])

    def _go_to(self, state: str) -> None:
        self.here, self.begun, self.tries = state, "", {}
        if state == "Close run" and "serving" in self.data:
            self.world.tell(self)

    # What the tasks do.

    def _carried_out(self, resource: str, given: dict[str, Any]) -> Any:
        if resource.startswith("${"):
            function = self.world.functions[resource]
            return self.world.invoke(lambda: function(given, CONTEXT))
        _, _, action = resource.rpartition("states:::")
        match action.removeprefix("aws-sdk:"):
            case "ssm:getParameter":
                found = self.world.aws.ssm.answer("GetParameter", given)["Parameter"]
                return {"Parameter": {**found, "Version": 1}}
            case "sns:publish":
                text = given["Message"]
                text = text if isinstance(text, str) else json.dumps(text)
                return self.world.aws.sns.answer("Publish", {**given, "Message": text})
            case "dynamodb:updateItem":
                self.world.aws.dynamodb.answer("UpdateItem", given)
                return {}
            case "dynamodb:updateItem.waitForTaskToken":
                return self._approval(given)
            case "bedrock:createModelCustomizationJob.sync":
                return self._job(given)
            case "bedrock:getModelCustomizationJob":
                name = given["JobIdentifier"]
                found = self.world.aws.bedrock.answer(
                    "GetModelCustomizationJob", {"jobIdentifier": name}
                )
                return _capitalized(found)
        raise AssertionError(f"nobody carries out {resource}")

    def _approval(self, given: dict[str, Any]) -> Any:
        chance = self.world.chance
        if not self.begun:
            self.world.aws.dynamodb.answer("UpdateItem", given)
            answers = ["approved"] * 8 + (["declined", "expired"] if self.world.trouble else [])
            self.begun = chance.choice(answers)
            late = (
                timedelta(days=1)
                if self.begun == "expired"
                else timedelta(minutes=chance.randint(1, 90))
            )
            raise Pending(self.world.now + late)
        if self.begun == "expired":
            raise TaskError("States.Timeout", "")
        if self.begun == "declined":
            raise TaskError("Declined", json.dumps({"declined_by": "somebody", "reason": "no"}))
        return {"approved_by": "somebody", "reason": "worth it"}

    def _job(self, given: dict[str, Any]) -> Any:
        """Begins a job, then watches it; a watch that broke off begins it again by its token."""
        bedrock, chance = self.world.aws.bedrock, self.world.chance
        if not self.begun:
            request = {f"{name[0].lower()}{name[1:]}": value for name, value in given.items()}
            answer = bedrock.answer("CreateModelCustomizationJob", request)
            self.begun = str(answer["jobArn"])
            raise Pending(max(self.world.job_ends(given["JobName"]), self.world.now))
        if chance.random() < self.world.chaos:
            self.begun = ""
            raise TaskError("Bedrock.ThrottlingException", "Rate exceeded")
        job = bedrock.jobs[given["JobName"]]
        if job["status"] in ("InProgress", "Stopping"):
            raise Pending(self.world.job_ends(given["JobName"]))
        if job["status"] != "Completed":
            raise TaskError("States.TaskFailed", json.dumps({"Status": job["status"]}))
        return {"JobArn": self.begun}


def _capitalized(answer: Mapping[str, Any]) -> dict[str, Any]:
    """As Step Functions writes an answer; times are text."""
    text = json.dumps(answer, default=str)
    return {f"{name[0].upper()}{name[1:]}": value for name, value in json.loads(text).items()}


def _name(resource: str, error: Exception) -> str:
    """What Step Functions calls an error: a function's by its class, a service's by its code."""
    if isinstance(error, TaskError):
        return error.name
    if resource.startswith("${"):
        return type(error).__name__
    service = next(name for key, name in _SERVICES.items() if f":{key}:" in resource)
    if isinstance(error, BotoCoreError):
        return f"{service}.SdkClientException"
    assert isinstance(error, Refused), error
    return f"{service}.{error.code.removesuffix('Exception')}Exception"


def check_manifest(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """No image is checked; the version is what the report is about."""
    return {"shards": 0, "version": event["training_version"]}


def merge(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """A dataset is valid unless its manifest says that it is not; its text is its fingerprint."""
    found = _aws.s3().get_object(Bucket=TRAINING, Key=MANIFEST, VersionId=event["check"]["version"])
    text = found["Body"].read().decode()
    valid = not text.startswith("invalid")
    _runs.update_run("a-table", event["run"], status="valid" if valid else "rejected")
    return {
        "valid": valid,
        "errors": int(not valid),
        "to_fix": {},
        "worth_a_look": {},
        "html": "",
        "rejected": "",
        "training_records": 1_000,
        "training_characters": 0,
        "fingerprints": {"training": f"{text.encode().hex()}:1000"},
    }


FUNCTION: dict[str, Callable[[dict[str, Any], Any], Any]] = {
    f"${{{spec.name}}}": import_module(f"lambdas.{spec.module}").handler for spec in FUNCTIONS
}
FUNCTION |= {"${CheckManifest}": check_manifest, "${Merge}": merge}
