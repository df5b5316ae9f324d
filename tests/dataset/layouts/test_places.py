"""Captions and validation sets that lie elsewhere than the images."""

from pathlib import Path

import pytest

from bedrock_tuning.dataset.layouts.listing import look
from bedrock_tuning.dataset.layouts.reading import LayoutOptions
from bedrock_tuning.dataset.layouts.recognise import Understood, understand
from tests.dataset.layouts.shelf import TINY, Files, lay, zipped


def read(source: Path, room: Path, **options: str) -> Understood:
    room.mkdir()
    return understand(look(source, LayoutOptions(**options), room=room))


def pairs(found: Understood) -> list[tuple[str, str, str]]:
    return [(pair.file, pair.caption, pair.split) for pair in found.pairs]


IMAGES: Files = {"sub/1.jpg": TINY, "2.jpg": TINY, "sub/1.txt": "one", "2.txt": "two"}


@pytest.mark.parametrize("given", ["whole", "from here"])
def test_a_validation_set_from_elsewhere_is_read_beside_the_others(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(IMAGES, tmp_path / "in")
    lay({"3.jpg": TINY, "3.txt": "three"}, tmp_path / "kept")
    monkeypatch.chdir(tmp_path)
    where = "kept" if given == "from here" else str(tmp_path / "kept")
    found = read(tmp_path / "in", tmp_path / "room", validation=where)
    assert pairs(found) == [
        ("2.jpg", "two", ""),
        ("kept-validation/3.jpg", "three", "validation"),
        ("sub/1.jpg", "one", ""),
    ]


@pytest.mark.parametrize("given", ["sub", "whole", "sub/*", "sub/1.jpg"])
def test_a_validation_set_inside_is_a_folder_or_a_pattern(given: str, tmp_path: Path) -> None:
    lay(IMAGES, tmp_path / "in")
    where = str(tmp_path / "in" / "sub") if given == "whole" else given
    found = read(tmp_path / "in", tmp_path / "room", validation=where)
    assert pairs(found) == [("2.jpg", "two", ""), ("sub/1.jpg", "one", "validation")]


def test_a_validation_set_of_an_archive_is_a_folder_of_its_members(tmp_path: Path) -> None:
    (tmp_path / "pets.zip").write_bytes(zipped(IMAGES))
    found = read(tmp_path / "pets.zip", tmp_path / "room", validation="sub/*")
    assert pairs(found) == [("2.jpg", "two", ""), ("sub/1.jpg", "one", "validation")]


@pytest.mark.parametrize("place", ["elsewhere", "in/sub", "in"])
def test_a_table_names_images_from_its_own_folder_or_from_that_of_the_images(
    place: str, tmp_path: Path
) -> None:
    lay({"sub/1.jpg": TINY, "2.jpg": TINY}, tmp_path / "in")
    names = ("1.jpg", "../2.jpg") if place == "in/sub" else ("sub/1.jpg", "2.jpg")
    rows = "".join(f"{name},{word}\n" for name, word in zip(names, ("one", "two"), strict=True))
    lay({f"{place}/a.csv": f"file,caption\n{rows}"}, tmp_path)
    for path in (tmp_path / place / "a.csv", Path("sub/a.csv" if place == "in/sub" else "a.csv")):
        if path.is_absolute() or place != "elsewhere":
            room = tmp_path / f"room{path.is_absolute()}"
            found = read(tmp_path / "in", room, captions=str(path))
            assert pairs(found) == [("2.jpg", "two", ""), ("sub/1.jpg", "one", "")]
            assert found.said == []
