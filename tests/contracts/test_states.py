"""What the states hand over and keep: each gets its data, none makes up any or waits too long."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import botocore.exceptions
import pytest

from bedrock_tuning import errors
from bedrock_tuning.config.settings import Settings
from bedrock_tuning.contracts import FunctionSpec, contracts
from bedrock_tuning.contracts.contract import COMMIT
from bedrock_tuning.contracts.functions import CHECK_IMAGES, FUNCTIONS
from bedrock_tuning.contracts.states import workflow
from lambdas import _aws

DEFINITION = workflow.definition(environment="dev", approval_days=7)
STATES: Mapping[str, Any] = DEFINITION["States"]
IMAGES: Mapping[str, Any] = STATES["Check images"]["ItemProcessor"]
EVERY: Mapping[str, Any] = {**STATES, **IMAGES["States"]}
CALLED = [each for each in FUNCTIONS if each.payload and each is not CHECK_IMAGES]
DROPPED = {"ResultSelector": {"result": "discarded"}, "ResultPath": "$.discarded"}
TRAIN = "arn:aws:states:::bedrock:createModelCustomizationJob.sync"
READ = "arn:aws:states:::aws-sdk:bedrock:getModelCustomizationJob"
SETTINGS = "arn:aws:states:::aws-sdk:ssm:getParameter"
ASK = "arn:aws:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken"
NOTE = "arn:aws:states:::dynamodb:updateItem"
PATH = r"\$\$?(\.[A-Za-z_]\w*|\[\d+\])*"


def _using(resource: str) -> dict[str, Any]:
    found = {name: state for name, state in EVERY.items() if state.get("Resource") == resource}
    assert found, resource
    return found


def _fields(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every value that is no object and no list, with the name of its field."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _fields(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _fields(inner, key)
    else:
        yield key, value


@pytest.mark.parametrize("function", CALLED, ids=lambda function: function.name)
def test_a_function_is_handed_what_its_specification_says_and_its_answer_is_kept_where_it_says(
    function: FunctionSpec,
) -> None:
    wanted = dict(
        (name, "${Commit}") if path == COMMIT else (f"{name}.$", path)
        for name, path in function.payload.items()
    )
    for state in _using(f"${{{function.name}}}").values():
        assert {k: v for k, v in state["Parameters"].items() if k != "action"} == wanted
        kept = {"ResultPath": function.answer.path} if function.answer else DROPPED
        assert {k: state[k] for k in DROPPED if k in state} == kept


def test_each_result_is_written_by_the_step_whose_result_it_is_and_by_no_other() -> None:
    writers: dict[str, set[str]] = {}
    for state in EVERY.values():
        if "ResultPath" in state and state["ResultPath"] != "$.discarded":
            by = state.get("Resource", state["Type"])
            writers.setdefault(state["ResultPath"], set()).add(by)
    assert writers == {
        "$.settings": {SETTINGS},
        "$.admission": {"${Admit}"},
        "$.check": {"${CheckManifest}"},
        "$.shards": {"Map", "Pass"},
        "$.report": {"${Merge}"},
        "$.start": {"${StartJob}"},
        "$.approval": {ASK},
        "$.turn": {"${TakeTurn}"},
        "$.images": {"${VerifyImages}"},
        "$.job": {TRAIN, READ},
        "$.serving": {"${RecordJob}", "${Serve}", "${Evaluate}"},
        "$.serving.approved": {ASK},
        "$.outcome": {"${CloseRun}"},
    }


def test_what_nobody_reads_is_dropped_and_everything_else_is_kept_whole() -> None:
    for name, state in EVERY.items():
        selected = state.get("ResultSelector")
        if state.get("Resource") == SETTINGS:
            # What the parameter says, and not its text; the version is for people.
            assert selected == {
                "value.$": "States.StringToJson($.Parameter.Value)",
                "version.$": "$.Parameter.Version",
            }
        elif selected is not None or state.get("ResultPath") == "$.discarded":
            assert {k: state.get(k) for k in DROPPED} == DROPPED, name
    for state in (*_using("arn:aws:states:::sns:publish").values(), *_using(NOTE).values()):
        assert {k: state.get(k) for k in DROPPED} == DROPPED
    assert "$.discarded." not in json.dumps(DEFINITION)


def test_nothing_narrows_or_makes_up_what_is_known_of_a_run() -> None:
    for state in EVERY.values():
        assert not {"InputPath", "OutputPath", "ItemsPath", "ResultWriter"} & set(state)
    made = {name: state for name, state in EVERY.items() if state["Type"] == "Pass"}
    assert {name: set(state) - {"Type", "Next", "End"} for name, state in made.items()} == {
        "No images": {"Result", "ResultPath"},
        "Shard not checked": {"Parameters"},
    }
    assert made["No images"]["Result"] == []


def _ways(name: str, state: Mapping[str, Any]) -> Iterator[tuple[str, str, set[str]]]:
    """From where to where, and which names of the run's data are written on the way."""

    def written(path: str) -> set[str]:
        return {path.removeprefix("$.")} if path.count(".") == 1 else set()

    for rule in state.get("Choices", ()):
        yield name, rule["Next"], written(rule["Variable"]) if rule.get("IsPresent") else set()
    for catcher in state.get("Catch", ()):
        yield name, catcher["Next"], written(catcher["ResultPath"])
    if "Default" in state:
        yield name, state["Default"], set()
    if "Next" in state:
        yield name, state["Next"], written(state.get("ResultPath", "$"))


