"""`tuning prepare` on datasets that are divided already: nothing reaches another side."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bedrock_tuning.preparing import write
from tests.cli.conftest import Run
from tests.cli.datasets import ending, picture
from tests.support.pictures import png, with_exif

PLACES = ("--to", "s3://t/pets", "--validation-to", "s3://v/pets")


def photo(path: Path, noise: int, **save: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.open(io.BytesIO(png(300, 300, mode="RGB", noise=noise)))
    image.save(path, **save)
    return path


@pytest.fixture
def divided(tmp_path: Path) -> Path:
    """Twelve images in folders of splits and classes."""
    folder = tmp_path / "in"
    for number in range(12):
        side = "train" if number < 8 else "validation" if number < 10 else "test"
        photo(folder / side / ("dog" if number % 2 else "cat") / f"{number}.png", number)
    return folder


def prepare(run: Run, folder: Path, *options: object) -> dict[str, Any]:
    result = run("prepare", folder, *PLACES, "-o", folder.parent / "out", *options, "--json")
    assert result.exit_code in {0, 1}, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    assert result.exit_code == ending(found)
    return found


def names(out: Path, kind: str) -> set[str]:
    lines = (out / kind / "manifest.jsonl").read_text().splitlines()
    return {Path(json.loads(line)["image-ref"]).name for line in lines}


def test_given_splits_are_kept_and_test_is_left_out(run: Run, divided: Path) -> None:
    found = prepare(run, divided)
    assert found["records"] == {"training": 8, "validation": 2}
    assert found["splits"] == {"train": 8, "validation": 2, "test": 2}
    assert names(divided.parent / "out", "validation") == {"8.png", "9.png"}
    assert names(divided.parent / "out", "training") == {f"{n}.png" for n in range(8)}
    assert "test: 2 images left out, for tests only" in found["said"]
    assert found["left_out"] == []


def test_a_copy_of_a_test_image_never_trains(run: Run, divided: Path) -> None:
    for source, copy in (("test/cat/10", "train/cat/a"), ("validation/cat/8", "train/cat/b")):
        (divided / f"{copy}.png").write_bytes((divided / f"{source}.png").read_bytes())
    found = prepare(run, divided, "--dropped-max", "0.2")
    assert names(divided.parent / "out", "training") == {f"{n}.png" for n in range(8)}
    assert found["left_out_by"] == {"also in test": 1, "also in validation": 1}
    reasons = {each["file"]: each["reason"] for each in found["left_out"]}
    assert reasons["train/cat/a.png"] == "the same picture as test/cat/10.png, which is in test"


@pytest.mark.parametrize("fix", [(), ("--fix",)])
def test_a_test_image_saved_anew_in_training_is_told(
    run: Run, divided: Path, fix: tuple[str, ...]
) -> None:
    photo(divided / "train/cat/again.jpg", 10, quality=80)
    found = prepare(run, divided, *fix)
    assert [sorted(pair) for pair in found["near"]] == [["test/cat/10.png", "train/cat/again.jpg"]]
    text = run("prepare", divided, "--dry-run").stdout
    assert "1 pair of images on two sides look the same" in text


def test_near_equal_pictures_are_dealt_to_one_side(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    for number in range(6):
        photo(folder / f"{number}.png", number)
        photo(folder / f"{number}-again.jpg", number, quality=70)
    rows = [{"file": path.name, "caption": f"a {path.stem}"} for path in sorted(folder.iterdir())]
    (folder / "c.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    assert prepare(run, folder, "--split", "0.5", "--fix")["near"] == []
    sides = [
        {name.split(".")[0].split("-")[0] for name in names(tmp_path / "out", kind)}
        for kind in ("training", "validation")
    ]
    assert all(sides)
    assert not sides[0] & sides[1]


def test_a_model_without_validation_leaves_the_given_set_out(run: Run, divided: Path) -> None:
    found = prepare(run, divided, "-m", "titan-image-generator-v2")
    assert found["records"] == {"training": 8}
    assert any("there is to be no validation set" in each for each in found["said"])


def test_a_share_that_contradicts_the_given_sets_is_refused(run: Run, divided: Path) -> None:
    result = run("prepare", divided, *PLACES, "-o", divided.parent / "out", "--split", "0.8")
    assert result.exit_code == 2
    assert "has its own validation set: 2 images" in result.stderr
    assert not (divided.parent / "out").exists()


def test_a_folder_elsewhere_can_be_the_validation_set(run: Run, tmp_path: Path) -> None:
    for number in range(6):
        side = tmp_path / ("in" if number < 4 else "held-back")
        photo(side / f"{number}.png", number)
        (side / f"{number}.txt").write_text(f"a picture, number {number}")
    found = prepare(run, tmp_path / "in", "--validation-dir", tmp_path / "held-back")
    assert found["records"] == {"training": 4, "validation": 2}
    assert names(tmp_path / "out", "validation") == {"4.png", "5.png"}


def test_only_test_images_train_nothing(run: Run, tmp_path: Path) -> None:
    photo(tmp_path / "in/test/1.png", 1)
    (tmp_path / "in/test/1.txt").write_text("a dog")
    result = run("prepare", tmp_path / "in", *PLACES, "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert "no image is left for training: test has 1" in result.stderr
    assert list(tmp_path.iterdir()) == [tmp_path / "in"]


def test_all_captions_of_an_image_are_kept_on_one_side(run: Run, tmp_path: Path) -> None:
    rows = ["image,caption"]
    for number in range(10):
        photo(tmp_path / f"in/{number}.png", number)
        rows += [f"{number}.png,picture {number} in words {k}" for k in range(5)]
    (tmp_path / "in/captions.txt").write_text("\n".join(rows))
    found = prepare(run, tmp_path / "in", "--fix")
    assert found["records"] == {"training": 45, "validation": 5}
    assert found["left_out"] == []
    assert len(names(tmp_path / "out", "validation")) == 1


def test_a_dry_run_tells_all_and_writes_nothing(run: Run, divided: Path) -> None:
    result = run("prepare", divided, "--dry-run", "--fix", "-o", divided.parent / "out")
    assert result.exit_code == 1, result.output
    assert list(divided.parent.iterdir()) == [divided]
    first, *_ = result.stdout.splitlines()
    assert first == (
        "read: class folders (2 folders of images, no table of captions): 12 images, 12 captions; "
        "splits as given: train 8, validation 2, test 2"
    )
    assert "a photo of a cat" in result.stdout
    assert "REJECTED for titan-multimodal-embeddings-g1" in result.stdout
    assert "too-few-records" in result.stdout


def test_the_checker_speaks_at_the_end(run: Run, divided: Path) -> None:
    verdict = prepare(run, divided)["verdict"]
    assert verdict["valid"] is False
    assert "too-few-records" in verdict["counts"]


def test_after_ctrl_c_the_same_command_goes_on(
    run: Run, divided: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in divided.rglob("*.png"):
        path.write_bytes(with_exif(as_jpeg(path), 6))
    fixed: list[int] = []
    original = write.fix_image

    def fix_image(*arguments: Any) -> Any:
        fixed.append(1)
        return original(*arguments)

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(write, "fix_image", fix_image)
    with monkeypatch.context() as patch:
        patch.setattr("bedrock_tuning.preparing.run.deal_sides", stop)
        result = run("prepare", divided, *PLACES, "--fix", "-o", divided.parent / "out")
    assert result.exit_code == 130, result.output
    assert "the same command continues where it stopped" in result.stderr
    assert not (divided.parent / "out").exists()
    assert len(fixed) == 10
    assert prepare(run, divided, "--fix")["changes"]["turned upright"] == 10
    assert len(fixed) == 10
    assert sorted(divided.parent.iterdir()) == [divided, divided.parent / "out"]


def as_jpeg(path: Path) -> bytes:
    out = io.BytesIO()
    Image.open(path).save(out, "JPEG")
    return out.getvalue()


def test_a_long_caption_is_cut_to_what_the_model_reads(run: Run, tmp_path: Path) -> None:
    picture(tmp_path / "in/1.png")
    picture(tmp_path / "in/2.png", number=2)
    (tmp_path / "in/1.txt").write_text("a dog and its friends " * 300)
    (tmp_path / "in/2.txt").write_text("a dog")
    found = prepare(run, tmp_path / "in", "--fix", "--split", "1")
    assert "caption-over-token-limit" not in found["verdict"]["counts"]
    assert found["changes"]["caption cut"] == 1
