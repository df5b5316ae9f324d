"""Any error of AWS but the expected ones: nothing is swallowed, nothing is done twice.

Each call of each scenario fails once, with one error or another; then the same step is called again
as Step Functions, Lambda and CloudFormation do. Afterwards all is as if nothing had happened.
A test reads from the handlers which calls they make: a call that no scenario makes fails it.
"""

import ast
import itertools
import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, EndpointConnectionError, ReadTimeoutError

from bedrock_tuning.catalogue import catalogue
from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.config.deployed import text, to_settings
from bedrock_tuning.config.sections.evaluation import Evaluation
from bedrock_tuning.s3_layout import checked_manifest_key
from bedrock_tuning.serving.intent import Intent, Published
from lambdas import (
    admit,
    announce,
    approve,
    check_images,
    check_manifest,
    close_default_group,
    close_run,
    draw_page,
    evaluate,
    guard_runs,
    keep_leases,
    merge,
    provisioned_throughput,
    reconcile,
    record_job,
    serve,
    start_job,
    take_turn,
    verify_images,
)
from lambdas._deploying import _cloudformation
from lambdas._records import _intent, _runs
from tests.lambdas import test_draw_page
from tests.lambdas.aws import (
    OUTPUT,
    PREFIX,
    ROLE,
    SETTINGS,
    TRAINING,
    USED,
    VALIDATION,
    WORKFLOW,
    Aws,
    settings,
)
from tests.lambdas.bedrock import BASE, TAGS, job_arn, model_arn
from tests.lambdas.callers import LAMBDAS, callers
from tests.lambdas.cloudformation import CloudFormation
from tests.lambdas.fakes import Refused
from tests.lambdas.flow import STATE
from tests.support.pictures import png

pytestmark = [pytest.mark.usefixtures("server"), pytest.mark.slow]

NAME = "pets-search"
RUN, LATER = "20261121-093000-aaaaaa", "20261121-094500-bbbbbb"
RUN_OF_JOB = "20261121-100000-00aaaa"
OLD, NEW = model_arn(1), model_arn(2)
JOB = job_arn(7)
JOB_FOLDER = f"jobs/{NAME}/model-customization-job-{JOB.rpartition('/')[2]}/"
PICTURE = png(520, 520)
HERE = f"{WORKFLOW.replace(':stateMachine:', ':execution:')}:e2"
FAR, PAST = "2999-01-01T00:00:00Z", "2026-01-01T00:00:00Z"


class LostAnswerError(ReadTimeoutError):
    """The call was made, its answer never came."""


LOST = LostAnswerError(endpoint_url="https://aws.example")
ERRORS: list[Refused | BotoCoreError] = [
    Refused("ThrottlingException", "Rate exceeded"),
    Refused("ProvisionedThroughputExceededException", "too fast"),
    Refused("AccessDeniedException", "not you"),
    Refused("ValidationException", "malformed"),
    Refused("InternalServerException", "sorry", 500),
    Refused("", "no words", 503),
    EndpointConnectionError(endpoint_url="https://aws.example"),
]
# Without an answer, these calls may have changed something all the same.
CHANGES = re.compile("(Create|Update|Delete|Put|Tag|Copy|Publish|Start|Revoke|Invoke|Converse).*")
Site = tuple[str, ...]


@dataclass
class Caller:
    """Calls steps as AWS does: once more after an error. Fails the call of one number."""

    fails: int | None = None
    error: Exception = field(default_factory=Exception)
    sites: list[Site] = field(default_factory=list)
    raised: list[BaseException] = field(default_factory=list)
    calm: bool = False

    def around(self, operation: str, carry_out: Callable[[], Any]) -> Any:
        """Stands around every operation of every service."""
        if self.calm:
            return carry_out()
        led = callers()
        assert led, "a call that no handler made"
        self.sites.append((*led, operation))
        if len(self.sites) - 1 != self.fails:
            return carry_out()
        if isinstance(self.error, LostAnswerError):
            with suppress(Refused):
                carry_out()
        raise self.error

    def __call__(self, handler: Callable[[Any, Any], Any], event: Any, context: Any = None) -> Any:
        """A handler's answer; it is called again after an error, whatever the error."""
        try:
            return handler(event, context)
        except Exception as error:
            self.raised.append(error)
            return handler(event, context)


