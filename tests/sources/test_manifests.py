"""A manifest here or in S3: found, read whole or in part, and refused in words."""

import io
import os
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bedrock_tuning.errors import UserError
from bedrock_tuning.sources.manifests import (
    LocalManifest,
    S3Manifest,
    bucket_region,
    manifests_in,
)
from tests.support.s3 import Objects, Server

URI = "s3://a-bucket/pets/manifest.jsonl"


def refusal(operation: str, code: str, **headers: str) -> ClientError:
    said: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPHeaders": headers}}
    return ClientError(said, operation)


class Answers:
    """S3 with one object of ten bytes. region: of its bucket; refuses: by operation, how."""

    def __init__(self, region: str = "eu-west-1", **refuses: ClientError) -> None:
        self.meta = type("", (), {"region_name": "us-east-1"})
        self._headers = {"x-amz-bucket-region": region} if region else {}
        self._refuses = refuses
        self.asked: list[dict[str, Any]] = []

    def _answer(self, operation: str, asked: dict[str, Any], answer: Any) -> Any:
        self.asked.append(asked)
        if operation in self._refuses:
            raise self._refuses[operation]
        return answer

    def head_object(self, **asked: Any) -> Any:
        return self._answer("head_object", asked, {"ContentLength": 10})

    def head_bucket(self, **asked: Any) -> Any:
        meta = {"HTTPHeaders": self._headers} if self._headers else {}
        return self._answer("head_bucket", asked, {"ResponseMetadata": meta})

    def get_object(self, **asked: Any) -> Any:
        return self._answer("get_object", asked, {"Body": io.BytesIO(b"0123")})


def manifest(client: Any, uri: str = URI) -> S3Manifest:
    return S3Manifest(uri, client=client, credentials=dict)


def put(*files: Path) -> None:
    for each in files:
        each.parent.mkdir(parents=True, exist_ok=True)
        each.write_bytes(b"{}\n")


def test_a_folder_holds_a_manifest_of_each_kind_or_one_for_training(tmp_path: Path) -> None:
    alone, training, validation = (
        tmp_path / "manifest.jsonl",
        tmp_path / "training" / "manifest.jsonl",
        tmp_path / "validation" / "manifest.jsonl",
    )
    put(alone)
    assert manifests_in(tmp_path) == {"training": alone}
    put(training)
    assert manifests_in(tmp_path) == {"training": training}
    put(validation)
    assert manifests_in(tmp_path) == {"training": training, "validation": validation}
    training.unlink()
    assert manifests_in(tmp_path) == {"validation": validation}


def test_a_folder_without_a_manifest_is_refused_with_what_it_has_instead(tmp_path: Path) -> None:
    (tmp_path / "manifest.jsonl").mkdir()
    with pytest.raises(UserError, match=r"no manifest\.jsonl found") as bare:
        manifests_in(tmp_path / "training")
    assert bare.value.where == f"{tmp_path}/training, {tmp_path}/training/training"
    assert (bare.value.fix or "").endswith("pass the manifest itself")
    put(*(tmp_path / f"{name}.jsonl" for name in "dbca"), tmp_path / "x.json")
    with pytest.raises(UserError, match="found") as refused:
        manifests_in(tmp_path)
    assert refused.value.fix.endswith("manifest itself: a.jsonl, b.jsonl, c.jsonl")


def test_a_file_is_read_a_mebibyte_at_a_time_and_in_part(tmp_path: Path) -> None:
    path = tmp_path / "manifest.jsonl"
    body = bytes(range(256)) * 4096 + b"end"
    path.write_bytes(body)
    found = LocalManifest(path)
    assert (found.name, found.size, found.path) == (str(path), len(body), path)
    for _ in range(2):
        assert [len(chunk) for chunk in found.chunks()] == [1024 * 1024, 3]
        assert b"".join(found.chunks()) == body
    assert found.piece(1, 3) == b"\x01\x02\x03"
    assert found.piece(len(body) - 2, 100) == b"nd"


