"""Which valid datasets become jobs: the same work is never paid for twice, nor lost."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bedrock_tuning.catalogue import catalogue
from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.errors import DeniedError
from lambdas import start_job
from lambdas._records import _runs
from tests.lambdas.aws import ROLE, TRAINING, VALIDATION, WORKFLOW, Aws, settings
from tests.lambdas.bedrock import BASE, job_arn, model_arn
from tests.support import price_list

KEY = "pets-search/manifest.jsonl"
RUN, OTHER = "20261121-093000-aaaaaa", "20261121-094500-bbbbbb"
FINGERPRINTS = {"training": "aa:1", "validation": "bb:2"}
MODEL = model_arn(1)
HERE = f"{WORKFLOW.replace(':stateMachine:', ':execution:')}:e2"


@pytest.fixture(autouse=True)
def _uploaded(aws: Aws, customize: Callable[..., CustomizationSettings]) -> None:
    """Both manifests are there; the price needs no approval unless a test says so."""
    aws.s3.objects.put(TRAINING, KEY, b"checked training\n")
    aws.s3.objects.put(VALIDATION, KEY, b"checked validation\n")
    customize(budget={"approval": "never", "max_run_usd": None})


def _start(run: str = RUN, **report: Any) -> dict[str, Any]:
    admission = {
        "customization": "pets-search",
        "run": run,
        "training_version": "v1.+/=",
        "validation_version": "v1.+/=",
    }
    report = {
        "fingerprints": FINGERPRINTS,
        "training_records": 1000,
        "training_characters": 0,
        **report,
    }
    _runs.start_run("a-table", run=run, customization="pets-search", status="valid")
    event = {"admission": admission, "report": report, "settings": settings(), "execution": HERE}
    return start_job.handler(event, None)


def _work(aws: Aws, key: str, **changes: Any) -> None:
    """Changes the item of a run key."""
    item = aws.dynamodb.items[f"key#{key}"]
    item.update({name: _runs._serialize(value) for name, value in changes.items()})


def test_new_work_starts_with_the_request_for_step_functions(aws: Aws) -> None:
    found = _start()

    assert found["decision"] == "start"
    assert found["with_validation"] is True
    assert found["request"]["JobName"] == f"dev-pets-search-{RUN}"
    assert found["request"]["ClientRequestToken"] == f"{found['run_key']}-1"
    assert found["request"]["RoleArn"] == ROLE
    assert "storage for a month" in found["estimate"]
    item = aws.run(RUN)
    assert (item["status"], item["run_key"]) == ("training", found["run_key"])
    assert item["job_name"] == found["request"]["JobName"]


def test_bedrock_reads_copies_of_exactly_what_was_checked(aws: Aws) -> None:
    found = _start()
    aws.s3.objects.put(TRAINING, KEY, b"uploaded later\n")

    uri = found["request"]["TrainingDataConfig"]["S3Uri"]
    key = uri.removeprefix(f"s3://{TRAINING}/_checked/")
    assert aws.s3.objects.body(TRAINING, f"_checked/{key}") == b"checked training\n"
    (validator,) = found["request"]["ValidationDataConfig"]["Validators"]
    key = validator["S3Uri"].removeprefix(f"s3://{VALIDATION}/_checked/")
    assert aws.s3.objects.body(VALIDATION, f"_checked/{key}") == b"checked validation\n"


def test_the_tags_of_a_manifest_are_not_copied_because_that_needs_rights(aws: Aws) -> None:
    _start()

    assert [each["TaggingDirective"] for each in aws.s3.asked("CopyObject")] == ["REPLACE"] * 2


def test_a_price_over_the_budget_awaits_approval_before_the_job(
    aws: Aws, customize: Callable[..., CustomizationSettings]
) -> None:
    customize(budget={"approval": "over-budget", "max_run_usd": 50.0})

    found = _start()

    assert found["decision"] == "approve"
    assert "no price is known" in found["reason"]
    assert aws.run(RUN)["status"] == "awaiting-approval"
    assert aws.run(RUN)["approval_reason"] == found["reason"]
    assert found["request"]["JobName"] == f"dev-pets-search-{RUN}"


UNITS, ALL_UNITS, MODELS = "L-32F732DE", "L-BE77399C", "L-CB5B847D"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (UNITS, "0 model units of Titan Multimodal Embeddings G1: you would pay for a model that "),
        (
            ALL_UNITS,
            "0 model units without a commitment: you would pay for a model that cannot be ",
        ),
        (MODELS, "0 custom models: you would pay for a model that is not kept"),
        ("L-0406044C", "0 jobs at once: no job can start"),
    ],
)
@pytest.mark.parametrize("raised", [True, False])
def test_a_run_that_would_pay_for_nothing_awaits_approval_whatever_its_budget(
    aws: Aws, code: str, words: str, raised: bool
) -> None:
    known = aws.service_quotas.changed if raised else aws.service_quotas.defaults
    known[code] = 0.0

    found = _start()

    assert found["decision"] == "approve"
    assert found["reason"].startswith(words)
    assert f"servicequotas/home/services/bedrock/quotas/{code}" in found["reason"]
    assert aws.run(RUN)["approval_reason"] == found["reason"]


def test_what_is_missing_is_told_beside_the_price(
    aws: Aws, customize: Callable[..., CustomizationSettings]
) -> None:
    customize(budget={"approval": "always"})
    aws.service_quotas.changed[UNITS] = 0.0

    reason = _start()["reason"]

    assert "0 model units" in reason
    assert reason.endswith("; pets-search requires approval of every run")


def test_units_of_others_are_in_use_and_ones_own_are_swapped(aws: Aws) -> None:
    aws.service_quotas.changed[ALL_UNITS] = 1.0
    own = aws.bedrock.have(model=MODEL, name="dev-pets-search-0123abcd")
    assert _start()["decision"] == "start"

    del aws.bedrock.endpoints[own]
    aws.bedrock.have(model=MODEL, name="prod-pets-search-0123abcd")
    found = _start(OTHER, fingerprints={**FINGERPRINTS, "training": "cc:1"})
    assert "1 model units without a commitment (1 in use)" in found["reason"]
    assert "; request 2 before" in found["reason"]


def test_a_model_that_is_proved_beside_another_needs_units_for_both(
    aws: Aws, customize: Callable[..., Any]
) -> None:
    customize(serving={"strategy": "blue-green"})
    aws.service_quotas.changed[ALL_UNITS] = 1.0

    assert "1 model units without a commitment: you would pay" in _start()["reason"]


def test_a_commitment_and_base_models_take_no_units_that_are_without(aws: Aws) -> None:
    aws.service_quotas.changed[ALL_UNITS] = 1.0
    aws.bedrock.have(model=MODEL, name="prod-a", commitment="OneMonth")
    aws.bedrock.have(model=BASE, name="prod-b")

    assert _start()["decision"] == "start"


def test_models_that_exist_count_on_every_page(aws: Aws) -> None:
    aws.bedrock.page = 2
    aws.bedrock.models = {model_arn(number): BASE for number in range(5)}
    aws.service_quotas.changed[MODELS] = 5.0

    assert "5 custom models (5 in use)" in _start()["reason"]
    aws.service_quotas.changed[MODELS] = 6.0
    assert _start()["decision"] == "start"


def test_a_quota_that_is_not_listed_stops_nothing(aws: Aws) -> None:
    aws.service_quotas.defaults = {}

    assert _start()["decision"] == "start"


def _of_nova(aws: Aws, customize: Callable[..., CustomizationSettings]) -> None:
    customize(
        base_model=catalogue()["nova-micro"],
        hyperparameters={"epochCount": 2},
        serving={"mode": "none"},
        budget={"approval": "over-budget", "max_run_usd": 10.0},
    )
    aws.pricing.products = {
        price_list.TRAINING: price_list.product(price_list.TRAINING, "0.002"),
        price_list.STORAGE: price_list.product(price_list.STORAGE, "1.95", unit="Month"),
    }


def test_a_run_is_priced_as_the_price_list_says_today(
    aws: Aws, customize: Callable[..., CustomizationSettings]
) -> None:
    _of_nova(aws, customize)

    estimate = _start(training_characters=5_250_000)["estimate"]

    assert "training: 3.50 USD" in estimate
    assert "PRICE-API, seen 2026-11-20" in estimate


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException"])
def test_a_price_list_that_may_not_be_asked_stops_no_run_and_is_said(
    aws: Aws, customize: Callable[..., CustomizationSettings], code: str
) -> None:
    _of_nova(aws, customize)
    aws.pricing.refuse("GetProducts", code, times=9)

    found = _start(training_characters=5_250_000)

    assert found["decision"] == "start"
    assert "training: 2.18 USD" in found["estimate"]
    assert "seen 2026-04-01" in found["estimate"]
    assert f"no usable price of {price_list.TRAINING}" in found["estimate"]


def test_a_function_in_a_network_asks_for_no_quotas(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IN_NETWORK", "true")
    aws.service_quotas.changed[UNITS] = 0.0

    assert _start()["decision"] == "start"
    assert aws.service_quotas.calls == []


def test_a_replaced_training_manifest_leaves_the_work_to_its_own_run(aws: Aws) -> None:
    aws.s3.objects.put(TRAINING, KEY, b"newer\n")

    found = _start()

    assert found["decision"] == "superseded"
    assert "its own run" in found["reason"]
    assert [key for key in aws.dynamodb.items if key.startswith("key#")] == []


def test_a_replaced_validation_manifest_is_told_because_no_other_run_checks_it(aws: Aws) -> None:
    aws.s3.objects.put(VALIDATION, KEY, b"newer\n")

    found = _start()

    assert found["decision"] == "outdated"
    assert "upload the training manifest again" in found["reason"]


def test_a_deleted_manifest_is_not_trained_on(aws: Aws) -> None:
    aws.s3.objects.delete(TRAINING, KEY)

    assert _start()["decision"] == "superseded"


def test_a_retried_call_starts_the_same_job() -> None:
    assert _start() == _start()


def test_work_that_was_trained_points_to_its_model(aws: Aws) -> None:
    key = _start(OTHER)["run_key"]
    aws.bedrock.models[MODEL] = BASE
    _runs.finish_work("a-table", key=key, run=OTHER, state="trained", model_arn=MODEL)

    found = _start()

    assert found["decision"] == "already-trained"
    assert MODEL in found["reason"]
    assert OTHER in found["reason"]
    assert found["holder"] == OTHER
    assert "request" not in found


def test_other_data_is_other_work() -> None:
    _start(OTHER)

    assert _start(fingerprints={**FINGERPRINTS, "training": "cc:1"})["decision"] == "start"


def test_a_model_that_somebody_deleted_is_trained_again_in_a_new_job(aws: Aws) -> None:
    key = _start(OTHER)["run_key"]
    _runs.finish_work("a-table", key=key, run=OTHER, state="trained", model_arn=MODEL)

    found = _start()

    assert found["decision"] == "start"
    assert found["request"]["ClientRequestToken"] == f"{key}-2"


def test_work_that_failed_is_tried_again_under_a_new_token(aws: Aws) -> None:
    """With the old token Bedrock would answer with the job that failed."""
    key = _start(OTHER)["run_key"]
    _runs.finish_work("a-table", key=key, run=OTHER, state="failed", model_arn=None)

    assert _start()["request"]["ClientRequestToken"] == f"{key}-2"
    # And so it stays when the call is retried.
    assert _start()["request"]["ClientRequestToken"] == f"{key}-2"


@pytest.mark.parametrize("status", ["InProgress", "Stopping"])
def test_work_whose_job_runs_is_in_progress(status: str, aws: Aws) -> None:
    aws.bedrock.jobs[_start(OTHER)["request"]["JobName"]] = {"status": status}

    found = _start()

    assert found["decision"] == "in-progress"
    assert job_arn(1) in found["reason"]


def test_a_job_that_completed_while_its_run_broke_off_counts_as_trained(aws: Aws) -> None:
    """Bedrock is asked, not our table: an aborted execution never says how it ended."""
    job = _start(OTHER)["request"]["JobName"]
    aws.bedrock.jobs[job] = {"status": "Completed", "model": MODEL}
    aws.bedrock.models[MODEL] = BASE

    found = _start()

    assert found["decision"] == "already-trained"
    assert MODEL in found["reason"]


def test_a_job_that_completed_and_whose_model_was_deleted_is_trained_again(aws: Aws) -> None:
    job = _start(OTHER)["request"]["JobName"]
    aws.bedrock.jobs[job] = {"status": "Completed", "model": MODEL}

    assert _start()["decision"] == "start"


@pytest.mark.parametrize("status", ["Failed", "Stopped"])
def test_a_job_that_came_to_nothing_is_tried_again(status: str, aws: Aws) -> None:
    aws.bedrock.jobs[_start(OTHER)["request"]["JobName"]] = {"status": status}

    assert _start()["decision"] == "start"


@pytest.mark.parametrize("status", ["InProgress", "Stopping"])
def test_a_job_that_outlives_its_failed_run_is_not_started_a_second_time(
    status: str, aws: Aws
) -> None:
    """The execution failed while it waited: of its job our table knows nothing."""
    first = _start(OTHER)
    _runs.finish_work("a-table", key=first["run_key"], run=OTHER, state="failed", model_arn=None)
    aws.bedrock.jobs[first["request"]["JobName"]] = {"status": status}

    assert _start()["decision"] == "in-progress"


@pytest.mark.parametrize(("exists", "decision"), [(True, "already-trained"), (False, "start")])
def test_a_job_that_completed_after_its_run_had_failed_counts_while_its_model_exists(
    exists: bool, decision: str, aws: Aws
) -> None:
    first = _start(OTHER)
    _runs.finish_work("a-table", key=first["run_key"], run=OTHER, state="failed", model_arn=None)
    aws.bedrock.jobs[first["request"]["JobName"]] = {"status": "Completed", "model": MODEL}
    aws.bedrock.models = {MODEL: BASE} if exists else {}

    assert _start()["decision"] == decision


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("training", "about to start its job"),
        ("awaiting-approval", "waits for approval of its price"),
    ],
)
def test_work_without_a_job_belongs_to_its_run_as_long_as_that_runs(
    status: str, words: str, aws: Aws
) -> None:
    """However long its approval takes: two runs never pay for the same work."""
    _start(OTHER)
    aws.runs(OTHER)
    _runs.update_run("a-table", OTHER, status=status)

    found = _start()

    assert (found["decision"], found["holder"]) == ("in-progress", OTHER)
    assert words in found["reason"]


@pytest.mark.slow
@pytest.mark.parametrize("status", ["ABORTED", "TIMED_OUT", "FAILED", "SUCCEEDED"])
@pytest.mark.parametrize("waits", ["training", "awaiting-approval"])
def test_work_of_a_run_that_ended_without_a_job_is_free_at_once(
    status: str, waits: str, aws: Aws
) -> None:
    """An aborted execution releases nothing; its approval would have had a week."""
    key = _start(OTHER)["run_key"]
    aws.runs(OTHER, status=status)
    _runs.update_run("a-table", OTHER, status=waits)

    assert _start()["decision"] == "start"
    assert aws.dynamodb.item(f"key#{key}")["run"] == RUN


def test_work_of_an_execution_that_nobody_knows_any_more_is_free(aws: Aws) -> None:
    _start(OTHER)
    aws.runs(OTHER)
    aws.stepfunctions.statuses.clear()

    assert _start()["decision"] == "start"


def test_a_job_that_an_execution_started_just_before_it_ended_is_seen(aws: Aws) -> None:
    """Asked in the other order, it could be started between the two answers."""
    job = _start(OTHER)["request"]["JobName"]
    aws.runs(OTHER, status="ABORTED")

    def started_meanwhile(operation: str, carry_out: Callable[[], Any]) -> Any:
        answer = carry_out()
        if operation == "DescribeExecution":
            aws.bedrock.jobs[job] = {"status": "InProgress"}
        return answer

    aws.stepfunctions.around = started_meanwhile

    assert _start()["decision"] == "in-progress"


def test_a_run_whose_job_could_not_be_prepared_has_noted_what_its_end_releases(aws: Aws) -> None:
    aws.s3.refuse("HeadObject", "403", "Forbidden")

    with pytest.raises(DeniedError):
        _start()

    key = aws.run(RUN)["run_key"]
    assert aws.dynamodb.item(f"key#{key}")["run"] == RUN


def test_work_that_was_taken_over_is_ours_even_if_the_answer_was_lost(aws: Aws) -> None:
    """boto3 asks again, and the condition fails against what its first request wrote."""
    key = _start(OTHER)["run_key"]
    _work(aws, key, state="failed")
    aws.dynamodb.around = _twice("PutItem", after=1)

    found = _start()

    assert found["decision"] == "start"
    assert found["request"]["ClientRequestToken"] == f"{key}-2"


def _twice(operation: str, *, after: int) -> Callable[[str, Callable[[], Any]], Any]:
    """Carries an operation out twice in a row, once so many were carried out once."""
    seen = []

    def around(name: str, carry_out: Callable[[], Any]) -> Any:
        if name == operation:
            seen.append(name)
            if len(seen) == after + 1:
                carry_out()
        return carry_out()

    return around


def test_of_two_runs_that_take_over_only_one_wins(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = _start(OTHER)["run_key"]
    _work(aws, key, state="failed")
    taken = start_job._same_work

    def another_was_faster(*arguments: Any, **named: Any) -> Any:
        _work(aws, key, run="20261121-100000-cccccc")
        return taken(*arguments, **named)

    monkeypatch.setattr(start_job, "_same_work", another_was_faster)

    found = _start()

    assert found == {"decision": "in-progress", "reason": "another run was faster"}


def test_trouble_while_asking_bedrock_is_no_answer(aws: Aws) -> None:
    key = _start(OTHER)["run_key"]
    _runs.finish_work("a-table", key=key, run=OTHER, state="trained", model_arn=MODEL)
    aws.bedrock.refuse("GetCustomModel", "AccessDeniedException")

    with pytest.raises(ClientError, match="AccessDeniedException"):
        _start()

    assert aws.dynamodb.item(f"key#{key}")["run"] == OTHER


def test_a_copy_that_fails_is_told_as_a_missing_permission_only_when_it_is_one(aws: Aws) -> None:
    aws.s3.refuse("HeadObject", "503", "Slow Down")

    with pytest.raises(ClientError, match="Slow Down"):
        _start()
