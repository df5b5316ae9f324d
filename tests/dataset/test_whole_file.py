"""What a file is that is no JSON Lines: its name, how its records are had, how many there are."""

import json
from typing import Any

import pytest

from bedrock_tuning.dataset.foreign import Foreign
from bedrock_tuning.dataset.whole_file import HEAD_BYTES, Container, WholeFile, conversion
from tests.support.examples import scope_of

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
    (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS", "git lfs pull"),
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
            *("json", {"messages": TURNS}, None),
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
        (b"# A title\n\n  more\n", "plain text", "text"),
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


def test_a_line_that_only_names_the_separator_is_no_row() -> None:
    assert told(b"sep=;\np;c\na;b\n") == ("a table (CSV)", "table", {"p": "a", "c": "b"}, None)


def test_twenty_lines_tell_what_a_text_is() -> None:
    for wrong, name in ((20, "plain text"), (21, "a table (CSV)")):
        lines = ["a,b"] * (wrong - 1) + ["a,b,c"]
        found = WholeFile("\n".join(lines).encode()).container
        assert found is not None
        assert found.name == name


PANDAS = "one JSON object with columns and data (pandas)"
TOGETHER = "one JSON object with all values of a field together"
NAMED = "one JSON object with records by name"
OTHER = {"prompt": "c", "completion": "d"}


@pytest.mark.parametrize(
    ("document", "name", "count"),
    [
        ({"columns": ["prompt", "completion"], "index": [0], "data": [["a", "b"]]}, PANDAS, 1),
        ({"prompt": ["a", "c"], "completion": ["b", "d"]}, TOGETHER, 2),
        ({"prompt": {"0": "a", "1": "c"}, "completion": {"0": "b", "1": "d"}}, TOGETHER, 2),
        ({"0": ROW, "1": OTHER, "2": ROW}, NAMED, 3),
        ({"features": [], "rows": [{"row": ROW}]}, 'one JSON object with a list "rows"', 1),
    ],
)
def test_a_document_may_arrange_its_records_in_other_ways(
    document: Any, name: str, count: int
) -> None:
    for data in (json.dumps(document), json.dumps(document, indent=1)):
        assert told(data.encode()) == (name, "json", ROW, count)


@pytest.mark.parametrize(
    "record",
    [
        {"version": "1", "data": [{"a": 1}]},
        {"title": "a", "paragraphs": [{"a": 1}]},
        {"contents": [{"role": "user"}, {"role": "model"}]},
        {"chosen": [{"role": "user"}] * 2, "rejected": [{"role": "user"}] * 2},
        {"input": {"text": "a", "lang": "b"}, "output": {"text": "c", "lang": "d"}},
        {f"{n}.jpg": {"caption": "a", "id": n} for n in range(3)},
        {f"{n}.jpg": ["a", "b"] for n in range(3)},
        {"prompt": ["a", "b"], "completion": "c"},
        {"prompt": ["a", "b"], "completion": ["c"]},
        {"prompt": {"a": 1, "b": 2}, "completion": {"c": 1, "d": 2}},
    ],
)
def test_the_only_line_of_a_file_may_be_a_record_with_lists_in_it(record: Any) -> None:
    assert told(json.dumps(record).encode()) is None


def test_a_long_document_without_line_ends_is_read_to_its_end() -> None:
    data = json.dumps({"data": [ROW] * 5_000}).encode()
    assert len(data) > HEAD_BYTES
    assert told(data) == ('one JSON object with a list "data"', "json", ROW, 5_000)
    assert told(data, is_complete=False) is None


@pytest.mark.parametrize(
    ("between", "name"),
    [
        ("", "JSON objects on one line"),
        (" ", "JSON objects on one line"),
        ("\r", "JSON objects on lines that end with CR only"),
        (",", "JSON objects with commas between them"),
        (",\n", "JSON objects with commas between them"),
    ],
)
def test_records_that_something_else_divides_are_one_finding(between: str, name: str) -> None:
    data = between.join(json.dumps(each) for each in (ROW, OTHER, ROW)).encode()
    assert told(data) == (name, "json", ROW, None)
    assert told(data + b"\n") == (name, "json", ROW, None)


def test_two_records_on_the_first_line_are_a_wrong_line_of_a_file_with_others() -> None:
    assert told(LINE + LINE + b"\n" + LINE) is None
    assert told(LINE + b",\n" + LINE + b"\n" + LINE) is None


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"<!DOCTYPE html><html></html>", "a web page or XML"),
        (b"<?xml?><Error><Code>AccessDenied</Code></Error>", "an error of S3 (AccessDenied)"),
    ],
)
def test_a_page_on_one_line_is_one_finding(data: bytes, name: str) -> None:
    assert told(data) == (name, "", {}, None)


