"""How much the fast paths decide: which blocks are clean, which rows are counted by their class.

That they find what the rules find is tested in test_manifest_properties.py and test_every_rule.py.
"""

import json
from collections import Counter
from typing import Any

import pytest
from msgspec.structs import replace

from bedrock_tuning.catalogue import TextLimits
from bedrock_tuning.checking.fast_path_records import CleanBlock, fast_path_for
from bedrock_tuning.checking.manifest import ManifestCheck
from bedrock_tuning.dataset.fingerprints import record_hash
from bedrock_tuning.rules.finding import Heard
from tests.support.examples import FLAGSHIP, check, scope_of

EXPRESS = "titan-text-express"
INPUTS = "titan-text-express/CONTINUED_PRE_TRAINING"
COHERE = "cohere-command"


def pair(caption: str, ref: str = "s3://bucket/folder/1.png", **options: Any) -> bytes:
    return json.dumps({"image-ref": ref, "caption": caption}, **options).encode()


def text(**fields: str) -> bytes:
    return json.dumps(fields).encode()


def block(line: bytes, *, among: bytes, count: int = 9) -> bytes:
    """A line in the middle of others."""
    return b"".join(each + b"\n" for each in (*[among] * count, line, *[among] * count))


CLEAN: dict[str, tuple[bytes, list[bytes]]] = {
    FLAGSHIP: (
        pair("a dog"),
        [
            pair(""),
            pair("x" * 601),
            pair("ü" * 601, ensure_ascii=False),
            pair("ü" * 601),
            pair("犬" * 128),
            pair('say "wow"'),
            pair('""'),
            pair("a\\b\tc\nd"),
            pair("a dog", 's3://bucket/folder/"1".png'),
            pair("a dog", "s3://bucket/folder/.hidden"[:-7] + "a.b/c"),
            pair("a dog", separators=(",", ":")),
            pair("größer 🐕"),
            pair("größer 🐕", ensure_ascii=False),
            b'{"caption": "a dog", "image-ref": "s3://bucket/folder/1.png"}',
            b'{"caption": "a dog", "image-ref": "s3:\\/\\/bucket\\/folder\\/1.png"}',
            pair("a dog") + b"\r",
        ],
    ),
    "titan-image-generator-v1": (pair("a dog"), [pair("abc"), pair("x" * 1_024)]),
    EXPRESS: (
        text(prompt="what is AWS", completion="a cloud"),
        [
            text(prompt="a", completion="b"),
            text(prompt='say "wow"', completion="back\\slash and\nnewline"),
            text(prompt="word " * 3_000, completion="x"),
            text(prompt="größer", completion="🐕"),
            text(completion="a", prompt="b"),
            text(prompt="a", completion="b") + b"\r",
        ],
    ),
    INPUTS: (
        text(input="a text"),
        [text(input="x"), text(input='"' * 90), text(input="12 " * 900)],
    ),
    COHERE: (
        text(prompt="a", completion="b"),
        [text(prompt="x" * 2_048, completion="y"), text(prompt="1" * 1_990, completion="1")],
    ),
}
# One of each reason why a block is left to the rules; most of them are findings.
LEFT: dict[str, tuple[bytes, list[bytes]]] = {
    FLAGSHIP: (
        pair("a dog"),
        [
            *(b"", b"\r", b"{}", b"[]", b"{", b"\xff", pair("a dog") + pair("a dog"), b" "),
            *(pair(caption) for caption in ("x" * 602, "x" * 2_561, " ", "\t", "a\x00", "a\x1f")),
            *(pair(caption) for caption in ("\b", "\f", "a\x0e", "犬" * 129, "\x10")),
            *(
                pair("a dog", ref)
                for ref in (
                    *("s3://bucket/folder/", "s3://bucket/folder/../1", "s3://bucket/folder/a/./b"),
                    *("s3://bucket/other/1", "s3://bucket/folder", "s3://a/1", "s3://z/1", "1.png"),
                )
            ),
            b'{"image-ref": "s3://bucket/folder/1.png", "caption": 1}',
            b'{"image-ref": "s3://bucket/folder/1.png", "caption": "a", "more": "b"}',
            b'{"image-ref": "s3://bucket/folder/1.png", "caption": "a", "caption": "b"}',
            b'{"image-ref": "s3://bucket/folder/1.png", "caption": "\\ud800"}',
        ],
    ),
    "titan-image-generator-v1": (pair("a dog"), [pair("ab"), pair("x" * 1_025), pair("")]),
    EXPRESS: (
        text(prompt="what is AWS", completion="a cloud"),
        [
            *(b"", b"\r", b"{}", b"[]", b"{", b"\xff", text(prompt="a", completion="b") * 2, b"[}"),
            *(text(prompt=words, completion="b") for words in ("", " ", "\t\n")),
            *(text(prompt="b", completion=words) for words in ("", " ", "1" * 20_000)),
            text(prompt="a"),
            text(prompt="a", completion="b", more="c"),
            text(prompt="ends with \\", completion="b"),
            b" " + text(prompt="a", completion="b"),
            text(prompt="a", completion="b") + b" ",
            b'{"prompt": "a", "prompt": "b", "completion": "c"}',
        ],
    ),
    INPUTS: (text(input="a text"), [text(input="12 " * 9_000), text(input="犬" * 5_000)]),
    COHERE: (text(prompt="a", completion="b"), [text(prompt="1" * 5_000, completion="y")]),
}


