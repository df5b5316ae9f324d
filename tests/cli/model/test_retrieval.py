"""`tuning compare` and `tuning search`: vectors asked once, scores, pages, and what is refused."""

import io
import json
import os
import random
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.cli.conftest import Run
from tests.cli.model.test_invoke import ENDPOINT, MODEL, WRITES, made_from, published
from tests.cli.model.test_side_by_side import Bucket
from tests.cli.support import RUN, StubbedAws

BASE_ID = "amazon.titan-embed-image-v1"


class Runtime:
    """bedrock-runtime for embeddings: `sees` decides how near a model gets to what a caption says.

    A picture's file holds its caption after the image's end, where no decoder looks.
    """

    class exceptions:  # noqa: N801 - boto3's name
        class ModelNotReadyException(Exception): ...  # noqa: N818

    def __init__(self, sees: dict[str, float], *, stop_at: int = 0) -> None:
        """stop_at: the call during which somebody presses Ctrl-C; 0 for none."""
        self._sees = sees
        self._stop_at = stop_at
        self._lock = threading.Lock()
        self.asked: list[str] = []

    def invoke_model(self, *, modelId: str, body: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        with self._lock:
            self.asked.append(modelId)
            if len(self.asked) == self._stop_at:
                os.kill(os.getpid(), signal.SIGINT)
        # So that Ctrl-C comes while some calls have not begun.
        time.sleep(0.05 if self._stop_at else 0)
        asked = json.loads(body)
        if "inputText" in asked:
            vector = meaning(asked["inputText"])
        else:
            share, noise = self._sees[modelId], meaning(asked["inputImage"])
            caption = picture_says(asked["inputImage"])
            vector = [
                share * word + (1 - share) * other
                for word, other in zip(meaning(caption), noise, strict=True)
            ]
        return {"body": io.BytesIO(json.dumps({"embedding": vector}).encode())}


def meaning(text: str) -> list[float]:
    dice = random.Random(text)  # noqa: S311
    return [dice.gauss(0, 1) for _ in range(16)]


def picture_says(encoded: str) -> str:
    import base64

    return base64.b64decode(encoded).rpartition(b"\0says\0")[2].decode()


def drawn(folder: Path, captions: Sequence[str], *, folders: Sequence[str] = ("",)) -> Path:
    """What `tuning prepare` writes: validation/manifest.jsonl with its pictures beside it.

    folders: below images/, in which the pictures lie in turn.
    """
    here = folder / "validation"
    lines = []
    for number, caption in enumerate(captions):
        place = Path("images") / folders[number % len(folders)] / f"{number}.png"
        file = here / place
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (number % 256, number // 256, 0)).save(file)
        file.write_bytes(file.read_bytes() + b"\0says\0" + caption.encode())
        reference = f"s3://valid/pets-search/{place}"
        lines.append(json.dumps({"image-ref": reference, "caption": caption}))
    (here / "manifest.jsonl").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def models(aws: StubbedAws) -> None:
    """What is asked of AWS to find the base model and the tuned one."""
    published(aws, endpoint=None)
    aws.points("model", MODEL)
    aws.points("endpoint", ENDPOINT)
    made_from(aws)


def compared(
    aws: StubbedAws, runtime: Runtime, *, run: str = RUN, trained: Sequence[str] = ()
) -> Bucket:
    """What `compare` asks AWS before it asks the models. run: that made the published one."""
    models(aws)
    aws.points("run", run)
    bucket = vars(aws).get("s3")
    if not isinstance(bucket, Bucket):
        bucket = vars(aws)["s3"] = Bucket()
    rows = [json.dumps({"image-ref": each, "caption": "x"}) for each in trained]
    bucket.files[f"_checked/pets-search/{run}/training.jsonl"] = "\n".join(rows).encode()
    vars(aws)["bedrock_runtime"] = runtime
    return bucket


CAPTIONS = [f"a dog with the number {number}" for number in range(220)]


def test_a_model_that_learned_is_better_in_both_directions(
    run: Run, aws: StubbedAws, tmp_path: Path
) -> None:
    runtime = Runtime({BASE_ID: 0.2, ENDPOINT: 0.7})
    compared(aws, runtime)
    data, page = drawn(tmp_path, CAPTIONS), tmp_path / "compare.html"
    result = run("compare", "pets-search", "--data", data, "--html", page, "--yes", "--json")
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert said["verdict"] == "better"
    for side in said["comparison"]["sides"]:
        assert side["questions"] == 220
        assert side["tuned"]["recall"]["1"] > side["base"]["recall"]["1"] > side["chance"]["1"]
    assert "Tuning paid off" in page.read_text()
    assert "data:image/jpeg" in page.read_text()


def test_each_class_is_shown_with_what_changed_most_first(
    run: Run, aws: StubbedAws, tmp_path: Path
) -> None:
    data = drawn(tmp_path, CAPTIONS, folders=[f"kind-{number:02}" for number in range(22)])
    for _ in range(2):
        compared(aws, Runtime({BASE_ID: 0.2, ENDPOINT: 0.7}))
    said = json.loads(run("compare", "pets-search", "--data", data, "--yes", "--json").stdout)
    assert said["comparison"]["classed_by"] == "folder"
    for side in said["comparison"]["sides"]:
        changes = [abs(each["recall_difference"]["5"]["value"]) for each in side["classes"]]
        assert len(changes) == 22
        assert changes == sorted(changes, reverse=True)
    shown = run("compare", "pets-search", "--data", data, "--yes").stdout
    assert "image to text R@5, by folder" in shown
    assert shown.count("\nkind-") == 2 * 20
    assert shown.count("and 2 more: --html FILE and --json show all") == 2
    # Ten pictures each.
    assert shown.count("too few to tell") == 2 * 20


def test_captions_that_repeat_are_the_classes_of_pictures_without_folders(
    run: Run, aws: StubbedAws, tmp_path: Path
) -> None:
    letters = [f"a photo of the letter {letter}" for letter in "ABCDEFGH"]
    data = drawn(tmp_path, letters * 40)
    compared(aws, Runtime({BASE_ID: 0.2, ENDPOINT: 0.4}))
    shown = run("compare", "pets-search", "--data", data, "--yes").stdout
    assert "image to text R@5, by caption" in shown
    # A caption asks once: that tells nothing of a class.
    assert "text to image R@5, by caption" not in shown
    assert shown.count("a photo of the letter") == 8
    assert "too few to tell" not in shown


def test_a_model_that_learned_nothing_shows_no_difference_and_one_that_forgot_ends_with_1(
    run: Run, aws: StubbedAws, tmp_path: Path
) -> None:
    data = drawn(tmp_path, CAPTIONS)
    compared(aws, Runtime({BASE_ID: 0.4, ENDPOINT: 0.4}))
    same = run("compare", "pets-search", "--data", data, "--yes")
    assert same.exit_code == 0
    assert "no-difference" in same.stdout
    compared(aws, Runtime({BASE_ID: 0.4, ENDPOINT: 0.0}))
    # The vectors of a model are kept, so another length is another model to the cache.
    worse = run("compare", "pets-search", "--data", data, "--yes", "--length", "256")
    assert worse.exit_code == 1
    assert "worse" in worse.stdout


def test_a_picture_with_several_captions_is_one_picture(
    run: Run, aws: StubbedAws, tmp_path: Path
) -> None:
    manifest = drawn(tmp_path, CAPTIONS[:10]) / "validation" / "manifest.jsonl"
    rows = [json.loads(line) for line in manifest.read_text().splitlines()]
    more = [{**row, "caption": f"{row['caption']}, sitting"} for row in rows]
    manifest.write_text("".join(f"{json.dumps(row)}\n" for row in [*rows, *more]))
    runtime = Runtime({BASE_ID: 0.2, ENDPOINT: 0.7})
    compared(aws, runtime)
    result = run("compare", "pets-search", "--data", tmp_path, "--yes", "--json")
    assert "10 pictures, 20 different captions" in result.stderr
    assert len(runtime.asked) == 2 * (10 + 20)
    sides = json.loads(result.stdout)["comparison"]["sides"]
    assert [side["questions"] for side in sides] == [20, 10]


def test_what_was_answered_is_never_asked_again(run: Run, aws: StubbedAws, tmp_path: Path) -> None:
    runtime = Runtime({BASE_ID: 0.2, ENDPOINT: 0.7})
    data = drawn(tmp_path, CAPTIONS[:10])
    for _ in range(2):
        compared(aws, runtime)
        last = run("compare", "pets-search", "--data", data, "--yes")
    assert sorted(set(runtime.asked)) == [BASE_ID, ENDPOINT]
    assert len(runtime.asked) == 2 * (10 + 10)
    assert "nothing is billed" in last.stderr
    assert "too few" in last.stdout


def test_the_price_is_shown_and_without_a_terminal_yes_is_needed(
    run: Run, aws: StubbedAws, tmp_path: Path
) -> None:
    runtime = Runtime({})
    compared(aws, runtime)
    refused = run("compare", "pets-search", "--data", drawn(tmp_path, CAPTIONS[:10]))
    assert refused.exit_code == 2
    assert "base: 20 calls" in refused.stderr
    assert "USD on demand" in refused.stderr
    assert "billed by the hour" in refused.stderr
    assert runtime.asked == []


def test_pictures_that_were_trained_on_are_refused(
    run: Run, aws: StubbedAws, tmp_path: Path
) -> None:
    data = drawn(tmp_path, CAPTIONS[:10])
    compared(aws, Runtime({}), trained=["s3://valid/pets-search/images/3.png", "s3://t/p/x.png"])
    refused = run("compare", "pets-search", "--data", data, "--yes")
    assert refused.exit_code == 2
    assert "1 of these pictures were trained on" in refused.stderr


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            '{"image-ref": "s3://valid/pets-search/images/gone.png", "caption": "x"}',
            "is not beside",
        ),
        ('{"caption": "x"}', 'not a pair of "image-ref" and "caption"'),
        ("[1]", 'not a pair of "image-ref" and "caption"'),
        ('{"image-ref": "images/1.png", "caption": "x"}', "not an S3 URI"),
    ],
)
def test_a_wrong_row_is_named_with_its_line(
    run: Run, aws: StubbedAws, tmp_path: Path, row: str, said: str
) -> None:
    data = drawn(tmp_path, CAPTIONS[:3])
    manifest = data / "validation" / "manifest.jsonl"
    manifest.write_text(manifest.read_text() + row + "\n")
    models(aws)
    aws.points("run", RUN)
    refused = run("compare", "pets-search", "--data", data, "--yes")
    assert refused.exit_code == 2
    assert said in refused.stderr
    assert "manifest.jsonl:4" in refused.stderr


