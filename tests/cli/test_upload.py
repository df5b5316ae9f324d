"""`tuning upload`: the order of things, and what is not sent twice."""

import json
import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import pytest
from botocore.exceptions import ClientError

from bedrock_tuning.client import runs
from tests.cli.conftest import Run
from tests.cli.datasets import dataset, picture, record
from tests.cli.support import Heard, StubbedAws, item, shipped
from tests.cli.test_one_run import at

OUTPUT = "bedrock_tuning.cli.terminal.output"


class FakeRuns:
    """A runs table: what is asked of one customization's runs, newest first."""

    def __init__(self) -> None:
        self.runs: list[dict[str, Any]] = []
        self.error: ClientError | None = None

    def start(self, customization: str, **values: Any) -> str:
        run = f"20261121-0930{len(self.runs):02d}-aaaaaa"
        self.runs.append({"run": run, "customization": customization, **values})
        return run

    def get_paginator(self, name: str) -> "FakeRuns":
        assert name == "query"
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        if self.error is not None:
            raise self.error
        wanted = asked["ExpressionAttributeValues"][":name"]["S"]
        found = [item(**each) for each in self.runs[::-1] if each["customization"] == wanted]
        yield {"Items": found[: asked["PaginationConfig"]["MaxItems"]]}


class FakeS3:
    """Keeps what is put, in the order in which it comes; a training manifest starts a run."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], tuple[int, datetime]] = {}
        self.log: list[str] = []
        self.runs = FakeRuns()

    def put_object(self, *, Bucket: str, Key: str, Body: IO[bytes]) -> None:  # noqa: N803
        self.objects[Bucket, Key] = (len(Body.read()), datetime.now(UTC))
        self.log.append(f"{Bucket}/{Key}")

    def upload_file(self, file: str, bucket: str, key: str) -> None:
        with Path(file).open("rb") as body:
            self.put_object(Bucket=bucket, Key=key, Body=body)
        if bucket == "train":
            name = key.partition("/")[0]
            self.runs.start(name, status="checking", training_version="v", execution="exec-1")

    def get_paginator(self, name: str) -> "FakeS3":
        assert name == "list_objects_v2"
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        for (bucket, key), (size, modified) in self.objects.items():
            if bucket == Bucket and key.startswith(Prefix):
                yield {"Contents": [{"Key": key, "Size": size, "LastModified": modified}]}


@pytest.fixture
def s3(aws: StubbedAws) -> FakeS3:
    fake = FakeS3()
    aws.__dict__["s3"] = fake
    aws.__dict__["dynamodb"] = fake.runs
    aws.deployed()
    return fake


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    dataset(tmp_path / "training", count=3)
    dataset(tmp_path / "validation", count=2, bucket="valid")
    return tmp_path


def test_images_go_first_and_the_training_manifest_last(
    run: Run, s3: FakeS3, prepared: Path
) -> None:
    result = run("upload", "--no-check", prepared, "--customization", "pets", "--json")
    assert result.exit_code == 0, result.output
    assert s3.log[-2:] == ["valid/pets/manifest.jsonl", "train/pets/manifest.jsonl"]
    assert sorted(s3.log[:-2]) == [
        *(f"train/pets/images/{n}.png" for n in range(3)),
        *(f"valid/pets/images/{n}.png" for n in range(2)),
    ]
    assert json.loads(result.stdout)["images"]["training"] == {
        "sent": 3,
        "bytes": sum(file.stat().st_size for file in prepared.glob("training/images/*")),
        "replaced": 0,
        "already_there": 0,
    }


def test_what_is_there_already_is_not_sent_again(
    run: Run, aws: StubbedAws, s3: FakeS3, prepared: Path
) -> None:
    run("upload", "--no-check", prepared, "-c", "pets")
    s3.log.clear()
    later = (datetime.now(UTC) + timedelta(hours=1)).timestamp()
    os.utime(prepared / "training/images/1.png", (later, later))
    aws.deployed()
    again = run("upload", "--no-check", prepared, "-c", "pets")
    assert again.exit_code == 0
    assert "training: of these, 1 image will replace another of the same name" in again.stderr
    assert s3.log == [
        "train/pets/images/1.png",
        "valid/pets/manifest.jsonl",
        "train/pets/manifest.jsonl",
    ]


def test_a_folder_with_one_manifest_is_a_training_set(run: Run, s3: FakeS3, tmp_path: Path) -> None:
    dataset(tmp_path, count=1)
    assert run("upload", "--no-check", tmp_path, "-c", "pets").exit_code == 0
    assert s3.log == ["train/pets/images/0.png", "train/pets/manifest.jsonl"]


def test_manifests_of_any_name_are_named_themselves_and_texts_need_no_images(
    run: Run, s3: FakeS3, tmp_path: Path
) -> None:
    chat, held = tmp_path / "chat.jsonl", tmp_path / "held-out.jsonl"
    for file in (chat, held):
        file.write_text('{"prompt": "Hello", "completion": "Hi"}\n')
    result = run("upload", "--no-check", chat, "--validation", held, "-c", "pets")
    assert result.exit_code == 0, result.stderr
    assert s3.log == ["valid/pets/manifest.jsonl", "train/pets/manifest.jsonl"]
    assert "image" not in result.stderr


@pytest.fixture
def in_two_folders(aws: StubbedAws) -> FakeS3:
    """The customization pets-search has its pictures in folder1/ and folder2/."""
    fake = FakeS3()
    aws.__dict__["s3"] = fake
    aws.__dict__["dynamodb"] = fake.runs
    search = replace(shipped()["pets-search"], folders=("folder1", "folder2"))
    aws.deployed(pets_search=search)
    return fake


def _sample(folder: Path, *names: str) -> None:
    """A manifest with pictures in several folders, as AWS's guide shows it."""
    lines = [record(f"s3://train/{name}") for name in names]
    (folder / "manifest.jsonl").write_text("".join(lines), "utf-8")