def test_what_is_no_file_is_refused_in_words(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, said, fix in (
        ("", "this is a folder", "name the manifest inside it"),
        ("none", "no such file", "pass a path or s3://bucket/key"),
        ("pipe", "this is a pipe or a device", "write it to a file first"),
    ):
        with pytest.raises(UserError, match=said) as refused:
            LocalManifest(tmp_path / name)
        assert (refused.value.where, refused.value.fix) == (str(tmp_path / name), fix)


def test_an_object_is_found_with_its_size_and_the_region_of_its_bucket() -> None:
    client = Answers()
    found = manifest(client)
    assert (found.name, found.bucket, found.key) == (URI, "a-bucket", "pets/manifest.jsonl")
    assert (found.size, found.region) == (10, "eu-west-1")
    assert client.asked[0] == {"Bucket": "a-bucket", "Key": "pets/manifest.jsonl"}
    assert client.asked[1] == {"Bucket": "a-bucket"}


def test_a_part_of_an_object_is_asked_for_as_a_range() -> None:
    client = Answers()
    assert manifest(client).piece(2, 4) == b"0123"
    assert client.asked[-1] == {
        **{"Bucket": "a-bucket", "Key": "pets/manifest.jsonl"},
        "Range": "bytes=2-5",
    }


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("s3://a-bucket", "this is a folder"),
        ("s3://a-bucket/pets/", "this is a folder"),
        ("https://a-bucket/pets", "s3://"),
    ],
)
def test_a_uri_that_names_no_object_is_refused_before_s3_is_asked(uri: str, said: str) -> None:
    client = Answers()
    with pytest.raises(UserError, match=said) as refused:
        manifest(client, uri)
    assert client.asked == []
    told = (uri, "name the manifest inside it") if "folder" in said else ("", "")
    assert (refused.value.where, refused.value.fix) == told


@pytest.mark.parametrize("code", ["404", "NoSuchKey", "NotFound"])
def test_an_object_that_is_not_there_is_told_whatever_s3_calls_it(code: str) -> None:
    with pytest.raises(UserError, match="no such object") as refused:
        manifest(Answers(head_object=refusal("HeadObject", code)))
    assert refused.value.where == URI
    assert refused.value.fix == f"check with: aws s3 ls {URI}"


def test_a_denied_object_is_not_taken_for_a_missing_one() -> None:
    with pytest.raises(ClientError, match="403"):
        manifest(Answers(head_object=refusal("HeadObject", "403")))


def test_a_buckets_region_is_told_by_an_answer_and_by_a_refusal() -> None:
    told = {"x-amz-bucket-region": "eu-central-1"}
    assert bucket_region(Answers(), "b") == "eu-west-1"  # type: ignore[arg-type]
    refused = Answers(head_bucket=refusal("HeadBucket", "403", **told))
    assert bucket_region(refused, "b") == "eu-central-1"  # type: ignore[arg-type]
    assert bucket_region(Answers(region=""), "b") == ""  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("told", "read"), [("eu-west-1", "eu-west-1"), ("", "us-east-1")], ids=["told", "not told"]
)
def test_an_object_is_read_in_its_buckets_region_or_the_clients(
    told: str, read: str, objects: Objects, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bedrock_tuning.sources import s3

    asked, store = [], s3.store

    def note(bucket: str, **given: Any) -> Any:
        asked.append((bucket, given["region"]))
        return store(bucket, **given)

    monkeypatch.setattr(s3, "store", note)
    objects.put("a-bucket", "pets/manifest.jsonl", b"0123456789")
    keys = {"access_key_id": "a", "secret_access_key": "b", "token": None}
    found = S3Manifest(URI, client=Answers(region=told), credentials=lambda: keys)  # type: ignore[arg-type]
    assert b"".join(found.chunks()) == b"0123456789"
    assert asked == [("a-bucket", read)]
