"""What cannot be read ends in one sentence: what, where, the limit, the fix."""

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from bedrock_tuning.dataset.layouts import binary_tables
from bedrock_tuning.dataset.layouts.listing import look
from bedrock_tuning.dataset.layouts.reading import LayoutOptions
from bedrock_tuning.dataset.layouts.recognise import Understood, understand
from bedrock_tuning.errors import UserError
from tests.dataset.layouts.shelf import DOG, TINY, parquet_of, tar, zipped


def read(folder: Path, room: Path, **options: str) -> Understood:
    return understand(look(folder, LayoutOptions(**options), room=room))


def refusal(folder: Path, room: Path, **options: str) -> str:
    """The whole text of the error."""
    with pytest.raises(UserError) as caught:
        read(folder, room, **options)
    assert caught.value.fix
    return f"{caught.value.what} | {caught.value.where} | {caught.value.fix}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one image."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in/1.jpg").write_bytes(TINY)
    return tmp_path / "in"


@pytest.fixture
def room(tmp_path: Path) -> Path:
    (tmp_path / "room").mkdir()
    return tmp_path / "room"


def bomb() -> bytes:
    """70 MB of zeros in a few KB."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as file:
        info = tarfile.TarInfo("1.jpg")
        info.size = 70 << 20
        file.addfile(info, io.BytesIO(bytes(info.size)))
    return gzip.compress(packed.getvalue(), 9)


BAD: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "html-as-excel": ("a.xlsx", lambda: b"<html><table>", "the file is HTML, not Excel | a.xlsx"),
    "old-excel": ("a.xls", lambda: b"\xd0\xcf\x11\xe0" + bytes(600), "the file is an old .xls"),
    "no-workbook": ("a.xlsx", lambda: zipped({"x": "y"}), "the workbook cannot be read"),
    "compressed-table": ("a.csv.gz", lambda: b"\x1f\x8b", "a.csv.gz is compressed: unpack it"),
    "empty-csv": ("a.csv", lambda: b"", "a.csv: there are no rows"),
    "header-only": ("a.csv", lambda: b"file,caption\n", "a.csv: there are no rows"),
    "open-quote": (
        "a.csv",
        lambda: b'file,caption\n1.jpg,"' + b"x" * (17 << 20),
        "a cell has more than 16,777,216 characters | a.csv | close the quotes",
    ),
    "nested-archive": (
        "a.zip",
        lambda: zipped({"in.tar": "x", "1.jpg": TINY}),
        "in.tar in a.zip is an archive: unpack it",
    ),
    "html-as-csv": ("a.csv", lambda: b"\n <!DOCTYPE html><html>", "the table is HTML"),
    "no-parquet": ("a.parquet", lambda: b"PAR1 but not really", "the Parquet file cannot be read"),
    "no-arrow": ("a.arrow", lambda: b"nothing", "the Arrow file cannot be read"),
    "a-column-twice": ("a.csv", lambda: b"file,text,text\n1.jpg,a,b\n", '"text" is named twice'),
    "an-open-quote": ("a.csv", lambda: b'file,text\n1.jpg,"open\n', "row 2: "),
    "no-encoding": ("a.csv", lambda: b"file,text\n1.jpg,\x81\x8d\n", "line 2 is not UTF-8"),
    "no-json-lines": ("a.jsonl", lambda: b'{"file": 1}\n[1]\n', "line 2 is not a JSON object"),
    "a-bomb": ("a.tar.gz", bomb, "images do not shrink that much"),
    "whole-paths": ("a.tar", lambda: tar({"/etc/1.jpg": b"x"}), "/etc/1.jpg in the archive would"),
    "paths-up": ("a.tar", lambda: tar({"../../1.jpg": b"x"}), "outside of its folder | a.tar"),
    "paths-of-windows": ("a.zip", lambda: zipped({"C:\\1.jpg": b"x"}), "outside of its folder"),
    "cut-archive": ("a.tar", lambda: tar({"1.jpg": TINY * 99})[:700], "the archive cannot be read"),
    "no-zip": ("a.zip", lambda: b"PK nothing", "the archive cannot be read"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_named_with_its_fix(folder: Path, room: Path, kind: str) -> None:
    name, make, words = BAD[kind]
    (folder / name).write_bytes(make())
    assert words in refusal(folder, room)


def test_a_compressed_table_alone_is_not_read(folder: Path, room: Path) -> None:
    file = folder / "a.csv.gz"
    file.write_bytes(b"\x1f\x8b")
    assert "the file is compressed | " in refusal(file, room)


@pytest.mark.parametrize(
    "data", [b"text", b'{"a": 1}', b"<a/>", b"<!DOCTYPE html>", b"%PDF-1.7", b"\x1f\x8b\x08"]
)
def test_files_beside_images_that_are_something_else_are_no_images(
    folder: Path, room: Path, data: bytes
) -> None:
    (folder / "1.txt").write_text("a dog")
    (folder / "beside.xyz").write_bytes(data)
    assert look(folder, LayoutOptions(), room=room).images == ["1.jpg"]


def test_nothing_is_written_outside_for_a_path_that_climbs(folder: Path, room: Path) -> None:
    (folder / "a.tar").write_bytes(tar({"../../escaped.jpg": b"x"}))
    refusal(folder, room)
    assert not list(folder.parent.rglob("escaped.jpg"))


def test_links_in_an_archive_are_not_followed(folder: Path, room: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as packed:
        link = tarfile.TarInfo("secret.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        packed.addfile(link)
    (folder / "a.tar").write_bytes(out.getvalue())
    assert "no captions were recognized for 1 image" in refusal(folder, room)


def test_a_table_of_two_gigabytes_is_refused_before_it_is_read(folder: Path, room: Path) -> None:
    with (folder / "a.csv").open("wb") as file:
        file.truncate(2 << 30)
    assert "2,147,483,648 bytes; 1,073,741,824 at most | a.csv" in refusal(folder, room)


@pytest.mark.slow
def test_a_parquet_file_without_images_says_what_it_has(tmp_path: Path, room: Path) -> None:
    path = tmp_path / "text.parquet"
    path.write_bytes(parquet_of([{"question": "why?", "answer": "so"}]))
    told = refusal(path, room)
    assert "there are no images" in told
    assert "it has: question, answer" in told


@pytest.mark.parametrize("count", [101, 1_001])
def test_more_than_a_hundred_captions_of_one_image_are_a_wrong_column(
    count: int, folder: Path, room: Path
) -> None:
    rows = "".join(f"1.jpg,caption {n}\n" for n in range(count))
    (folder / "a.csv").write_text(f"file,caption\n{rows}")
    assert f"1.jpg has {count:,} captions, 100 at most" in refusal(folder, room)


def test_a_link_that_leads_in_a_circle_is_said_and_not_followed(folder: Path, room: Path) -> None:
    (folder / "1.txt").write_text(DOG)
    (folder / "again").symlink_to(folder)
    (folder / "gone.jpg").symlink_to(folder / "nowhere.jpg")
    found = read(folder, room)
    assert [pair.file for pair in found.pairs] == ["1.jpg"]
    assert "a link back to a folder around it is not followed" in found.said[0]
    assert "gone.jpg: a link that leads nowhere" in found.said[1]


def test_links_inside_of_the_folder_are_followed(folder: Path, room: Path) -> None:
    (folder / "all").mkdir()
    (folder / "all" / "2.jpg").write_bytes(TINY)
    (folder / "some").symlink_to("all")
    (folder / "3.jpg").symlink_to("all/2.jpg")
    (folder / "a.csv").write_text("file,caption\n1.jpg,one\nsome/2.jpg,two\n3.jpg,three\n")
    assert {pair.file for pair in read(folder, room).pairs} == {"1.jpg", "some/2.jpg", "3.jpg"}


@pytest.mark.parametrize("link", ["more", "2.jpg", "deep/2.jpg"])
def test_a_link_out_of_the_folder_is_said_and_not_followed(
    folder: Path, room: Path, tmp_path: Path, link: str
) -> None:
    """An upload would send a file of this machine that nobody chose."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "2.jpg").write_bytes(TINY)
    (folder / link).parent.mkdir(exist_ok=True)
    (folder / link).symlink_to(elsewhere if link == "more" else elsewhere / "2.jpg")
    file = "more/2.jpg" if link == "more" else link
    (folder / "a.csv").write_text(f"file,caption\n1.jpg,one\n{file},two\n")
    found = read(folder, room)
    assert [pair.file for pair in found.pairs] == ["1.jpg"]
    assert any(
        f"{folder / link}: a link that leads out of the folder" in said for said in found.said
    )