def test_pictures_go_to_the_folders_that_the_manifest_names(
    run: Run, in_two_folders: FakeS3, tmp_path: Path
) -> None:
    names = ["folder1/0001.png", "folder2/0001.png", "folder1/0003.png"]
    for number, name in enumerate(names):
        picture(tmp_path / name, number=number)
    _sample(tmp_path, *names)
    result = run("upload", "--no-check", tmp_path, "-c", "pets-search")
    assert result.exit_code == 0, result.stderr
    assert sorted(in_two_folders.log[:-1]) == sorted(f"train/{name}" for name in names)
    assert in_two_folders.log[-1] == "train/pets-search/manifest.jsonl"


def test_pictures_in_one_of_the_folders_may_lie_beside_the_manifest(
    run: Run, in_two_folders: FakeS3, tmp_path: Path
) -> None:
    picture(tmp_path / "images/0001.png")
    _sample(tmp_path, "folder2/images/0001.png")
    assert run("upload", "--no-check", tmp_path, "-c", "pets-search").exit_code == 0
    assert in_two_folders.log[0] == "train/folder2/images/0001.png"


def test_a_picture_of_another_folder_is_told_by_its_whole_key(
    run: Run, in_two_folders: FakeS3, tmp_path: Path
) -> None:
    picture(tmp_path / "folder1/0001.png")
    _sample(tmp_path, "folder1/0001.png", "folder2/0002.png")
    result = run("upload", "--no-check", tmp_path, "-c", "pets-search")
    assert result.exit_code == 2
    assert "neither here nor uploaded, for example folder2/0002.png" in result.stderr
    assert in_two_folders.log == []


def test_a_manifest_outside_all_folders_of_its_customization_is_refused(
    run: Run, in_two_folders: FakeS3, tmp_path: Path
) -> None:
    _sample(tmp_path, "pets-search/0001.png")
    result = run("upload", "--no-check", tmp_path, "-c", "pets-search")
    assert result.exit_code == 2
    assert "uploaded to s3://train/folder1/ or s3://train/folder2/" in result.stderr
    assert "prepare it again with --to s3://train/folder1/" in result.stderr


def test_a_manifest_that_refers_elsewhere_is_refused_with_the_right_option(
    run: Run, s3: FakeS3, prepared: Path
) -> None:
    result = run("upload", "--no-check", prepared, "-c", "cats")
    assert result.exit_code == 2
    assert "--to s3://train/cats/ --validation-to s3://valid/cats/" in result.stderr
    assert "upload it with -c pets, or prepare it again" in result.stderr
    assert s3.log == []


def test_a_folder_without_manifest_is_refused(run: Run, s3: FakeS3, tmp_path: Path) -> None:
    result = run("upload", "--no-check", tmp_path, "-c", "pets")
    assert result.exit_code == 2
    assert "no manifest.jsonl found" in result.stderr
    assert s3.log == []


def test_only_what_the_manifest_names_is_sent(run: Run, s3: FakeS3, tmp_path: Path) -> None:
    dataset(tmp_path, count=1)
    (tmp_path / "private.txt").write_text("not for others")
    assert run("upload", "--no-check", tmp_path, "-c", "pets").exit_code == 0
    assert "train/pets/private.txt" not in s3.log


def test_no_manifest_is_sent_while_an_image_is_missing(
    run: Run, s3: FakeS3, prepared: Path
) -> None:
    (prepared / "validation/images/1.png").unlink()
    result = run("upload", "--no-check", prepared, "-c", "pets")
    assert result.exit_code == 2
    assert "images/1.png" in result.stderr
    assert not [name for name in s3.log if name.endswith("manifest.jsonl")]