@pytest.mark.parametrize(
    ("text", "encoding", "name", "way"),
    [
        ("à la mode\n", "cp1252", "text in Windows-1252", "iconv -f CP1252 -t UTF-8 FILE"),
        *(
            (
                text,
                encoding,
                "text in another encoding than UTF-8",
                "iconv -f ENCODING -t UTF-8 FILE",
            )
            for text, encoding in (("犬と猫\n", "shift_jis"), ("собака\n", "koi8-r"))
        ),
    ],
)
def test_a_text_in_an_old_encoding_is_one_finding(
    text: str, encoding: str, name: str, way: str
) -> None:
    row = f'{{"caption": "{text.strip()}"}}\n'.encode(encoding)
    assert told(row * 3) == (name, way, {}, None)
    # A few wrong lines are told one by one, and so are those of a file that is UTF-8 elsewhere.
    assert told(row * 2) is None
    assert told('{"caption": "é"}\n'.encode() + row * 3) is None


@pytest.mark.parametrize(
    ("text", "end"),
    [
        # The end of a text is cut off by bytes, whatever stands before it.
        ("été", -1),
        ("犬と猫", -1),
        ("犬", -1),
        ("a 😀", -1),
        ("a 😀", -2),
        ("collé", -1),
    ],
)
def test_a_text_that_is_cut_inside_of_characters_is_in_no_old_encoding(text: str, end: int) -> None:
    cut = text.encode()[:end]
    name = "UTF-8 whose characters are cut in half"
    for row in (b'{"caption": "%s"}\n', b'{"caption": "%s\n'):
        assert told(row % cut * 3) == (name, "", {}, None)


def test_arrays_in_place_of_objects_are_one_finding() -> None:
    name = "one array per line, whose values have no names"
    assert told(b'["q", "a"]\n["r", "b"]\n') == (name, "", {}, None)
    # Objects have names: their brackets are told line by line.
    assert told(b'[{"a": 1}]\n[{"a": 2}]\n') is None


def test_an_array_that_goes_on_is_not_counted() -> None:
    data = json.dumps([ROW] * 3).encode()
    assert told(data) == ("one JSON array", "json", ROW, 3)
    assert told(data[:-9], is_complete=False) == ("one JSON array", "json", ROW, None)
    assert told(data[:-9]) == ("one JSON array", "json", ROW, None)


NOVA, TITAN, PRE = "nova-lite", "titan-multimodal-embeddings-g1", "titan-text-lite"
PREPARE = "tuning prepare FILE --to-format converse -m nova-lite -o OUT"
DISTIL = PREPARE.replace(" -o", " --type DISTILLATION -o")
PIECES = f"tuning prepare FILE --to-format input-only -m {PRE} -o OUT"
IMAGES = (
    f"tuning prepare FOLDER --captions FILE -m {TITAN} -o OUT --to s3://BUCKET/NAME/ "
    "--validation-to s3://VALIDATION-BUCKET/NAME/"
)
ASKED, PAIR = {"prompt": "hi"}, {"prompt": "hi", "completion": "ho"}


@pytest.mark.parametrize(
    ("way", "first", "foreign", "model", "command"),
    [
        ("", None, None, NOVA, ""),
        ("gunzip FILE", None, None, NOVA, "gunzip FILE"),
        ("text", None, None, NOVA, ""),
        ("text", None, None, f"{PRE}/CONTINUED_PRE_TRAINING", PIECES),
        ("json", None, None, NOVA, PREPARE),
        ("table", None, None, NOVA, PREPARE),
        ("table", None, None, TITAN, IMAGES),
        ("json", None, Foreign("x", way="documents"), NOVA, ""),
        ("json", None, Foreign("x", way="images"), TITAN, IMAGES),
        ("json", None, Foreign("x"), TITAN, ""),
        # What the first record shows: an answer may be missing in it alone.
        ("json", ASKED, None, NOVA, ""),
        ("json", ASKED, Foreign("x"), NOVA, PREPARE),
        ("json", ASKED, None, f"{NOVA}/DISTILLATION", DISTIL),
        ("json", PAIR, Foreign("x"), f"{PRE}/CONTINUED_PRE_TRAINING", ""),
    ],
)
def test_the_command_follows_from_what_the_file_is_and_what_is_in_it(
    way: str, first: Any, foreign: Foreign | None, model: str, command: str
) -> None:
    assert conversion(Container("x", way, first), foreign, scope_of(model)) == command
