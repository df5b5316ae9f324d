"""The custom resource: it always answers, never waits for a purchase, leaves nothing billing."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from bedrock_tuning.catalogue import catalogue
from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.serving.intent import Intent
from lambdas import provisioned_throughput
from lambdas._records import _intent, _runs
from tests.lambdas.aws import PREFIX, WORKFLOW, Aws
from tests.lambdas.bedrock import TAGS, model_arn
from tests.lambdas.cloudformation import IDENTITY, CloudFormation

MODEL = model_arn(1)
NAME = "pets-search"
RUN = "20261121-093000-3f9a1c"


@pytest.fixture
def published(aws: Aws) -> None:
    aws.ssm.values[f"{PREFIX}/{NAME}/model"] = MODEL


def test_without_a_model_the_resource_is_pending_and_costs_nothing(
    aws: Aws, stack: CloudFormation
) -> None:
    answer = stack.ask("Create")

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", IDENTITY)
    assert answer["Data"]["Status"] == "pending"
    assert answer["Data"]["ProvisionedModelArn"] == ""
    assert aws.stepfunctions.calls == []
    assert aws.bedrock.endpoints == {}


def test_a_price_or_that_none_is_known_is_part_of_the_answer(stack: CloudFormation) -> None:
    assert "Provisioned Throughput per hour: " in stack.ask("Create")["Data"]["Price"]


@pytest.mark.parametrize(
    ("name", "status", "deleted"),
    [
        (f"dev-{NAME}-{RUN}", "InProgress", "FAILED"),
        (f"dev-{NAME}-{RUN}", "Completed", "SUCCESS"),
        (f"dev-{NAME}-more-20261121-093000-3f9a1c", "InProgress", "SUCCESS"),
        (f"prod-dev-{NAME}-20261121-093000-3f9a1c", "InProgress", "SUCCESS"),
    ],
    ids=["running", "ended", "of another customization", "of another environment"],
)
def test_a_stack_whose_job_runs_is_not_deleted(
    aws: Aws, stack: CloudFormation, name: str, status: str, deleted: str
) -> None:
    stack.ask("Create")
    aws.bedrock.jobs[name] = {"status": status}
    answer = stack.ask("Delete")
    assert answer["Status"] == deleted
    if deleted == "FAILED":
        assert f"{name} is running and needs the roles of this stack" in answer["Reason"]
        # It goes on to be deployed: its runs may serve what they train.
        assert aws.ssm.values[f"{PREFIX}/{NAME}/serving"] == "deployed"


@pytest.mark.parametrize(
    ("status", "deleted"),
    [
        ("checking", "FAILED"),
        ("awaiting-approval", "FAILED"),
        ("queued", "FAILED"),
        ("trained", "SUCCESS"),
        ("serving", "SUCCESS"),
    ],
)
def test_a_stack_whose_roles_a_run_will_need_is_not_deleted(
    aws: Aws, stack: CloudFormation, status: str, deleted: str
) -> None:
    """It would be paid for in vain, or fail after somebody has approved it."""
    stack.ask("Create")
    run = {"run": RUN, "customization": NAME, "training_version": "v1"}
    _runs.start_run("a-table", **run, status=status)

    answer = stack.ask("Delete")

    assert answer["Status"] == deleted
    if deleted == "FAILED":
        assert f"run {RUN} is {status} and needs the roles of this stack" in answer["Reason"]
        assert aws.ssm.values[f"{PREFIX}/{NAME}/serving"] == "deployed"
        _runs.close_run("a-table", RUN, status="declined")
        assert stack.ask("Delete")["Status"] == "SUCCESS"


OLD_ROLES = {"ServiceRole": "arn:aws:iam::1:role/a/jobs", "StarterRole": "arn:aws:iam::1:role/a/go"}
NEW_ROLES = {name: arn.replace("/a/", "/b/") for name, arn in OLD_ROLES.items()}
# With `jobs_started_by` = "workflow" there is no starter.
ONE_ROLE = {"ServiceRole": OLD_ROLES["ServiceRole"]}


@pytest.mark.parametrize(
    ("status", "deployed"),
    [("checking", "FAILED"), ("awaiting-approval", "FAILED"), ("serving", "SUCCESS")],
)
@pytest.mark.parametrize(
    ("old", "new"),
    [(OLD_ROLES, NEW_ROLES), (OLD_ROLES, ONE_ROLE)],
    ids=["others", "no starter"],
)
def test_a_deployment_does_not_replace_the_roles_that_a_run_will_need(
    aws: Aws,
    stack: CloudFormation,
    status: str,
    deployed: str,
    old: dict[str, str],
    new: dict[str, str],
) -> None:
    stack.ask("Create", **old)
    run = {"run": RUN, "customization": NAME, "training_version": "v1"}
    _runs.start_run("a-table", **run, status=status)
    assert stack.ask("Update", old={}, **old)["Status"] == "SUCCESS"

    answer = stack.ask("Update", old=old, **new)

    assert answer["Status"] == deployed
    if deployed == "FAILED":
        assert f"run {RUN} is {status} and needs the roles" in answer["Reason"]
        assert answer["Reason"].endswith("then deploy again")
        # CloudFormation rolls back to the roles that are still there.
        assert stack.ask("Update", old=new, **old)["Status"] == "SUCCESS"


def test_a_stack_that_did_not_say_its_roles_yet_is_deployed_beside_a_run(
    aws: Aws, stack: CloudFormation
) -> None:
    stack.ask("Create")
    _runs.start_run(
        "a-table", run=RUN, customization=NAME, training_version="v1", status="checking"
    )
    assert stack.ask("Update", old={}, **OLD_ROLES)["Status"] == "SUCCESS"


USES = "model/a, output/a/*"
OTHER_MODEL, MORE_FOLDERS = "model/b, output/a/*", f"{USES}, training/more/*"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Each call is an hour that goes by."""
    hours = count(10)
    now = [0]

    def goes_on() -> None:
        now[0] = next(hours)

    goes_on()
    monkeypatch.setattr(_runs, "now", lambda: f"2026-11-21T{now[0]}:00:00Z")
    return goes_on