def judged(model: str, data: bytes, first: int = 1) -> CleanBlock | None:
    fast = fast_path_for(scope_of(model))
    assert fast is not None
    return fast(data, first=first)


@pytest.mark.parametrize("model", CLEAN)
def test_a_block_of_sound_lines_is_clean_whatever_they_are_made_of(model: str) -> None:
    among, lines = CLEAN[model]
    for line in lines:
        assert judged(model, line + b"\n") is not None, line
        assert judged(model, line + b"\n" + line + b"\n") is not None, line
        assert judged(model, block(line, among=among)) is not None, line


@pytest.mark.parametrize("model", LEFT)
def test_a_block_with_a_line_that_may_have_a_finding_is_left_to_the_rules(model: str) -> None:
    among, lines = LEFT[model]
    for line in lines:
        assert judged(model, line + b"\n") is None, line
        assert judged(model, block(line, among=among)) is None, line
        assert judged(model, block(line, among=among, count=90)) is None, line


def test_a_clean_block_of_captions_says_what_is_in_it() -> None:
    lines = [pair("a dog", "s3://bucket/folder/2"), pair("a cat"), pair("")]
    found = judged(FLAGSHIP, b"\n".join(lines) + b"\n", first=7)

    assert found is not None
    assert (found.first, found.rows, found.hashes) == (7, 3, b"")
    assert found.lengths == {"caption": Counter({5: 2, 0: 1})}
    assert list(found.captions) == ["a dog", "a cat", ""]
    assert list(found.refs) == ["s3://bucket/folder/2", *["s3://bucket/folder/1.png"] * 2]


def test_a_clean_block_of_texts_says_what_is_in_it() -> None:
    lines = [text(prompt="abc", completion="de"), text(prompt="f", completion="gh")]
    found = judged(EXPRESS, lines[0] + b"\r\n" + lines[1] + b"\n", first=7)

    assert found is not None
    assert (found.first, found.rows, list(found.captions), list(found.refs)) == (7, 2, [], [])
    assert found.lengths == {"prompt": Counter({3: 1, 1: 1}), "completion": Counter({2: 2})}
    assert found.hashes == b"".join(
        record_hash(line=number, content=line) for number, line in enumerate(lines, 7)
    )


def test_several_folders_take_what_is_in_one_of_them_and_none_takes_any() -> None:
    both = fast_path_for(scope_of(folders=("a/", "b/")))
    every = fast_path_for(scope_of(folders=()))
    assert both is not None
    assert every is not None
    for key, inside in {"a/1": True, "b/1": True, "c/1": False, "a/": False, "b/": False}.items():
        data = pair("x", "s3://bucket/b/2") + b"\n" + pair("x", f"s3://bucket/{key}") + b"\n"
        assert (both(data, first=1) is not None) == inside, key
        assert every(data, first=1) is not None
    assert every(pair("x", "s3://bucket/") + b"\n", first=1) is None


