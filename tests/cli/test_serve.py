"""Serving a published model again: shown with its price, agreed to, never beside what is served."""

import json
from datetime import UTC, datetime

import pytest

from bedrock_tuning.client import endpoints, executions
from bedrock_tuning.config.customization import CustomizationSettings, load
from tests.cli.conftest import Run
from tests.cli.support import WORKFLOW, StubbedAws
from tests.cli.test_one_run import OURS, throughput

MODEL = "arn:aws:bedrock:us-east-1:000000000000:custom-model/amazon.titan-embed-image-v1:0/abcdefg"
OTHER = MODEL.replace("abcdefg", "hijklmn")
EARLIER = "20261120-093000-aaaaaa"
RUN = "20261122-093000-serve-abcdef"
# As it is shown, so that it is known later what was agreed to.
PRICE = "\n".join(
    [
        "1 model unit, a lease of 8 h",
        *(
            f"Provisioned Throughput per {time}: unknown: "
            "no published price for Titan Multimodal Embeddings G1"
            for time in ("hour", "day", "month")
        ),
    ]
)
EXECUTION = f"{WORKFLOW.replace(':stateMachine:', ':execution:')}:{RUN}"


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executions, "started_now", lambda what: RUN.replace("serve", what))
    # While the lease of OURS runs.
    monkeypatch.setattr(endpoints, "_now", lambda: datetime(2026, 11, 21, 17, 29, tzinfo=UTC))


@pytest.fixture
def again(run: Run) -> Run:
    """Serves pets-search again, with some options."""

    def runner(*options: object) -> object:
        return run("serve", "pets-search", *options)

    return runner  # type: ignore[return-value]


def _servable(
    aws: StubbedAws,
    *tags: dict[str, str],
    status: str = "InService",
    **changed: CustomizationSettings,
) -> None:
    aws.deployed(**changed)
    aws.points("model", MODEL)
    aws.points("serving", "deployed")
    throughput(aws, *tags, status=status)


def _started(
    aws: StubbedAws, *, model: str = MODEL, chosen: bool = False, price: str = PRICE
) -> None:
    """chosen: by --run; else the pointer says which run trained the model."""
    if not chosen:
        aws.points("run", EARLIER)
    serving = {
        "customization": "pets-search",
        "run": RUN,
        "started_by": "person",
        "model_arn": model,
        "model_run": EARLIER,
        "price": price,
    }
    aws.answer(
        "stepfunctions",
        "start_execution",
        {"executionArn": EXECUTION, "startDate": "2026-11-22T09:30:00Z"},
        {"stateMachineArn": WORKFLOW, "name": RUN, "input": json.dumps({"serving": serving})},
    )


def _customized(text: str) -> CustomizationSettings:
    whole = f'description = "Pets"\nbase_model = "nova-micro"\n[serving]\n{text}\n'
    return load(whole, file="customizations/pets-search.toml")


def test_the_workflow_is_started_at_its_serving_part(again: Run, aws: StubbedAws) -> None:
    _servable(aws)
    _started(aws)

    result = again("--yes")

    assert result.exit_code == 0
    assert EXECUTION in result.stderr
    assert f"tuning run {RUN}" in result.stderr


def test_what_will_be_billed_is_shown_before_anybody_agrees(again: Run, aws: StubbedAws) -> None:
    _servable(aws)

    result = again()

    assert result.exit_code == 2
    assert MODEL in result.stderr
    assert "1 model unit, a lease of 8 h" in result.stderr
    assert "Provisioned Throughput per hour: unknown" in result.stderr
    assert "--yes" in result.stderr


def test_as_json_the_run_and_its_execution_are_told(again: Run, aws: StubbedAws) -> None:
    _servable(aws)
    _started(aws)

    assert json.loads(again("--yes", "--json").stdout) == {
        "customization": "pets-search",
        "run": RUN,
        "model": MODEL,
        "execution": EXECUTION,
    }


def test_an_endpoint_that_failed_serves_nothing(again: Run, aws: StubbedAws) -> None:
    _servable(aws, {**OURS, "bedrock-tuning:customization": "pets-search"}, status="Failed")
    _started(aws)

    assert again("--yes").exit_code == 0


@pytest.mark.parametrize("neighbour", [{}, {**OURS, "bedrock-tuning:customization": "pets-style"}])
def test_what_serves_others_does_not_matter(
    neighbour: dict[str, str], again: Run, aws: StubbedAws
) -> None:
    _servable(aws, neighbour)
    _started(aws)

    assert again("--yes").exit_code == 0


def test_without_a_published_model_nothing_can_be_served(again: Run, aws: StubbedAws) -> None:
    aws.deployed()
    aws.points("model", None)

    result = again("--yes")

    assert result.exit_code == 2
    assert "no model of pets-search is published in dev" in result.stderr
    assert "tuning upload" in result.stderr


def test_without_its_serving_stack_nothing_can_be_served(again: Run, aws: StubbedAws) -> None:
    aws.deployed()
    aws.points("model", MODEL)
    aws.points("serving", None)

    result = again("--yes")

    assert result.exit_code == 2
    assert "cdk deploy tuning-dev-pets-search" in result.stderr


def test_what_is_served_is_not_paid_for_twice(again: Run, aws: StubbedAws) -> None:
    _servable(aws, {**OURS, "bedrock-tuning:customization": "pets-search"})

    result = again("--yes")

    assert result.exit_code == 2
    assert "pets-search is already served" in result.stderr
    assert "tuning serve pets-search --run RUN" in result.stderr
    assert "provisioned-model/" in result.stderr