def begin(status: str) -> None:
    _runs.start_run("a-table", run=RUN, customization=NAME, training_version="v1", status=status)


@pytest.mark.parametrize(
    ("status", "uses", "deployed"),
    [
        ("training", OTHER_MODEL, "FAILED"),
        ("training", MORE_FOLDERS, "SUCCESS"),
        ("training", "", "FAILED"),
        ("trained", OTHER_MODEL, "SUCCESS"),
    ],
    ids=["another model", "one more folder", "a role of its owners", "after its job"],
)
def test_a_deployment_takes_nothing_that_the_job_of_an_open_run_uses_and_rolls_back(
    stack: CloudFormation,
    clock: Callable[[], None],
    status: str,
    uses: str,
    deployed: str,
) -> None:
    before, after = {**OLD_ROLES, "Uses": USES}, {**OLD_ROLES, "Uses": uses}
    stack.ask("Create", **before)
    clock()
    begin(status)
    clock()

    answer = stack.ask("Update", old=before, **after)
    assert answer["Status"] == deployed, answer
    # Another resource may fail, also after this one succeeded.
    assert stack.ask("Update", old=after, **before)["Status"] == "SUCCESS"
    # Whatever was rolled back, the run still has what it needs, and it is known.
    if status == "training":
        changed = {**OLD_ROLES, "Uses": OTHER_MODEL}
        assert stack.ask("Update", old=before, **changed)["Status"] == "FAILED"


def test_a_run_that_began_with_more_keeps_it(
    stack: CloudFormation, clock: Callable[[], None]
) -> None:
    before, after = {**OLD_ROLES, "Uses": USES}, {**OLD_ROLES, "Uses": MORE_FOLDERS}
    stack.ask("Create", **before)
    clock()
    stack.ask("Update", old=before, **after)
    clock()
    begin("training")
    assert stack.ask("Update", old=after, **before)["Status"] == "FAILED"