@dataclass
class World:
    """What a scenario may use."""

    aws: Aws
    customize: Callable[..., CustomizationSettings]
    call: Caller
    stack: Callable[[Callable[..., Any], dict[str, str]], CloudFormation]

    def before(self, act: Callable[..., Any], *values: Any, **more: Any) -> Any:
        """Does something that was there before, so nothing fails then."""
        self.call.calm = True
        try:
            return act(*values, **more)
        finally:
            self.call.calm = False


Scenario = Callable[[World], Any]
SCENARIOS: list[Scenario] = []


def scenario(act: Scenario) -> Scenario:
    """One of the ways through the handlers; returns what must be the same with an error."""
    SCENARIOS.append(act)
    return act


def _manifests(world: World) -> None:
    for bucket in (TRAINING, VALIDATION):
        world.aws.s3.objects.put(bucket, f"{NAME}/manifest.jsonl", b"checked\n")


def _event() -> dict[str, Any]:
    uploaded = {"key": f"{NAME}/manifest.jsonl", "version-id": "v1.+/="}
    event = {"detail": {"bucket": {"name": TRAINING}, "object": uploaded}}
    started = "2026-11-21T09:30:00.123Z"
    return {"event": event, "settings": settings(), "execution": "e1", "started": started}


@scenario
def a_message_is_announced(world: World) -> Any:
    message = json.dumps({"status": "served", "environment": "dev", "customization": NAME})
    return world.call(announce.handler, {"Records": [{"Sns": {"Message": message}}]})


@scenario
def an_upload_is_admitted(world: World) -> Any:
    _manifests(world)
    return world.call(admit.handler, _event())


@scenario
def an_upload_of_another_execution_is_a_duplicate(world: World) -> Any:
    _manifests(world)
    world.before(admit.handler, {**_event(), "execution": "e0"}, None)
    return world.call(admit.handler, _event())


@scenario
def a_dataset_is_checked(world: World) -> Any:
    name, put = "pets-style", world.aws.s3.objects.put
    key = f"{name}/images/a.png"
    put(TRAINING, key, PICTURE)
    row = {"image-ref": f"s3://{TRAINING}/{key}", "caption": "a pet"}
    put(TRAINING, f"{name}/manifest.jsonl", json.dumps(row).encode())
    run = {"run": RUN, "settings": settings(name)}
    versions = {"training_version": "v1.+/=", "validation_version": None}
    checked = world.call(check_manifest.handler, {**run, **versions})
    index = world.aws.s3.objects.body(OUTPUT, checked["shards_key"])
    shard = world.call(check_images.handler, {**run, "shard": json.loads(index)})
    merged = world.call(merge.handler, {**run, "check": checked, "shards": [shard]})
    return merged, world.call(verify_images.handler, {**run, "check": checked})


def _start(world: World, run: str = RUN) -> Any:
    world.customize(budget={"approval": "never", "max_run_usd": None})
    versions = {"training_version": "v1.+/=", "validation_version": "v1.+/="}
    admission = {"customization": NAME, "run": run, **versions}
    report = {
        "fingerprints": {"training": "aa:1", "validation": "bb:2"},
        "training_records": 1000,
        "training_characters": 0,
    }
    world.aws.s3.objects.buckets[TRAINING] = {}
    world.aws.s3.objects.buckets[VALIDATION] = {}
    _manifests(world)
    world.before(
        _runs.start_run, "a-table", run=run, customization=NAME, status="valid", execution="e1"
    )
    event = {"admission": admission, "report": report, "settings": settings(), "execution": HERE}
    return world.call(start_job.handler, event)


def _earlier(world: World, **changes: Any) -> dict[str, Any]:
    """Another run has the same work; changes: what became of it. Returns its decision."""
    first: dict[str, Any] = world.before(_start, world)
    item = world.aws.dynamodb.items[f"key#{first['run_key']}"]
    item.update({name: {"S": value} for name, value in changes.items()})
    world.aws.runs(RUN)
    return first


