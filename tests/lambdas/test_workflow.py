"""The workflow as a graph: nothing dangles, every error is told, nothing waits for ever."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bedrock_tuning.config.customization import load
from bedrock_tuning.config.settings_limits import APPROVAL_DAYS_MAX, POLLS_MAX
from bedrock_tuning.contracts.contract import COMMIT, NO_SETTINGS, NO_SLOT
from bedrock_tuning.contracts.functions import FUNCTIONS
from bedrock_tuning.contracts.states import workflow
from bedrock_tuning.run import job
from bedrock_tuning.run.job_queue import QUEUE_DAYS
from bedrock_tuning.s3_layout import Buckets
from lambdas import serve

DEFINITION = workflow.definition(environment="dev", approval_days=7)
STATES: Mapping[str, Any] = DEFINITION["States"]
SHARDS: Mapping[str, Any] = STATES["Check images"]["ItemProcessor"]["States"]
TRAINING = (
    "Train",
    "Train with validation",
    "Train with configuration",
    "Train with configuration and validation",
)
TOLD = ("Notify", "Say that closing failed", "Ask for approval")
YEAR = 365 * 86_400
# What Step Functions writes into an execution's history for one pass through a state.
EVENTS = {"Task": 5, "Choice": 2, "Wait": 2}


def _machines() -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield DEFINITION["StartAt"], STATES
    yield STATES["Check images"]["ItemProcessor"]["StartAt"], SHARDS


def _every() -> Iterator[tuple[str, dict[str, Any]]]:
    for _, states in _machines():
        yield from states.items()


def _targets(state: Mapping[str, Any]) -> Iterator[str]:
    if "Next" in state:
        yield state["Next"]
    if "Default" in state:
        yield state["Default"]
    for part in ("Choices", "Catch"):
        for rule in state.get(part, ()):
            yield rule["Next"]


def _reachable(start: str, states: Mapping[str, Any], without: tuple[str, ...] = ()) -> set[str]:
    """Every state on some path from `start` that does not pass through one of `without`."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        here = waiting.pop()
        if here not in found and here not in without:
            found.add(here)
            waiting.extend(_targets(states[here]))
    return found


def _tasks() -> list[tuple[str, dict[str, Any]]]:
    return [(name, state) for name, state in _every() if state["Type"] == "Task"]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value


def test_every_transition_leads_to_a_state() -> None:
    for start, states in _machines():
        assert start in states
        for state in states.values():
            assert set(_targets(state)) <= set(states)


def test_every_state_is_reached() -> None:
    for start, states in _machines():
        assert _reachable(start, states) == set(states)


def test_every_state_goes_on_or_ends() -> None:
    for name, state in _every():
        ends = state.get("End", False) or state["Type"] in ("Succeed", "Fail")
        onward = {**state, "Catch": []}
        assert ends != bool(set(_targets(onward))), name


def _caught(state: Mapping[str, Any]) -> set[str]:
    passing = [NO_SETTINGS], [NO_SLOT]
    return {rule["Next"] for rule in state.get("Catch", ()) if rule["ErrorEquals"] not in passing}


def test_every_choice_has_a_default() -> None:
    """Without one, a decision that somebody adds later would end a run without a word."""
    assert all("Default" in state for _, state in _every() if state["Type"] == "Choice")


def test_a_list_of_shards_that_cannot_be_read_is_read_again() -> None:
    """Otherwise one moment of S3's ends the run."""
    (retry,) = STATES["Check images"]["Retry"]
    assert retry["ErrorEquals"] == ["States.ItemReaderFailed"]
    assert retry["MaxAttempts"] >= 3


@pytest.mark.parametrize(("name", "state"), _tasks(), ids=lambda value: str(value)[:30])
def test_every_task_retries_what_passes_and_catches_the_rest(
    name: str, state: dict[str, Any]
) -> None:
    retry, *patient = state["Retry"]
    assert retry["MaxAttempts"] >= 3
    assert retry["JitterStrategy"] == "FULL"
    # Anything broader would repeat what fails for good, for minutes, and hide it.
    assert not {e for e in retry["ErrorEquals"] if e.startswith("States.")}
    if name in TRAINING:
        # A role that was just made is refused as what is wrong for good.
        (new_role,) = patient
        assert new_role["ErrorEquals"] == ["Bedrock.ValidationException"]
        assert new_role["MaxAttempts"] == 3
        patient = []
    # But serving, where the first error of an unknown name would undo half an hour: a few times.
    for each in patient:
        assert state["Resource"] == "${Serve}", name
        assert (each["ErrorEquals"], each["MaxAttempts"] <= 3) == (["States.TaskFailed"], True)
    *known, catch = state["Catch"]
    assert catch["ErrorEquals"] == ["States.ALL"]
    # A folder of nobody's is no failure, nor is a full quota.
    named = [NO_SETTINGS] if name.startswith("Load settings") else []
    named = [NO_SLOT] if name.startswith("Train") else named
    assert [error for each in known for error in each["ErrorEquals"]] == named
    # Next to the input, not in its place: closing needs to know the run.
    assert catch["ResultPath"] in ("$.error", "$.serving.error")


