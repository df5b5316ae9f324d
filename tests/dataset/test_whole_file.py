"""What a file is that is no JSON Lines: its name, how its records are had, how many there are."""

import json
from typing import Any

import pytest

from bedrock_tuning.dataset.foreign import Foreign
from bedrock_tuning.dataset.whole_file import Container, WholeFile, conversion

MAGIC: list[tuple[bytes, str, str]] = [
    (b"PAR1", "a Parquet file", "table"),
    (b"ARROW1", "an Arrow file", "table"),
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook", "table"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "table"),
    (b"\x1f\x8b", "compressed with gzip", "gunzip FILE"),
    (b"BZh", "compressed with bzip2", "bunzip2 FILE"),
    (b"\xfd7zXZ", "compressed with xz", "unxz FILE"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "unzstd FILE"),
    (b"%PDF", "a PDF document", ""),
    (b"SQLite format 3", "an SQLite database", ""),
    (b"\x89HDF", "an HDF5 file", ""),
    (b"\x93NUMPY", "a NumPy array", ""),
    (b"\x80\x04", "a Python pickle", ""),
    (b"\xff\xd8\xff", "a JPEG image", ""),
    (b"\x89PNG", "a PNG image", ""),
    (b" " * 257 + b"ustar", "a tar archive", "table"),
    (b"\xff\xfea\0\n\0\n\0", "text in UTF-16", "iconv -f UTF-16 -t UTF-8 FILE"),
    (b"\xfe\xff\0a\0\n\0\n", "text in UTF-16", "iconv -f UTF-16 -t UTF-8 FILE"),
    ("ab\n\n".encode("utf-16-le"), "text in UTF-16-LE", "iconv -f UTF-16-LE -t UTF-8 FILE"),
    (b"x\n\n\0", "binary data", ""),
]
ROW = {"prompt": "a", "completion": "b"}
TURNS = [{"role": "user", "content": "a"}, {"from": "gpt", "value": "b"}]
LINE = json.dumps(ROW).encode()


def told(data: bytes, **given: bool) -> tuple[str, str, Any, int | None] | None:
    found = WholeFile(data, **given).container
    return found and (found.name, found.way, found.first, found.count)


@pytest.mark.parametrize(("data", "name", "way"), MAGIC)
def test_a_file_is_known_by_its_first_bytes(data: bytes, name: str, way: str) -> None:
    assert told(data) == (name, way, {}, None)


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"\n", LINE, LINE + b"\n" + LINE, b"x", b"\xff\xfe{\n", b"x\0\0\n{"),
        *(b"[1]\n" + LINE, b'["a"]', b"[" + LINE + b"]\n" + LINE, b"[", b"[]x", b"{", b"[{}"),
        *(b"x\n" + LINE, b"x\n  }", b'{"data": []}', b'{"data": [1]}', b"[[]]"),
        b'{"messages": [{"role": "user"}]}',
        # As many zeros as random bytes have.
        b"x\n\n\0" + b"x" * 2_000 + b"\n{",
    ],
)
def test_what_may_be_json_lines_with_a_broken_line_is_taken_for_nothing_else(data: bytes) -> None:
    assert told(data) is None


@pytest.mark.parametrize(
    ("document", "name", "way", "first", "count"),
    [
        ([], "one JSON array", "json", {}, 0),
        ([ROW, ROW], "one JSON array", "json", ROW, 2),
        ([TURNS[0], 1], "one JSON array", "json", TURNS[0], 2),
        (
            TURNS,
            'one array of turns per line, which belongs into {"messages": …}',
            *("", {"messages": TURNS}, None),
        ),
        *(
            ({name: [ROW, ROW]}, f'one JSON object with a list "{name}"', "json", ROW, 2)
            for name in ("data", "records", "rows", "items", "examples", "samples")
        ),
    ],
)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf", b" \n"])
def test_one_document_holds_all_records(
    mark: bytes, document: Any, name: str, way: str, first: Any, count: int | None
) -> None:
    assert told(mark + json.dumps(document).encode()) == (name, way, first, count)