@scenario
def the_page_of_a_run_is_drawn(world: World) -> Any:
    world.before(test_draw_page.ended, world.aws)
    event = {
        "state": {"outcome": {"run": test_draw_page.RUN}, "settings": {"value": settings()}},
        "execution": HERE,
    }
    return world.call(draw_page.handler, event)


@scenario
def a_model_is_judged_before_it_is_published(world: World) -> Any:
    world.customize(
        evaluation=Evaluation(
            min_recall=0.5, not_worse_than_base=True, not_worse_than_published=True
        )
    )
    for name in ("red", "blue"):
        key = f"{NAME}/images/{name}.png"
        world.aws.s3.objects.put(VALIDATION, key, name.encode())
        row = json.dumps({"image-ref": f"s3://{VALIDATION}/{key}", "caption": name}).encode()
        world.aws.s3.objects.put(VALIDATION, checked_manifest_key(NAME, RUN, "validation"), row)
    world.aws.bedrock_runtime.reply = b'{"embedding": [1, 2]}'
    serving = {**STATE, "endpoint_arn": "arn", "reason": "the smoke test passed"}
    try:
        return world.call(evaluate.handler, {"serving": serving, "settings": settings()})
    finally:
        world.customize(evaluation=Evaluation())


@scenario
def new_work_starts_a_job(world: World) -> Any:
    return _start(world)


@scenario
def work_whose_job_failed_is_started_anew(world: World) -> Any:
    first = _earlier(world, state="failed")
    world.aws.bedrock.jobs[first["request"]["JobName"]] = {"status": "Failed"}
    return _start(world, LATER)


@scenario
def work_whose_job_still_runs_is_not_started_again(world: World) -> Any:
    first = _earlier(world, state="failed")
    world.aws.bedrock.jobs[first["request"]["JobName"]] = {"status": "InProgress"}
    decided = _start(world, LATER)
    assert decided["decision"] == "in-progress"
    return decided


@scenario
def work_that_is_about_to_start_its_job_is_not_started_again(world: World) -> Any:
    _earlier(world)
    decided = _start(world, LATER)
    assert decided["decision"] == "in-progress"
    return decided


@scenario
def work_that_was_trained_is_not_trained_again(world: World) -> Any:
    world.aws.bedrock.models[NEW] = BASE
    _earlier(world, state="trained", model_arn=NEW)
    decided = _start(world, LATER)
    assert decided["decision"] == "already-trained"
    return decided


def _turn(world: World, **start: Any) -> dict[str, Any]:
    world.before(
        _runs.start_run, "a-table", run=RUN, customization=NAME, status="training", execution="e1"
    )
    world.before(_runs.acquire_lock, "a-table", key="k" * 48, run=RUN, job_name="a-job")
    admission = {"customization": NAME, "run": RUN}
    state = {"admission": admission, "start": {"run_key": "k" * 48, **start}}
    return {"state": state}


def _answered(world: World, decision: str) -> Any:
    """A run waits, and a person answers."""
    world.before(
        _runs.start_run, "a-table", run=RUN, customization=NAME, status="awaiting-approval"
    )
    item = {"id": f"approval#{RUN}", "token": "secret", "price": "12 USD", "about": "{}"}
    world.aws.dynamodb.items[item["id"]] = {name: {"S": value} for name, value in item.items()}
    world.aws.stepfunctions.tasks["secret"] = None

    def handler(event: Any, context: Any) -> Any:
        try:
            return approve.handler(event, context)
        finally:
            # As the workflow does, which had the answer although its sender may have none.
            if world.aws.stepfunctions.tasks["secret"]:
                world.before(_runs.update_run, "a-table", RUN, status="training")

    body = json.dumps({"run": RUN, "decision": decision, "reason": "a test"})
    signed = {"iam": {"userArn": "arn:aws:iam::000000000000:user/ann"}}
    event = {"body": body, "requestContext": {"authorizer": signed}}
    answer = world.call(handler, event)
    return answer["statusCode"], world.aws.stepfunctions.tasks["secret"]


@scenario
def a_person_approves(world: World) -> Any:
    return _answered(world, "approve")


@scenario
def a_person_declines(world: World) -> Any:
    return _answered(world, "decline")


