"""`tuning validate s3://…`: what is read, and in which Region the bucket is."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_socket

from tests.cli.conftest import Run
from tests.cli.datasets import MODEL, dataset
from tests.cli.support import StubbedAws
from tests.support import s3

MANIFEST = "s3://train/pets/manifest.jsonl"


@pytest.fixture
def uploaded(
    tmp_path: Path, socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[s3.Objects]:
    """A good dataset of six pictures below s3://train/pets/."""
    pytest_socket.socket_allow_hosts(["127.0.0.1"])
    objects = s3.Objects()
    dataset(tmp_path)
    for file in tmp_path.rglob("*"):
        if file.is_file():
            objects.put("train", f"pets/{file.relative_to(tmp_path)}", file.read_bytes())
    with s3.serve(objects) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
        yield objects


def _in_region(aws: StubbedAws, objects: s3.Objects, region: str | None) -> None:
    size = len(objects.body("train", "pets/manifest.jsonl"))
    aws.answer("s3", "head_object", {"ContentLength": size}, None)
    if region is None:
        aws.stub("s3").add_client_error("head_bucket", "403", http_status_code=403)
        return
    meta = {"HTTPStatusCode": 200, "HTTPHeaders": {"x-amz-bucket-region": region}}
    aws.answer("s3", "head_bucket", {"ResponseMetadata": meta}, {"Bucket": "train"})


def _found(result: Any) -> Any:
    return json.loads(result.stdout)


def test_a_dataset_in_s3_is_read_there(run: Run, aws: StubbedAws, uploaded: s3.Objects) -> None:
    _in_region(aws, uploaded, "us-east-1")
    found = _found(run("validate", MANIFEST, "-m", MODEL, "--json"))
    assert found["valid"] is True
    assert found["image_stats"]["training"]["checked"] == 6
    assert found["text_stats"]["training"]["bucket_region"] == "us-east-1"


def test_a_bucket_in_another_region_is_an_error_and_the_rest_is_checked_all_the_same(
    run: Run, aws: StubbedAws, uploaded: s3.Objects
) -> None:
    _in_region(aws, uploaded, "eu-central-1")
    found = _found(run("validate", MANIFEST, "-m", MODEL, "--json"))
    assert found["counts"]["bucket-in-another-region"] == 1
    (finding,) = found["findings"]
    assert finding["message"] == (
        "the training bucket is in eu-central-1, the job would run in us-east-1"
    )
    assert found["image_stats"]["training"]["checked"] == 6


def test_a_region_that_s3_does_not_tell_is_no_finding(
    run: Run, aws: StubbedAws, uploaded: s3.Objects
) -> None:
    _in_region(aws, uploaded, None)
    assert _found(run("validate", MANIFEST, "-m", MODEL, "--json"))["counts"] == {}


def test_a_dataset_that_is_not_uploaded_yet_has_no_region(run: Run, tmp_path: Path) -> None:
    found = _found(run("validate", dataset(tmp_path), "-m", MODEL, "--json"))
    assert found["text_stats"]["training"]["bucket_region"] == ""
