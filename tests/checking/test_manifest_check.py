"""A manifest's check: what bad input becomes, and that cutting and the fast path change nothing."""

import json
import random
import time

import pytest

from bedrock_tuning.checking.fast_path_records import fast_path_for
from bedrock_tuning.checking.manifest import ManifestCheck
from bedrock_tuning.checking.result import CheckResult
from bedrock_tuning.dataset.json_lines import LINE_BYTES_MAX
from bedrock_tuning.rules.finding import Heard
from tests.support.examples import check, scope_of

GOOD = b'{"image-ref": "s3://bucket/folder/1.png", "caption": "a dog"}'


def names(partial: CheckResult) -> dict[str, int]:
    return {found[0].name: partial.counts[id] for id, found in partial.findings.items()}


def record(ref: str = "s3://bucket/folder/1.png", caption: object = "a dog") -> bytes:
    return json.dumps({"image-ref": ref, "caption": caption}).encode()


def test_a_good_manifest_has_no_finding_and_gives_its_references() -> None:
    refs, partial = check(GOOD + b"\n" + record("s3://bucket/folder/2.png") + b"\n")
    assert partial.counts == {}
    assert [(ref.line, ref.key) for ref in refs] == [(1, "folder/1.png"), (2, "folder/2.png")]
    assert partial.records("training") == 2


def test_the_sample_of_awss_guide_is_good_where_its_folders_are_named() -> None:
    names = ("folder1/0001.png", "folder2/0002.png", "folder1/0003.png")
    sample = b"\n".join(record(f"s3://bucket-1/{name}", "some text") for name in names)
    named = scope_of(bucket="bucket-1", folders=("folder1/", "folder2/"))
    refs, partial = check(sample, scope=named)
    assert partial.counts == {}
    assert [ref.key for ref in refs] == list(names)
    _, partial = check(sample, scope=scope_of(bucket="bucket-1", folders=("folder1/",)))
    assert partial.counts == {"R214": 1}


def test_a_last_line_without_newline_counts() -> None:
    refs, partial = check(GOOD + b"\n" + GOOD)
    assert [ref.line for ref in refs] == [1, 2]
    assert partial.counts == {}


def test_an_empty_manifest_has_no_records_and_no_findings() -> None:
    refs, partial = check(b"")
    assert refs == []
    assert partial.records("training") == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "name"),
    [
        (b"", "blank-line"),
        (b" \t\r", "blank-line"),
        (b'{"caption": "caf\xe9"}', "not-utf8"),
        ('{"a": "é"}'.encode("utf-16"), "not-utf8"),
        (b'{"caption": "a \x00"}', "nul-character"),
        (b'{"a": 1,}', "malformed-json"),
        (b"{'a': 1}", "malformed-json"),
        (b'{"a": NaN}', "malformed-json"),
        (b'{"a": 1} {"a": 2', "malformed-json"),
        (b'{"a": 1} // comment', "malformed-json"),
        (b"[" * 100_000, "nested-too-deep"),
        (b'{"a":' * 5_000, "nested-too-deep"),
        (b'{"caption": "\\ud800"}', "lone-surrogate"),
        (b'{"\\udfff": 1}', "lone-surrogate"),
        (b"[1, 2]", "not-an-object"),
        (b'"text"', "not-an-object"),
        (b"1e999999", "not-an-object"),
        (b"9" * 10_000, "not-an-object"),
        (b'{"caption": ""}', "missing-field"),
        (GOOD[:-1] + b', "caption": "a cat"}', "duplicate-key"),
        (GOOD[:-1] + b', "capt\\u0069on": "a cat"}', "duplicate-key"),
        (GOOD[:-1] + b', "label": "dog"}', "unknown-field"),
        (record(caption=None), "wrong-type"),
        (record(caption=["a"]), "wrong-type"),
        (record(caption="x" * 2561), "caption-too-long"),
        (record(caption="x" * 602), "caption-over-token-limit"),
        (record(caption=" \n"), "blank-caption"),
        (record(caption="a\x07b"), "control-character-in-caption"),
        (record("/folder/1.png"), "image-ref-not-s3"),
        (record("folder/1.png"), "image-ref-not-s3"),
        (record("https://bucket/1.png"), "image-ref-not-s3"),
        (record("s3:///1.png"), "image-ref-not-s3"),
        (record("S3://bucket/folder/1.png"), "image-ref-not-s3"),
        (record("s3://Bucket/folder/1.png"), "image-ref-not-s3"),
        (record("s3://bucket2/folder/1.png"), "image-in-another-bucket"),
        (record("s3://bucket/folder/../1.png"), "image-path-climbs"),
        (record("s3://bucket/folder/./1.png"), "image-path-climbs"),
        (record("s3://bucket/folder/.."), "image-path-climbs"),
        (record("s3://bucket/folder2/1.png"), "image-outside-folder"),
        (record("s3://bucket/1.png"), "image-outside-folder"),
        (record("s3://bucket/folder/"), "image-ref-without-name"),
        (record("s3://bucket/"), "image-ref-without-name"),
        (record("s3://bucket"), "image-ref-without-name"),
    ],
)
@pytest.mark.parametrize("around", [0, 2_000])
def test_a_bad_line_is_found_wherever_it_stands(line: bytes, name: str, around: int) -> None:
    others = (GOOD + b"\n") * around
    refs, partial = check(others + line + b"\n" + others)
    assert names(partial)[name] == 1
    assert all(found.line == around + 1 for found in partial.findings[_id(partial, name)])
    assert partial.text_stats["training"].lines == 2 * around + 1
    assert len(refs) >= 2 * around


