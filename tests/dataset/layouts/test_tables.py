"""Text tables: how many rows tell the layout, and how many problems are reported."""

from pathlib import Path
from typing import Any

import pyarrow
import pytest

from bedrock_tuning.dataset.layouts.columns import read_columns
from bedrock_tuning.dataset.layouts.names import FileNames
from bedrock_tuning.dataset.layouts.reading import CaptionRow, LayoutOptions, Scene, Table
from bedrock_tuning.dataset.layouts.tables import TABLE_ENDINGS, cells_shown, read_tables
from bedrock_tuning.errors import UserError


def tables(path: Path, data: bytes | str) -> list[Table]:
    path.write_bytes(data if isinstance(data, bytes) else data.encode())

    def keep(name: str, _: bytes) -> str:
        return name

    return list(read_tables(path, file=path.name, base="", encoding="", keep=keep))


def scene(*files: str) -> Scene:
    return Scene(root=Path("/data"), files=dict.fromkeys(files, Path()), options=LayoutOptions())


@pytest.mark.parametrize(("blanks", "is_html"), [(506, True), (507, True), (508, False)])
def test_a_page_is_known_within_512_characters(blanks: int, is_html: bool, tmp_path: Path) -> None:
    text = " " * blanks + "<html>,x\n1.jpg,a\n"
    if is_html:
        with pytest.raises(UserError, match="the table is HTML"):
            tables(tmp_path / "a.csv", text)
    else:
        assert tables(tmp_path / "a.csv", text)


@pytest.mark.parametrize(("blanks", "kind"), [(63, "HTML, not Excel"), (64, "no Excel workbook")])
def test_a_workbook_is_known_by_its_first_64_bytes(blanks: int, kind: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"the file is {kind}"):
        tables(tmp_path / "a.xlsx", b" " * blanks + b"<table>")


@pytest.mark.parametrize(("good", "columns"), [(29, 1), (30, 2), (31, 2)])
def test_thirty_lines_tell_whether_names_stand_before_captions(
    good: int, columns: int, tmp_path: Path
) -> None:
    lines = [f"{n}.jpg dog\n" for n in range(good)]
    (found,) = tables(tmp_path / "a.txt", "".join([*lines, "no name\n"]))
    assert len(found.columns) == columns


@pytest.mark.parametrize(("titles", "columns"), [(28, ("file", "caption")), (29, ("Pets", ""))])
def test_a_title_is_one_if_two_rows_of_the_table_are_among_thirty_lines(
    titles: int, columns: tuple[str, ...], tmp_path: Path
) -> None:
    rows = "file,caption\n" + "1.jpg,a dog\n" * 99
    (found,) = tables(tmp_path / "a.csv", "Pets,\n" * titles + rows)
    assert found.columns == columns


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("file,caption\n1.jpg,a\n2.jpg,b\n", [2, 3]),
        ("sep=,\nfile,caption\n1.jpg,a\n\n2.jpg,b\n", [3, 5]),
        ('"sep=;"\r\n1.jpg;"a\nb"\r\n2.jpg;b\r\n', [3, 4]),
        ("1.jpg,a\n2.jpg,b\n", [1, 2]),
        ("Pets,\n\nfile,caption\n1.jpg,a\n", [4]),
    ],
)
def test_rows_have_the_numbers_of_the_lines_in_which_they_end(
    text: str, rows: list[int], tmp_path: Path
) -> None:
    (found,) = tables(tmp_path / "a.csv", text)
    assert [number for number, _ in found.rows] == rows


@pytest.mark.parametrize(("length", "read"), [(4_073, "a, b"), (4_074, ' "a, b"')])
def test_blanks_before_quotes_are_looked_for_in_4096_characters(
    length: int, read: str, tmp_path: Path
) -> None:
    text = f'file,caption\nx,{"y" * (length - 1)}\n1.jpg, "a, b"\n'
    assert text.index(', "') + 3 == length + 23
    (found,) = tables(tmp_path / "a.csv", text)
    assert found.rows[-1][1] == {"file": "1.jpg", "caption": read}


@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("ending", ["json", "jsonl"])
def test_a_table_is_read_whatever_it_is_called(ending: str, quote: str, tmp_path: Path) -> None:
    rows = [("file", "caption"), ("1.jpg", "a")]
    lines = "".join(",".join(f"{quote}{cell}{quote}" for cell in row) + "\n" for row in rows)
    (found,) = tables(tmp_path / f"a.{ending}", lines)
    assert [row for _, row in found.rows] == [{"file": "1.jpg", "caption": "a"}]


