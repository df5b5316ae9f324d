"""Small parts of a dataset, each for itself: names of formats, first ranges, hashes, blocks."""

import hashlib
import struct
import zlib

import pytest

from bedrock_tuning.dataset.dataset import Dataset, ModelRequirements
from bedrock_tuning.dataset.fingerprints import (
    copies,
    groups,
    image_fingerprint,
    image_hash,
    record_hash,
    shared,
)
from bedrock_tuning.dataset.images.header import Header
from bedrock_tuning.dataset.images.image import ENDINGS, Image
from bedrock_tuning.dataset.images.source import (
    RANGE_BYTES_MAX,
    ByteRange,
    Denied,
    Fetched,
    FirstRange,
    Missing,
    extension_of,
)
from bedrock_tuning.dataset.json_lines import LINE_BYTES_MAX, Line, parse, texts_in
from bedrock_tuning.dataset.line_blocks import Blocks, OversizedLine, cut
from bedrock_tuning.dataset.scope import ImageRef, TextBudget, folder_of, locate
from bedrock_tuning.dataset.statistics import (
    ImageStats,
    TextStats,
    ValueCounts,
    add_fingerprints,
    bucket,
    join_hashes,
)
from tests.support.examples import contract_of, scope_of


def test_every_ending_that_a_picture_may_have_tells_its_format() -> None:
    told = {
        format: " ".join(e for e, f in ENDINGS.items() if f == format)
        for format in ENDINGS.values()
    }

    assert told == {
        "png": "png",
        "jpeg": "jpg jpeg jpe",
        "gif": "gif",
        "webp": "webp",
        "BMP": "bmp",
        "TIFF": "tif tiff",
        "HEIC": "heic",
        "AVIF": "avif",
        "MP4 video": "mp4 m4v",
        "QuickTime video": "mov",
        "Matroska video": "mkv webm",
    }


@pytest.mark.parametrize(
    "made",
    [
        *(ByteRange("a", 0, 1), Fetched(b"", 0, ""), Missing("a"), Denied("a", "b")),
        *(Header(format="png"), ImageRef(1, "a")),
    ],
)
def test_what_was_read_is_never_changed(made: object) -> None:
    (name, *_) = made.__struct_fields__  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        setattr(made, name, "b")


@pytest.mark.parametrize(
    ("key", "ending"),
    [("a/1.JPG", "jpg"), ("a.b/1", ""), ("1.", ""), (".png", "png"), ("a.b.c", "c"), ("", "")],
)
def test_an_ending_is_of_the_last_segment(key: str, ending: str) -> None:
    assert extension_of(key) == ending


def test_only_a_sound_header_with_both_sides_is_sized() -> None:
    def sized(**seen: object) -> bool:
        header = Header(**{"format": "png", "width": 2, "height": 3, **seen})  # type: ignore[arg-type]
        found = Image(line=1, key="1", header=header).sized
        assert found in (None, header)
        return found is not None

    assert sized()
    assert not any((sized(problem="cut"), sized(width=0), sized(height=0)))
    nothing = Image(line=1, key="1")
    assert (nothing.sized, nothing.outcome, nothing.reason, nothing.size) == (None, "", "", 0)
    assert (nothing.etag, nothing.text) == ("", 0)


def lengths(needed: list[int], extension: str = "jpg") -> list[int]:
    """The first range after each header."""
    first = FirstRange()
    found = []
    for each in needed:
        first.learn(extension, each)
        found.append(first.length(extension))
    return found


def test_the_first_range_changes_after_sixteen_headers_and_is_of_its_extension() -> None:
    assert lengths([900] * 17) == [RANGE_BYTES_MAX] * 15 + [1_024] * 2
    first = FirstRange()
    for _ in range(16):
        first.learn("png", 100)
    assert (first.length("png"), first.length("jpg")) == (1_024, RANGE_BYTES_MAX)


@pytest.mark.parametrize(
    ("needed", "length"),
    [
        *((1_024, 1_024), (1_025, 2_048), (2_048, 2_048), (2_049, 4_096), (4_097, 8_192)),
        *(
            (61_440, 61_440),
            (61_441, 65_536),
            (65_536, 65_536),
            (65_537, 65_536),
            (1 << 20, 65_536),
        ),
    ],
)
def test_the_first_range_is_the_shortest_that_holds_the_header(needed: int, length: int) -> None:
    assert lengths([needed] * 16)[-1] == length


