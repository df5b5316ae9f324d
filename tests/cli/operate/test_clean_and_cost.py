"""`tuning clean` and `tuning cost`: what nobody uses goes, and what everything costs is shown."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from botocore.response import StreamingBody

from bedrock_tuning.client import deployment as deployments
from tests.cli.conftest import Run
from tests.cli.support import REGION, StubbedAws, shipped
from tests.cli.test_one_run import throughput

OLD = datetime(2026, 1, 5, tzinfo=UTC)
PREFIX = f"arn:aws:bedrock:{REGION}:000000000000:custom-model/amazon.titan-embed-image-v1:0/"
BASE = f"arn:aws:bedrock:{REGION}::foundation-model/amazon.titan-embed-image-v1:0"


@pytest.fixture
def alone(aws: StubbedAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deployment with pets-search only."""
    aws.deployed()
    find = deployments.find

    def found(*args: Any, **more: Any) -> deployments.DeploymentClient:
        whole = find(*args, **more)
        return replace(whole, customizations={"pets-search": whole.customizations["pets-search"]})

    monkeypatch.setattr(deployments, "find", found)


def model(letter: str, created: datetime) -> dict[str, Any]:
    return {
        "modelArn": f"{PREFIX}{letter * 12}",
        "modelName": f"dev-pets-search-20260105-09300{letter}-aaaaaa".replace(
            f"0{letter}", f"0{ord(letter) % 10}"
        ),
        "creationTime": created,
        "baseModelArn": BASE,
        "baseModelName": "x",
    }


def listed(aws: StubbedAws, models: list[dict[str, Any]], *, served: str = "") -> None:
    summaries = [
        {
            "provisionedModelName": "pt",
            "provisionedModelArn": f"{PREFIX.partition('custom')[0]}provisioned-model/p00000000000",
            "modelArn": f"{PREFIX}{served * 12}",
            "desiredModelArn": f"{PREFIX}{served * 12}",
            "foundationModelArn": BASE,
            "modelUnits": 1,
            "desiredModelUnits": 1,
            "status": "InService",
            "creationTime": OLD,
            "lastModifiedTime": OLD,
        }
    ] if served else []  # fmt: skip
    aws.answer(
        "bedrock",
        "list_provisioned_model_throughputs",
        {"provisionedModelSummaries": summaries},
        None,
    )
    aws.answer("bedrock", "list_custom_model_deployments", {"modelDeploymentSummaries": []}, None)
    if models:
        trained(aws, models)


def trained(aws: StubbedAws, models: list[dict[str, Any]]) -> None:
    """The custom models of the account, all of pets-search's runs, as their tags say."""
    aws.answer("bedrock", "list_custom_models", {"modelSummaries": models}, {})
    whose = {"environment": "dev", "customization": "pets-search"}
    tags = [{"key": f"bedrock-tuning:{key}", "value": value} for key, value in whose.items()]
    for each in models:
        asked = {"resourceARN": each["modelArn"]}
        aws.answer("bedrock", "list_tags_for_resource", {"tags": tags}, asked)


def bucket(aws: StubbedAws, name: str, manifest: list[str] | None, keys: list[str]) -> None:
    """A dataset bucket: what its manifest names, and what lies there."""
    key = "pets-search/manifest.jsonl"
    if manifest is None:
        aws.stub("s3").add_client_error("get_object", "NoSuchKey")
        return
    body = "".join(
        json.dumps({"image-ref": f"s3://{name}/{each}", "caption": "x"}) + "\n" for each in manifest
    ).encode()
    aws.answer(
        "s3",
        "get_object",
        {"Body": StreamingBody(BytesIO(body), len(body))},
        {"Bucket": name, "Key": key},
    )
    contents = [{"Key": each, "Size": 10, "LastModified": OLD} for each in [*keys, key]]
    aws.answer(
        "s3", "list_objects_v2", {"Contents": contents}, {"Bucket": name, "Prefix": "pets-search/"}
    )


def no_open_runs(aws: StubbedAws, *customizations: str) -> None:
    items = [{"customization": {"S": name}} for name in customizations]
    aws.answer("dynamodb", "query", {"Items": items}, None)


def test_only_what_is_neither_published_served_kept_nor_new_is_listed(
    run: Run, aws: StubbedAws, alone: None
) -> None:
    no_open_runs(aws)
    days = [OLD + timedelta(days=number) for number in range(4)]
    new = model("e", datetime.now(UTC))
    every = [new, *(model(letter, day) for letter, day in zip("abcd", days, strict=True))]
    listed(aws, [], served="b")
    aws.points("model", f"{PREFIX}{'a' * 12}")
    trained(aws, every)
    bucket(aws, "train", ["pets-search/a.png"], ["pets-search/a.png", "pets-search/b.png"])
    bucket(aws, "valid", None, [])
    result = run("clean", "--dry-run", "--json")
    found = json.loads(result.stdout)
    assert result.exit_code == 0, result.output
    # e is new, and the one that is kept; a is published, b is served.
    assert [each["name"][-1] for each in found["unused"] if each["kind"] == "model"] == ["d", "c"]
    (images,) = [each for each in found["unused"] if each["kind"] == "images"]
    assert (images["name"], images["files"]) == ("s3://train/pets-search/", 1)
    assert found["deleted"] == []