def test_an_earlier_version_published_roles_only_and_no_time(
    aws: Aws, stack: CloudFormation
) -> None:
    published = " ".join(OLD_ROLES.values())
    aws.ssm.values[f"{PREFIX}/{NAME}/serving"] = published
    begin("training")
    answer = stack.ask("Update", old={}, **NEW_ROLES, Uses=USES)
    assert answer["Status"] == "FAILED", answer
    answer = stack.ask("Update", old={}, **OLD_ROLES, Uses=USES)
    assert answer["Status"] == "SUCCESS", answer


@pytest.mark.parametrize(
    ("whose", "deleted"), [(NAME, "FAILED"), ("birds", "SUCCESS")], ids=["its own", "another's"]
)
def test_a_job_with_a_name_of_its_own_is_known_by_its_run(
    aws: Aws, stack: CloudFormation, whose: str, deleted: str
) -> None:
    run = "20261121-093000-3f9a1c"
    name = f"ron-and-smila-{run}"
    stack.ask("Create")
    _runs.start_run("a-table", run=run, customization=whose, status="training", job_name=name)
    aws.bedrock.jobs[name] = {"status": "InProgress"}
    assert stack.ask("Delete")["Status"] == deleted


def test_what_the_older_layout_served_is_kept_when_its_resource_goes(
    aws: Aws, stack: CloudFormation
) -> None:
    """All customizations were in one stack, whose update deletes their resources there."""
    aws.bedrock.have(model=MODEL)
    aws.ssm.values[f"{PREFIX}/{NAME}/serving"] = "deployed"

    answer = stack.ask("Delete", Pointers="endpoint model run serving")

    assert answer["Status"] == "SUCCESS"
    assert "has a stack of its own now" in answer["Reason"]
    assert len(aws.bedrock.endpoints) == 1
    assert aws.pointer("serving") == "deployed"


@pytest.mark.usefixtures("published")
def test_an_environment_of_the_older_layout_keeps_its_endpoint_lease_and_pointers(
    aws: Aws, stack: CloudFormation
) -> None:
    """First the new stacks are made, of one that is served and one that waits; then the resources
    of the old stack are cleaned up.
    """
    end = f"{datetime.now(UTC) + timedelta(hours=3):%Y-%m-%dT%H:%M:%SZ}"
    arn = aws.bedrock.have(model=MODEL, tags={**TAGS, "bedrock-tuning:expires": end})
    aws.ssm.values |= {f"{PREFIX}/{NAME}/endpoint": arn, f"{PREFIX}/{NAME}/run": "a-run"}
    aws.ssm.values |= {f"{PREFIX}/{name}/serving": "deployed" for name in (NAME, "pets-style")}
    before = dict(aws.ssm.values), {arn: dict(aws.bedrock.only)}

    made = [stack.ask("Create", Customization=name) for name in (NAME, "pets-style")]
    for name in (NAME, "pets-style"):
        stack.ask("Delete", Customization=name, Pointers="endpoint model run serving")

    assert [each["Data"]["Status"] for each in made] == ["ready", "pending"]
    assert (aws.ssm.values, aws.bedrock.endpoints) == before
    assert aws.stepfunctions.calls == []


@pytest.mark.usefixtures("published")
def test_a_stack_that_finds_its_endpoint_takes_it_over(aws: Aws, stack: CloudFormation) -> None:
    aws.bedrock.have(model=MODEL)

    answer = stack.ask("Create")

    assert (answer["Status"], answer["Data"]["Status"]) == ("SUCCESS", "ready")
    assert aws.pointer("serving") == "deployed"
    assert aws.stepfunctions.calls == [], "it is already as desired: nothing is done twice"


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_a_deployment_never_begins_to_bill_by_the_hour(
    kind: str, aws: Aws, stack: CloudFormation
) -> None:
    """After a lease that was ended, a destroyed stack or an upgrade: a person says when."""
    answer = stack.ask(kind, old={"LeaseHours": "4"} if kind == "Update" else None)

    assert (answer["Status"], answer["Data"]["Status"]) == ("SUCCESS", "not-serving")
    assert answer["Data"]["Detail"].endswith(f"tuning serve {NAME} -e dev")
    assert aws.stepfunctions.calls == []
    assert aws.bedrock.endpoints == {}