@pytest.mark.parametrize("new", [pyarrow.ipc.new_file, pyarrow.ipc.new_stream])
def test_arrow_is_read_as_a_file_and_as_a_stream(new: Any, tmp_path: Path) -> None:
    made = pyarrow.Table.from_pylist([{"file": "1.jpg", "text": "a"}, {"file": "2", "text": "b"}])
    for ending in ("arrow", "feather"):
        with new(tmp_path / f"made.{ending}", made.schema) as writer:
            writer.write_table(made, max_chunksize=1)
        data = (tmp_path / f"made.{ending}").read_bytes()
        (found,) = tables(tmp_path / f"a.{ending}", data)
        assert found.columns == ("file", "text")
        assert [number for number, _ in found.rows] == [1, 2]
        assert found.rows[1][1] == {"file": "2", "text": "b"}


@pytest.mark.parametrize("ending", ["parquet", "arrow", "xlsx"])
def test_an_empty_file_is_none_of_tables_and_told_as_that(ending: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot be read|no Excel workbook"):
        tables(tmp_path / f"a.{ending}", b"")


def test_the_endings_of_tables_are_known() -> None:
    delimited = {".csv", ".tsv", ".txt", ".token", ".data"}
    of_json = {".json", ".jsonl", ".jsonlines", ".ndjson", ".manifest"}
    binary = {".parquet", ".arrow", ".feather", ".xlsx", ".xls"}
    assert delimited | of_json | binary == TABLE_ENDINGS


def test_eight_columns_are_shown_and_the_others_counted() -> None:
    assert cells_shown([]) == "nothing"
    assert cells_shown(["", "a"]) == "a"
    assert cells_shown([*"abcdefgh"]) == "a, b, c, d, e, f, g, h"
    assert cells_shown([*"abcdefghi"]) == "a, b, c, d, e, f, g, h and 1 more column"
    assert cells_shown([*"abcdefghij"]).endswith("g, h and 2 more columns")


def _rows(count: int, *, gone: int) -> list[CaptionRow]:
    """Those of even numbers name the image that is here, but so many of them; the others none."""
    return [
        CaptionRow(image="1.jpg" if n % 2 == 0 and n >= 2 * gone else "x", caption="a", where="")
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("count", "gone", "share"),
    # From 400 rows on, only every other row is checked; below that, every row.
    [(400, 0, 1.0), (398, 0, 0.5), (400, 20, 0.9), (2, 0, 0.5), (1, 0, 1.0), (0, 0, 0.0)],
)
def test_about_two_hundred_rows_tell_whether_a_layout_fits(
    count: int, gone: int, share: float
) -> None:
    assert scene("1.jpg").share_found(_rows(count, gone=gone)) == share


@pytest.mark.parametrize(
    ("count", "gone", "fits"),
    [(400, 20, True), (398, 20, False), (398, 0, True), (2, 0, True), (400, 101, False)],
)
def test_half_of_the_rows_of_a_table_that_are_looked_at_must_name_images(
    count: int, gone: int, fits: bool
) -> None:
    rows = [
        (n, {"file": row.image, "caption": "a"}) for n, row in enumerate(_rows(count, gone=gone))
    ]
    table = Table(file="a.csv", columns=("file", "caption"), rows=rows)
    here = scene("1.jpg")
    assert (read_columns(table, here) is not None) == fits
    assert bool(here.refusals) != fits


@pytest.mark.parametrize(("count", "near"), [(9_999, "1234.jpg"), (10_000, "")])
def test_a_similar_name_is_looked_for_among_fewer_than_ten_thousand(count: int, near: str) -> None:
    names = FileNames(["1234.jpg", *("x" for _ in range(count - 1))])
    assert names.near("1234.jpgg") == near


def test_what_is_asked_about_an_image_is_no_caption() -> None:
    rows = [(1, {"image": "1.jpg", "question": "what is it", "answer": "a dog"})]
    table = Table(file="a.json", columns=("image", "question", "answer"), rows=rows)
    found = read_columns(table, scene("1.jpg"))
    assert found is not None
    assert [row.caption for row in found.rows] == ["a dog"]
    asked = [(1, {"image": "1.jpg", "question": "what is it"})]
    assert (
        read_columns(
            Table(file="b.json", columns=("image", "question"), rows=asked), scene("1.jpg")
        )
        is None
    )


def test_a_list_of_turns_on_a_line_is_a_row_of_messages(tmp_path: Path) -> None:
    turns = '[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]'
    (found,) = tables(tmp_path / "a.jsonl", f"{turns}\n{turns}\n")
    assert found.columns == ("messages",)
    assert [len(row["messages"]) for _, row in found.rows] == [2, 2]