def test_a_customization_at_work_is_left_alone(run: Run, aws: StubbedAws, alone: None) -> None:
    no_open_runs(aws, "pets-search")
    listed(aws, [])
    for name in ("train", "valid"):
        bucket(aws, name, None, [])
    assert "nothing to clean" in run("clean", "--keep", "0", "--older-than", "0").stdout


def test_nothing_is_deleted_unasked_and_then_exactly_what_was_shown(
    run: Run, aws: StubbedAws, alone: None
) -> None:
    def shown() -> None:
        no_open_runs(aws)
        listed(aws, [])
        aws.points("model", None)
        trained(aws, [model("a", OLD)])
        bucket(aws, "train", [], ["pets-search/a.png"])
        bucket(aws, "valid", None, [])

    shown()
    refused = run("clean", "--keep", "0")
    assert refused.exit_code == 2
    assert "add --yes" in refused.stderr
    aws.deployed()
    shown()
    aws.points("model", None)
    listed(aws, [])
    aws.answer("bedrock", "delete_custom_model", {}, {"modelIdentifier": f"{PREFIX}{'a' * 12}"})
    deleted = {"Objects": [{"Key": "pets-search/a.png"}], "Quiet": True}
    aws.answer("s3", "delete_objects", {}, {"Bucket": "train", "Delete": deleted})
    assert run("clean", "--keep", "0", "--yes").exit_code == 0


def test_a_model_that_is_served_meanwhile_stays(run: Run, aws: StubbedAws, alone: None) -> None:
    no_open_runs(aws)
    listed(aws, [])
    aws.points("model", None)
    trained(aws, [model("a", OLD)])
    for name in ("train", "valid"):
        bucket(aws, name, None, [])
    aws.points("model", None)
    listed(aws, [], served="a")
    result = run("clean", "--keep", "0", "--yes")
    assert result.exit_code == 2
    assert "published or served now, and stays" in result.stderr


def _stored(aws: StubbedAws, names: int) -> None:
    """So many models of one customization, asked for once."""
    trained(aws, [model(letter, OLD) for letter in "abc"[:names]])


def test_cost_shows_what_was_spent_and_what_a_lease_will_still_cost(
    run: Run, aws: StubbedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.deployed(pets_search=replace(shipped()["pets-search"], tags={"team": "pets"}))
    now = datetime.now(UTC)
    tags = {
        "bedrock-tuning:environment": "dev",
        "bedrock-tuning:customization": "pets-search",
        "bedrock-tuning:expires": f"{now + timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}",
    }
    throughput(aws, tags, base="amazon.titan-image-generator-v2:0")
    _stored(aws, 2)
    result = run("cost", "--json")
    assert result.exit_code == 0, result.output
    (spent,) = [
        each
        for each in json.loads(result.stdout)["customizations"]
        if each["customization"] == "pets-search"
    ]
    (served,) = spent["served"]
    # Two units at 21 dollars an hour, for two hours more.
    assert served["until_end_usd"] == pytest.approx(84.0, abs=0.2)
    assert served["so_far_usd"] > 0
    assert (spent["team"], spent["models"], spent["stored_usd_per_month"]) == ("pets", 2, 3.9)
    assert spent["billed_usd"] is None


def test_an_unknown_price_is_never_zero(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    tags = {"bedrock-tuning:environment": "dev", "bedrock-tuning:customization": "pets-search"}
    throughput(aws, tags, base="amazon.titan-embed-image-v1:0")
    _stored(aws, 0)
    result = run("cost")
    assert "unknown USD so far" in result.stderr
    assert "pets-search" in result.stdout


def test_the_bill_is_asked_only_on_request_and_by_tag(run: Run, aws: StubbedAws) -> None:
    aws.deployed()
    throughput(aws)
    _stored(aws, 0)

    def group(name: str, amount: str) -> dict[str, Any]:
        money = {"UnblendedCost": {"Amount": amount, "Unit": "USD"}}
        return {"Keys": [f"bedrock-tuning:customization${name}"], "Metrics": money}

    period = {"TimePeriod": {"Start": "2026-11-01", "End": "2026-11-27"}, "Estimated": True}
    groups = [group("pets-search", "12.345"), group("gone", "1")]
    answer = {"ResultsByTime": [{**period, "Groups": groups}]}
    aws.answer("cost_explorer", "get_cost_and_usage", answer, None)
    found = json.loads(run("cost", "--billed", "--json").stdout)["customizations"]
    billed = {each["customization"]: each["billed_usd"] for each in found}
    assert billed == {
        "cats": 0.0, "gone": 1.0, "pets": 0.0, "pets-search": 12.35, "pets-style": 0.0,
    }  # fmt: skip