def test_strays_are_told_one_by_one_and_a_file_in_a_format_without_a_name_once() -> None:
    stray, good = b'{"foo": 1, "bar": 2}\n', GOOD + b"\n"
    _, partial = check(good * 5 + stray + good * 5 + stray * 2)
    assert names(partial) == {"missing-field": 6, "unknown-field": 6}
    assert {found.line for found in partial.findings[_id(partial, "missing-field")]} == {6, 12, 13}
    _, partial = check(stray * 5)
    assert names(partial) == {"record-of-another-format": 1}


@pytest.mark.parametrize("length", range(195, 202))
def test_a_bad_line_is_shown_however_its_characters_lie(length: int) -> None:
    _, partial = check(b"x" * length + "ü🐕".encode())
    assert names(partial) == {"malformed-json": 1}


def _id(partial: CheckResult, name: str) -> str:
    return next(id for id, found in partial.findings.items() if found[0].name == name)


@pytest.mark.parametrize(
    "key",
    [
        "folder/my dog.png",
        "folder/a+b.png",
        "folder/%2e%2e/1.png",
        "folder/größe/犬🐕.png",
        "folder/.hidden.png",
        "folder/..png",
        "folder//1.png",
        'folder/"quoted".png',
        "folder/back\\slash.png",
        "folder/x/",
    ],
)
def test_unusual_keys_are_taken_as_they_are(key: str) -> None:
    refs, partial = check(record(f"s3://bucket/{key}") + b"\n")
    assert partial.counts == {}
    assert [(ref.line, ref.key) for ref in refs] == [(1, key)]


def test_a_byte_order_mark_is_found_and_the_record_is_still_read() -> None:
    refs, partial = check(b"\xef\xbb\xbf" + GOOD + b"\n" + GOOD)
    assert names(partial) == {"byte-order-mark": 1}
    assert len(refs) == 2


def test_windows_line_ends_are_told_once_and_do_no_harm() -> None:
    refs, partial = check((GOOD + b"\r\n") * 5_000)
    assert names(partial) == {"windows-line-end": 1}
    assert len(refs) == 5_000


def test_a_line_of_50_mb_is_found_without_being_kept() -> None:
    running = ManifestCheck(scope_of())
    first = [*running.feed(GOOD + b"\n")]
    for _ in range(50):
        first += running.feed(b"x" * 1_000_000)
        assert running._blocks._held <= LINE_BYTES_MAX + 1_000_000
    refs = [*running.feed(b"\n" + GOOD + b"\n")]
    last, partial = running.finish()
    assert names(partial) == {"line-too-long": 1}
    (found,) = partial.findings["L104"]
    assert (found.line, found.value) == (2, "50,000,000 bytes")
    assert [ref.line for ref in [*first, *refs, *last]] == [1, 3]