@pytest.mark.parametrize(
    ("states", "start", "given"),
    [
        (STATES, DEFINITION["StartAt"], {"detail"}),
        (IMAGES["States"], IMAGES["StartAt"], {"shard", "run", "customization", "settings"}),
    ],
    ids=["a run", "a shard"],
)
def test_every_state_finds_what_it_reads_on_every_way_to_it(
    states: Mapping[str, Any], start: str, given: set[str]
) -> None:
    """A path that is not there fails the execution."""
    ways = [way for name, state in states.items() for way in _ways(name, state)]
    everything = given.union(*(written for *_, written in ways)) - {"discarded"}
    known = {**dict.fromkeys(states, everything), start: given}
    for _ in states:
        for tail, head, written in ways:
            known[head] = known[head] & (known[tail] | written)
    for name, state in states.items():
        own = {k: v for k, v in state.items() if k not in ("ItemProcessor", "ResultSelector")}
        own["Choices"] = [rule for rule in own.get("Choices", ()) if "IsPresent" not in rule]
        results = {catcher["ResultPath"] for catcher in own.pop("Catch", ())}
        results.add(own.pop("ResultPath", "$"))
        # A result below another one needs that one.
        nested = {path.split(".")[1] for path in results if path.count(".") > 1}
        reads = {
            found
            for _, text in _fields(own)
            for found in re.findall(r"(?<!\$)\$\.(\w+)", str(text))
        }
        assert reads | nested <= known[name], name


def test_every_way_to_train_waits_for_its_job_which_is_then_read_and_recorded() -> None:
    for state in _using(TRAIN).values():
        assert (state["ResultPath"], STATES[state["Next"]]["Resource"]) == ("$.job", READ)
    (read,) = _using(READ).values()
    assert read["Parameters"] == {"JobIdentifier.$": "$.job.JobArn"}
    assert STATES[read["Next"]]["Resource"] == "${RecordJob}"


def test_a_job_is_started_and_read_as_the_starter_that_the_settings_name() -> None:
    starter = {"RoleArn.$": "$.settings.value.starter_role"}
    for state in (*_using(TRAIN).values(), *_using(READ).values()):
        assert state["Credentials"] == starter


def test_where_the_workflow_starts_jobs_it_takes_from_the_settings_what_makes_a_job_theirs() -> (
    None
):
    """That it does is a promise of the review (M807); the rest is what StartJob built."""
    own = workflow.definition(environment="dev", approval_days=7, starters=False)["States"]
    theirs = {"RoleArn", "TrainingDataConfig", "ValidationDataConfig", "OutputDataConfig"}
    for name, state in _using(TRAIN).items():
        assert "Credentials" not in own[name]
        built, taken = (each["Parameters"] for each in (state, own[name]))
        fields = sorted(key.removesuffix(".$") for key in built)
        assert sorted(key.removesuffix(".$") for key in taken) == fields
        differ = {key.removesuffix(".$") for key in built if taken.get(key) != built[key]}
        assert differ == {*fields} & {*theirs, "JobTags", "CustomModelTags"}