@scenario
def a_run_takes_its_turn(world: World) -> Any:
    return world.call(take_turn.handler, _turn(world))


@scenario
def a_run_whose_work_was_released_takes_it_up_again(world: World) -> Any:
    event = _turn(world)
    released = {"key": "k" * 48, "run": RUN, "state": "failed", "model_arn": None}
    world.before(_runs.finish_work, "a-table", **released)
    return world.call(take_turn.handler, event)


@scenario
def a_run_waits_for_a_slot(world: World) -> Any:
    event = _turn(world, error={"Error": "Bedrock.ServiceQuotaExceededException", "Cause": "{}"})
    event["state"]["turn"] = world.before(take_turn.handler, event, None)
    answer = world.call(take_turn.handler, event)
    assert answer.pop("seconds") > 0
    return answer


@scenario
def a_finished_job_is_recorded(world: World) -> Any:
    world.before(_runs.acquire_lock, "a-table", key="k" * 48, run=RUN, job_name="a-job")
    world.aws.s3.objects.put(OUTPUT, f"{JOB_FOLDER}x_metrics.csv", b"step,loss\n1,0.5\n")
    output = {"S3Uri": "s3://an-output/jobs/pets-search/"}
    job = {"JobArn": JOB, "OutputModelArn": NEW, "BaseModelArn": BASE, "OutputDataConfig": output}
    event = {"admission": {"customization": NAME, "run": RUN}, "start": {"run_key": "k" * 48}}
    return world.call(record_job.handler, {**event, "job": job})


@scenario
def a_run_is_closed(world: World) -> Any:
    world.before(_runs.start_run, "a-table", run=RUN, customization=NAME, run_key="k" * 48)
    world.before(_runs.acquire_lock, "a-table", key="k" * 48, run=RUN, job_name="a-job")
    state = {
        "admission": {"customization": NAME, "run": RUN, "decision": "run", "reason": "checking"},
        "start": {"decision": "start", "run_key": "k" * 48},
        "job": {"JobArn": JOB, "OutputModelArn": NEW},
        "serving": {"step": "served", "endpoint_arn": "arn:endpoint", "customization": NAME},
    }
    execution = {"execution": "e1", "started": "2026-11-21T09:30:00.123Z"}
    return world.call(close_run.handler, {"state": state, **execution})


def _serve(world: World, **state: Any) -> str:
    """The last step of serving; changes under way end while the workflow waits."""
    aws = world.aws
    aws.ssm.values.setdefault(f"{PREFIX}/{NAME}/serving", "deployed")
    aws.bedrock.models |= {OLD: BASE, NEW: BASE}
    state = {**STATE, "base_arn": None, **state}
    action = "serve"
    for _ in range(30):
        event = {"action": action, "serving": state, "settings": settings()}
        state = world.call(serve.handler, event)
        step = str(state["step"])
        action = {"wait": "serve", "roll-back-wait": "roll-back"}.get(step, step)
        if action not in ("serve", "smoke", "publish", "roll-back"):
            return step
        if state["seconds"]:
            aws.bedrock.settle()
    raise AssertionError("no end in sight")


def _answers_well(world: World) -> None:
    world.aws.bedrock_runtime.reply = json.dumps({"embedding": [0.5] * 1024}).encode()


@scenario
def an_endpoint_is_made(world: World) -> Any:
    _answers_well(world)
    assert _serve(world) == "served"


@scenario
def a_model_is_swapped(world: World) -> Any:
    _answers_well(world)
    world.aws.bedrock.have(model=OLD)
    assert _serve(world) == "served"


@scenario
def an_endpoint_is_replaced(world: World) -> Any:
    _answers_well(world)
    world.aws.bedrock.have(model=OLD, units=2)
    assert _serve(world) == "served"


@scenario
def a_new_endpoint_that_does_not_work_is_deleted(world: World) -> Any:
    world.aws.ssm.values[f"{PREFIX}/{NAME}/endpoint"] = model_arn(1).replace(
        "custom-model/amazon.titan-embed-image-v1:0/model0000001", "provisioned-model/abcdefghijkl"
    )
    assert _serve(world) == "failed"
    assert world.aws.bedrock.endpoints == {}