def test_a_search_finds_the_picture_and_asks_for_each_once(
    run: Run, aws: StubbedAws, tmp_path: Path
) -> None:
    runtime = Runtime({ENDPOINT: 0.9})
    folder, page = drawn(tmp_path, CAPTIONS[:12]) / "validation" / "images", tmp_path / "s.html"
    for wanted in (7, 3):
        published(aws)
        aws.__dict__["bedrock_runtime"] = runtime
        result = run(
            "search", "pets-search", folder, CAPTIONS[wanted], "--yes", "--json", "--top", "3",
            "--html", page, "--overwrite",
        )  # fmt: skip
        assert result.exit_code == 0, result.output
        hits = json.loads(result.stdout)["found"]["tuned"]
        assert hits[0]["file"].endswith(f"/{wanted}.png")
        assert len(hits) == 3
    assert len(runtime.asked) == 12 + 2
    assert page.read_text().count("data:image/jpeg") == 3


def test_ctrl_c_among_the_calls_keeps_every_answer_and_the_same_command_asks_for_the_rest(
    run: Run, aws: StubbedAws, tmp_path: Path
) -> None:
    stopping = Runtime({BASE_ID: 0.2, ENDPOINT: 0.7}, stop_at=10)
    data = drawn(tmp_path, CAPTIONS[:20])
    compared(aws, stopping)
    stopped = run("compare", "pets-search", "--data", data, "--yes")
    assert stopped.exit_code == 130
    assert "stopped by Ctrl-C: every answer so far is kept" in stopped.stderr
    assert "the same command asks for the rest only" in stopped.stderr
    assert "Traceback" not in stopped.output
    assert 10 <= len(stopping.asked) < 40
    going_on = Runtime({BASE_ID: 0.2, ENDPOINT: 0.7})
    compared(aws, going_on)
    assert run("compare", "pets-search", "--data", data, "--yes").exit_code == 0
    # Not one is paid for twice, also of those that were under way.
    assert len(stopping.asked) + len(going_on.asked) == 2 * (20 + 20)


