"""Serving, driven as the workflow drives it, against a Bedrock whose changes take time."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bedrock_tuning.config.customization import CustomizationSettings
from lambdas import serve
from lambdas._serving import _endpoints
from tests.lambdas.aws import OUTPUT, Aws, settings
from tests.lambdas.bedrock import OTHER_BASE, TAGS, model_arn
from tests.lambdas.flow import DEPLOYMENT, NAME, NEW, OLD, RUN, STATE, Flow
from tests.support.pictures import png

pytestmark = pytest.mark.usefixtures("trained")


def test_a_first_model_gets_an_endpoint_that_is_proved_before_it_is_published(
    aws: Aws, flow: Flow
) -> None:
    ended = flow.run()

    assert ended["step"] == "served"
    assert flow.steps == [
        "Serve",
        "Next step?",
        "Wait for endpoint",
        "Serve",
        "Next step?",
        "Smoke test",
        "Proved?",
        "Evaluate",
        "Good enough?",
        "Publish endpoint",
        "Published?",
    ]
    assert aws.pointer("model") == NEW
    assert aws.pointer("endpoint") == ended["endpoint_arn"]
    assert ended["embedding_length"] == 1024


def test_an_endpoint_is_bought_under_a_name_a_token_and_tags_of_its_own(
    aws: Aws, flow: Flow
) -> None:
    flow.run()

    (bought,) = aws.bedrock.asked("CreateProvisionedModelThroughput")
    assert bought["modelId"] == NEW
    assert bought["modelUnits"] == 1
    assert "commitmentDuration" not in bought
    assert bought["provisionedModelName"].startswith("dev-pets-search-")
    tags = {tag["key"]: tag["value"] for tag in bought["tags"]}
    assert tags.pop("bedrock-tuning:expires") > datetime.now(UTC).isoformat()
    assert tags == {**TAGS, "bedrock-tuning:run": RUN, "team": "pets"}


def test_the_lease_begins_anew_when_the_endpoint_is_published(aws: Aws, flow: Flow) -> None:
    ended = flow.run()

    end = datetime.fromisoformat(ended["expires"])
    assert timedelta(hours=7.9) < end - datetime.now(UTC) <= timedelta(hours=8)
    assert aws.bedrock.only["tags"]["bedrock-tuning:expires"] == ended["expires"]
    assert ended["expires"] in ended["lease"]


def test_a_lease_is_prolonged_when_a_newer_model_moves_in(aws: Aws, flow: Flow) -> None:
    arn = aws.bedrock.have(
        model=OLD, tags={**TAGS, "bedrock-tuning:expires": "2026-11-21T00:00:00Z"}
    )

    ended = flow.run()

    assert aws.bedrock.endpoints[arn]["tags"]["bedrock-tuning:expires"] == ended["expires"]


def test_after_its_lease_has_ended_a_model_is_served_by_a_new_endpoint(
    aws: Aws, flow: Flow
) -> None:
    """By the old token Bedrock would answer with the endpoint that was deleted."""
    first = flow.run()["endpoint_arn"]
    del aws.bedrock.endpoints[first]

    ended = flow.run(run="20261122-093000-bbbbbb")

    assert ended["step"] == "served"
    assert ended["endpoint_arn"] in aws.bedrock.endpoints


def test_the_answer_to_the_smoke_test_is_kept_with_its_picture(
    aws: Aws, flow: Flow, customize: Callable[..., CustomizationSettings]
) -> None:
    customize(base_model=customize("pets-style").base_model)
    drawn = png(64, 64)
    answer = {"images": [base64.b64encode(drawn).decode()]}
    aws.bedrock_runtime.reply = json.dumps(answer).encode()
    served = flow.run()
    assert served["step"] == "served"
    folder = f"reports/pets-search/{served['run']}/"
    kept = json.loads(aws.s3.objects.body(OUTPUT, f"{folder}smoke.json"))
    assert datetime.now(UTC) - datetime.fromisoformat(kept.pop("at")) < timedelta(minutes=5)
    assert kept == {
        "asked": "a dog",
        "passed": True,
        "detail": served["smoke"],
        "text": "",
        "picture": "smoke.png",
        "endpoint": served["endpoint_arn"],
    }
    assert aws.s3.objects.body(OUTPUT, f"{folder}smoke.png") == drawn


def test_an_answer_that_fails_the_smoke_test_is_kept_as_well(aws: Aws, flow: Flow) -> None:
    aws.bedrock_runtime.reply = b'{"embedding": [0, 0]}'
    failed = flow.run()
    assert failed["step"] == "failed"
    body = aws.s3.objects.body(OUTPUT, f"reports/pets-search/{failed['run']}/smoke.json")
    kept = json.loads(body)
    assert (kept["passed"], kept["picture"]) == (False, "")
    assert f"the smoke test failed: {kept['detail']}" in failed["reason"]


def test_the_smoke_test_asks_the_new_endpoint_in_the_customizations_words(
    aws: Aws, flow: Flow
) -> None:
    ended = flow.run()

    (asked,) = aws.bedrock_runtime.asked("InvokeModel")
    assert asked["modelId"] == ended["endpoint_arn"]
    assert json.loads(asked["body"])["inputText"] == "a dog"
    assert (asked["contentType"], asked["accept"]) == ("application/json",) * 2


def test_a_repeated_create_buys_no_second_endpoint(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer to the first call was lost, and Step Functions calls again, an hour later."""
    event = {"action": "serve", "serving": STATE, "settings": settings()}
    create = _endpoints.create

    def lost(request: str) -> str:
        monkeypatch.setattr(_endpoints, "create", create)
        create(request)
        raise TimeoutError("no answer")

    monkeypatch.setattr(_endpoints, "create", lost)
    with pytest.raises(TimeoutError):
        serve.handler(event, None)
    aws.bedrock.unlisted = set(aws.bedrock.endpoints)

    again = serve.handler(event, None)

    assert list(aws.bedrock.endpoints) == [again["created_arn"]]
    once, repeated = aws.bedrock.asked("CreateProvisionedModelThroughput")
    assert once == repeated