@scenario
def a_swapped_model_that_does_not_work_is_swapped_back(world: World) -> Any:
    world.aws.bedrock.have(model=OLD)
    assert _serve(world) == "failed"
    world.aws.bedrock.settle()
    assert world.aws.bedrock.only["model"] == OLD


@scenario
def nothing_is_to_be_served_any_more(world: World) -> Any:
    world.customize(serving={"mode": "none"})
    arn = world.aws.bedrock.have(model=OLD)
    world.aws.ssm.values[f"{PREFIX}/{NAME}/endpoint"] = arn
    assert _serve(world) == "unserved"
    assert world.aws.bedrock.endpoints == {}


def _on_demand(world: World) -> None:
    world.aws.bedrock_runtime.said = ""
    serving = {"mode": "on-demand", "lease_hours": None, "embedding_length": None}
    world.customize(base_model=catalogue()["nova-micro"], serving=serving)


@scenario
def a_deployment_on_demand_is_made_and_a_later_model_swapped_in(world: World) -> Any:
    _on_demand(world)
    world.aws.bedrock_runtime.said = "woof"
    assert _serve(world, model_arn=OLD) == "served"
    assert _serve(world, run=LATER) == "served"


@scenario
def a_deployment_on_demand_that_does_not_work_is_deleted(world: World) -> Any:
    _on_demand(world)
    assert _serve(world) == "failed"
    assert world.aws.bedrock.endpoints == {}


def _ask(world: World, handler: Callable[..., Any], kind: str, **properties: str) -> Any:
    """A custom resource's answer; who deploys is told of a failure, and tries again."""
    stack = world.stack(handler, properties)
    answer = stack.ask(kind)
    if answer["Status"] == "SUCCESS":
        return answer
    world.call.raised.append(RuntimeError(answer["Reason"]))
    return stack.ask(kind)


@scenario
def a_deployment_hands_over_what_its_model_needs(world: World) -> Any:
    world.aws.bedrock.models[NEW] = BASE
    world.aws.ssm.values[f"{PREFIX}/{NAME}/model"] = NEW
    world.aws.bedrock.have(model=OLD)
    properties = {"Customization": NAME, "LeaseHours": "8"}
    answer = _ask(world, provisioned_throughput.handler, "Update", **properties)
    assert answer["Data"]["Status"] == "handed-over"
    return answer


@scenario
def a_stack_is_deleted(world: World) -> Any:
    world.aws.bedrock.have(model=OLD)
    world.aws.bedrock.have(model=OLD, kind="custom-model-deployment", status="Active")
    world.aws.ssm.values |= {f"{PREFIX}/{NAME}/{name}": "x" for name in ("serving", "endpoint")}
    properties = {"Customization": NAME, "Mode": "on-demand", "OnDelete": "delete"}
    answer = _ask(world, provisioned_throughput.handler, "Delete", **properties)
    assert world.aws.bedrock.endpoints == {}
    return answer


@scenario
def a_customization_gets_another_name(world: World) -> Any:
    new = "animals"
    renamed = replace(world.customize(), name=new, renamed_from=NAME)
    roles = {"service_role": ROLE, "starter_role": ROLE}
    world.aws.ssm.values[f"{SETTINGS}/{new}"] = text(to_settings(renamed) | roles)
    world.aws.bedrock.models[NEW] = BASE
    arn = world.aws.bedrock.have(model=NEW)
    for name, value in (("model", NEW), ("run", RUN), ("endpoint", arn), ("serving", "deployed")):
        world.aws.ssm.values[f"{PREFIX}/{NAME}/{name}"] = value
    ended = {"status": "served", "model_arn": NEW}
    world.before(_runs.start_run, "a-table", run=RUN, customization=NAME, execution="e1")
    world.before(_runs.close_run, "a-table", RUN, **ended)
    published = Published(endpoint_arn=arn, model_arn=NEW, model_run=RUN)
    served = Intent(customization=NAME, on=True, order=RUN, published=published)
    world.before(_intent.write, "a-table", served)
    answer = _ask(
        world, provisioned_throughput.handler, "Create", Customization=new, RenamedFrom=NAME
    )
    assert world.aws.run(RUN)["customization"] == new
    return answer