def test_seven_of_a_hundred_images_may_need_a_second_range() -> None:
    # Of 96 headers, at most 6.72 may be longer than the first range.
    assert lengths([900] * 90 + [9_000] * 6)[-1] == 1_024
    assert lengths([900] * 89 + [9_000] * 7)[-1] == 12_288


def test_what_was_seen_long_ago_counts_less() -> None:
    # 512 are remembered as they are; above that the past is halved at each choice.
    for before in (480, 496, 512, 528):
        later = lengths([9_000] * before + [900] * 1_000)[before:]
        assert later == [12_288] * 991 + [1_024] * 9


def test_hashes_are_of_content_line_and_tag() -> None:
    content = hashlib.blake2b(b"7\ntag", digest_size=8).digest()
    tag = (zlib.crc32(b"key") & 0xFF) << 24 | 0x345678
    made = image_hash(line=5 + (1 << 32), key="key", size=7, etag="tag", text=0x12345678)
    assert made == content + struct.pack(">II", 5, tag)
    whole = int.from_bytes(hashlib.sha256(b"7\ntag\nkey").digest())
    assert image_fingerprint(key="key", size=7, etag="tag") == whole
    # JSON may name half of a surrogate pair, which is no text.
    assert image_fingerprint(key="\ud800", size=7, etag="tag") != whole
    short = b"x" * 512
    digest = hashlib.blake2b(short, digest_size=8).digest()
    assert record_hash(line=3, content=short) == digest + struct.pack(">II", 3, 512)
    long = bytes(range(256)) * 2 + b"y"
    ends = zlib.adler32(long[-256:], zlib.adler32(long[:256]))
    expected = struct.pack(">IIII", zlib.crc32(long), ends, 3, 513)
    assert record_hash(line=3 + (1 << 32), content=memoryview(long)) == expected


def entry(content: str, line: int, tag: int = 0) -> bytes:
    return content.encode().ljust(8) + struct.pack(">II", line, tag)


def test_what_occurs_twice_is_a_group_in_the_order_of_lines() -> None:
    entries = [entry("a", 4), entry("a", 1), entry("b", 2), entry("c", 9, 7), entry("c", 3)]
    assert list(groups(join_hashes(entries))) == [[(1, 0), (4, 0)], [(3, 0), (9, 7)]]
    assert list(groups(join_hashes(entries[:3]))) == [[(1, 0), (4, 0)]]
    assert list(groups(entry("a", 1))) == list(groups(b"")) == []
    assert join_hashes(entries, most=2) == entry("a", 1) + entry("a", 4)


def test_what_both_have_is_told_with_its_first_line() -> None:
    one = join_hashes([entry("a", 4), entry("a", 2), entry("b", 1), entry("d", 5)])
    other = join_hashes([entry("a", 7), entry("a", 8), entry("c", 1), entry("d", 9)])
    assert list(shared(one, other)) == [(2, 7), (2, 8), (5, 9)]


def test_a_copy_has_the_same_text_or_another_key() -> None:
    key, other = 1 << 24, 2 << 24
    group = [(1, key | 5), (2, key | 6), (3, key | 5), (4, other | 7), (5, other | 7)]
    assert list(copies(group)) == [(3, True), (4, False), (5, False)]


def test_fingerprints_add_up_within_their_256_bits() -> None:
    assert add_fingerprints() == "0"
    assert add_fingerprints("f", "1") == "10"
    assert add_fingerprints("f" * 64, "2") == "1"


@pytest.mark.parametrize(
    ("value", "low"),
    [
        (0, 0),
        (7, 7),
        (15, 15),
        (16, 16),
        (17, 17),
        (18, 18),
        (19, 19),
        (31, 31),
        (33, 33),
        (35, 33),
    ],
)
def test_small_values_have_a_bucket_of_their_own(value: int, low: int) -> None:
    assert bucket(value) == low


