"""`tuning compare --against RUN` of embedding models: by vectors that were kept while it served."""

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from tests.cli.conftest import Run
from tests.cli.model.test_invoke import ENDPOINT, MODEL
from tests.cli.model.test_retrieval import BASE_ID, CAPTIONS, Runtime, compared, drawn
from tests.cli.support import OLDER, RUN, StubbedAws

KEPT = f"comparisons/pets-search/{OLDER}/vectors-1024.msgpack"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    another_computer(tmp_path, monkeypatch, "first")


def another_computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """One that has asked no model yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / name))


def asked_of_older(run: Run, aws: StubbedAws, data: Path, *options: str) -> dict[str, Any]:
    """OLDER's model is served and compared with its base model."""
    compared(aws, Runtime({BASE_ID: 0.1, ENDPOINT: 0.3}), run=OLDER)
    result = run("compare", "pets-search", "--data", data, *options, "--yes", "--json")
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_another_runs_kept_vectors_take_the_place_of_the_base_models(
    run: Run, aws: StubbedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, page = drawn(tmp_path, CAPTIONS), tmp_path / "compare.html"
    older = asked_of_older(run, aws, data)
    another_computer(tmp_path, monkeypatch, "second")
    runtime = Runtime({ENDPOINT: 0.7})
    for _ in range(2):
        bucket = compared(aws, runtime)
    arguments = ("compare", "pets-search", "--data", data, "--against", OLDER, "--yes")
    result = run(*arguments, "--json", "--html", page)
    assert result.exit_code == 0, result.output
    assert set(runtime.asked) == {ENDPOINT}
    assert f"220 of 220 pictures have kept vectors of run {OLDER}: all are compared" in (
        result.stderr
    )
    said = json.loads(result.stdout)
    assert said["verdict"] == "better"
    assert said["about"][f"Model of run {OLDER}"] == MODEL
    for before, now in zip(older["comparison"]["sides"], said["comparison"]["sides"], strict=True):
        assert before["tuned"] == now["base"]
    assert f"than the model of run {OLDER}" in page.read_text()
    # The newer one's are kept, too.
    assert f"comparisons/pets-search/{RUN}/vectors-1024.msgpack" in bucket.files
    shown = run(*arguments)
    assert "OTHER" in shown.stdout
    assert "nothing is billed" in shown.stderr


def test_only_pictures_with_kept_vectors_are_compared(
    run: Run, aws: StubbedAws, tmp_path: Path
) -> None:
    data = drawn(tmp_path, CAPTIONS[:20])
    asked_of_older(run, aws, data, "--limit", "8")
    compared(aws, Runtime({ENDPOINT: 0.7}))
    result = run("compare", "pets-search", "--data", data, "--against", OLDER, "--yes", "--json")
    assert f"8 of 20 pictures have kept vectors of run {OLDER}: only these" in result.stderr
    assert json.loads(result.stdout)["comparison"]["images"] == 8


def test_what_is_kept_grows_and_is_written_only_when_something_is_new(
    run: Run, aws: StubbedAws, tmp_path: Path
) -> None:
    data = drawn(tmp_path, CAPTIONS[:20])
    for limit, count in (("8", 16), ("20", 40), ("4", 40)):
        asked_of_older(run, aws, data, "--limit", limit)
        body = vars(aws)["s3"].files[KEPT]
        assert len(msgspec.msgpack.decode(body)["by_key"]) == count
    asked_of_older(run, aws, data)
    assert vars(aws)["s3"].files[KEPT] is body


def test_a_caption_is_asked_as_the_other_model_was_asked(
    run: Run, aws: StubbedAws, tmp_path: Path
) -> None:
    data = drawn(tmp_path, ["A dog", "a  dog", "a cat", "a bird"])
    manifest = data / "validation" / "manifest.jsonl"
    asked_of_older(run, aws, data)
    lines = manifest.read_text().splitlines()
    manifest.write_text("\n".join(reversed(lines)))
    compared(aws, Runtime({ENDPOINT: 0.7}))
    result = run("compare", "pets-search", "--data", data, "--against", OLDER, "--yes")
    assert result.exit_code == 0, result.output
    assert "4 of 4 pictures" in result.stderr
    assert "4 pictures, 3 different captions" in result.stderr


def test_a_run_that_was_never_compared_while_it_was_served_is_refused_with_the_fix(
    run: Run, aws: StubbedAws, tmp_path: Path
) -> None:
    data, runtime = drawn(tmp_path, CAPTIONS[:10]), Runtime({})
    compared(aws, runtime)
    refused = run("compare", "pets-search", "--data", data, "--against", OLDER, "--yes")
    assert refused.exit_code == 2
    assert "it was never compared while it was served" in refused.stderr
    assert f"s3://out/{KEPT}" in refused.stderr
    assert f"`tuning serve pets-search --run {OLDER}`" in refused.stderr
    assert f"`tuning compare pets-search --data {data}`" in refused.stderr
    assert runtime.asked == []


def test_vectors_of_other_pictures_or_of_another_length_are_no_comparison(
    run: Run, aws: StubbedAws, tmp_path: Path
) -> None:
    asked_of_older(run, aws, drawn(tmp_path / "before", CAPTIONS[:10]))
    today = drawn(tmp_path / "today", CAPTIONS[100:110])
    arguments = ("compare", "pets-search", "--data", today, "--against", OLDER, "--yes")
    compared(aws, Runtime({}))
    refused = run(*arguments)
    assert refused.exit_code == 2
    assert f"0 of 10 pictures have kept vectors of run {OLDER}" in refused.stderr
    compared(aws, Runtime({}))
    refused = run(*arguments, "--length", "256")
    assert "no vectors of length 256 are kept" in refused.stderr
    assert "--length 256`" in refused.stderr


def test_pictures_that_the_other_model_was_trained_on_are_refused(
    run: Run, aws: StubbedAws, tmp_path: Path
) -> None:
    data = drawn(tmp_path, CAPTIONS[:10])
    asked_of_older(run, aws, data)
    bucket = compared(aws, Runtime({}))
    row = {"image-ref": "s3://valid/pets-search/images/3.png", "caption": "x"}
    bucket.files[f"_checked/pets-search/{OLDER}/training.jsonl"] = json.dumps(row).encode()
    refused = run("compare", "pets-search", "--data", data, "--against", OLDER, "--yes")
    assert refused.exit_code == 2
    assert f"1 of these pictures were trained on by run {OLDER}" in refused.stderr


def written(model: str = MODEL, **vectors: bytes) -> bytes:
    by_key = {key.encode(): vector for key, vector in vectors.items()}
    return msgspec.msgpack.encode({"model": model, "by_key": by_key})


WHOLE = np.ones(4, np.float32).tobytes()


def test_vectors_of_another_model_are_never_mixed_in(
    run: Run, aws: StubbedAws, tmp_path: Path
) -> None:
    bucket = compared(aws, Runtime({BASE_ID: 0.1, ENDPOINT: 0.3}), run=OLDER)
    bucket.files[KEPT] = written(f"{MODEL}0", a=WHOLE)
    run("compare", "pets-search", "--data", drawn(tmp_path, CAPTIONS[:4]), "--yes")
    kept = msgspec.msgpack.decode(bucket.files[KEPT])
    assert kept["model"] == MODEL
    assert len(kept["by_key"]) == 8


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no such file",
        msgspec.msgpack.encode([MODEL]),
        written(a=WHOLE)[:-4],
        written(),
        written(a=WHOLE, b=WHOLE[:-4]),
        written(a=WHOLE[:-1]),
        written(a=np.full(4, np.nan, np.float32).tobytes()),
    ],
    ids=range(8),
)
def test_a_file_that_is_something_else_is_refused(
    run: Run, aws: StubbedAws, tmp_path: Path, body: bytes
) -> None:
    data, runtime = drawn(tmp_path, CAPTIONS[:4]), Runtime({})
    bucket = compared(aws, runtime)
    bucket.files[KEPT] = body
    refused = run("compare", "pets-search", "--data", data, "--against", OLDER, "--yes")
    assert refused.exit_code == 2, refused.output
    assert "these are not vectors that `tuning compare` kept" in refused.stderr
    assert runtime.asked == []
    # Its own run's next comparison replaces it.
    asked_of_older(run, aws, data)
    assert bucket.files[KEPT] != body