@pytest.mark.parametrize(
    ("document", "name", "first", "count"),
    [
        ({"x": [ROW]}, 'one JSON object with a list "x"', ROW, 1),
        ({"x": [ROW], "y": 1}, 'one JSON object with a list "x"', ROW, 1),
        ({"x": [ROW], "y": []}, "one JSON object on several lines", {"x": [ROW], "y": []}, None),
        ({"x": [ROW, 1]}, "one JSON object on several lines", {"x": [ROW, 1]}, None),
        ({"x": []}, "one JSON object on several lines", {"x": []}, None),
        ({"messages": TURNS}, "one JSON object on several lines", {"messages": TURNS}, None),
        (
            {"conversations": TURNS},
            *("one JSON object on several lines", {"conversations": TURNS}, None),
        ),
    ],
)
def test_a_document_on_several_lines_may_hold_its_records_under_any_name(
    document: Any, name: str, first: Any, count: int | None
) -> None:
    data = json.dumps(document, indent=1).encode()
    assert told(data) == (name, "json", first, count)
    several = told(data + b"\n" + data)
    assert several == ("JSON objects on several lines each", "json", document, None)


@pytest.mark.parametrize(
    ("data", "name", "way"),
    [
        (b'{\n "a": [\n', "JSON on several lines", "json"),
        (b'{"a": [\n\t{"b"', "JSON on several lines", "json"),
        (b'{"a": 1,\n [', "JSON on several lines", "json"),
        (b"{'a': 1}\n{'a': 2}", "Python dictionaries", ""),
        (b"<a>\n</a>", "a web page or XML", ""),
        (b"- a: b\n  c: d\n", "YAML", ""),
        (b"---\na: b\n\n# more\nc:\n", "YAML", ""),
        (b"Hello there,\nthis is, text, too", "plain text", "text"),
        (b"a: b\nc", "plain text", "text"),
    ],
)
def test_other_text_is_told_by_its_first_lines(data: bytes, name: str, way: str) -> None:
    assert told(data) == (name, way, {}, None)


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_a_table_has_as_many_cells_in_each_line(delimiter: str) -> None:
    name = "a table (TSV)" if delimiter == "\t" else "a table (CSV)"
    rows = [delimiter.join(each) for each in (("p", "c"), ("a", "b"), ("d", "e"))]
    first = {"p": "a", "c": "b"}
    assert told("\n".join(rows).encode()) == (name, "table", first, None)
    # A line that is cut at the end of what was read counts for nothing.
    cut = "\n".join([*rows, "x"]).encode()
    assert told(cut, is_complete=False) == (name, "table", first, None)
    assert told(cut) == ("plain text", "text", {}, None)
    assert told("\n".join([rows[0], ""]).encode() + b"\n") == (
        *(name, "table", {"p": "p", "c": "c"}, None),
    )


def test_twenty_lines_tell_what_a_text_is() -> None:
    for wrong, name in ((20, "plain text"), (21, "a table (CSV)")):
        lines = ["a,b"] * (wrong - 1) + ["a,b,c"]
        found = WholeFile("\n".join(lines).encode()).container
        assert found is not None
        assert found.name == name


def test_an_array_that_goes_on_is_not_counted() -> None:
    data = json.dumps([ROW] * 3).encode()
    assert told(data) == ("one JSON array", "json", ROW, 3)
    assert told(data[:-9], is_complete=False) == ("one JSON array", "json", ROW, None)
    assert told(data[:-9]) == ("one JSON array", "json", ROW, None)


PREPARE = "tuning prepare FILE --to-format converse -m m -o OUT"
IMAGES = "tuning prepare FOLDER --captions FILE -m m -o OUT"


@pytest.mark.parametrize(
    ("way", "foreign", "wanted", "command"),
    [
        ("", None, "converse", ""),
        ("gunzip FILE", None, "converse", "gunzip FILE"),
        ("text", None, "converse", ""),
        ("text", None, "input-only", PREPARE.replace("converse", "input-only")),
        ("json", None, "converse", PREPARE),
        ("table", None, "converse", PREPARE),
        ("table", None, "image-caption", IMAGES),
        ("json", Foreign("x", way="documents"), "converse", ""),
        ("json", Foreign("x", way="images"), "image-caption", IMAGES),
        ("json", Foreign("x"), "image-caption", ""),
    ],
)
def test_the_command_follows_from_what_the_file_is_and_what_is_in_it(
    way: str, foreign: Foreign | None, wanted: Any, command: str
) -> None:
    assert conversion(Container("x", way), foreign, wanted, "m") == command