def test_an_image_that_was_uploaded_before_need_not_be_here(
    run: Run, aws: StubbedAws, s3: FakeS3, prepared: Path
) -> None:
    run("upload", "--no-check", prepared, "-c", "pets")
    (prepared / "training/images/1.png").unlink()
    aws.deployed()
    assert run("upload", "--no-check", prepared, "-c", "pets").exit_code == 0


def test_an_upload_for_an_unknown_customization_is_refused_with_the_nearest_name(
    run: Run, s3: FakeS3, prepared: Path
) -> None:
    result = run("upload", "--no-check", prepared, "-c", "petz")
    assert result.exit_code == 2
    assert "unknown customization petz in dev; did you mean pets?" in result.stderr
    assert s3.log == []


def test_a_customization_that_is_only_a_file_has_to_be_deployed_first(
    run: Run, s3: FakeS3, prepared: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "customizations").mkdir()
    (tmp_path / "customizations/birds.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    result = run("upload", "--no-check", prepared, "-c", "birds")
    assert result.exit_code == 2
    assert "birds is not deployed in dev" in result.stderr
    assert "cdk deploy tuning-dev-birds --context environment=dev" in result.stderr
    assert s3.log == []


def test_a_name_near_a_file_that_is_not_deployed_is_recognized(
    run: Run, s3: FakeS3, prepared: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "customizations").mkdir()
    (tmp_path / "customizations/birds.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    assert "did you mean birds?" in run("upload", "--no-check", prepared, "-c", "bird").stderr


def test_a_dataset_without_validation_is_not_told_where_its_validation_would_lie(
    run: Run, s3: FakeS3, tmp_path: Path
) -> None:
    dataset(tmp_path, count=1)
    result = run("upload", "--no-check", tmp_path, "-c", "pets-style")
    assert "--to s3://train/pets-style/" in result.stderr
    assert "--validation-to" not in result.stderr


@pytest.mark.parametrize("name", ["0.PNG", "0.jpg"])
def test_a_missing_image_whose_name_differs_in_case_or_extension_is_recognized(
    run: Run, s3: FakeS3, tmp_path: Path, name: str
) -> None:
    dataset(tmp_path, count=1)
    (tmp_path / "images/0.png").rename(tmp_path / "images" / name)
    result = run("upload", "--no-check", tmp_path, "-c", "pets")
    assert result.exit_code == 2
    assert f"for example images/0.png; did you mean images/{name}?" in result.stderr


def test_the_run_that_an_upload_starts_is_named_and_not_an_earlier_one(
    run: Run, s3: FakeS3, prepared: Path
) -> None:
    s3.runs.start("pets", status="served", training_version="v")
    result = run("upload", "--no-check", prepared, "-c", "pets", "--json")
    assert json.loads(result.stdout)["run"] == "20261121-093001-aaaaaa"
    assert "tuning run 20261121-093001-aaaaaa --follow" in result.stderr


def test_a_run_that_does_not_appear_is_said_with_where_to_look(
    run: Run, s3: FakeS3, prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object, **__: object) -> str:
        return ""

    monkeypatch.setattr(runs, "_PATIENCE_SECONDS", 0)
    monkeypatch.setattr(s3.runs, "start", lost)
    result = run("upload", "--no-check", prepared, "-c", "pets")
    assert result.exit_code == 0
    assert "no run has started" in result.stderr
    assert "its event may be undelivered: tuning redrive" in result.stderr


def test_whoever_may_upload_but_not_read_the_runs_has_uploaded_all_the_same(
    run: Run, s3: FakeS3, prepared: Path
) -> None:
    denied = {"Error": {"Code": "AccessDeniedException", "Message": "no"}}
    s3.runs.error = ClientError(denied, "Query")  # type: ignore[arg-type]
    result = run("upload", "--no-check", prepared, "-c", "pets")
    assert result.exit_code == 0
    assert "tuning run latest -c pets --follow" in result.stderr
    assert s3.log[-1] == "train/pets/manifest.jsonl"


def test_a_validation_set_alone_promises_no_run(run: Run, s3: FakeS3, prepared: Path) -> None:
    shutil.rmtree(prepared / "training")
    result = run("upload", "--no-check", prepared, "-c", "pets")
    assert result.exit_code == 0
    assert "a run starts with the next one" in result.stderr


def test_an_upload_can_be_followed_to_the_end_of_its_run(
    run: Run, aws: StubbedAws, s3: FakeS3, prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = {"run": "r", "customization": "pets", "status": "rejected", "message": "Fix it"}
    ended |= {"created": "2026-11-21T09:30:00Z", **at(checking=0, rejected=5)}
    s3.runs.get_item = lambda **_: {"Item": item(**ended)}  # type: ignore[attr-defined]
    result = run("upload", "--no-check", prepared, "-c", "pets", "--follow")
    assert result.exit_code == 1
    assert "0:00:05  the dataset was rejected" in result.stdout
    assert "run r is rejected: Fix it" in result.stderr


@pytest.fixture
def valid(tmp_path: Path) -> Path:
    """As many records as the model wants, of a few pictures by turns."""
    manifest = dataset(tmp_path / "training", count=6)
    rows = [json.loads(line) for line in manifest.read_text("utf-8").splitlines()]
    lines = (
        json.dumps({**rows[number % 6], "caption": f"a dog on a red ground, view {number}"})
        for number in range(1_000)
    )
    manifest.write_text("\n".join(lines) + "\n", "utf-8")
    return tmp_path


def test_a_dataset_with_errors_is_not_sent(
    run: Run, aws: StubbedAws, s3: FakeS3, prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(prepared)
    result = run("upload", prepared, "-c", "pets")
    assert result.exit_code == 1
    assert "REJECTED for titan-multimodal-embeddings-g1: 5 records" in result.stdout
    assert s3.log == []
    assert "nothing was sent; every finding: tuning validate" in result.stderr
    command = result.stderr.partition("every finding: tuning ")[2].split("\n")[0]
    aws.deployed()
    assert run(*shlex.split(command)).exit_code == 1
    assert (prepared / "report.html").is_file()


def test_a_dataset_with_errors_is_one_document_for_programs(
    run: Run, s3: FakeS3, prepared: Path
) -> None:
    result = run("upload", prepared, "-c", "pets", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert (found["valid"], found["manifests"]) == (False, [])
    assert found["errors"] == sum(found["counts"].values()) - found["warnings"]


def test_before_anything_is_sent_its_price_and_size_are_shown(
    run: Run, s3: FakeS3, valid: Path
) -> None:
    result = run("upload", valid, "-c", "pets", "--dry-run")
    assert result.exit_code == 0, result.output
    assert s3.log == []
    assert "pets → dev · 000000000000 · us-east-1" in result.stderr
    assert "training: 6 images to send (" in result.stderr
    assert (
        "training: unknown: no published price for Titan Multimodal Embeddings G1" in result.stderr
    )
    assert "training time: unknown" in result.stderr
    assert "approval: no price is known for training" in result.stderr


def test_who_uploads_is_told_that_nobody_hears_of_the_approval(
    run: Run, aws: StubbedAws, s3: FakeS3, valid: Path
) -> None:
    vars(aws)["sns"] = Heard("PendingConfirmation")
    told = run("upload", valid, "-c", "pets", "--dry-run").stderr
    assert "nobody is notified by e-mail: a@example.com has not confirmed" in told


@pytest.mark.parametrize(("answer", "code", "sent"), [("y", 0, 7), ("n", 1, 0), ("", 1, 0)])
def test_on_a_terminal_sending_is_asked_and_return_means_no(
    run: Run,
    s3: FakeS3,
    valid: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    code: int,
    sent: int,
) -> None:
    for module in ("bedrock_tuning.cli.commands.operate.upload", OUTPUT):
        monkeypatch.setattr(sys.modules[module], "on_terminal", lambda: True)
    result = run("upload", valid, "-c", "pets", input=f"{answer}\n")
    assert result.exit_code == code, result.output
    assert len(s3.log) == sent


def test_ctrl_c_during_the_check_has_sent_nothing(
    run: Run, s3: FakeS3, valid: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("bedrock_tuning.validating.check.DatasetCheck.run", stopped)
    result = run("upload", valid, "-c", "pets")
    assert result.exit_code == 130
    assert "stopped by Ctrl-C: nothing was sent" in result.stderr


def test_a_stopped_upload_continues_with_what_is_missing(
    run: Run, aws: StubbedAws, s3: FakeS3, valid: Path
) -> None:
    put = s3.put_object

    def until_third(**given: Any) -> None:
        if len(s3.log) == 3:
            raise KeyboardInterrupt
        put(**given)

    s3.put_object = until_third  # type: ignore[method-assign]
    stopped = run("upload", valid, "-c", "pets")
    assert stopped.exit_code == 130
    command = stopped.stderr.partition("to continue: tuning ")[2].split("\n")[0]
    s3.put_object = put  # type: ignore[method-assign]
    first = list(s3.log)
    aws.deployed()
    assert run(*shlex.split(command)).exit_code == 0
    assert sorted(s3.log) == sorted(
        [*(f"train/pets/images/{number}.png" for number in range(6)), "train/pets/manifest.jsonl"]
    ), "nothing was sent twice"
    assert s3.log[: len(first)] == first