def test_boxes_without_captions_are_called_that(folder: Path, room: Path) -> None:
    boxes = {"images": [{"id": 1, "file_name": "1.jpg"}], "annotations": [{"bbox": [1, 2]}]}
    (folder / "instances.json").write_text(json.dumps(boxes))
    assert "COCO with boxes or outlines and no captions" in refusal(folder, room)


def test_numbers_beside_images_are_boxes(folder: Path, room: Path) -> None:
    (folder / "1.txt").write_text("0 0.5 0.5 0.1 0.2\n1 0.1 0.1 0.3 0.3\n")
    assert "1.txt: numbers as of boxes, and no captions" in refusal(folder, room)


def test_a_list_of_classes_is_not_what_is_wrong_with_boxes(folder: Path, room: Path) -> None:
    (folder / "classes.txt").write_text("dog\ncat\n")
    test_numbers_beside_images_are_boxes(folder, room)


def test_a_table_whose_captions_are_all_empty_is_named(folder: Path, room: Path) -> None:
    (folder / "a.csv").write_text("image,caption\n1.jpg,\n2.jpg, \n")
    assert "a.csv: row 2 has no caption, and 1 more" in refusal(folder, room)


def test_web_addresses_are_not_downloaded(folder: Path, room: Path) -> None:
    (folder / "a.csv").write_text("url,caption\nhttps://x.org/9.jpg,nine\n")
    assert "web addresses, not files here" in refusal(folder, room)


