"""Leases end: nothing is billed longer than its tag says, whatever is wrong with a neighbour."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bedrock_tuning.config.lambda_environment import LeaseEnvironment
from bedrock_tuning.serving.intent import Begun, Intent, Published, Terms
from lambdas import keep_leases
from lambdas._records import _intent
from tests.lambdas.aws import PREFIX, TOPIC, Aws
from tests.lambdas.bedrock import TAGS, model_arn
from tests.lambdas.counted import counted

MODEL = model_arn(1)


def _in(**time: float) -> str:
    return (datetime.now(UTC) + timedelta(**time)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _have(aws: Aws, expires: str | None, **changes: object) -> str:
    tags = TAGS if expires is None else {**TAGS, "bedrock-tuning:expires": expires}
    return aws.bedrock.have(**{"model": MODEL, "tags": tags, **changes})


def _keep() -> dict[str, list[str]]:
    found = keep_leases.handler({}, None)
    assert found.pop("taken-up") == []
    return found


def test_what_has_expired_is_deleted_and_told(aws: Aws) -> None:
    arn = _have(aws, _in(minutes=-1))

    assert _keep() == {"deleted": [arn], "kept": [], "busy": [], "withdrawn": []}
    assert aws.bedrock.endpoints == {}
    (sent,) = aws.sns.asked("Publish")
    assert (sent["TopicArn"], sent["Subject"]) == (TOPIC, "pets-search: lease ended")
    message = json.loads(sent["Message"])
    assert (message["status"], message["customization"]) == ("lease-ended", "pets-search")
    assert arn in message["message"]
    assert message["message"].endswith("Serve it again: tuning serve pets-search -e dev")


def test_a_lease_that_runs_is_kept(aws: Aws) -> None:
    arn = _have(aws, _in(hours=1))

    assert _keep() == {"deleted": [], "kept": [arn], "busy": [], "withdrawn": []}
    assert aws.sns.calls == []


@pytest.mark.parametrize("expires", ["2026-11-21T09:30:00", "2026-11-21T09:30:00+02:00"])
def test_a_time_with_another_zone_or_none_is_read(expires: str, aws: Aws) -> None:
    """People prolong a lease by hand."""
    year = datetime.now(UTC).year
    arn = _have(aws, expires.replace("2026", str(year + 2)))
    gone = _have(aws, expires.replace("2026", str(year - 2)))

    assert _keep() == {"deleted": [gone], "kept": [arn], "busy": [], "withdrawn": []}


def test_a_pointer_to_what_was_deleted_is_withdrawn(aws: Aws) -> None:
    arn = _have(aws, _in(minutes=-1))
    aws.ssm.values[f"{PREFIX}/pets-search/endpoint"] = arn

    _keep()

    assert aws.pointer("endpoint") is None


def test_a_pointer_to_another_endpoint_stays(aws: Aws) -> None:
    _have(aws, _in(minutes=-1))
    other = _have(aws, _in(minutes=1))
    aws.ssm.values[f"{PREFIX}/pets-search/endpoint"] = other

    _keep()

    assert aws.pointer("endpoint") == other


@pytest.mark.parametrize("status", ["Creating", "Updating"])
def test_what_changes_just_now_is_tried_again_next_time(status: str, aws: Aws) -> None:
    arn = _have(aws, _in(minutes=-1), status=status)

    assert _keep() == {"deleted": [], "kept": [], "busy": [arn], "withdrawn": []}
    assert aws.sns.calls == []


def test_a_commitment_is_kept_though_it_has_no_lease(aws: Aws) -> None:
    until = datetime.now(UTC) + timedelta(days=9)
    arn = _have(aws, None, commitment="OneMonth", until=until)

    assert _keep() == {"deleted": [], "kept": [arn], "busy": [], "withdrawn": []}


def test_a_commitment_whose_end_bedrock_does_not_say_is_kept(aws: Aws) -> None:
    arn = _have(aws, _in(minutes=-1), commitment="OneMonth")

    assert _keep() == {"deleted": [], "kept": [arn], "busy": [], "withdrawn": []}


def test_a_failed_endpoint_ends_with_its_lease_too(aws: Aws) -> None:
    arn = _have(aws, _in(minutes=-1), status="Failed")

    assert _keep()["deleted"] == [arn]


@pytest.mark.parametrize("expires", [None, "", "tomorrow"])
def test_an_endpoint_without_a_lease_rings_the_alarm_after_the_others_were_looked_after(
    expires: str | None, aws: Aws
) -> None:
    endless = _have(aws, expires)
    expired = _have(aws, _in(minutes=-1))

    with pytest.raises(RuntimeError, match=f"{endless}: billed without an end: "):
        _keep()

    assert expired not in aws.bedrock.endpoints
    assert endless in aws.bedrock.endpoints


def test_a_commitment_that_is_over_rings_the_alarm_because_nothing_ends_it(aws: Aws) -> None:
    until = datetime.now(UTC) - timedelta(days=1)
    _have(aws, None, commitment="OneMonth", until=until)

    with pytest.raises(RuntimeError, match="billed without an end"):
        _keep()


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("bedrock", "DeleteProvisionedModelThroughput"),
        ("ssm", "GetParameter"),
        ("sns", "Publish"),
    ],
)
def test_trouble_with_one_endpoint_does_not_prolong_another(
    service: str, operation: str, aws: Aws
) -> None:
    troubled = _have(aws, _in(minutes=-1))
    expired = _have(aws, _in(minutes=-1))
    getattr(aws, service).refuse(operation, "AccessDeniedException", "not you")

    with pytest.raises(RuntimeError, match=f"{troubled}: .*not you"):
        _keep()

    assert expired not in aws.bedrock.endpoints


def test_endpoints_of_another_environment_are_not_ours_to_delete(aws: Aws) -> None:
    foreign = {"bedrock-tuning:environment": "prod", "bedrock-tuning:expires": _in(days=-9)}
    aws.bedrock.have(model=MODEL, tags=foreign)
    aws.bedrock.have(model=MODEL, tags={"bedrock-tuning:expires": _in(days=-9)})
    aws.bedrock.have(model=MODEL, tags={})

    assert _keep() == {"deleted": [], "kept": [], "busy": [], "withdrawn": []}
    assert len(aws.bedrock.endpoints) == 3


def test_an_endpoint_of_our_name_that_lost_our_tag_rings_the_alarm(aws: Aws) -> None:
    """No list by tag shows it any more, and it is billed."""
    tags = {"bedrock-tuning:customization": "pets-search"}
    lost = aws.bedrock.have(model=MODEL, tags=tags, name="dev-pets-search-0123abcd")
    expired = _have(aws, _in(minutes=-1))

    with pytest.raises(RuntimeError, match=f"{lost}: .* nothing ends its billing"):
        _keep()

    assert expired not in aws.bedrock.endpoints
    assert lost in aws.bedrock.endpoints


@pytest.mark.parametrize(
    ("name", "tags"),
    [
        ("dev-pets-search-0123abcd", {"bedrock-tuning:environment": "dev-pets"}),
        ("dev-somebodys-own", {}),
        ("prod-pets-search-0123abcd", {}),
        ("pets-search", {}),
    ],
)
def test_endpoints_with_names_that_we_do_not_give_or_other_owners_are_none_of_our_business(
    name: str, tags: dict[str, str], aws: Aws
) -> None:
    aws.bedrock.have(model=MODEL, tags=tags, name=name)

    assert _keep() == {"deleted": [], "kept": [], "busy": [], "withdrawn": []}


def test_an_endpoint_that_goes_while_we_look_for_its_tags_is_not_lost(aws: Aws) -> None:
    arn = aws.bedrock.have(model=MODEL, tags={}, name="dev-pets-search-0123abcd")
    aws.bedrock.refuse("GetProvisionedModelThroughput", "ResourceNotFoundException")

    assert _keep() == {"deleted": [], "kept": [], "busy": [], "withdrawn": []}
    assert arn in aws.bedrock.endpoints


def test_an_endpoint_that_lost_its_other_tag_is_deleted_all_the_same(aws: Aws) -> None:
    tags = {"bedrock-tuning:environment": "dev", "bedrock-tuning:expires": _in(minutes=-1)}
    arn = aws.bedrock.have(model=MODEL, tags=tags)

    assert _keep()["deleted"] == [arn]
    (sent,) = aws.sns.asked("Publish")
    assert sent["Subject"] == "An endpoint: lease ended"
    assert json.loads(sent["Message"])["customization"] == "unknown"
    assert "Serve it again" not in sent["Message"]
    assert aws.ssm.asked("DeleteParameter") == [], "nobody's pointer"


def test_trouble_with_an_endpoint_that_lost_its_other_tag_is_counted_for_nobody(
    aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.bedrock.have(model=MODEL, tags={"bedrock-tuning:environment": "dev"})
    with pytest.raises(RuntimeError, match="billed without an end"):
        _keep()
    assert counted(capsys) == {}


def test_every_page_is_looked_through(aws: Aws) -> None:
    aws.bedrock.page = 2
    arns = [_have(aws, _in(minutes=-1)) for _ in range(5)]

    assert _keep()["deleted"] == arns


def _served(aws: Aws, arn: str, **changes: Any) -> Intent:
    """A customization that is served, as its item and its pointer say."""
    aws.ssm.values[f"{PREFIX}/pets-search/endpoint"] = arn
    known = {"on": True, "published": Published(endpoint_arn=arn)}
    served = Intent(customization="pets-search", **{**known, **changes})
    written = _intent.write("a-table", served)
    assert written is not None
    return written


def _stored() -> Intent:
    return _intent.read(LeaseEnvironment.from_env(os.environ), "pets-search")


IDLE = {"idle_hours": 6}


def _used(aws: Aws, *hours_ago: float, customize: Callable[..., Any], **changes: Any) -> str:
    """An endpoint that is served for 20 hours, with calls so many hours ago."""
    customize(serving=IDLE)
    arn = _have(aws, _in(hours=30))
    _served(aws, arn, **{"since": _in(hours=-20), **changes})
    aws.cloudwatch.called[arn] = [datetime.now(UTC) - timedelta(hours=h) for h in hours_ago]
    return arn


def test_an_endpoint_that_nobody_calls_is_deleted_before_its_lease_ends(
    aws: Aws, customize: Callable[..., Any]
) -> None:
    arn = _used(aws, 20, 7.1, customize=customize)

    assert _keep()["deleted"] == [arn]
    assert not _stored().on
    (sent,) = aws.sns.asked("Publish")
    assert "nobody called it for 6 hours (idle_hours)" in json.loads(sent["Message"])["message"]


@pytest.mark.parametrize(
    ("calls", "changes"),
    [
        # The hour of the last call may have been its last minute.
        ([20, 6.9], {}),
        ([20, 0.5], {}),
        # A model that has just moved in has its time.
        ([20], {"since": _in(hours=-5)}),
        # A run works on another endpoint.
        ([20], {"published": Published(endpoint_arn="another"), "until": _in(hours=1)}),
    ],
)
def test_an_endpoint_that_was_called_or_is_new_is_kept(
    calls: list[float], changes: dict[str, Any], aws: Aws, customize: Callable[..., Any]
) -> None:
    arn = _used(aws, *calls, customize=customize, **changes)

    assert _keep()["kept"] == [arn]


def test_calls_before_a_run_that_failed_count_as_well(
    aws: Aws, customize: Callable[..., Any]
) -> None:
    """The run took over and left what was published as it was, without another smoke test."""
    arn = _used(aws, 100, customize=customize)

    assert _keep()["deleted"] == [arn]


def test_an_endpoint_that_outlived_its_stack_has_no_idle_hours(
    aws: Aws, customize: Callable[..., Any]
) -> None:
    arn = _used(aws, 20, customize=customize)
    aws.ssm.refuse("GetParameter", "ParameterNotFound", "its stack was deleted")

    assert _keep()["kept"] == [arn]


def test_calls_that_nobody_counts_are_no_sign_that_there_are_none(
    aws: Aws, customize: Callable[..., Any]
) -> None:
    arn = _used(aws, customize=customize)

    with pytest.raises(RuntimeError, match="no Invocations of it, not even its smoke test's"):
        keep_leases.handler({}, None)
    assert list(aws.bedrock.endpoints) == [arn]


def test_what_ends_is_switched_off_before_it_is_deleted(aws: Aws) -> None:
    """Even if the deletion fails: whoever works on it stops, and no deployment serves it again."""
    served = _served(aws, _have(aws, _in(minutes=-1)), generation=3)
    aws.bedrock.refuse("DeleteProvisionedModelThroughput", "AccessDeniedException", "not you")

    with pytest.raises(RuntimeError, match="not you"):
        _keep()

    ended = _stored()
    assert (ended.on, ended.why, ended.generation) == (False, "its lease ended", 4)
    assert served.published.endpoint_arn in aws.bedrock.endpoints
    assert _keep()["deleted"] == [served.published.endpoint_arn]
    assert aws.pointer("endpoint") is None


@pytest.mark.parametrize(("until", "became"), [("2999", "busy"), ("2026-01-01", "deleted")])
def test_a_run_that_moves_its_model_in_is_waited_for_as_long_as_it_may_take(
    until: str, became: str, aws: Aws
) -> None:
    """Its own lease begins when it publishes."""
    arn = _have(aws, _in(minutes=-1))
    _served(aws, arn, until=until, owner="a-run", begun=Begun(swapped_arn=arn))

    found = keep_leases.handler({}, None)

    assert found[became] == [arn]


def test_what_is_off_is_deleted_although_its_lease_runs(aws: Aws) -> None:
    """Whoever ended it was stopped halfway."""
    arn = _have(aws, _in(hours=5))
    ended = _served(aws, arn).ended(why="a person ended it", by="somebody", now=_in())
    assert _intent.write("a-table", ended) is not None

    assert _keep()["deleted"] == [arn]
    (sent,) = aws.sns.asked("Publish")
    assert "is not to be served any more: a person ended it" in sent["Message"]


def test_what_was_replaced_and_left_behind_is_deleted_although_its_lease_runs(aws: Aws) -> None:
    """A run was refused its deletion; what applications use stays."""
    used = _served(aws, _have(aws, _in(hours=5)))
    left = _have(aws, _in(hours=5))

    kept = [used.published.endpoint_arn]
    assert _keep() == {"deleted": [left], "kept": kept, "busy": [], "withdrawn": []}
    (sent,) = aws.sns.asked("Publish")
    assert "has replaced it" in sent["Message"]
    assert "Serve it again" not in sent["Message"]


def test_what_is_about_to_be_replaced_stays_as_long_as_its_run_works(aws: Aws) -> None:
    used = _served(aws, _have(aws, _in(hours=5)), owner="a-run", until=_in(hours=1))
    new = _have(aws, _in(hours=5))

    assert _keep()["kept"] == [used.published.endpoint_arn, new]


def test_people_are_warned_once_before_a_lease_ends(aws: Aws) -> None:
    ends = _in(minutes=20)
    arn = _have(aws, ends)
    _served(aws, arn)

    assert _keep()["kept"] == _keep()["kept"] == [arn]
    (sent,) = aws.sns.asked("Publish")
    assert sent["Subject"] == "pets-search: lease ends soon"
    assert f"ends {ends}" in sent["Message"]
    assert "tuning lease pets-search --hours N -e dev" in sent["Message"]


@pytest.mark.parametrize(
    ("hours", "left", "warned"),
    [(8, 47, True), (8, 49, False), (720, 23 * 60, True), (720, 25 * 60, False), (1, 29, True)],
)
def test_the_longer_a_lease_the_earlier_the_warning(
    hours: int, left: int, warned: bool, aws: Aws
) -> None:
    terms = Terms(
        mode="provisioned", units=1, commitment=None, lease_hours=hours, base_model="a-model"
    )
    _served(aws, _have(aws, _in(minutes=left)), terms=terms)

    _keep()

    assert bool(aws.sns.calls) == warned


def test_an_endpoint_that_cannot_be_deleted_an_hour_after_its_lease_rings_the_alarm(
    aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    stuck = _have(aws, _in(hours=-1, minutes=-1), status="Creating")
    expired = _have(aws, _in(minutes=-1))

    with pytest.raises(RuntimeError, match=f"{stuck}: its lease ended .* still creating"):
        _keep()

    assert list(aws.bedrock.endpoints) == [stuck]
    assert expired not in aws.bedrock.endpoints
    assert counted(capsys) == {("dev", "pets-search", "LeasesNotKept"): 1}


@pytest.mark.parametrize("operation", ["ListTagsForResource", "GetProvisionedModelThroughput"])
def test_one_refused_look_touches_one_endpoint_only(operation: str, aws: Aws) -> None:
    first, *others = (_have(aws, _in(minutes=-1)) for _ in range(3))
    aws.bedrock.refuse(operation, "AccessDeniedException", "not you")

    with pytest.raises(RuntimeError, match=f"{first}: .*not you"):
        _keep()

    assert list(aws.bedrock.endpoints) == [first], others


def test_a_pointer_to_an_endpoint_that_somebody_deleted_is_withdrawn_and_told(aws: Aws) -> None:
    arn = _have(aws, _in(hours=1))
    _served(aws, arn)
    del aws.bedrock.endpoints[arn]

    assert _keep()["withdrawn"] == [arn]
    assert (aws.pointer("endpoint"), _stored().on) == (None, False)
    (sent,) = aws.sns.asked("Publish")
    assert sent["Subject"] == "pets-search: no longer served"
    assert _keep()["withdrawn"] == []


def test_a_deletion_that_was_interrupted_before_people_were_told_is_told_the_next_time(
    aws: Aws,
) -> None:
    arn = _have(aws, _in(minutes=-1))
    _served(aws, arn)
    aws.sns.refuse("Publish", "AccessDeniedException", "not you", times=2)
    with pytest.raises(RuntimeError, match="not you"):
        _keep()

    assert _keep()["withdrawn"] == [arn]
    *_, sent = aws.sns.asked("Publish")
    assert f"{arn} does not exist any more (its lease ended)" in sent["Message"]


def test_a_gone_endpoint_of_a_run_at_work_is_left_to_the_run(aws: Aws) -> None:
    arn = _have(aws, _in(hours=1))
    _served(aws, arn, until="2999", owner="a-run")
    del aws.bedrock.endpoints[arn]

    assert _keep()["withdrawn"] == []
    assert aws.pointer("endpoint") == arn


def test_what_a_run_left_unfinished_is_undone_by_a_workflow_once_an_hour(aws: Aws) -> None:
    _served(aws, _have(aws, _in(hours=1)), until=_in(hours=-1), owner="a-run")
    aws.ssm.values[f"{PREFIX}/pets-search/serving"] = "deployed"
    hours = [f"{datetime.now(UTC):%Y%m%d%H}"]

    for _ in range(2):
        assert keep_leases.handler({}, None)["taken-up"] == ["pets-search"]

    hours.append(f"{datetime.now(UTC):%Y%m%d%H}")
    assert [*aws.stepfunctions.executions] == [
        f"undo-a-run-{hour}" for hour in dict.fromkeys(hours)
    ]
    assert json.loads(next(iter(aws.stepfunctions.executions.values())))["serving"] == {
        "customization": "pets-search",
        "run": "a-run",
        "undo": "its execution ended before the endpoint was published",
    }


@pytest.mark.parametrize("until", ["", _in(hours=1)], ids=["done", "at work"])
def test_what_is_done_or_being_done_is_not_undone(until: str, aws: Aws) -> None:
    _served(aws, _have(aws, _in(hours=1)), until=until, owner="a-run")
    aws.ssm.values[f"{PREFIX}/pets-search/serving"] = "deployed"

    assert _keep()["kept"]
    assert aws.stepfunctions.executions == {}