@pytest.mark.usefixtures("published")
def test_a_change_of_what_is_served_is_handed_over_to_the_workflow(
    aws: Aws, stack: CloudFormation
) -> None:
    """It takes longer than a custom resource may."""
    aws.bedrock.have(model=model_arn(9))

    answer = stack.ask("Update")

    assert answer["Data"]["Status"] == "handed-over"
    (started,) = aws.stepfunctions.asked("StartExecution")
    assert started["stateMachineArn"] == WORKFLOW
    serving = json.loads(started["input"])["serving"]
    assert (serving["customization"], serving["started_by"]) == (NAME, "deployment")
    assert re.fullmatch(r"\d{8}-\d{6}-deploy-0a1b2c", serving["run"])
    assert len(aws.bedrock.endpoints) == 1


@pytest.mark.usefixtures("published")
def test_a_request_that_comes_twice_is_handed_over_once(aws: Aws, stack: CloudFormation) -> None:
    """Lambda repeats an asynchronous call whose function died after the hand-over."""
    aws.bedrock.have(model=model_arn(9))
    stack.ask("Create")
    aws.stepfunctions.executions = dict.fromkeys(aws.stepfunctions.executions, "{}")

    assert stack.ask("Create")["Status"] == "SUCCESS"
    assert len(aws.stepfunctions.executions) == 1


@pytest.mark.usefixtures("published")
def test_a_model_that_is_served_as_desired_is_ready(aws: Aws, stack: CloudFormation) -> None:
    arn = aws.bedrock.have(model=MODEL)

    answer = stack.ask("Update")

    assert answer["Data"]["Status"] == "ready"
    assert answer["Data"]["ProvisionedModelArn"] == arn
    assert aws.stepfunctions.calls == []


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    "changes", [{"model": model_arn(9)}, {"units": 2}, {"status": "Creating"}, {"status": "Failed"}]
)
def test_anything_that_has_to_change_is_handed_over(
    changes: dict[str, Any], aws: Aws, stack: CloudFormation
) -> None:
    aws.bedrock.have(**{"model": MODEL, **changes})

    assert stack.ask("Update")["Data"]["Status"] == "handed-over"


@pytest.mark.usefixtures("published")
def test_what_is_too_much_is_handed_over_to_be_retired(aws: Aws, stack: CloudFormation) -> None:
    aws.bedrock.have(model=MODEL)
    aws.bedrock.have(model=MODEL, units=2)

    assert stack.ask("Update")["Data"]["Status"] == "handed-over"


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(("before", "status"), [("16", "handed-over"), ("4", "awaiting-approval")])
def test_another_lease_is_handed_over_to_be_written_and_a_longer_one_to_be_approved(
    before: str, status: str, aws: Aws, stack: CloudFormation
) -> None:
    aws.bedrock.have(model=MODEL)

    assert stack.ask("Update", old={"LeaseHours": before})["Data"]["Status"] == status
    assert len(aws.stepfunctions.executions) == 1


def test_an_update_keeps_its_identity_so_that_cloudformation_deletes_nothing(
    stack: CloudFormation,
) -> None:
    assert stack.ask("Update", old={"ModelUnits": "9"})["PhysicalResourceId"] == IDENTITY


def test_deletion_ends_billing_and_withdraws_the_pointer(aws: Aws, stack: CloudFormation) -> None:
    arn = aws.bedrock.have(model=MODEL)
    other = aws.bedrock.have(
        model=MODEL, tags={**TAGS, "bedrock-tuning:customization": "pets-style"}
    )
    aws.ssm.values[f"{PREFIX}/{NAME}/endpoint"] = arn

    answer = stack.ask("Delete")

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", IDENTITY)
    assert list(aws.bedrock.endpoints) == [other]
    assert aws.pointer("endpoint") is None


def test_deletion_of_a_customization_that_is_in_no_file_any_more_works(
    aws: Aws, stack: CloudFormation
) -> None:
    tags = {**TAGS, "bedrock-tuning:customization": "long-gone"}
    aws.bedrock.have(model=MODEL, tags=tags)

    assert stack.ask("Delete", Customization="long-gone")["Status"] == "SUCCESS"
    assert aws.bedrock.endpoints == {}