COUNTED = {
    FLAGSHIP: [
        *(b"", b" \t\r", b"{}", pair(" "), pair("x" * 602), pair("x" * 2_561), pair("\x07")),
        *(pair("a dog", "s3://bucket/else/1"), pair("a dog", "s3://else/1"), pair("a", "1.png")),
        *(pair("a dog", "s3://bucket/folder/"), pair("a", "s3://bucket/folder/../1")),
        *(b'{"caption": "a"}', b'{"caption": 1, "image-ref": null}', b'{"Caption": "a \\"b\\""}'),
        b'{"image-ref": "s3://bucket/folder/1.png", "caption": "a", "more": 1.5}',
        *(b"{", b"[]", b'{"a": {}}', b'{"a": []}', b'{"a": "b", "a": "c"}', b"a dog", b'["a"]'),
        *(b'{"caption": "\\u0022"}', b'{"caption": "\\ud83d"}', b'{"caption": "\xff"}', b"[{}]"),
        b'{"a": 1, "\\u0061": 2}',
    ],
    EXPRESS: [
        *(text(prompt="", completion="x"), text(prompt=" ", completion=""), text(prompt="a")),
        *(text(prompt="1" * 9_000, completion="x"), text(prompt="a", completion="b", more="c")),
        *(b'{"prompt": "a", "completion": ["b"]}', b'{"prompt": "a", "prompt": "b"}'),
    ],
    "nova-lite": [b"{", b"[]", b"", b'{"messages": []'],
    "nova-lite/DISTILLATION": [b"{", b"[]"],
}
# What only the rules can judge, row by row.
READ = {
    FLAGSHIP: [
        *(b'{"a": {"b": 1}, "a": {"b": 2}}', b'{"caption": 1e999}'),
        *(b'[{"a": 1, "a": 2}]', b'{"%s": 1, "caption": 2, "caption": 3}' % (b"x" * 1_000)),
    ],
    "nova-lite": [b"{}"],
    "nova-lite/DISTILLATION": [b'{"messages": "%s"' % (b"x" * 16_400)],
}


def rows_read(model: str, data: bytes, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many rows the rules see."""
    read: list[int] = []
    line = ManifestCheck._line

    def counted(self: ManifestCheck, data: bytes, length: int) -> None:
        read.append(length)
        line(self, data, length)

    monkeypatch.setattr(ManifestCheck, "_line", counted)
    running = ManifestCheck(scope_of(model), Heard(per_rule=1), block_bytes=2_000)
    running.feed(data)
    running.finish()
    return len(read)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "line"), [(model, line) for model, lines in COUNTED.items() for line in lines]
)
def test_rows_like_others_are_only_counted_once_their_rules_have_enough_findings(
    model: str, line: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The 200th finding of a rule settles it; what is left of that block is still read.
    read = rows_read(model, (line + b"\n") * 4_000, monkeypatch)
    assert read <= 200 + 2_000 // (len(line) + 1)


@pytest.mark.parametrize(("right", "read"), [(2, 3), (3, 1)])
def test_the_clean_ones_of_more_than_three_lines_are_not_read_for_a_wrong_one(
    right: int, read: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [pair("a dog")] * right + [b"{", b""]
    assert rows_read(FLAGSHIP, b"\n".join(lines), monkeypatch) == read


def test_a_byte_order_mark_does_not_keep_lines_like_the_first_from_being_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert rows_read(FLAGSHIP, b"\xef\xbb\xbf" + b"{\n" * 4_000, monkeypatch) <= 1_500


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "line"), [(model, line) for model, lines in READ.items() for line in lines]
)
def test_rows_that_may_hide_something_are_read_one_by_one(
    model: str, line: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rows_read(model, (line + b"\n") * 400, monkeypatch) == 400


def test_a_limit_of_bytes_holds_for_captions_too_as_soon_as_a_model_has_one() -> None:
    contract = replace(scope_of().contract, text=TextLimits(line_bytes_max=100))
    lines = [pair("a dog")] * 20 + [pair("x" * 100)]
    _, result = check(b"\n".join(lines), scope=scope_of(contract=contract))
    assert result.counts["L112"] == 1