def test_long_values_of_a_class_are_told_apart_by_what_is_cut() -> None:
    classes = ValueCounts()
    classes.add({"x" * 200: 1, "x" * 201: 2, "x" * 200 + "y": 3})
    assert classes.counts is not None
    assert sorted(classes.counts.values()) == [1, 2, 3]
    digest = hashlib.sha256(b"x" * 201).hexdigest()[:16]
    assert classes.counts["x" * 200 + "… " + digest] == 2
    classes.merge(ValueCounts(counts=None))
    classes.add({"more": 1})
    assert classes.counts is None


def test_sixty_four_values_are_classes_and_one_more_are_none() -> None:
    classes = ValueCounts()
    classes.add({str(n): 1 for n in range(64)})
    assert classes.counts == {str(n): 1 for n in range(64)}
    classes.add({"0": 1})
    assert classes.counts["0"] == 2
    classes.add({"more": 1})
    assert classes.counts is None
    assert len(join_hashes(entry("a", n) for n in range(99))) == 99 * 16


def blocks(chunks: list[bytes], *, most: int) -> list[bytes | int]:
    """What comes out; a number for a line that was thrown away."""
    running = Blocks(block_bytes=most)
    found = [each for chunk in chunks for each in running.feed(chunk)]
    found += running.finish()
    return [each.length if isinstance(each, OversizedLine) else each for each in found]


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([b"ab\ncd\n"], [b"ab\n", b"cd\n"]),
        ([b"ab\ncd"], [b"ab\n", b"cd\n"]),
        ([b"a\nb\nc\n"], [b"a\nb\n", b"c\n"]),
        ([b"a", b"b\nc", b"d\n"], [b"ab\n", b"cd\n"]),
        ([b"abcdefgh\ni\n"], [b"abcdefgh\n", b"i\n"]),
        ([b"", b"\n", b""], [b"\n"]),
        ([b"a"] * 9, [b"aaaaaaaaa\n"]),
        ([], []),
    ],
)
def test_blocks_are_whole_lines_up_to_their_size(
    chunks: list[bytes], expected: list[bytes]
) -> None:
    assert blocks(chunks, most=4) == expected


def test_a_long_line_is_looked_at_again_when_twice_as_much_has_come() -> None:
    running = Blocks(block_bytes=4)
    assert list(running.feed(b"x" * 8)) == []
    assert list(running.feed(b"y" * 6 + b"\n")) == []
    assert list(running.feed(b"\n")) == [b"x" * 8 + b"y" * 6 + b"\n", b"\n"]


@pytest.mark.parametrize("step", [1 << 20, 3 << 20, 9 << 20])
@pytest.mark.parametrize("ending", [b"", b"\n", b"\nx\n"])
def test_a_line_that_is_too_long_is_a_number(step: int, ending: bytes) -> None:
    for length in (LINE_BYTES_MAX, LINE_BYTES_MAX + 1, LINE_BYTES_MAX + (2 << 20)):
        data = b"a\n" + b"y" * length + ending
        chunks = [data[at : at + step] for at in range(0, len(data), step)]
        found = blocks(chunks, most=4_096)
        whole = length if length > LINE_BYTES_MAX else b"y" * length + b"\n"
        assert found == [b"a\n", whole, *([b"x\n"] if len(ending) > 1 else [])]


def test_cutting_begins_and_ends_where_it_is_told() -> None:
    data = b"a\nbb\nccc\ndddd\n"
    assert list(cut(data, 2, 9, most=4)) == [b"bb\n", b"ccc\n"]
    assert list(cut(data, 2, 9, most=7)) == [b"bb\nccc\n"]
    assert list(cut(data, 5, 5, most=7)) == []


def test_a_whole_line_that_is_too_long_is_thrown_away_and_a_block_of_several_is_not() -> None:
    longest = b"y" * LINE_BYTES_MAX + b"\n"
    data = b"a\n" + longest + b"z" + longest
    found = list(cut(data, 0, len(data), most=4))
    assert found[:2] == [b"a\n", longest]
    (thrown,) = found[2:]
    assert isinstance(thrown, OversizedLine)
    assert thrown.length == LINE_BYTES_MAX + 1
    assert list(cut(data, 0, len(longest) + 2, most=2 * LINE_BYTES_MAX)) == [b"a\n" + longest]


