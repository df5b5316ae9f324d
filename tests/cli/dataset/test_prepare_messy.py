"""`tuning prepare` on folders as people have them: every odd image, name and file of captions."""

import csv
import hashlib
import io
import json
import os
import unicodedata
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.conftest import Run
from tests.cli.datasets import ending, picture
from tests.support.pictures import animated_png, jpeg, png, with_exif

MODEL = "titan-multimodal-embeddings-g1"
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(2_000)


def _bytes(format: str, mode: str = "RGB", frames: int = 1) -> bytes:
    file = io.BytesIO()
    images = [Image.open(io.BytesIO(png(600, 500, noise=n))).convert(mode) for n in range(frames)]
    more = {"save_all": True, "append_images": images[1:]} if frames > 1 else {}
    images[0].save(file, format, **more)
    return file.getvalue()


ODD: dict[str, Callable[[], bytes]] = {
    "größe 犬🐕.png": lambda: png(noise=10),
    "my dog.png": lambda: png(noise=11),
    "100%25.png": lambda: png(noise=12),
    "a+b&c=d.png": lambda: png(noise=13),
    "new\nline.png": lambda: png(noise=14),
    "back\\slash.png": lambda: png(noise=15),
    "A.PNG": lambda: png(noise=16),
    "a.png": lambda: png(noise=17),
    "same.png": lambda: png(noise=18),
    "same.jpg": lambda: jpeg(noise=19),
    "z copy.png": lambda: png(noise=11),
    "print.jpg": lambda: jpeg(mode="CMYK", noise=20),
    "deep.png": lambda: png(mode="I;16", noise=21),
    "moving.png": animated_png,
    "moving.webp": lambda: _bytes("WEBP", frames=3),
    "moving.gif": lambda: _bytes("GIF", frames=2),
    "lying.jpg": lambda: with_exif(jpeg(800, 400, noise=22), 6),
    "lies.png": lambda: jpeg(noise=23),
    "see-through.webp": lambda: _bytes("WEBP", "RGBA"),
    "scan.tiff": lambda: _bytes("TIFF", "L"),
    "small.png": lambda: png(200, 150, noise=24),
    "strip.png": lambda: png(3_000, 300, noise=25),
    "wide.jpg": lambda: jpeg(4_200, 1_200, noise=26),
    # Nothing can be made of these.
    "photo.jpg": lambda: HEIC,
    "empty.png": lambda: b"",
    "tiny.png": lambda: png(20, 20),
    "page.jpg": lambda: b"<!doctype html><title>404</title>",
    "cut.jpg": lambda: jpeg(600, 600, noise=27)[:3_000],
}
HOPELESS = {"photo.jpg", "empty.png", "tiny.png", "page.jpg", "cut.jpg", "z copy.png"}


@cache
def _odd() -> dict[str, bytes]:
    return {name: make() for name, make in ODD.items()}


def _fill(folder: Path) -> Path:
    folder.mkdir()
    for name, data in _odd().items():
        (folder / name).write_bytes(data)
    for name in (".DS_Store", "Thumbs.db", "notes.md"):
        (folder / name).write_bytes(b"x")
    return folder


def _state(folder: Path) -> dict[str, str]:
    return {
        os.fspath(each.relative_to(folder)): hashlib.sha256(each.read_bytes()).hexdigest()
        for each in folder.rglob("*")
        if each.is_file()
    }


def _table(rows: dict[str, str], *, delimiter: str = ",", end: str = "\n") -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end)
    writer.writerows([("file_name", "text"), *rows.items()])
    return text.getvalue()


CAPTIONS: dict[str, Callable[[dict[str, str]], bytes]] = {
    "bom.csv": lambda rows: b"\xef\xbb\xbf" + _table(rows, end="\r\n").encode(),
    "semicolons.csv": lambda rows: _table(rows, delimiter=";").encode(),
    "capitals.csv": lambda rows: _table(rows).replace("file_name,text", "File,Caption").encode(),
    "tabs.tsv": lambda rows: _table(rows, delimiter="\t").encode(),
    "unicode-text.csv": lambda rows: _table(rows, delimiter="\t", end="\r\n").encode("utf-16"),
    "array.json": lambda rows: json.dumps(
        [{"image": file, "caption": caption} for file, caption in rows.items()], indent=1
    ).encode(),
    "by-file.json": lambda rows: json.dumps(rows).encode(),
    "lines.jsonl": lambda rows: "".join(
        json.dumps({"file": file, "caption": caption}) + "\r\n" for file, caption in rows.items()
    ).encode("utf-8-sig"),
}


