"""A customization gets another name: what it has goes along, whatever happens in between."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.config.deployed import text, to_settings
from bedrock_tuning.serving.intent import Begun, Intent, Published
from lambdas import admit, keep_leases, provisioned_throughput
from lambdas._deploying import _cloudformation
from lambdas._records import _runs
from tests.lambdas.aws import PREFIX, ROLE, SETTINGS, TRAINING, VALIDATION, Aws, settings
from tests.lambdas.bedrock import BASE, model_arn
from tests.lambdas.cloudformation import CloudFormation
from tests.lambdas.fakes import DEPLOYED
from tests.lambdas.flow import Flow

MODEL, OLD, NEW = model_arn(1), "pets-search", "animals"
RUN = "20261121-093000-3f9a1c"
BY = "bedrock-tuning:customization"


@pytest.fixture
def new(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, customize: Callable[..., CustomizationSettings]
) -> CloudFormation:
    """The stack of the new name; the old one is deployed, serves a model and has ended a run."""
    properties = {"Customization": NEW, "RenamedFrom": OLD, "OnDelete": "delete"}
    made = CloudFormation(aws, provisioned_throughput.handler, properties, "any")
    monkeypatch.setattr(_cloudformation.urllib3, "PoolManager", lambda: made)
    renamed = replace(customize(), name=NEW, renamed_from=OLD)
    roles = {"service_role": ROLE, "starter_role": ROLE}
    monkeypatch.setitem(DEPLOYED, f"{SETTINGS}/{NEW}", text(to_settings(renamed) | roles))
    aws.bedrock.models[MODEL] = BASE
    arn = aws.bedrock.have(model=MODEL)
    for name, value in {
        "model": MODEL, "run": RUN, "endpoint": arn, "serving": "deployed"
    }.items():  # fmt: skip
        aws.ssm.values[f"{PREFIX}/{OLD}/{name}"] = value
    aws.dynamodb.items[f"run#{RUN}"] = {
        "id": {"S": f"run#{RUN}"},
        "run": {"S": RUN},
        "customization": {"S": OLD},
        "status": {"S": "served"},
        "model_arn": {"S": MODEL},
    }
    _have(aws, _served(arn))
    return made


def _served(arn: str) -> Intent:
    return Intent(
        customization=OLD,
        generation=4,
        version=1,
        on=True,
        order=RUN,
        owner=RUN,
        model_arn=MODEL,
        model_run=RUN,
        published=Published(endpoint_arn=arn, model_arn=MODEL, model_run=RUN),
    )


def _have(aws: Aws, intent: Intent) -> None:
    aws.dynamodb.items[f"intent#{intent.customization}"] = {
        "id": {"S": f"intent#{intent.customization}"},
        "version": {"N": str(intent.version)},
        "intent": {"S": intent.to_json()},
    }


def _intent(aws: Aws, name: str) -> Intent:
    return Intent.from_json(aws.dynamodb.item(f"intent#{name}")["intent"])


def _bought(aws: Aws) -> int:
    return len(aws.bedrock.asked("CreateProvisionedModelThroughput"))


def test_model_endpoint_pointers_and_runs_go_along(aws: Aws, new: CloudFormation) -> None:
    (arn,) = aws.bedrock.endpoints

    answer = new.ask("Create")

    assert (answer["Status"], answer["Data"]["Status"]) == ("SUCCESS", "ready")
    assert answer["Data"]["ProvisionedModelArn"] == arn
    assert aws.bedrock.only["tags"][BY] == NEW
    assert [aws.pointer(name, NEW) for name in ("model", "run", "endpoint")] == [MODEL, RUN, arn]
    assert aws.run(RUN)["customization"] == NEW
    assert [each["resourceARN"] for each in aws.bedrock.asked("TagResource")] == [arn, MODEL]
    taken = _intent(aws, NEW)
    assert (taken.on, taken.published.endpoint_arn, taken.owner) == (True, arn, "")
    assert aws.stepfunctions.calls == []


def test_a_deployment_on_demand_goes_along_and_what_others_have_does_not(
    aws: Aws, new: CloudFormation
) -> None:
    have = aws.bedrock.have
    mine = have(model=MODEL, kind="custom-model-deployment", status="Active")
    other = have(model=MODEL, tags={**aws.bedrock.endpoints[mine]["tags"], BY: "pets-style"})

    new.ask("Create")

    assert aws.bedrock.endpoints[mine]["tags"][BY] == NEW
    assert aws.bedrock.endpoints[other]["tags"][BY] == "pets-style"


def test_the_old_stack_goes_without_what_it_had(aws: Aws, new: CloudFormation) -> None:
    new.ask("Create")

    answer = new.ask("Delete", Customization=OLD, RenamedFrom="")

    assert (answer["Status"], answer["Reason"]) == (
        "SUCCESS",
        "kept: pets-search is called animals now",
    )
    assert len(aws.bedrock.endpoints) == 1
    assert not [name for name in aws.ssm.values if name.startswith(f"{PREFIX}/{OLD}/")]
    assert aws.pointer("endpoint", NEW) in aws.bedrock.endpoints


@pytest.mark.parametrize("refused", ["TagResource", "PutParameter", "UpdateItem", "PutItem"])
def test_a_deployment_that_fails_in_between_is_finished_by_the_next(
    refused: str, aws: Aws, new: CloudFormation
) -> None:
    (arn,) = aws.bedrock.endpoints
    for after in range(3):
        for service in (aws.bedrock, aws.ssm, aws.dynamodb):
            if hasattr(service, refused):
                service.refuse(refused, "AccessDeniedException", after=after)
        new.ask("Create")
        for service in (aws.bedrock, aws.ssm, aws.dynamodb):
            service.orders.clear()

    assert new.ask("Create")["Data"]["Status"] == "ready"
    assert aws.run(RUN)["customization"] == NEW
    assert aws.bedrock.only["tags"][BY] == NEW
    assert aws.pointer("endpoint", NEW) == arn
    assert _intent(aws, OLD).renamed_to == NEW


def test_a_new_stack_that_goes_first_gives_everything_back(aws: Aws, new: CloudFormation) -> None:
    """A deployment that fails, or a renaming that was none."""
    (arn,) = aws.bedrock.endpoints
    new.ask("Create")

    answer = new.ask("Delete")

    assert answer["Reason"] == "kept: animals is called pets-search now"
    assert aws.bedrock.only["tags"][BY] == OLD
    assert (aws.pointer("endpoint"), aws.pointer("endpoint", NEW)) == (arn, None)
    assert aws.run(RUN)["customization"] == OLD
    assert _intent(aws, OLD).on
    # And again: the same way forth.
    assert new.ask("Create")["Data"]["Status"] == "ready"
    assert aws.bedrock.only["tags"][BY] == NEW


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"until": "2999-01-01T00:00:00Z"}, "while its endpoint is being changed"),
        ({"begun": Begun(request="{}")}, "while its endpoint is being changed"),
    ],
)
def test_an_endpoint_that_is_being_changed_is_waited_for(
    changes: dict[str, Any], said: str, aws: Aws, new: CloudFormation
) -> None:
    _have(aws, replace(_intent(aws, OLD), **changes))

    answer = new.ask("Create")

    assert answer["Status"] == "FAILED"
    assert said in answer["Reason"]
    assert aws.bedrock.only["tags"][BY] == OLD


@pytest.mark.parametrize(("others", "moved"), [(1, True), (4, True), (5, False)])
def test_a_renaming_tries_five_times_to_write_what_others_write_at_the_same_moment(
    others: int, moved: bool, aws: Aws, new: CloudFormation
) -> None:
    (arn,) = aws.bedrock.endpoints
    aws.dynamodb.refuse("PutItem", "ConditionalCheckFailedException", times=others)

    answer = new.ask("Create")

    assert answer["Status"] == ("SUCCESS" if moved else "FAILED")
    assert moved or "the intents of pets-search and animals keep changing" in answer["Reason"]
    assert aws.bedrock.only["tags"][BY] == (NEW if moved else OLD)
    assert _intent(aws, OLD).renamed_to == (NEW if moved else "")
    assert _intent(aws, NEW if moved else OLD).published.endpoint_arn == arn


def test_a_run_that_has_not_ended_is_waited_for(aws: Aws, new: CloudFormation) -> None:
    _runs.start_run("a-table", run="20261122-090000-aaaaaa", customization=OLD, status="checking")

    answer = new.ask("Create")

    assert answer["Status"] == "FAILED"
    assert "a run of it has not ended: 20261122-090000-aaaaaa" in answer["Reason"]
    assert aws.bedrock.only["tags"][BY] == OLD
    # Somebody stops the run. The new stack is gone by then, so nothing may move to it.
    _runs.update_run("a-table", "20261122-090000-aaaaaa", status="failed")
    new.minutes_later()
    assert aws.bedrock.only["tags"][BY] == OLD
    assert _intent(aws, OLD).renamed_to == ""


def test_what_the_new_name_serves_itself_is_not_given_up(aws: Aws, new: CloudFormation) -> None:
    other = aws.bedrock.have(model=MODEL, tags={BY: NEW})
    _have(aws, replace(_served(other), customization=NEW))

    answer = new.ask("Create")

    assert answer["Status"] == "FAILED"
    assert f"which serves {other}" in answer["Reason"]
    assert _intent(aws, OLD).on


def test_nothing_is_trained_or_served_under_the_old_name(
    aws: Aws, new: CloudFormation, flow: Flow
) -> None:
    new.ask("Create")

    for bucket in (VALIDATION, TRAINING):
        version = aws.s3.objects.put(bucket, f"{OLD}/manifest.jsonl", b"{}")
    uploaded = {"key": f"{OLD}/manifest.jsonl", "version-id": version}
    admitted = admit.handler(
        {
            "event": {"detail": {"bucket": {"name": TRAINING}, "object": uploaded}},
            "settings": settings(OLD),
            "execution": "e1",
            "started": "2026-11-23T09:30:00.123Z",
        },
        None,
    )
    ended = flow.run(run="20261123-090000-bbbbbb")

    assert admitted["decision"] == "closed"
    assert admitted["reason"] == (
        "pets-search is called animals now: upload the dataset to animals/"
    )
    assert "pets-search is called animals now" in ended["reason"]
    assert _bought(aws) == 0


def test_the_lease_keeper_leaves_the_endpoint_alone_while_it_changes_hands(
    aws: Aws, new: CloudFormation
) -> None:
    """Between the item and the tag, the endpoint looks as if its customization had ended."""
    tags = aws.bedrock.only["tags"]
    aws.bedrock.only["tags"] = {**tags, "bedrock-tuning:expires": "2999-01-01T00:00:00Z"}
    aws.bedrock.refuse("TagResource", "AccessDeniedException")
    assert new.ask("Create")["Status"] == "FAILED"

    result = keep_leases.handler({}, None)

    assert result["kept"] == list(aws.bedrock.endpoints)
    assert result["deleted"] == []


def test_a_pointer_of_the_old_name_goes_in_silence_with_the_endpoint(
    aws: Aws, new: CloudFormation
) -> None:
    new.ask("Create")
    aws.bedrock.endpoints.clear()

    keep_leases.handler({}, None)

    assert aws.pointer("endpoint") is None
    told = [json.loads(each["Message"])["customization"] for each in aws.sns.asked("Publish")]
    assert told == [NEW]


def test_a_name_that_is_taken_again_begins_anew(aws: Aws, new: CloudFormation) -> None:
    new.ask("Create")
    new.ask("Delete", Customization=OLD, RenamedFrom="")

    left = _intent(aws, OLD).generation

    answer = new.ask("Create", Customization=OLD, RenamedFrom="")

    assert answer["Data"]["Status"] == "pending"
    assert _intent(aws, OLD) == Intent(customization=OLD, generation=left + 1, version=3)
    assert len(aws.bedrock.endpoints) == 1
    assert _intent(aws, NEW).on


def test_a_later_deployment_takes_nothing_back_from_the_old_name(
    aws: Aws, new: CloudFormation
) -> None:
    new.ask("Create")
    aws.ssm.values[f"{PREFIX}/{NEW}/model"] = model_arn(2)
    aws.bedrock.models[model_arn(2)] = BASE

    new.ask("Update", old={"ModelUnits": "2"})

    assert aws.pointer("model", NEW) == model_arn(2)


def test_a_new_stack_whose_old_one_is_gone_goes_with_what_it_has(
    aws: Aws, new: CloudFormation
) -> None:
    new.ask("Create")
    new.ask("Delete", Customization=OLD, RenamedFrom="")

    answer = new.ask("Delete")

    assert (answer["Status"], answer["Reason"]) == ("SUCCESS", "nothing is served now")
    assert aws.bedrock.endpoints == {}
    assert not _intent(aws, NEW).on