def test_another_model_is_swapped_into_the_endpoint_that_there_is(aws: Aws, flow: Flow) -> None:
    arn = aws.bedrock.have(model=OLD)

    ended = flow.run()

    assert ended["step"] == "served"
    assert aws.bedrock.endpoints[arn]["model"] == NEW
    assert list(aws.bedrock.endpoints) == [arn]
    assert ended["endpoint_arn"] == arn
    assert len(aws.bedrock.asked("UpdateProvisionedModelThroughput")) == 1


def test_blue_green_proves_a_model_on_an_endpoint_of_its_own_while_the_old_one_serves(
    aws: Aws, flow: Flow, customize: Callable[..., Any]
) -> None:
    customize(serving={"strategy": "blue-green"})
    before = flow.run(model_arn=OLD)["endpoint_arn"]
    seen: list[tuple[str | None, str]] = []
    for step in ("Smoke test", "Publish endpoint"):
        flow.at[step] = lambda: seen.append(
            (aws.pointer("endpoint"), aws.bedrock.endpoints[before]["model"])
        )

    ended = flow.run(run="20261121-103000-bbbbbb")

    assert seen == [(before, OLD), (before, OLD)]
    assert ended["step"] == "served"
    assert aws.pointer("endpoint") == ended["endpoint_arn"] != before
    assert list(aws.bedrock.endpoints) == [ended["endpoint_arn"]]
    assert aws.bedrock.asked("UpdateProvisionedModelThroughput") == []


def test_a_model_that_fails_its_test_leaves_a_blue_green_endpoint_as_it_is(
    aws: Aws, flow: Flow, customize: Callable[..., Any]
) -> None:
    customize(serving={"strategy": "blue-green"})
    before = flow.run(model_arn=OLD)["endpoint_arn"]
    aws.bedrock_runtime.reply = b'{"embedding": []}'

    ended = flow.run(run="20261121-103000-bbbbbb")

    assert ended["step"] == "failed"
    assert list(aws.bedrock.endpoints) == [aws.pointer("endpoint")] == [before]
    assert (aws.bedrock.only["model"], aws.pointer("model")) == (OLD, OLD)
    assert aws.bedrock.asked("UpdateProvisionedModelThroughput") == []


def test_an_endpoint_with_other_units_is_replaced_and_goes_only_after_the_new_one_is_published(
    aws: Aws, flow: Flow
) -> None:
    old = aws.bedrock.have(model=OLD, units=2)
    published: list[Any] = []
    flow.at["Publish endpoint"] = lambda: published.append(list(aws.bedrock.endpoints))

    ended = flow.run()

    assert ended["step"] == "served"
    assert published == [[old, ended["endpoint_arn"]]]
    assert list(aws.bedrock.endpoints) == [ended["endpoint_arn"]]


def test_a_commitment_of_other_units_is_kept_and_used(aws: Aws, flow: Flow) -> None:
    arn = aws.bedrock.have(
        model=OLD, units=2, commitment="OneMonth", until=datetime.now(UTC) + timedelta(days=9)
    )

    ended = flow.run()

    assert (ended["step"], ended["endpoint_arn"]) == ("served", arn)
    assert aws.bedrock.endpoints[arn]["model"] == NEW
    assert aws.bedrock.asked("CreateProvisionedModelThroughput") == []
    # A commitment has an end of its own, so it gets no lease.
    assert ended["expires"] is None