@pytest.mark.parametrize("kind", CAPTIONS)
def test_a_messy_folder_becomes_a_dataset_without_a_fault(
    run: Run, tmp_path: Path, kind: str
) -> None:
    folder, captions, out = _fill(tmp_path / "in"), tmp_path / kind, tmp_path / "out"
    captions.write_bytes(CAPTIONS[kind]({name: f"a picture: {name}" for name in ODD}))
    before = _state(folder)
    arguments = ("--to", "s3://train/pets/", "--split", "1", "--fix", "-m", MODEL, "-o", out)
    arguments = (*arguments, "--dropped-max", "0.5")
    result = run("prepare", folder, "--captions", captions, *arguments, "--json")
    assert _state(folder) == before
    made = json.loads(result.stdout)
    assert result.exit_code == ending(made, dropped_max=0.5), result.output
    assert {each["file"] for each in made["left_out"]} == HOPELESS
    assert made["records"] == {"training": len(ODD) - len(HOPELESS)}
    for change in ("converted", "first frame kept", "to RGB", "8 bits", "turned upright"):
        assert made["changes"][change] >= 1, change
    checked = run("validate", out / "training/manifest.jsonl", "-m", MODEL, "--deep", "--json")
    assert set(json.loads(checked.stdout)["counts"]) == {"too-few-records"}
    told = [json.loads(line) for line in (out / "changes.jsonl").read_text().splitlines()]
    assert {each["file"] for each in told} == set(ODD)


def test_names_of_apple_and_windows_and_whole_paths_are_found(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    apple = unicodedata.normalize("NFD", "café.png")
    for number, name in enumerate((apple, "sub/1.png", "whole.png")):
        picture(folder / name, number=number)
    rows = {"café.png": "a", "sub\\1.png": "b", str((folder / "whole.png").resolve()): "c"}
    captions = tmp_path / "captions.csv"
    captions.write_text(_table(rows))
    to = ("--to", "s3://train/pets/", "--split", "1", "-o", tmp_path / "out", "--json")
    made = json.loads(run("prepare", folder, "--captions", captions, *to).stdout)
    assert (made["records"], made["left_out"]) == ({"training": 3}, [])


def test_a_caption_beside_an_image_that_cannot_be_read_costs_that_image_only(
    run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    for number in range(3):
        picture(folder / f"{number}.png", number=number)
        (folder / f"{number}.txt").write_bytes(b"\xef\xbb\xbfa dog\r\n")
    (folder / "1.txt").write_bytes(b"nobody writes \x81")
    to = ("--to", "s3://train/pets/", "--split", "1", "-o", tmp_path / "out", "--json")
    result = run("prepare", folder, "--captions", "sidecar", *to)
    assert result.exit_code == 1
    assert "33.3% of the records were left out, more than 5%" in result.stderr
    made = json.loads(result.stdout)
    assert made["records"] == {"training": 2}
    (left,) = made["left_out"]
    assert left["file"] == "1.png"
    assert "1.txt: line 1 is not UTF-8" in left["reason"]
    line = (tmp_path / "out/training/manifest.jsonl").read_text().splitlines()[0]
    assert json.loads(line)["caption"] == "a dog"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"image,caption\n1.png,gr\x81sser\n", 'line 2 is not UTF-8 (byte 0x81)'),
        (b"image,caption\n1.png\n", "row 2 has no caption"),
        (b"<html><table><tr><td>1.png", "the table is HTML"),
    ],
)  # fmt: skip
def test_captions_that_cannot_be_read_are_one_message(
    run: Run, tmp_path: Path, data: bytes, told: str
) -> None:
    picture(tmp_path / "in/1.png")
    captions = tmp_path / "captions.csv"
    captions.write_bytes(data)
    arguments = ("--to", "s3://train/pets/", "--split", "1", "-o", tmp_path / "out")
    result = run("prepare", tmp_path / "in", "--captions", captions, *arguments)
    assert result.exit_code == 2
    assert told in result.stderr
    assert not (tmp_path / "out").exists()