def test_ctrl_c_in_a_search_keeps_every_answer_too(
    run: Run, aws: StubbedAws, tmp_path: Path
) -> None:
    folder = drawn(tmp_path, CAPTIONS[:20]) / "validation" / "images"
    stopping, going_on = Runtime({ENDPOINT: 0.9}, stop_at=10), Runtime({ENDPOINT: 0.9})
    codes = []
    for runtime in (stopping, going_on):
        published(aws)
        aws.__dict__["bedrock_runtime"] = runtime
        codes.append(run("search", "pets-search", folder, "a dog", "--yes").exit_code)
    assert codes == [130, 0]
    assert len(stopping.asked) + len(going_on.asked) == 20 + 1


def test_a_model_of_texts_is_not_compared_by_vectors(
    run: Run, aws: StubbedAws, tmp_path: Path
) -> None:
    published(aws, WRITES)
    refused = run("search", "pets-search", drawn(tmp_path, ["x"]), "a dog", "--yes")
    assert refused.exit_code == 2
    assert "is not an embedding model" in refused.stderr


@pytest.mark.parametrize("extra", [[], ["a dog", "--image", "self"]])
def test_a_search_needs_words_or_a_picture(run: Run, tmp_path: Path, extra: list[str]) -> None:
    image = drawn(tmp_path, ["x"]) / "validation" / "images" / "0.png"
    words = [str(image) if each == "self" else each for each in extra]
    refused = run("search", "pets-search", tmp_path, *words)
    assert refused.exit_code == 2
    assert 'pass either "TEXT" or --image FILE' in refused.stderr