@scenario
def a_person_ends_what_is_served(world: World) -> Any:
    arn = world.aws.bedrock.have(model=OLD)
    world.aws.ssm.values[f"{PREFIX}/{NAME}/endpoint"] = arn
    assert _serve(world, end=True, started="2999-01-01T00:00:00+00:00") == "removed"
    assert world.aws.bedrock.endpoints == {}


@scenario
def a_default_group_is_closed(world: World) -> Any:
    world.aws.ec2.rules = {"sgr-1": ("sg-1", False), "sgr-2": ("sg-1", True)}
    _ask(world, close_default_group.handler, "Create", GroupId="sg-1")
    assert world.aws.ec2.rules == {}


@scenario
def a_deployment_takes_nothing_from_open_runs(world: World) -> Any:
    world.aws.ssm.values[USED] = "output, training"
    world.before(_runs.start_run, "a-table", run=RUN, customization=NAME, status="serving")
    return _ask(world, guard_runs.handler, "Create", Uses="output")


@scenario
def a_lease_ends(world: World) -> Any:
    tags = {**TAGS, "bedrock-tuning:expires": PAST}
    arn = world.aws.bedrock.have(model=OLD, tags=tags)
    world.aws.bedrock.have(model=OLD, tags={**tags, "bedrock-tuning:expires": FAR})
    world.aws.ssm.values[f"{PREFIX}/{NAME}/endpoint"] = arn
    world.call(keep_leases.handler, {})
    assert arn not in world.aws.bedrock.endpoints


@scenario
def an_endpoint_that_nobody_calls_goes(world: World) -> Any:
    world.customize(serving={"idle_hours": 1})
    arn = world.aws.bedrock.have(model=OLD, tags={**TAGS, "bedrock-tuning:expires": FAR})
    published = Published(endpoint_arn=arn)
    idle = Intent(customization=NAME, on=True, since=PAST, published=published)
    world.before(_intent.write, "a-table", idle)
    world.aws.cloudwatch.called[arn] = [datetime.now(UTC) - timedelta(hours=30)]
    world.call(keep_leases.handler, {})
    assert arn not in world.aws.bedrock.endpoints


@scenario
def work_that_nobody_does_any_more_is_taken_up(world: World) -> Any:
    world.aws.ssm.values[f"{PREFIX}/{NAME}/serving"] = "deployed"
    abandoned = Intent(customization=NAME, owner=RUN, until=PAST)
    world.before(_intent.write, "a-table", abandoned)
    assert world.call(keep_leases.handler, {})["taken-up"] == [NAME]
    (started,) = world.aws.stepfunctions.executions
    assert started.startswith(f"undo-{RUN}-")
    world.aws.stepfunctions.executions = {"undo": world.aws.stepfunctions.executions[started]}


class Time:
    def get_remaining_time_in_millis(self) -> int:
        return 900_000


def _lost(world: World, status: str, job: str = "") -> Any:
    """A run whose execution ended so, without closing it; job: what became of its job."""
    name = f"dev-{NAME}-{RUN_OF_JOB}"
    about = {"execution": "e1", "training_version": "v1", "run_key": "k" * 48, "job_name": name}
    world.before(
        _runs.start_run, "a-table", run=RUN_OF_JOB, customization=NAME, status="training", **about
    )
    world.before(_runs.acquire_lock, "a-table", key="k" * 48, run=RUN_OF_JOB, job_name=name)
    world.aws.stepfunctions.statuses["e1"] = status
    world.aws.bedrock.models[NEW] = BASE
    if job:
        world.aws.bedrock.jobs[name] = {"status": job, "model": NEW if job == "Completed" else ""}
    return world.call(reconcile.handler, {}, Time())


@scenario
def an_aborted_run_is_closed(world: World) -> Any:
    _lost(world, "ABORTED")
    assert world.aws.run(RUN_OF_JOB)["status"] == "aborted"


