"""Which uploads start a run: ten events about one dataset start one."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bedrock_tuning.config.customization import CustomizationSettings
from lambdas import admit
from tests.lambdas.aws import OUTPUT, TRAINING, VALIDATION, Aws, settings

KEY = "pets-search/manifest.jsonl"
BUCKETS = {"training": TRAINING, "validation": VALIDATION}


def _upload(aws: Aws, kind: str, *, key: str = KEY) -> dict[str, Any]:
    """Uploads a manifest; returns the event that S3 sends through EventBridge."""
    version = aws.s3.objects.put(BUCKETS[kind], key, f"{kind}\n".encode())
    return _event(BUCKETS[kind], key, version)


def _event(bucket: str, key: str, version: str | None = "v1") -> dict[str, Any]:
    uploaded = {"key": key} if version is None else {"key": key, "version-id": version}
    return {"detail": {"bucket": {"name": bucket}, "object": uploaded}}


def _admit(
    event: dict[str, Any],
    *,
    execution: str = "e1",
    started: str = "2026-11-21T09:30:00.123Z",
    **more: str,
) -> dict[str, Any]:
    # As the workflow does: the folder names the customization. Of a folder of nobody's it reads
    # nothing, and this function is not called.
    folder = event["detail"]["object"]["key"].partition("/")[0]
    whose = folder if folder.startswith("pets-") else "pets-search"
    return admit.handler(
        {
            "event": event,
            "settings": settings(whose),
            "execution": execution,
            "started": started,
            **more,
        },
        None,
    )


def test_both_manifests_start_a_run_on_exactly_their_versions(aws: Aws) -> None:
    _upload(aws, "validation")
    found = _admit(_upload(aws, "training"))

    assert found["decision"] == "run"
    assert found["customization"] == "pets-search"
    assert found["run"].startswith("20261121-093000-")
    assert (found["training_version"], found["validation_version"]) == ("v1.+/=", "v1.+/=")
    item = aws.run(found["run"])
    assert (item["status"], item["execution"]) == ("checking", "e1")
    assert item["customization"] == "pets-search"


def test_a_run_keeps_the_commit_of_the_deployment_that_started_it(aws: Aws) -> None:
    _upload(aws, "validation")
    found = _admit(_upload(aws, "training"), commit="a" * 40)

    assert aws.run(found["run"])["commit"] == "a" * 40


def test_an_execution_that_began_before_commits_were_said_is_admitted_too(aws: Aws) -> None:
    _upload(aws, "validation")
    found = _admit(_upload(aws, "training"))

    assert "commit" not in aws.run(found["run"])


@pytest.mark.parametrize(
    ("first", "words"), [("training", "needs a validation dataset"), ("validation", "training")]
)
def test_one_manifest_waits_for_the_other(first: str, words: str, aws: Aws) -> None:
    found = _admit(_upload(aws, first))

    assert found["decision"] == "waiting"
    assert words in found["reason"]
    assert aws.dynamodb.items == {}


@pytest.mark.parametrize("order", [("training", "validation"), ("validation", "training")])
def test_two_uploads_in_any_order_start_one_run(order: tuple[str, str], aws: Aws) -> None:
    first = _upload(aws, order[0])
    second = _upload(aws, order[1])

    decisions = [
        _admit(event, execution=f"e{number}")["decision"]
        for number, event in enumerate([first, second])
    ]

    assert decisions == ["run", "duplicate"]


def test_the_same_event_ten_times_starts_one_run_and_says_which(aws: Aws) -> None:
    _upload(aws, "validation")
    event = _upload(aws, "training")

    found = [_admit(event, execution=f"e{n}", started=f"2026-11-21T09:30:0{n}Z") for n in range(10)]

    assert [f["decision"] for f in found] == ["run"] + ["duplicate"] * 9
    assert all(found[0]["run"] in each["reason"] for each in found[1:])
    assert [key for key in aws.dynamodb.items if key.startswith("run#")] == [
        f"run#{found[0]['run']}"
    ]


def test_an_execution_that_is_retried_is_not_its_own_rival(aws: Aws) -> None:
    _upload(aws, "validation")
    event = _upload(aws, "training")

    assert _admit(event) == _admit(event)


def test_an_execution_that_broke_off_before_it_wrote_its_run_goes_on(aws: Aws) -> None:
    _upload(aws, "validation")
    event = _upload(aws, "training")
    aws.bedrock.refuse("GetFoundationModel", "InternalServerException")
    with pytest.raises(ClientError):
        _admit(event)

    found = _admit(event)

    assert found["decision"] == "run"
    assert aws.run(found["run"])["status"] == "checking"


def test_an_upload_is_claimed_for_a_run_that_is_there_whatever_fails_next(aws: Aws) -> None:
    """The event is delivered again: it must not be sent to a run that nobody can find."""
    _upload(aws, "validation")
    event = _upload(aws, "training")
    aws.bedrock.refuse("GetFoundationModel", "AccessDeniedException")
    with pytest.raises(ClientError):
        _admit(event)

    (run,) = [key.removeprefix("run#") for key in aws.dynamodb.items if key.startswith("run#")]
    assert run in _admit(event, execution="e2")["reason"]


def test_a_new_validation_set_alone_starts_nothing_and_says_what_to_do(aws: Aws) -> None:
    _upload(aws, "validation")
    _admit(_upload(aws, "training"))

    found = _admit(_upload(aws, "validation"), execution="e2")

    assert found["decision"] == "duplicate"
    assert "upload it again" in found["reason"]


def test_a_new_training_manifest_is_a_new_run(aws: Aws) -> None:
    _upload(aws, "validation")
    first = _admit(_upload(aws, "training"))
    second = _admit(_upload(aws, "training"), execution="e2")

    assert second["decision"] == "run"
    assert second["run"] != first["run"]


def test_an_event_about_an_older_version_leaves_the_run_to_the_newer_one(aws: Aws) -> None:
    _upload(aws, "validation")
    older = _upload(aws, "training")
    newer = _upload(aws, "training")

    assert _admit(older)["decision"] == "superseded"
    assert _admit(newer, execution="e2")["decision"] == "run"


@pytest.mark.parametrize("kind", ["training", "validation"])
def test_a_manifest_that_was_deleted_meanwhile_starts_nothing(kind: str, aws: Aws) -> None:
    events = {k: _upload(aws, k) for k in BUCKETS}
    aws.s3.objects.delete(BUCKETS[kind], KEY)

    found = _admit(events[kind])

    assert found["decision"] == "superseded"
    assert f"the {kind} manifest was deleted" in found["reason"]


def test_an_event_without_a_version_is_about_the_newest_one(aws: Aws) -> None:
    """Buckets without versioning send none."""
    _upload(aws, "validation")
    _upload(aws, "training")

    assert _admit(_event(TRAINING, KEY, None))["decision"] == "run"


def test_a_neighbour_whose_name_begins_alike_is_not_the_manifest(aws: Aws) -> None:
    _upload(aws, "training", key=f"{KEY}.bak")
    _upload(aws, "validation")

    assert _admit(_event(VALIDATION, KEY, None))["decision"] == "waiting"


@pytest.mark.parametrize(
    ("bucket", "key"),
    [
        ("another-bucket", KEY),
        (OUTPUT, KEY),
        (TRAINING, "pets-search/images/dog.png"),
        (TRAINING, "pets-search/old/manifest.jsonl"),
        (TRAINING, "unknown/manifest.jsonl"),
        (TRAINING, "manifest.jsonl"),
    ],
)
def test_anything_that_is_no_known_manifest_is_ignored(bucket: str, key: str, aws: Aws) -> None:
    found = _admit(_event(bucket, key))

    assert found["decision"] == "ignored"
    assert f"s3://{bucket}/{key}" in found["reason"]
    assert aws.dynamodb.items == {}


def test_a_model_that_takes_no_jobs_ends_before_anything_is_checked(aws: Aws) -> None:
    aws.bedrock.lifecycle = {
        "status": "LEGACY",
        "endOfLifeTime": datetime(2027, 3, 1, tzinfo=UTC),
    }
    _upload(aws, "validation")

    found = _admit(_upload(aws, "training"))

    assert found["decision"] == "closed"
    assert "is LEGACY, end of life 2027-03-01: Bedrock accepts no new job on it" in found["reason"]
    assert aws.run(found["run"])["execution"] == "e1"


def test_a_model_that_bedrock_no_longer_knows_is_closed(aws: Aws) -> None:
    aws.bedrock.refuse("GetFoundationModel", "ResourceNotFoundException")
    _upload(aws, "validation")

    found = _admit(_upload(aws, "training"))

    assert found["decision"] == "closed"
    assert "no longer offers Titan Multimodal Embeddings G1" in found["reason"]
    assert "us-east-1" in found["reason"]


def test_a_model_without_a_lifecycle_is_open(aws: Aws) -> None:
    aws.bedrock.lifecycle = {}
    _upload(aws, "validation")

    assert _admit(_upload(aws, "training"))["decision"] == "run"


def test_an_account_with_extended_access_is_not_asked(aws: Aws) -> None:
    """pets-style says allow_closed_model = true; it takes no validation set."""
    aws.bedrock.lifecycle = {"status": "LEGACY"}

    found = _admit(_upload(aws, "training", key="pets-style/manifest.jsonl"))

    assert found["decision"] == "run"
    assert found["validation_version"] is None
    assert aws.bedrock.calls == []


def test_bedrock_is_asked_about_the_model_itself_not_its_customization_id(aws: Aws) -> None:
    _upload(aws, "validation")
    _admit(_upload(aws, "training"))

    assert aws.bedrock.asked("GetFoundationModel") == [
        {"modelIdentifier": "amazon.titan-embed-image-v1"}
    ]


def test_an_optional_validation_set_is_not_waited_for(
    aws: Aws, customize: Callable[..., CustomizationSettings]
) -> None:
    customize(validation="optional")

    assert _admit(_upload(aws, "training"))["decision"] == "run"


def test_an_older_version_in_a_listing_is_not_what_was_uploaded(aws: Aws) -> None:
    """S3 lists the deletion, which is newer, apart."""
    _upload(aws, "validation")
    event = _upload(aws, "training")
    old = {"Versions": [{"Key": KEY, "VersionId": "v1.+/=", "IsLatest": False}]}
    aws.s3.around = lambda name, carry_out: old if name == "ListObjectVersions" else carry_out()

    assert "manifest was deleted" in _admit(event)["reason"]