def test_deletion_without_anything_to_delete_succeeds(stack: CloudFormation) -> None:
    answer = stack.ask("Delete")

    assert (answer["Status"], answer["Reason"]) == ("SUCCESS", "nothing is served now")


def _intended(**changes: Any) -> Intent:
    written = _intent.write("a-table", Intent(customization=NAME, **changes))
    assert written is not None
    return written


@pytest.mark.parametrize(
    "changes",
    [{"on": True}, {"owner": RUN}, {"on": True, "owner": RUN}],
    ids=["it is served", "a run works on it", "both"],
)
def test_deletion_stops_the_run_that_works_on_the_endpoint_and_no_new_stack_buys_it_again(
    changes: dict[str, Any], stack: CloudFormation
) -> None:
    before = _intended(**changes)

    assert stack.ask("Delete")["Status"] == "SUCCESS"

    after = _intent.stored("a-table", NAME)
    assert after is not None
    assert (after.on, after.owner, after.generation) == (False, "", before.generation + 1)
    assert (after.why, after.by) == ("its stack was deleted", "the deletion")


def test_deletion_leaves_what_was_ended_before_as_it_was(stack: CloudFormation) -> None:
    ended = _intended(why="its lease ended", by="the keeper")

    assert stack.ask("Delete")["Status"] == "SUCCESS"
    assert _intent.stored("a-table", NAME) == ended


@pytest.mark.parametrize(("others", "status"), [(4, "SUCCESS"), (5, "FAILED")])
def test_deletion_tries_five_times_to_end_what_others_write_at_the_same_moment(
    others: int, status: str, aws: Aws, stack: CloudFormation
) -> None:
    _intended(on=True)
    aws.dynamodb.refuse("PutItem", "ConditionalCheckFailedException", times=others)

    assert stack.ask("Delete")["Status"] == status


def test_deletion_keeps_what_is_to_be_retained_and_says_so(aws: Aws, stack: CloudFormation) -> None:
    arn = aws.bedrock.have(model=MODEL)

    answer = stack.ask("Delete", OnDelete="retain")

    assert answer["Status"] == "SUCCESS"
    assert f"on_delete = retain: {arn}" in answer["Reason"]
    assert arn in aws.bedrock.endpoints


def test_a_commitment_does_not_wedge_the_deletion_and_the_reason_says_until_when(
    aws: Aws, stack: CloudFormation
) -> None:
    until = datetime.now(UTC) + timedelta(days=9)
    kept = aws.bedrock.have(model=MODEL, commitment="OneMonth", until=until)
    aws.bedrock.have(model=MODEL)

    answer = stack.ask("Delete")

    assert answer["Status"] == "SUCCESS"
    assert f"{kept} has a commitment (OneMonth) until {until:%Y-%m-%d}" in answer["Reason"]
    assert list(aws.bedrock.endpoints) == [kept]


def test_deletion_waits_for_a_change_to_end(aws: Aws, stack: CloudFormation) -> None:
    aws.bedrock.have(model=MODEL, status="Creating")

    assert stack.ask("Delete")["Status"] == "SUCCESS"
    assert aws.bedrock.endpoints == {}
    assert stack.remaining_ms == 900_000 - 60_000


def test_deletion_that_takes_too_long_fails_in_time_and_names_what_is_still_billed(
    aws: Aws, stack: CloudFormation
) -> None:
    arn = aws.bedrock.have(model=MODEL, status="Updating")
    stack.settles_after = 10_000

    answer = stack.ask("Delete")

    assert answer["Status"] == "FAILED"
    assert f"still billed: {arn}" in answer["Reason"]
    assert "delete the stack again" in answer["Reason"]
    assert 0 < stack.remaining_ms < 30_000