@pytest.mark.parametrize(
    ("data", "length", "blank", "marked", "cause", "value"),
    [
        (b"", None, True, False, "unread", None),
        (b" \t\r", None, True, False, "unread", None),
        (b"", LINE_BYTES_MAX + 1, False, False, "unread", None),
        (b"1", LINE_BYTES_MAX, False, False, "", 1),
        (b"\xef\xbb\xbf1", None, False, True, "", 1),
    ],
)
def test_a_line_knows_what_it_is(
    data: bytes, length: int | None, blank: bool, marked: bool, cause: str, value: object
) -> None:
    line = Line(number=1, data=data, length=length)
    assert (line.blank, line.marked, line.parsed.cause, line.parsed.value) == (
        *(blank, marked, cause, value),
    )
    assert line.length == (len(data) if length is None else length)
    assert line.too_long == (line.length > LINE_BYTES_MAX)


def test_a_mark_on_a_later_line_is_no_json() -> None:
    assert Line(number=2, data=b"\xef\xbb\xbf1").parsed.cause == "syntax"


@pytest.mark.parametrize(
    ("text", "cause", "problem"),
    [
        ("[" * 64 + "]" * 64, "", ""),
        ("[" * 65 + "]" * 65, "depth", "nested deeper than 64 levels"),
        ('{"a":' * 65 + "1" + "}" * 65, "depth", "nested deeper than 64 levels"),
        ("[" + "[]," * 70 + "[]]", "", ""),
        ("[" * 40 + "[]," * 70 + "[]" + "]" * 40, "", ""),
        ("[" + "[]," * 70 + "[" * 64 + "]" * 65, "depth", "nested deeper than 64 levels"),
        ('["' + "[" * 70 + '"]', "", ""),
        ('["\\"' + "[" * 70 + '\\\\"]', "", ""),
        ("-" + "9" * 500, "", ""),
        ("Infinity", "syntax", "Infinity is not a JSON number"),
        ("[1] x", "syntax", "Extra data in column 5"),
        ('"a\\ud83d\\ude00"', "", ""),
        ('{"\\ud83d": 1}', "surrogate", "half of a surrogate pair stands alone"),
        ('[["\\ud83d"]]', "surrogate", "half of a surrogate pair stands alone"),
        ("ab\0", "nul", "a NUL character in column 3"),
    ],
)
def test_a_text_is_parsed_strictly(text: str, cause: str, problem: str) -> None:
    found = parse(text.encode())
    assert (found.cause, found.problem) == (cause, problem)


def test_whole_numbers_stay_whole_up_to_400_digits() -> None:
    assert parse(b"9" * 399).value == int("9" * 399)
    assert parse(b"9" * 400).value == float("9" * 400)
    for mark in (b"\xff\xfe", b"\xfe\xff"):
        assert parse(mark + b"a").problem == "the text is UTF-16"
    assert parse(b"ab\xff").problem == "byte 3 is 0xff"


def test_repeated_names_are_told_once_each_up_to_fifty() -> None:
    assert parse(b'{"a": 1, "b": {"a": 1, "a": 2, "a": 3}, "b": 1}').repeated == ("a", "b")
    many = ",".join(f'"{n}":1,"{n}":1' for n in range(60))
    assert parse(f"{{{many}}}".encode()).repeated == tuple(map(str, range(50)))


def test_all_texts_of_a_value_are_found() -> None:
    value = {"a": ["b", {"c": "d"}, 1, None], "e": "f"}
    assert sorted(texts_in(value)) == ["a", "b", "c", "d", "e", "f"]
    assert list(texts_in("x")) == ["x"]


def test_a_dataset_has_the_kinds_that_were_checked_and_zeros_of_the_others() -> None:
    text = {"validation": TextStats(records=2), "training": TextStats(records=3)}
    images = {"validation": ImageStats(checked=5)}
    base, contract = contract_of("nova-lite")
    wanted = ModelRequirements(base_model=base, dataset=contract)
    found = Dataset(text_stats=text, image_stats=images, requirements=wanted)
    assert (found.kinds, found.records, found.job_region) == (("training", "validation"), 5, "")
    assert (found.text("training").records, found.images("validation").checked) == (3, 5)
    assert found.images("training") == ImageStats()
    nothing = Dataset(text_stats={}, image_stats={}, requirements=wanted)
    assert (nothing.kinds, nothing.records, nothing.text("training")) == ((), 0, TextStats())
    assert (wanted.hyperparameters, wanted.overrides) == ({}, {})