def test_what_is_about_to_be_deleted_is_not_taken_for_served(
    again: Run, aws: StubbedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoints, "_now", lambda: datetime(2026, 11, 21, 17, 31, tzinfo=UTC))
    _servable(aws, {**OURS, "bedrock-tuning:customization": "pets-search"})

    result = again("--yes")

    assert result.exit_code == 2
    assert "the lease of pt-0 has ended" in result.stderr
    assert "extend its lease: tuning lease pets-search --hours N" in result.stderr


def _ran(aws: StubbedAws, *, customization: str = "pets-search", model: str | None) -> None:
    aws.deployed()
    values = {"model_arn": model} if model else {}
    aws.has_run(run=EARLIER, customization=customization, status="serving-failed", **values)


def _exists(aws: StubbedAws, model: str) -> None:
    found = {"modelArn": model, "modelName": "m", "creationTime": "2026-11-20T00:00:00Z"}
    aws.answer("bedrock", "get_custom_model", found, {"modelIdentifier": model})


def test_the_model_of_an_earlier_run_takes_the_place_of_what_is_served(
    again: Run, aws: StubbedAws
) -> None:
    _ran(aws, model=OTHER)
    _exists(aws, OTHER)
    aws.points("model", MODEL)
    aws.points("serving", "deployed")
    throughput(aws, {**OURS, "bedrock-tuning:customization": "pets-search"})
    _started(aws, model=OTHER, chosen=True)

    result = again("--run", EARLIER, "--yes")

    assert result.exit_code == 0, result.stderr
    assert f"serves {MODEL} now and will be switched to the other model" in result.stderr
    assert f"{OTHER} will be served" in result.stderr


def test_a_model_that_was_trained_and_never_published_can_be_served(
    again: Run, aws: StubbedAws
) -> None:
    _ran(aws, model=OTHER)
    _exists(aws, OTHER)
    aws.points("model", None)
    aws.points("serving", "deployed")
    throughput(aws)
    _started(aws, model=OTHER, chosen=True)

    assert again("--run", EARLIER, "--yes").exit_code == 0


def test_a_job_that_outlived_its_run_has_a_model_to_serve(again: Run, aws: StubbedAws) -> None:
    aws.deployed()
    aws.has_run(run=EARLIER, customization="pets-search", status="failed", job_name="dev-pets-1")
    job = {
        "jobArn": "arn:aws:bedrock:us-east-1:000000000000:model-customization-job/a/b",
        "jobName": "dev-pets-1",
        "status": "Completed",
        "outputModelArn": OTHER,
        "outputModelName": "m",
        "roleArn": "arn:aws:iam::000000000000:role/r",
        "creationTime": "2026-11-20T00:00:00Z",
        "baseModelArn": "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-micro-v1:0",
        "trainingDataConfig": {"s3Uri": "s3://a/b"},
        "validationDataConfig": {"validators": []},
        "outputDataConfig": {"s3Uri": "s3://a/b"},
    }
    aws.answer("bedrock", "get_model_customization_job", job, {"jobIdentifier": "dev-pets-1"})
    _exists(aws, OTHER)
    aws.points("model", None)
    aws.points("serving", "deployed")
    throughput(aws)
    _started(aws, model=OTHER, chosen=True)

    assert again("--run", EARLIER, "--yes").exit_code == 0


def test_a_run_without_a_model_of_this_customization_is_refused(
    again: Run, aws: StubbedAws
) -> None:
    _ran(aws, model=None)
    result = again("--run", EARLIER, "--yes")
    assert result.exit_code == 2
    assert f"run {EARLIER} has no model: it is serving-failed" in result.stderr

    _ran(aws, customization="pets-style", model=OTHER)
    result = again("--run", EARLIER, "--yes")
    assert result.exit_code == 2
    assert f"run {EARLIER} belongs to pets-style, not to pets-search" in result.stderr


def test_a_model_that_was_deleted_is_refused_before_anything_starts(
    again: Run, aws: StubbedAws
) -> None:
    _ran(aws, model=OTHER)
    aws.stub("bedrock").add_client_error("get_custom_model", "ResourceNotFoundException")

    result = again("--run", EARLIER, "--yes")

    assert result.exit_code == 2
    assert f"the model of run {EARLIER} was deleted" in result.stderr


def test_a_customization_that_is_not_to_be_served_is_refused_before_anything_is_asked(
    again: Run, aws: StubbedAws
) -> None:
    aws.deployed(pets_search=_customized('mode = "none"'))

    result = again("--yes")

    assert result.exit_code == 2
    assert "its serving mode is none" in result.stderr
    assert "customizations/pets-search.toml" in result.stderr


@pytest.mark.parametrize(("endpoint", "code"), [(None, 0), ("arn:a-deployment", 2)])
def test_on_demand_deployments_are_known_by_their_pointer(
    endpoint: str | None, code: int, again: Run, aws: StubbedAws
) -> None:
    _servable(aws, pets_search=_customized('mode = "on-demand"\nsmoke_text = "a dog"'))
    aws.points("endpoint", endpoint)
    if code == 0:
        _started(aws, price="on demand: billed per request, nothing by the hour")

    result = again("--yes")

    assert result.exit_code == code
    assert ("nothing by the hour" if code == 0 else "arn:a-deployment") in result.stderr