def test_a_table_that_is_named_is_read_as_what_its_images_fit(folder: Path, room: Path) -> None:
    """A column called sentences alone makes no splits of Karpathy's."""
    (folder / "a.csv").write_text("file,caption,sentences\n1.jpg,one,\n")
    found = read(folder, room, captions=str(folder / "a.csv"))
    assert (found.layout, [pair.caption for pair in found.pairs]) == ("a table", ["one"])
    # Another reading is offered to who has chosen none: the first that there is.
    (folder / "1.txt").write_text("two")
    assert (found.also, read(folder, room).also) == ("", "Karpathy's splits")


def test_a_column_that_is_not_there_is_told_with_those_that_are(folder: Path, room: Path) -> None:
    (folder / "a.csv").write_text("image,captoin\n1.jpg,one\n")
    told = refusal(folder, room, caption_column="caption")
    assert 'no column "caption" – did you mean "captoin"?' in told
    assert "the columns are: image, captoin" in told


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"captions": "none.csv"}, "the caption file does not exist | none.csv"),
        ({"captions": "1.jpg"}, "captions are not read from .jpg"),
        ({"encoding": "utf-99"}, 'there is no encoding "utf-99"'),
        ({"encoding": "ascii"}, "the text is not ascii"),
        ({"validation": "vall"}, "--validation-dir vall: there is no such folder"),
    ],
)
def test_an_option_that_fits_nothing_is_named(
    folder: Path, room: Path, options: dict[str, str], words: str
) -> None:
    (folder / "a.csv").write_text("file,caption\n1.jpg,größer\n", "utf-8")
    assert words in refusal(folder, room, **options)


@pytest.mark.parametrize(("name", "package"), [("a.xlsx", "openpyxl"), ("a.parquet", "pyarrow")])
def test_a_missing_package_is_named_with_its_extra(
    folder: Path, room: Path, monkeypatch: pytest.MonkeyPatch, name: str, package: str
) -> None:
    monkeypatch.setattr(binary_tables, "find_spec", lambda _: None)
    (folder / name).write_bytes(b"PK")
    told = refusal(folder, room)
    assert f"needs {package}, which is not installed" in told
    assert "pip install 'bedrock-tuning[formats]'" in told


def test_a_file_of_another_kind_is_no_dataset(folder: Path, room: Path) -> None:
    assert "not a folder, table or archive" in refusal(folder / "1.jpg", room)
