"""Leases end: nothing is billed longer than its tag says, whatever is wrong with a neighbour."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from lambdas import keep_leases
from tests.lambdas.aws import PREFIX, TOPIC, Aws
from tests.lambdas.bedrock import TAGS, model_arn

MODEL = model_arn(1)


def _in(**time: float) -> str:
    return (datetime.now(UTC) + timedelta(**time)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _have(aws: Aws, expires: str | None, **changes: object) -> str:
    tags = TAGS if expires is None else {**TAGS, "bedrock-tuning:expires": expires}
    return aws.bedrock.have(**{"model": MODEL, "tags": tags, **changes})


def _keep() -> dict[str, list[str]]:
    return keep_leases.handler({}, None)


def test_what_has_expired_is_deleted_and_told(aws: Aws) -> None:
    arn = _have(aws, _in(minutes=-1))

    assert _keep() == {"deleted": [arn], "kept": [], "busy": []}
    assert aws.bedrock.endpoints == {}
    (sent,) = aws.sns.asked("Publish")
    assert (sent["TopicArn"], sent["Subject"]) == (TOPIC, "pets-search: lease ended")
    message = json.loads(sent["Message"])
    assert (message["status"], message["customization"]) == ("lease-ended", "pets-search")
    assert arn in message["message"]
    assert message["message"].endswith("Serve it again: tuning serve pets-search -e dev")


def test_a_lease_that_runs_is_kept(aws: Aws) -> None:
    arn = _have(aws, _in(minutes=1))

    assert _keep() == {"deleted": [], "kept": [arn], "busy": []}
    assert aws.sns.calls == []


@pytest.mark.parametrize("expires", ["2026-11-21T09:30:00", "2026-11-21T09:30:00+02:00"])
def test_a_time_with_another_zone_or_none_is_read(expires: str, aws: Aws) -> None:
    """People prolong a lease by hand."""
    year = datetime.now(UTC).year
    arn = _have(aws, expires.replace("2026", str(year + 2)))
    gone = _have(aws, expires.replace("2026", str(year - 2)))

    assert _keep() == {"deleted": [gone], "kept": [arn], "busy": []}


def test_a_pointer_to_what_was_deleted_is_withdrawn(aws: Aws) -> None:
    arn = _have(aws, _in(minutes=-1))
    aws.ssm.values[f"{PREFIX}/pets-search/endpoint"] = arn

    _keep()

    assert aws.pointer("endpoint") is None


def test_a_pointer_to_another_endpoint_stays(aws: Aws) -> None:
    _have(aws, _in(minutes=-1))
    aws.ssm.values[f"{PREFIX}/pets-search/endpoint"] = "arn:another"

    _keep()

    assert aws.pointer("endpoint") == "arn:another"


@pytest.mark.parametrize("status", ["Creating", "Updating"])
def test_what_changes_just_now_is_tried_again_next_time(status: str, aws: Aws) -> None:
    arn = _have(aws, _in(minutes=-1), status=status)

    assert _keep() == {"deleted": [], "kept": [], "busy": [arn]}
    assert aws.sns.calls == []


def test_a_commitment_is_kept_though_it_has_no_lease(aws: Aws) -> None:
    until = datetime.now(UTC) + timedelta(days=9)
    arn = _have(aws, None, commitment="OneMonth", until=until)

    assert _keep() == {"deleted": [], "kept": [arn], "busy": []}


def test_a_commitment_whose_end_bedrock_does_not_say_is_kept(aws: Aws) -> None:
    arn = _have(aws, _in(minutes=-1), commitment="OneMonth")

    assert _keep() == {"deleted": [], "kept": [arn], "busy": []}


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

    assert _keep() == {"deleted": [], "kept": [], "busy": []}
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

    assert _keep() == {"deleted": [], "kept": [], "busy": []}


def test_an_endpoint_that_goes_while_we_look_for_its_tags_is_not_lost(aws: Aws) -> None:
    arn = aws.bedrock.have(model=MODEL, tags={}, name="dev-pets-search-0123abcd")
    aws.bedrock.refuse("GetProvisionedModelThroughput", "ResourceNotFoundException")

    assert _keep() == {"deleted": [], "kept": [], "busy": []}
    assert arn in aws.bedrock.endpoints


def test_an_endpoint_that_lost_its_other_tag_is_deleted_all_the_same(aws: Aws) -> None:
    tags = {"bedrock-tuning:environment": "dev", "bedrock-tuning:expires": _in(minutes=-1)}
    arn = aws.bedrock.have(model=MODEL, tags=tags)

    assert _keep()["deleted"] == [arn]
    (sent,) = aws.sns.asked("Publish")
    assert sent["Subject"] == "An endpoint: lease ended"
    assert json.loads(sent["Message"])["customization"] is None
    assert "Serve it again" not in sent["Message"]
    assert aws.ssm.calls == [], "nobody's pointer"


def test_every_page_is_looked_through(aws: Aws) -> None:
    aws.bedrock.page = 2
    arns = [_have(aws, _in(minutes=-1)) for _ in range(5)]

    assert _keep()["deleted"] == arns