def test_a_commitment_on_another_base_is_kept_beside_the_new_endpoint(aws: Aws, flow: Flow) -> None:
    aws.bedrock.models[model_arn(3)] = OTHER_BASE
    arn = aws.bedrock.have(
        model=model_arn(3),
        commitment="SixMonths",
        until=datetime.now(UTC) + timedelta(days=9),
    )

    ended = flow.run()

    assert ended["step"] == "served"
    assert ended["endpoint_arn"] != arn
    assert arn in aws.bedrock.endpoints
    assert aws.bedrock.asked("DeleteProvisionedModelThroughput") == []
    assert "Wait for endpoint" not in flow.steps[flow.steps.index("Publish endpoint") :]
    assert flow.steps.count("Publish endpoint") == 1


def test_a_commitment_that_is_over_is_replaced_and_deleted(aws: Aws, flow: Flow) -> None:
    """It is billed by the hour from then on, and nothing else would end that."""
    arn = aws.bedrock.have(
        model=OLD, commitment="OneMonth", until=datetime.now(UTC) - timedelta(days=1)
    )

    ended = flow.run()

    assert ended["step"] == "served"
    assert arn not in aws.bedrock.endpoints


def test_endpoints_of_others_are_left_alone(aws: Aws, flow: Flow) -> None:
    others = [
        aws.bedrock.have(model=OLD, tags={}),
        aws.bedrock.have(model=OLD, tags={**TAGS, "bedrock-tuning:environment": "prod"}),
        aws.bedrock.have(model=OLD, tags={**TAGS, "bedrock-tuning:customization": "pets-style"}),
    ]
    before = {arn: dict(aws.bedrock.endpoints[arn]) for arn in others}
    aws.bedrock.page = 1

    ended = flow.run()

    assert ended["step"] == "served"
    assert {arn: aws.bedrock.endpoints[arn] for arn in others} == before


def test_an_endpoint_that_no_listing_shows_yet_is_waited_for(aws: Aws, flow: Flow) -> None:
    """Bedrock's listings lag behind; a second endpoint would be billed beside the first."""

    def lagging() -> None:
        aws.bedrock.unlisted = set(aws.bedrock.endpoints)

    flow.at["Wait for endpoint"] = lagging

    ended = flow.run()

    assert ended["step"] == "served"
    assert len(aws.bedrock.asked("CreateProvisionedModelThroughput")) == 1


@pytest.mark.parametrize("units", [1, 2])
def test_a_run_in_flight_buys_and_changes_nothing_after_its_serving_stack_was_deleted(
    units: int, aws: Aws, flow: Flow
) -> None:
    """Nothing would end the billing with the stack. The model waits for the next deployment."""
    before = aws.bedrock.have(model=OLD, units=units)
    del aws.ssm.values[f"/bedrock-tuning/dev/{NAME}/serving"]

    ended = flow.run()

    assert ended["step"] == "unserved"
    assert f"parameter /bedrock-tuning/dev/{NAME}/serving, which the serv" in ended["reason"]
    assert "What to do: cdk deploy tuning-dev-pets-search" in ended["reason"]
    assert list(aws.bedrock.endpoints) == [before]
    assert aws.bedrock.endpoints[before]["wanted"] == OLD
    assert (aws.pointer("model"), aws.pointer("run")) == (NEW, RUN)


def test_an_older_model_whose_job_ends_last_is_kept_and_changes_nothing(
    aws: Aws, flow: Flow
) -> None:
    newer = flow.run()

    ended = flow.run(run="20261121-092959-ffffff", model_arn=OLD)

    assert ended["step"] == "unserved"
    assert f"run {RUN} is newer" in ended["reason"]
    assert OLD in ended["reason"]
    assert (aws.pointer("model"), aws.pointer("run")) == (NEW, RUN)
    assert aws.bedrock.only["wanted"] == NEW
    assert aws.pointer("endpoint") == newer["endpoint_arn"]


def test_a_deployment_serves_what_is_published_and_the_run_that_made_it_stays_known(
    aws: Aws, flow: Flow
) -> None:
    flow.run()
    aws.bedrock.only["model"] = OLD

    ended = flow.run(**DEPLOYMENT)

    assert ended["step"] == "served"
    assert (aws.pointer("model"), aws.pointer("run")) == (NEW, RUN)
    assert flow.run(run="20261123-093000-cccccc", model_arn=OLD)["step"] == "served"