@scenario
def an_end_that_nobody_was_told_is_told(world: World) -> Any:
    end = {"told": False, "status": "rejected", "message": "two errors", "execution": "e1"}
    world.before(_runs.start_run, "a-table", run=RUN, customization=NAME, status="checking")
    world.before(_runs.close_run, "a-table", RUN, **end)
    world.aws.stepfunctions.statuses["e1"] = "ABORTED"
    world.call(reconcile.handler, {}, Time())
    assert "open" not in world.aws.run(RUN)


@scenario
def the_job_of_an_aborted_run_is_stopped(world: World) -> Any:
    _lost(world, "ABORTED", "InProgress")
    assert [job["status"] for job in world.aws.bedrock.jobs.values()] == ["Stopping"]


@scenario
def a_job_without_its_execution_is_watched(world: World) -> Any:
    _lost(world, "FAILED", "InProgress")
    world.before(_runs.close_run, "a-table", RUN_OF_JOB, status="failed")
    assert world.call(reconcile.handler, {}, Time())["watched"] == [RUN_OF_JOB]


@scenario
def a_model_that_nobody_watched_is_recorded_and_served(world: World) -> Any:
    _lost(world, "FAILED", "Completed")
    assert list(world.aws.stepfunctions.executions) == [f"serves-{RUN_OF_JOB}"]


# Once an endpoint is gone the next call finds nothing to do; the error of the first was the alarm.
TOLD_BY_THE_ALARM = [a_lease_ends, an_endpoint_that_nobody_calls_goes]


@pytest.fixture
def run(
    aws: Aws,
    customize: Callable[..., CustomizationSettings],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., tuple[Caller, str]]:
    """Acts a scenario out in a new AWS; returns who called, and how the world is afterwards."""

    def stack(handler: Callable[..., Any], properties: dict[str, str]) -> CloudFormation:
        made = CloudFormation(aws, handler, properties, "an-identity")
        monkeypatch.setattr(_cloudformation.urllib3, "PoolManager", lambda: made)
        monkeypatch.setattr(provisioned_throughput.time, "sleep", made.sleep)
        return made

    def act(scenario: Scenario, **disturbance: Any) -> tuple[Caller, str]:
        new = Aws()
        # The HTTP server of the datasets has these very objects.
        new.s3.objects = aws.s3.objects
        for bucket in (TRAINING, VALIDATION, OUTPUT):
            new.s3.objects.buckets[bucket] = {}
        call = Caller(**disturbance)
        for service in new.__dataclass_fields__:
            getattr(aws, service).__dict__.update(getattr(new, service).__dict__)
            getattr(aws, service).around = call.around
        result = scenario(World(aws=aws, customize=customize, call=call, stack=stack))
        return call, _world(aws, result)

    return act


def _world(aws: Aws, result: Any) -> str:
    """All that can be seen afterwards, without times; what is written twice counts once."""
    seen = {
        "result": result,
        "table": aws.dynamodb.items,
        "pointers": aws.ssm.values,
        "endpoints": aws.bedrock.endpoints,
        "messages": sorted({call["Subject"] for call in aws.sns.asked("Publish")}),
        "executions": aws.stepfunctions.executions,
        "objects": {
            f"{bucket}/{key}": aws.s3.objects.body(bucket, key)
            for bucket in aws.s3.objects.buckets
            for key in aws.s3.objects.keys(bucket)
            # One is drawn from report.json, and long; in the other a check says why it failed once.
            if not key.endswith(".html") and "/errors/" not in key
        },
    }
    text = json.dumps(seen, default=str, sort_keys=True)
    # How often an item was written does not matter.
    text = re.sub(r'version[\\"]*: ?(\d+|\{"N": "\d+"\})', "", text)
    return re.sub(r"\d{4}-\d\d-\d\d[T ]?[\d:.]*(Z|\+00:00)?|[\d-]*deploy-[\w-]+", "T", text)