def test_every_shard_of_the_list_is_checked_and_its_result_or_its_error_is_merged() -> None:
    images = STATES["Check images"]
    checks = IMAGES["States"][IMAGES["StartAt"]]
    assert images["ItemReader"] == {
        "Resource": "arn:aws:states:::s3:getObject",
        # Every line of it, as it is.
        "ReaderConfig": {"InputType": "JSONL"},
        "Parameters": {"Bucket": "${OutputBucket}", "Key.$": "$.check.shards_key"},
    }
    assert images["ItemSelector"] == {f"{k}.$": v for k, v in CHECK_IMAGES.payload.items()}
    assert set(IMAGES) == {"ProcessorConfig", "StartAt", "States"}
    assert IMAGES["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    # The shard is handed over as it is, and what was found is the result.
    assert checks["Resource"] == f"${{{CHECK_IMAGES.name}}}"
    assert set(checks) == {"Type", "Resource", "Retry", "Catch", "End"}
    (catch,) = checks["Catch"]
    assert IMAGES["States"][catch["Next"]]["Parameters"] == {
        "number.$": "$.shard.number",
        "error.$": "$.error.Error",
    }
    assert images["ResultPath"] == "$.shards"


def test_at_most_twenty_shards_are_checked_at_a_time() -> None:
    """Each is a call of a function, and an account has 1,000 at a time."""
    assert STATES["Check images"]["MaxConcurrency"] == 20


@pytest.mark.parametrize(
    ("name", "run", "said", "about"),
    [
        ("Await approval", "$.admission.run", "$.start", "$.start.about"),
        ("Await approval to serve", "$.serving.run", "$.serving", "$.serving"),
    ],
)
def test_the_token_of_a_run_that_waits_is_kept_apart_from_it_with_exactly_what_is_asked(
    name: str, run: str, said: str, about: str
) -> None:
    """People read a run's item; only the function that takes their answer reads this one."""
    written = _using(ASK)[name]["Parameters"]
    assert written["TableName"] == "${RunsTable}"
    assert written["Key"] == {"id": {"S.$": f"States.Format('approval#{{}}', {run})"}}
    sets, removes = written["UpdateExpression"].removeprefix("SET ").split(" REMOVE ")
    names, values = (written[f"ExpressionAttribute{kind}"] for kind in ("Names", "Values"))
    pairs = (each.split(" = ") for each in sets.split(", "))
    assert {names[attribute]: values[value] for attribute, value in pairs} == {
        "token": {"S.$": "$$.Task.Token"},
        "price": {"S.$": f"{said}.estimate"},
        "because": {"S.$": f"{said}.reason"},
        "about": {"S.$": f"States.JsonToString({about})"},
    }
    assert names[removes] == "decision"


@pytest.mark.parametrize(
    ("name", "run", "status"),
    [
        ("Note the approval", "$.admission.run", "training"),
        ("Note the approval to serve", "$.serving.run", "serving"),
    ],
)
def test_an_approved_run_says_what_it_does_now_and_since_when(
    name: str, run: str, status: str
) -> None:
    written = _using(NOTE)[name]["Parameters"]
    assert written["TableName"] == "${RunsTable}"
    assert written["Key"] == {"id": {"S.$": f"States.Format('run#{{}}', {run})"}}
    assert written["UpdateExpression"] == "SET #status = :status, #at = :now"
    assert written["ExpressionAttributeNames"] == {"#status": "status", "#at": f"at_{status}"}
    # Since when, for who follows it.
    assert written["ExpressionAttributeValues"] == {
        ":status": {"S": status},
        ":now": {"S.$": "$$.State.EnteredTime"},
    }


def test_an_item_is_written_without_a_condition_and_the_token_goes_nowhere_else() -> None:
    for state in (*_using(ASK).values(), *_using(NOTE).values()):
        assert set(state["Parameters"]) == {
            *("TableName", "Key", "UpdateExpression"),
            *("ExpressionAttributeNames", "ExpressionAttributeValues"),
        }
    assert json.dumps(DEFINITION).count("$$.Task.Token") == len(_using(ASK))


def test_only_a_run_that_did_not_fail_and_an_upload_of_nobodys_end_well() -> None:
    ends = {name for name, state in STATES.items() if state["Type"] == "Succeed"}
    ways = [way for name, state in STATES.items() for way in _ways(name, state)]
    assert {(tail, head) for tail, head, _ in ways if head in ends} == {
        ("Ended well?", "Run ended"),
        ("Load settings", "Not a customization"),
    }
    assert STATES["Ended well?"] == {
        "Type": "Choice",
        "Choices": [{"Variable": "$.outcome.failed", "BooleanEquals": True, "Next": "Run failed"}],
        "Default": "Run ended",
    }
    assert STATES["Run failed"]["Type"] == "Fail"


def test_only_what_waits_for_a_person_has_a_time_limit_and_nothing_needs_heartbeats() -> None:
    """A function has its own limit, a job takes days."""
    limited = {name for name, state in EVERY.items() if "TimeoutSeconds" in state}
    assert limited == set(_using(ASK))
    assert "HeartbeatSeconds" not in json.dumps(DEFINITION)


def test_what_an_environments_settings_say_is_in_its_workflow() -> None:
    chosen = Settings(
        name="other",
        region="us-east-1",
        approval_days=3,
        jobs_started_by="workflow",
        model_key=True,
    )
    states = workflow.definition_of(contracts(chosen, {}))["States"]

    assert {states[name]["TimeoutSeconds"] for name in _using(ASK)} == {3 * 86_400}
    assert states["Load settings"]["Parameters"]["Name.$"].startswith(
        "States.Format('/bedrock-tuning-settings/other/{}'"
    )
    assert "Credentials" not in states["Train"]
    assert states["Train"]["Parameters"]["CustomModelKmsKeyId"] == "${ModelKey}"


def test_everything_is_written_in_one_language() -> None:
    assert set(DEFINITION) == {"Comment", "StartAt", "TimeoutSeconds", "States"}
    assert "QueryLanguage" not in json.dumps(DEFINITION)


def test_what_should_be_a_path_is_one() -> None:
    functions = r"States\.[A-Z]\w+\(.*\)"
    # What a Fail state may make its error and its cause with.
    texts = r"States\.(Format|JsonToString|ArrayGetItem|Base64(En|De)code|Hash|UUID)\(.*\)"
    for key, value in _fields(DEFINITION):
        if key in ("CausePath", "ErrorPath"):
            assert re.fullmatch(f"{PATH}|{texts}", value), value
        elif key.endswith(".$"):
            assert re.fullmatch(f"{PATH}|{functions}", value), value
        elif key.endswith("Path") or key == "Variable":
            assert re.fullmatch(PATH, value), value


def _retried() -> set[str]:
    return {
        error
        for state in EVERY.values()
        for retry in state.get("Retry", ())
        for error in retry["ErrorEquals"]
    }


# What Step Functions and Lambda call troubles of their own (docs/facts/workflow.md).
OF_THEIR_OWN = {
    *("States.TaskFailed", "States.ItemReaderFailed"),
    *("Lambda.AWSLambdaException", "Lambda.SdkClientException", "Lambda.Unknown"),
    *("Sandbox.Timedout", "Runtime.ExitError"),
}


@pytest.mark.slow
def test_every_error_that_is_tried_again_exists() -> None:
    services = {
        name: boto3.client(name, region_name="us-east-1").meta.service_model
        for name in ("bedrock", "dynamodb", "lambda", "sns", "ssm")
    }
    for error in _retried() - OF_THEIR_OWN:
        service, _, name = error.rpartition(".")
        if not service:
            places = (botocore.exceptions, errors, _aws)
            assert any(hasattr(each, name) for each in places), error
        elif name != "SdkClientException":
            model = services[service.lower()]
            plain = {
                each.removesuffix("Exception").removesuffix("Error")
                for shape in model.error_shapes
                for each in (shape.name, shape.metadata.get("error", {}).get("code", ""))
            }
            assert name.removesuffix("Exception").removesuffix("Error") in plain, error


def test_a_call_is_tried_again_when_a_service_has_trouble_of_its_own_or_too_many_calls() -> None:
    lambdas = {
        *("Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException"),
        "Lambda.TooManyRequestsException",
    }
    for name, state in EVERY.items():
        if state["Type"] == "Task":
            named = {error for retry in state["Retry"] for error in retry["ErrorEquals"]}
            function = not state["Resource"].startswith("arn:")
            assert lambdas <= named if function else any("Thrott" in e for e in named), name


def test_the_pauses_between_tries_grow_up_to_a_limit() -> None:
    retries = [retry for state in EVERY.values() for retry in state.get("Retry", ())]
    for retry in retries:
        if retry["ErrorEquals"] != ["States.TaskFailed"]:
            assert retry["BackoffRate"] == 2
            assert 60 <= retry["MaxDelaySeconds"] <= 900