@pytest.mark.parametrize("name", TRAINING)
def test_a_full_quota_queues_the_run_and_what_was_said_is_no_error_of_it(name: str) -> None:
    full, _ = STATES[name]["Catch"]

    assert (full["Next"], full["ResultPath"]) == ("Queue for a slot", "$.start.error")


@pytest.mark.parametrize("name", [*TRAINING, "Read job"])
def test_a_watch_outlasts_an_hour_of_throttling(name: str) -> None:
    retry, *_ = STATES[name]["Retry"]
    waits = [
        min(retry["IntervalSeconds"] * retry["BackoffRate"] ** n, retry["MaxDelaySeconds"])
        for n in range(retry["MaxAttempts"])
    ]

    assert "Bedrock.ThrottlingException" in retry["ErrorEquals"]
    # With full jitter each is half as long on average.
    assert sum(waits) / 2 > 3_600


def test_the_map_fails_the_run_when_a_shard_fails_in_a_way_that_it_does_not_catch_itself() -> None:
    assert _caught(STATES["Check images"]) == {"Close run"}
    assert "ToleratedFailureCount" not in STATES["Check images"]
    assert "ToleratedFailurePercentage" not in STATES["Check images"]


def test_every_error_is_told() -> None:
    """Whatever is caught anywhere, each path from there sends a message or says that it failed to.

    Left aside: the quiet ends, which an error never is (tests/run/test_outcome.py).
    """
    states = {**STATES, "Worth a message?": {**STATES["Worth a message?"], "Default": "Notify"}}
    for name, state in STATES.items():
        for target in _caught(state):
            untold = {
                end
                for end in _reachable(target, states, without=TOLD)
                if states[end]["Type"] in ("Succeed", "Fail")
            }
            assert untold <= {"Failed to notify"}, name


def test_every_end_is_told_but_the_quiet_ones() -> None:
    """One edge of one state decides that an end is not worth a message."""
    loud = {**STATES, "Worth a message?": {**STATES["Worth a message?"], "Default": "Notify"}}

    told = ("Notify", "Say that closing failed")
    silent = _reachable(DEFINITION["StartAt"], loud, without=(*told, "Not a customization"))

    assert not {name for name in silent if STATES[name]["Type"] == "Succeed"}
    assert {name for name in silent if STATES[name]["Type"] == "Fail"} <= {"Failed to notify"}


def test_a_failure_to_close_or_to_notify_fails_the_execution_so_that_its_alarm_rings() -> None:
    assert _caught(STATES["Close run"]) == {"Say that closing failed"}
    assert _caught(STATES["Notify"]) == {"Failed to notify"}
    assert _caught(STATES["Say that closing failed"]) == {"Failed to notify"}
    for name in ("Failed to notify", "Closing failed", "Run failed"):
        assert STATES[name]["Type"] == "Fail"


@pytest.mark.parametrize("name", ["Serve", "Smoke test", "Publish endpoint"])
def test_an_error_while_serving_is_undone_before_it_is_told(name: str) -> None:
    """What was begun would go on billing."""
    (catch,) = STATES[name]["Catch"]

    assert (catch["Next"], catch["ResultPath"]) == ("Roll back", "$.serving.error")


def test_the_ways_to_train_differ_in_optional_parts_only() -> None:
    """A path that is not in the input is an error, so there is a state for each combination."""
    plain, *others = (json.loads(json.dumps(STATES[name])) for name in TRAINING)
    for state in others:
        for field in ("ValidationDataConfig", "CustomizationConfig"):
            state["Parameters"].pop(f"{field}.$", None)
        assert state == plain


def _request(name: str) -> dict[str, Any]:
    """The request of a run that takes this way."""
    head = 'description = "x"\nbase_model = "nova-micro"\n'
    if "configuration" in name:
        head += 'customization_type = "DISTILLATION"\nteacher = "amazon.nova-pro-v1:0"\n'
    plan = job.JobPlan(
        environment="dev",
        customization=load(head, file="customizations/pets.toml"),
        run="20261121-093000-aaaaaa",
        run_key="k" * 48,
        attempt=1,
        role_arn="arn:aws:iam::000000000000:role/a-role",
        buckets=Buckets(training="a-training", validation="a-validation", output="an-output"),
        with_validation="validation" in name,
    )
    pascal: dict[str, Any] = job.pascal_case(plan.request())
    return pascal