ERROR = itertools.cycle(ERRORS)
# A call that several scenarios make in the same way is refused in one of them.
REFUSED: set[Site] = set()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_an_error_of_any_call_is_raised_and_the_next_try_ends_as_if_it_had_not_been(
    scenario: Scenario, run: Callable[..., tuple[Caller, str]]
) -> None:
    undisturbed, expected = run(scenario)
    assert undisturbed.raised == []

    for site in dict.fromkeys(undisturbed.sites):
        errors = [] if site in REFUSED else [_unexpected(site[-1])]
        REFUSED.add(site)
        for error in [*errors, LOST] if CHANGES.fullmatch(site[-1]) else errors:
            call, world = run(scenario, fails=undisturbed.sites.index(site), error=error)

            if call.raised:
                (raised,) = call.raised
                assert _words(error) in str(raised), site
            else:
                # boto3 itself asks again for a part of a download.
                assert call.sites.count(site) > undisturbed.sites.count(site), site
            if scenario not in TOLD_BY_THE_ALARM:
                assert world == expected, site


# What a call is expected to be refused with: a job that has ended meanwhile cannot be stopped.
EXPECTED = {"StopModelCustomizationJob": "ValidationException"}


def _unexpected(operation: str) -> Refused | BotoCoreError:
    """The next error, of those that nothing expects of this call."""
    return next(
        error
        for error in ERROR
        if not isinstance(error, Refused) or EXPECTED.get(operation) != error.code
    )


def _words(error: Exception) -> str:
    return error.message if isinstance(error, Refused) else str(error)


def test_every_call_of_a_handler_is_in_some_scenario(
    run: Callable[..., tuple[Caller, str]], clients: dict[str, Any]
) -> None:
    made = {
        (function.partition(".")[0], site[-1])
        for scenario in SCENARIOS
        for site in run(scenario)[0].sites
        for function in site[:-1]
    }

    assert set(_calls(clients)) - made == set()


def _calls(clients: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each call of an AWS client in lambdas/: module and operation."""
    for file in LAMBDAS.rglob("*.py"):
        for function in ast.walk(ast.parse(file.read_text())):
            if isinstance(function, ast.FunctionDef):
                for operation in _operations(function, clients):
                    yield file.stem, operation


def _operations(function: ast.FunctionDef, clients: dict[str, Any]) -> Iterator[str]:
    kept = {
        node.targets[0].id: _service(node.value)
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for call in ast.walk(function):
        if isinstance(call, ast.Call):
            yield from SHARED.get(ast.unparse(call.func), ())
            for client, method in _called(call):
                service = kept.get(client.id) if isinstance(client, ast.Name) else _service(client)
                if service:
                    operations = clients[service].meta.method_to_api_mapping
                    yield from TRANSFERS.get(method) or [operations[method]]


def _called(call: ast.Call) -> Iterator[tuple[ast.expr, str]]:
    """The client that a call may be of, and its method, also of what lists all pages."""
    match call:
        case ast.Call(func=ast.Name("listed"), args=[client, ast.Constant(str(method)), *_]):
            yield client, method
        case ast.Call(func=ast.Name(name) | ast.Attribute(attr=name), args=[client, *_]) if (
            name in LISTINGS
        ):
            yield client, LISTINGS[name]
        case ast.Call(func=ast.Attribute(value=client, attr=method)):
            yield client, method


def _service(node: ast.AST) -> str | None:
    """The service of `_aws.service()`; None for anything else."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name("_aws"), attr=service)):
            return service if service in Aws.__dataclass_fields__ else None
    return None


# Calls that stand once, and that each of several handlers makes.
SHARED = {
    "_aws.find": ["GetObject"],
    "_aws.parameter": ["GetParameter"],
    "_aws.read": ["GetObject"],
    "_aws.start_serving": ["StartExecution"],
    "_aws.tell": ["Publish"],
    "_aws.write": ["PutObject"],
    "_endpoints.rename": ["TagResource"],
    "_intent.stored": ["GetItem"],
    "_intent.write": ["PutItem"],
    "_jobs.running": ["ListModelCustomizationJobs"],
    "_runs.get": ["GetItem"],
}
# What bedrock_tuning.sources.listing asks for.
LISTINGS = {
    "objects": "list_objects_v2",
    "jobs": "list_model_customization_jobs",
    "throughputs": "list_provisioned_model_throughputs",
    "deployments": "list_custom_model_deployments",
}
TRANSFERS = {
    "copy": ["HeadObject", "CopyObject"],
    "upload_fileobj": ["PutObject"],
    "download_fileobj": ["HeadObject", "GetObject"],
}
