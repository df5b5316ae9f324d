"""Properties of a manifest's check: cutting and the fast path change nothing, no bytes crash it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedrock_tuning.checking.row_classes import row_classes_for
from bedrock_tuning.rules import BY_ID
from bedrock_tuning.rules.finding import NOBODY_HEARS, Findings
from tests.support.examples import check, scope_of
from tests.support.properties import examples

GOOD = b'{"image-ref": "s3://bucket/folder/1.png", "caption": "a dog"}'
FEW = examples(150)
# Every block of a test's manifest must be small, or all would be one block.
TINY = 400

CAPTIONS = st.sampled_from(
    [
        *("a dog", "", "ein Hund – größer", 'say "wow"', "tab\there", "back\\slash", "\\", '"'),
        *(" ", "é" * 3, "x" * 601, "x" * 602, "a\x00b", "\x1f", "🐕", '"caption"', "{}\n{"),
        *("}\n{", "\u2028", "a\u0085", "\u0085", "\x7f", "\\u0022"),
    ]
)
REFS = st.sampled_from(
    [
        *(f"s3://bucket/folder/{n}.png" for n in range(4)),
        *("s3://bucket/folder/a b+ü.png", "s3://bucket/folder/..x", 's3://bucket/folder/"'),
        *("s3://bucket/folder/../1", "s3://bucket/folder/", "s3://b/1", "s3://bucket/else/1"),
        *(
            "s3://bucket/folder/x/.",
            "x",
            "",
            "s3://bucket/folder/\n/../x",
            "s3://bucket/folder\u00ff",
        ),
    ]
)
ODD_LINES = st.sampled_from(
    [
        *(b"", b"\r", b" ", b"{}", b"[]", b"null", GOOD + GOOD, GOOD + b" " + GOOD),
        *(GOOD[:30], GOOD[30:], GOOD + b"\r", b" " + GOOD, GOOD + b" ", GOOD + b",", b"\xff"),
        *(b"\xef\xbb\xbf" + GOOD, GOOD + b"\0", GOOD + b"\x0c"),
        GOOD.replace(b'"a dog"', b'"a", "caption": "b"'),
        GOOD.replace(b'"a dog"', b'"a", "capt\\u0069on": "b"'),
        GOOD.replace(b'"a dog"', b'"a\\"", "caption": "b\\u0022"'),
        GOOD.replace(b"caption", b"capt\\u0069on"),
        GOOD.replace(b"dog", b"d\\u0022\\u0022\\u0022\\u0022og"),
        GOOD.replace(b"dog", b"d\\ud83dog"),
        GOOD.replace(b"dog", b"d\\ud83d\\ude00og"),
        GOOD.replace(b"dog", b"d\\x6fog"),
        GOOD.replace(b'"a dog"', b"1"),
        GOOD.replace(b", ", b",\r"),
        GOOD.replace(b"dog", b"d\tog"),
        GOOD.replace(b"dog", b"d\xed\xa0\x80og"),
        GOOD.replace(b"s3://", b"s3:\\/\\/"),
    ]
)
SEPARATORS = st.sampled_from([(", ", ": "), (",", ":"), (" ,", " : ")])


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """A line of a manifest of images, right or wrong."""
    if draw(st.integers(0, 3)) == 0:
        return draw(ODD_LINES)
    value = {"image-ref": draw(REFS), "caption": draw(CAPTIONS)}
    ascii, separators = draw(st.booleans()), draw(SEPARATORS)
    return json.dumps(value, ensure_ascii=ascii, separators=separators).encode()


@FEW
@given(st.lists(lines(), max_size=12), st.sampled_from([b"", b"\n"]), st.data())
def test_cutting_changes_nothing(parts: list[bytes], ending: bytes, data: st.DataObject) -> None:
    manifest = b"\n".join(parts) + ending
    cuts = tuple(data.draw(st.lists(st.integers(0, len(manifest)), max_size=5)))
    size = data.draw(st.sampled_from([10, 100, TINY]))
    assert check(manifest, cuts=cuts, block_bytes=size) == check(manifest)


@pytest.mark.parametrize(
    ("model", "folders"),
    [
        ("titan-multimodal-embeddings-g1", ("folder/",)),
        ("titan-multimodal-embeddings-g1", ("else/", "folder/")),
        ("titan-image-generator-v1", ("folder/",)),
    ],
)
@examples(200)
@given(parts=st.lists(lines(), max_size=12), ending=st.sampled_from([b"", b"\n"]))
def test_the_fast_path_finds_what_the_rules_find(
    model: str, folders: tuple[str, ...], parts: list[bytes], ending: bytes
) -> None:
    manifest, scope = b"\n".join(parts) + ending, scope_of(model, folders=folders)
    quick = check(manifest, scope=scope, block_bytes=TINY)
    assert quick == check(manifest, scope=scope, by_rules_only=True)


NAMES = st.sampled_from(
    [
        *("image-ref", "caption", "prompt", "completion", "input", "text", "url", "messages"),
        *("capt\\u0069on", 'say \\"wow\\"', "x\\\\", "x"),
    ]
)
JSON_VALUES = st.sampled_from(
    [
        *(
            '"a dog"',
            '""',
            '" "',
            '"\\u0001"',
            '"\\ud83d"',
            '"\\u0022"',
            '"\\"\\\\"',
            f'"{"x" * 602}"',
        ),
        *(
            '"http://a/1.png"',
            '"s3://bucket/folder/1.png"',
            '"s3://b/1"',
            f'"{"犬" * 129}"',
            '"<s>"',
        ),
        *("1", "1.5", "true", "null", "1e999", "NaN", "[]", '["a"]', "[[" * 40 + "]]" * 40, "tru"),
        *("{}", '{"a": "b"}', '{"a": 1, "a": 2}', '[{"a": {"caption": "a"}}]', '"{\t:"', '"{:"'),
    ]
)
ENDS = st.sampled_from(["}", "}\r", "} ", "},", "", "}}", "}\0", "}\udce4", "}{}"])


@st.composite
def objects(draw: st.DrawFn) -> bytes:
    """A line with some fields, well-formed or not."""
    fields = draw(st.lists(st.tuples(NAMES, JSON_VALUES), max_size=3))
    text = draw(st.sampled_from(["", "[", "\ufeff"])) * draw(st.integers(0, 1)) + "{"
    text += ", ".join(f'"{name}": {value}' for name, value in fields) + draw(ENDS)
    return text.encode(errors="surrogateescape")


@pytest.mark.parametrize(
    "model", ["titan-multimodal-embeddings-g1", "titan-text-express", "llama-3-1-8b", "nova-lite"]
)
@examples(50)
@given(parts=st.lists(objects(), min_size=20, max_size=60))
def test_rows_of_one_class_have_the_same_findings(model: str, parts: list[bytes]) -> None:
    scope = scope_of(model)
    classes = row_classes_for(scope, Findings({}, NOBODY_HEARS))
    assert classes is not None
    found: dict[object, dict[str, int]] = {}
    for line in parts:
        row = classes.read(line)
        if row is not None:
            _, result = check(b"{}\n" + line, scope=scope, by_rules_only=True)
            counts = {id: count for id, count in result.counts.items() if not BY_ID[id].once}
            assert found.setdefault(row.key, counts) == counts, line


def test_rows_with_names_as_long_as_texts_have_no_class_that_would_hold_them() -> None:
    classes = row_classes_for(
        scope_of("titan-multimodal-embeddings-g1"), Findings({}, NOBODY_HEARS)
    )
    assert classes is not None
    assert classes.read(b'{"caption": "a dog", "image-ref": "s3://bucket/folder/1.png"}')
    assert classes.read(b'{"caption": "a dog", "%s": 1}' % (b"x" * 100_000)) is None


WORDS = st.sampled_from(
    [
        "word ",
        "",
        " ",
        '"',
        "\\",
        "\n",
        "é",
        "🐕",
        "x" * 5_000,
        "}\n{",
        "\\\\",
        "\x00",
        '","input":"',
    ]
)
TEXTS = st.lists(WORDS, max_size=8).map("".join)


@st.composite
def text_lines(draw: st.DrawFn, names: tuple[str, ...]) -> bytes:
    """A line of a manifest of texts, right or wrong."""
    value = {name: draw(TEXTS) for name in names}
    line = json.dumps(value, ensure_ascii=draw(st.booleans())).encode()
    match draw(st.integers(0, 11)):
        case 0:
            return line[:-1] + b', "' + names[0].encode() + b'": "again\\\\"}'
        case 1:
            return line + line
        case 2:
            return line + b"\r"
        case 3:
            return line.replace(b" ", b"  ", 1)
        case 4:
            return line[: draw(st.integers(0, len(line)))]
        case 5:
            return line.replace(b" ", b" \n", 1)
    return line


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "names"),
    [
        ("titan-text-express/CONTINUED_PRE_TRAINING", ("input",)),
        ("titan-text-express", ("prompt", "completion")),
        ("cohere-command", ("prompt", "completion")),
    ],
)
@FEW
@given(data=st.data())
def test_the_fast_path_of_texts_finds_what_the_rules_find(
    model: str, names: tuple[str, ...], data: st.DataObject
) -> None:
    manifest = b"\n".join(data.draw(st.lists(text_lines(names), max_size=8)))
    scope = scope_of(model)
    quick = check(manifest, scope=scope, block_bytes=TINY)
    assert quick == check(manifest, scope=scope, by_rules_only=True)


@FEW
@given(st.binary(max_size=400))
def test_no_bytes_crash_the_check(data: bytes) -> None:
    for model in ("titan-multimodal-embeddings-g1", "nova-lite", "cohere-command"):
        _, partial = check(data, scope=scope_of(model))
        assert "X001" not in partial.counts


KEYS = st.sampled_from(
    [
        *("messages", "role", "content", "text", "image", "video", "source", "s3Location", "uri"),
        *("format", "system", "schemaVersion", "caption", "image-ref", "prompt", "input", "x"),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.slow
@FEW
@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_no_record_crashes_a_rule(value: dict[str, object]) -> None:
    line = json.dumps(value).encode()
    for model in (
        "titan-multimodal-embeddings-g1",
        "nova-lite",
        "nova-lite/DISTILLATION",
        "claude-3-haiku",
        "nova-2-lite/REINFORCEMENT_FINE_TUNING",
        "llama-3-1-8b",
    ):
        _, partial = check(line, scope=scope_of(model))
        assert "X001" not in partial.counts