@pytest.mark.parametrize(
    ("ref", "folders", "problem"),
    [
        ("x", ("f/",), "not-s3"),
        ("S3://bucket/f/1", ("f/",), "not-s3"),
        ("s3:///f/1", ("f/",), "not-s3"),
        ("s3://other/f/1", ("f/",), "bucket"),
        ("s3://other.1-x/f/1", ("f/",), "bucket"),
        *(
            (f"s3://{name}/f/1", ("f/",), "not-s3")
            for name in (
                "<bucket>",
                "${BUCKET}",
                "{bucket}",
                "My-Bucket",
                "my_bucket",
                "a..b",
                "a-",
                "-a",
                "a.",
                "arn:aws:s3:::b",
                "a b",
                "b" * 64,
            )
        ),
        ("s3://bucket", ("f/",), "no-name"),
        ("s3://bucket/", ("f/",), "no-name"),
        ("s3://bucket/f/", ("f/",), "no-name"),
        ("s3://bucket/f/./1", ("f/",), "climbs"),
        ("s3://bucket/f/..", ("f/",), "climbs"),
        ("s3://bucket/f/..x", ("f/",), ""),
        ("s3://bucket/g/1", ("f/",), "folder"),
        ("s3://bucket/g/1", ("f/", "g/"), ""),
        ("s3://bucket/g/1", (), ""),
        ("s3://bucket/f/1", ("f/",), ""),
    ],
)
def test_the_first_reason_against_a_reference_is_told(
    ref: str, folders: tuple[str, ...], problem: str
) -> None:
    scope = scope_of(folders=folders)
    assert locate(ref, scope) == problem


def test_a_scope_names_its_places() -> None:
    one, two, none = (scope_of(folders=folders) for folders in (("f/",), ("f/", "g/"), ()))
    assert one.prefixes == ("s3://bucket/f/",)
    assert two.prefixes == ("s3://bucket/f/", "s3://bucket/g/")
    assert none.prefixes == ("s3://bucket/",)
    assert (one.below("f/1"), one.below("g/1"), two.below("f/1")) == ("1", "g/1", "f/1")
    assert (one.image_field, scope_of("nova-lite").image_field) == ("image-ref", "uri")
    assert (one.bucket_region, dict(one.overrides)) == ("", {})
    assert scope_of("nova-lite/DISTILLATION").contract.teacher_answers
    assert not one.contract.teacher_answers
    assert not scope_of("nova-lite").contract.teacher_answers
    assert (folder_of("s3://b/a/1"), folder_of("x")) == ("s3://b/a/", "/")


def test_a_budget_is_what_the_contract_says() -> None:
    assert TextBudget.of(contract_of("titan-multimodal-embeddings-g1")[1]) == TextBudget()
    cohere = TextBudget.of(contract_of("cohere-command")[1])
    assert (cohere.prompt, cohere.completion, cohere.record) == (4_096, 2_048, None)
    assert (cohere.least, cohere.line_bytes, cohere.chars_per_token) == (2_048, None, 6.0)
    assert [cohere.of_field(name) for name in ("prompt", "completion", "x")] == [4_096, 2_048, None]
    llama = TextBudget.of(contract_of("llama-3-1-8b")[1])
    assert (llama.least, llama.record) == (16_000, 16_000)
    lines = TextBudget.of(contract_of("nova-lite/DISTILLATION")[1])
    assert (lines.line_bytes, lines.record, lines.least) == (16_384, None, None)


@pytest.mark.parametrize(
    ("texts", "most", "verdict"),
    [
        (["x" * 6], None, ""),
        (["1" * 10], 10, ""),
        (["1" * 11], 10, "band"),
        (["1" * 30], 10, "band"),
        (["1" * 31], 10, "over"),
        (["1" * 15, "1" * 16], 10, "over"),
        (["a" * 40], 10, ""),
        (["a" * 41], 10, "band"),
        (["a" * 60], 10, "band"),
        (["a" * 61], 10, "over"),
    ],
)
def test_a_text_is_over_its_limit_only_by_the_most_generous_estimate(
    texts: list[str], most: int | None, verdict: str
) -> None:
    assert TextBudget(chars_per_token=6.0).verdict(texts, most) == verdict