@pytest.mark.parametrize("ending", [b"\n", b""])
@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_the_limit_of_a_line_does_not_depend_on_cutting(extra: int, ending: bytes) -> None:
    long = b" " * (LINE_BYTES_MAX + extra - len(GOOD)) + GOOD + ending
    whole = check(GOOD + b"\n" + long)
    assert whole == check(GOOD + b"\n" + long, cuts=tuple(range(0, len(long), 777_777)))
    assert names(whole[1]) == ({"line-too-long": 1} if extra > 0 else {})


@pytest.mark.slow
def test_findings_are_bounded_and_counts_exact() -> None:
    _, partial = check(b"\n" * 10_000)
    assert partial.counts == {"L103": 10_000}
    assert [found.line for found in partial.findings["L103"]] == list(range(1, 101))


def test_every_finding_reaches_the_listener() -> None:
    heard = []
    running = ManifestCheck(scope_of(), Heard(heard.append))
    running.feed(b"\n" * 1_000)
    running.finish()
    assert [found.line for found in heard] == list(range(1, 1_001))


@pytest.mark.slow
def test_clean_lines_are_not_read_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    monkeypatch.setattr(ManifestCheck, "_rows", lambda self, block: read.append(1))
    rng = random.Random(1)  # noqa: S311
    many = b"".join(
        record(f"s3://bucket/folder/{n}.png", f"größer {rng.random()}") + b"\n"
        for n in range(20_000)
    )
    refs, _ = check(many)
    assert len(refs) == 20_000
    assert read == []


_START = '{"image-ref": "s3://bucket/folder/1.png", "caption": "'
_HOSTILE = {
    "escapes": _START + '\\"' * 1_900_000 + '"}',
    "brackets in a text": _START + "[{" * 1_900_000 + '"}',
    "many arrays": "[" + "[]," * 1_300_000 + "[]]",
    "open arrays": "[" * 4_000_000,
    "open objects": '{"a":' * 700_000,
    "quotes": '"' * 4_000_000,
    "backslashes": "\\" * 4_000_000,
    "one number": "1" * 4_000_000,
    "one long name": '{"' + "k" * 4_000_000 + '": 1}',
    "many names": "{" + ",".join(f'"x{n:x}":1' for n in range(320_000)) + "}",
    "one name again and again": "{" + ",".join('"a":1' for _ in range(600_000)) + "}",
    "many turns": '{"messages":[' + ",".join('{"role":1}' for _ in range(300_000)) + "]}",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", _HOSTILE)
@pytest.mark.parametrize("model", ["titan-multimodal-embeddings-g1", "nova-lite"])
def test_hostile_lines_of_4_mb_are_judged_within_a_minute(name: str, model: str) -> None:
    started = time.process_time()
    _, partial = check(_HOSTILE[name].encode(), scope=scope_of(model))
    # Seconds on an idle machine; what grows with the square takes hours.
    assert time.process_time() - started < 60
    assert partial.counts
    assert "X001" not in partial.counts
    assert len(partial.to_json()) < 200_000


_TEXTS = scope_of("titan-text-express/CONTINUED_PRE_TRAINING")


@pytest.mark.parametrize(
    "around",
    [
        # Quotes that are hidden behind a backslash must not make good for a repeated key's four.
        [json.dumps({"input": f"C:\\pictures {number}\\"}) for number in range(4)],
        [json.dumps({"input": f"{number} {'plain ' * 999}\\"}) for number in range(4)],
        [json.dumps({"input": f'she said "{number}"'}) for number in range(4)],
        # So many quotes that the block is cut at all of them at once.
        [json.dumps({"input": f"{number} " + '"' * 4_000}) for number in range(4)],
        [json.dumps({"input": f"{number} " + "plain text " * 1_000}) for number in range(4)],
    ],
    ids=["backslashes", "long backslashes", "quotes", "many quotes", "long"],
)
def test_a_repeated_key_is_found_among_texts_of_every_kind(around: list[str]) -> None:
    lines = [*around[:2], '{"input": "one", "input": "two"}', *around[2:]]
    _, partial = check("".join(f"{line}\n" for line in lines).encode(), scope=_TEXTS)
    assert names(partial) == {"duplicate-key": 1}
    (found,) = partial.findings[_id(partial, "duplicate-key")]
    assert found.line == 3


def test_conversations_have_no_fast_path() -> None:
    assert fast_path_for(scope_of("nova-lite")) is None