def test_an_endpoint_that_cannot_be_deleted_keeps_no_other_and_is_named(
    aws: Aws, stack: CloudFormation
) -> None:
    first, second = aws.bedrock.have(model=MODEL), aws.bedrock.have(model=MODEL)
    aws.bedrock.refuse("DeleteProvisionedModelThroughput", "AccessDeniedException", "not you")

    answer = stack.ask("Delete")

    assert answer["Status"] == "FAILED"
    assert first in answer["Reason"]
    assert "not you" in answer["Reason"]
    assert second not in answer["Reason"]
    assert list(aws.bedrock.endpoints) == [first]


def test_on_demand_deployments_go_with_the_stack_too(
    aws: Aws, stack: CloudFormation, customize: Callable[..., CustomizationSettings]
) -> None:
    customize(base_model=catalogue()["nova-micro"])
    aws.bedrock.have(model=MODEL, kind="custom-model-deployment", status="Active")

    assert stack.ask("Delete", Mode="on-demand")["Status"] == "SUCCESS"
    assert aws.bedrock.endpoints == {}


@pytest.mark.parametrize("kind", ["Create", "Update", "Delete"])
def test_any_error_is_answered_so_that_cloudformation_does_not_wait_for_an_hour(
    kind: str, aws: Aws, stack: CloudFormation
) -> None:
    aws.bedrock.refuse("ListProvisionedModelThroughputs", "AccessDeniedException", "not you")

    answer = stack.ask(kind)

    assert answer["Status"] == "FAILED"
    assert "not you" in answer["Reason"]
    # Of a deletion Lambda counts the error, too: the alarm rings, and it is tried again.
    assert len(stack.failed) == (kind == "Delete")


def test_a_throttled_deployment_is_not_told_to_start_a_run(aws: Aws, stack: CloudFormation) -> None:
    aws.bedrock.refuse("ListProvisionedModelThroughputs", "ThrottlingException", "Rate exceeded")

    assert stack.ask("Update")["Reason"].endswith("\nWhat to do: try again in a few minutes")


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_runs_may_serve_from_the_deployment_of_the_stack(
    kind: str, aws: Aws, stack: CloudFormation
) -> None:
    stack.ask(kind)

    assert aws.pointer("serving") == "deployed"


@pytest.mark.parametrize("on_delete", ["delete", "retain"])
def test_no_run_serves_from_the_first_moment_of_the_stacks_deletion(
    on_delete: str, aws: Aws, stack: CloudFormation
) -> None:
    """Even when the rest of the deletion fails."""
    stack.ask("Create")
    aws.bedrock.refuse("ListProvisionedModelThroughputs", "AccessDeniedException", "not you")

    assert stack.ask("Delete", OnDelete=on_delete)["Status"] == "FAILED"
    assert aws.pointer("serving") is None


def test_an_unknown_customization_is_answered(stack: CloudFormation) -> None:
    answer = stack.ask("Create", Customization="unknown")

    assert answer["Status"] == "FAILED"
    assert "ParameterNotFound" in answer["Reason"]


def test_a_broken_environment_is_answered(
    stack: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WORKFLOW_ARN")

    answer = stack.ask("Create")

    assert answer["Status"] == "FAILED"
    assert "WORKFLOW_ARN is not set" in answer["Reason"]


@pytest.mark.slow
@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("letter", ["x", "ü", "犬", "🐶", '"', "\n"])
def test_the_longest_words_still_make_an_answer_that_cloudformation_takes(
    letter: str, aws: Aws, stack: CloudFormation
) -> None:
    arn = aws.bedrock.have(model=MODEL, status="Failed", failure=letter * 2_048)
    detail = stack.ask("Update")["Data"]
    assert detail["ProvisionedModelArn"] == arn
    assert letter in detail["Detail"]

    aws.bedrock.refuse("ListProvisionedModelThroughputs", "ValidationException", letter * 5_000)
    assert letter in stack.ask("Update")["Reason"]


def test_many_endpoints_still_make_an_answer_that_cloudformation_takes(
    aws: Aws, stack: CloudFormation
) -> None:
    for _ in range(60):
        aws.bedrock.have(model=MODEL)

    assert stack.ask("Delete", OnDelete="retain")["Status"] == "SUCCESS"


def test_what_jobs_use_is_written_as_the_next_version_reads_it() -> None:
    assert provisioned_throughput._digest("a") == "ca978112"