@pytest.mark.parametrize("name", TRAINING)
def test_the_job_gets_exactly_the_fields_of_the_request_that_was_checked(name: str) -> None:
    asked = STATES[name]["Parameters"]

    assert asked == {f"{field}.$": f"$.start.request.{field}" for field in _request(name)}
    # Without it Step Functions would start a second job when it repeats a call.
    assert "ClientRequestToken.$" in asked


def test_whoever_is_asked_for_approval_gets_the_command_with_its_environment() -> None:
    asked = workflow.definition(environment="prod", approval_days=7)["States"]["Ask for approval"]

    assert "'tuning approve {} -e prod', $.admission.run" in json.dumps(asked)


def test_the_network_and_the_key_of_the_models_reach_every_way_to_train() -> None:
    vpc = {"SubnetIds": ["${JobSubnet}", "${JobSubnet1}"], "SecurityGroupIds": ["${JobGroup}"]}
    placeholders = ("JobSubnet", "JobSubnet1", "JobGroup", "ModelKey", "Topic")
    states = workflow.definition(environment="dev", approval_days=7, placeholders=placeholders)[
        "States"
    ]

    for name in TRAINING:
        assert states[name]["Parameters"]["VpcConfig"] == vpc
        assert states[name]["Parameters"]["CustomModelKmsKeyId"] == "${ModelKey}"


def test_only_what_the_stack_fills_in_is_left_open() -> None:
    used = set(re.findall(r"\$\{([^}]*)\}", json.dumps(DEFINITION)))

    called = {function.name for function in FUNCTIONS if function.payload}
    assert used == {*called, COMMIT, "OutputBucket", "RunsTable", "Topic"}


def test_every_path_was_put_into_the_state_by_a_step_or_the_input() -> None:
    written = {state["ResultPath"] for state in STATES.values() if "ResultPath" in state}
    known = {path.split(".")[1] for path in written} | {"error", "detail"}
    used = {
        name
        for state in STATES.values()
        for text in _texts(
            {k: v for k, v in state.items() if k not in ("ItemProcessor", "ResultSelector")}
        )
        for name in re.findall(r"(?<!\$)\$\.(\w+)", text)
    }

    assert used <= known


def test_what_the_serving_steps_are_called_here_is_what_the_handler_calls_them() -> None:
    files = [Path(serve.__file__), *(Path(serve.__file__).parent / "_serving").glob("*.py")]
    written = "\n".join(file.read_text() for file in files)
    said = {"wait", *re.findall(r'next\(\s*"([a-z-]+)"', written)}
    chosen = {
        rule["StringEquals"]
        for state in STATES.values()
        for rule in state.get("Choices", ())
        if rule.get("Variable") == "$.serving.step"
    }

    assert chosen <= said
    actions = {
        state["Parameters"]["action"]
        for state in STATES.values()
        if state.get("Resource") == "${Serve}"
    }
    assert actions == {*serve._ACTIONS, "roll-back"}


def test_no_loop_turns_without_waiting() -> None:
    waits = tuple(
        name
        for name, state in STATES.items()
        if state["Type"] == "Wait" or "waitForTaskToken" in state.get("Resource", "")
    )
    for name in STATES:
        if name not in waits:
            behind: set[str] = set()
            for target in _targets(STATES[name]):
                behind |= _reachable(target, STATES, without=waits)
            assert name not in behind


def test_every_wait_is_followed_by_the_handler_that_knows_when_to_give_up() -> None:
    """That they do give up is the matter of test_serve_undone.py and test_take_turn.py."""
    for state in STATES.values():
        if state["Type"] == "Wait":
            asked = STATES[state["Next"]]["Resource"]
            waits = {"${Serve}": "$.serving.seconds", "${TakeTurn}": "$.turn.seconds"}
            assert state["SecondsPath"] == waits[asked]


def test_the_longest_wait_that_settings_allow_fits_into_an_executions_history() -> None:
    loops = [("Serve", "Next step?", "Wait for endpoint"), ("Roll back", "Rolled back?")]
    turn = sum(EVENTS[STATES[name]["Type"]] for loop in loops for name in loop) + EVENTS["Wait"]

    assert turn * POLLS_MAX < 25_000


@pytest.mark.parametrize("days", [1, 7, APPROVAL_DAYS_MAX])
def test_whoever_approves_in_time_leaves_the_job_its_month_within_the_year_of_an_execution(
    days: int,
) -> None:
    definition = workflow.definition(environment="dev", approval_days=days)

    approval = definition["States"]["Await approval"]["TimeoutSeconds"]
    assert approval == days * 86_400
    least = approval + (QUEUE_DAYS + 30) * 86_400
    assert least <= definition["TimeoutSeconds"] <= YEAR


def test_the_definition_is_plain_data_of_a_size_that_step_functions_takes() -> None:
    text = json.dumps(DEFINITION)

    assert json.loads(text) == DEFINITION
    assert len(text) < 1_000_000
    assert all(len(name) <= 80 for name, _ in _every())
