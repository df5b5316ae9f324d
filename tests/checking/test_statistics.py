"""The numbers of a dataset against a count in plain Python, whole and in shards."""

import hashlib
import json
import random
from collections import Counter
from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedrock_tuning.checking import manifest as manifests
from bedrock_tuning.checking.images import check_images
from bedrock_tuning.checking.manifest import ManifestCheck
from bedrock_tuning.checking.result import merge
from bedrock_tuning.dataset.fingerprints import record_hash
from bedrock_tuning.dataset.scope import ImageRef
from bedrock_tuning.dataset.statistics import CLASSES_KEPT, HASH_BYTES, ValueCounts, bucket
from bedrock_tuning.rules.finding import Heard
from tests.support.examples import check, scope_of
from tests.support.pictures import Folder, jpeg, png

WORDS = ("a dog", "a cat", "", "  ", "größer", 'say "wow"', "x" * 700)


@given(st.integers(0, 1 << 40))
def test_a_bucket_is_at_most_an_eighth_below_its_values(value: int) -> None:
    low = bucket(value)
    assert low <= value < low * 1.125 + 1
    assert bucket(low) == low
    assert bucket(value + 1) >= low


def manifest(seed: int, rows: int) -> tuple[bytes, list[dict[str, str]]]:
    """Records with captions of every kind, some of them outside of the folder."""
    rng = random.Random(seed)  # noqa: S311
    folders = ("bucket/folder", "bucket/folder/a", "bucket/else", "other/folder")
    records = [
        {"image-ref": f"s3://{rng.choice(folders)}/{n}.png", "caption": rng.choice(WORDS)}
        for n in range(rows)
    ]
    return "".join(json.dumps(record) + "\n" for record in records).encode(), records


@pytest.mark.parametrize("rows", [30, 3_000])
def test_the_statistics_of_a_text_are_those_of_a_count_by_hand(rows: int) -> None:
    data, records = manifest(7, rows)
    _, result = check(data, findings_per_rule=50, block_bytes=2_000)
    stats = result.text_stats["training"]
    captions = [record["caption"] for record in records]
    assert (stats.lines, stats.records, stats.size) == (rows, rows, len(data))
    assert stats.characters == sum(map(len, captions))
    assert stats.longest == {"caption": max(map(len, captions))}
    assert stats.empty == {"caption": sum(not caption.strip() for caption in captions)}
    assert stats.lengths["caption"] == Counter(bucket(len(caption)) for caption in captions)
    assert sum(stats.captions.counts.values()) == rows
    wrong = [
        r["image-ref"] for r in records if not r["image-ref"].startswith("s3://bucket/folder/")
    ]
    assert stats.outside == Counter(ref.rpartition("/")[0] + "/" for ref in wrong)
    assert result.counts["R212"] + result.counts["R214"] == len(wrong)


def test_the_first_twenty_folders_outside_are_counted_exactly() -> None:
    names = [f"s3://bucket/f{n:02}/" for n in range(30)] * 3
    random.Random(3).shuffle(names)  # noqa: S311
    lines = [json.dumps({"image-ref": f"{name}1.png", "caption": "x"}) for name in names]
    _, result = check("\n".join(lines).encode())
    expected = {f"s3://bucket/f{n:02}/": 3 for n in range(20)}
    assert result.text_stats["training"].outside == expected


@pytest.mark.parametrize("extra", [0, 1])
def test_there_are_classes_as_long_as_there_are_few(extra: int) -> None:
    classes = ValueCounts()
    classes.add({f"class {n}": 1 for n in range(CLASSES_KEPT)})
    other = ValueCounts(counts={"class 0": 2, **({"new": 1} if extra else {})})
    classes.merge(other)
    assert (classes.counts is None) == bool(extra)
    if not extra:
        assert classes.counts["class 0"] == 3


OBJECTS = {
    **{f"folder/dogs/{n}.png": png(300 + n, 400, noise=n) for n in range(5)},
    **{f"folder/cats/{n}.jpg": jpeg(600, 300 + 8 * n, noise=n) for n in range(4)},
    "folder/page.png": b"<html>",
    "folder/small.png": png(100, 100),
}


@pytest.mark.parametrize("shards", [1, 2, 5, 11])
def test_the_statistics_of_images_are_those_of_a_count_by_hand(shards: int) -> None:
    keys = [*OBJECTS, "folder/dogs/1.png", "folder/absent.png"]
    refs = [ImageRef(line, key) for line, key in enumerate(keys, 1)]
    parts = [
        check_images(refs[n::shards], Folder(OBJECTS), scope_of(), Heard(per_rule=1))
        for n in range(shards)
    ]
    result = merge(parts)
    stats = result.image_stats["training"]
    there = [key for key in keys if key in OBJECTS]
    sizes = {
        **{f"folder/dogs/{n}.png": (300 + n, 400) for n in range(5)},
        **{f"folder/cats/{n}.jpg": (600, 300 + 8 * n) for n in range(4)},
        "folder/small.png": (100, 100),
    }
    pictures = [sizes[key] for key in there if key in sizes]
    assert (stats.checked, stats.hashed) == (len(keys), len(there))
    assert stats.formats == {"HTML": 1, "jpeg": 4, "png": 7}
    assert stats.sizes == Counter(f"{bucket(w)} {bucket(h)}" for w, h in pictures)
    assert stats.aspects == Counter(round(8 * log2(w / h)) for w, h in pictures)
    assert stats.file_sizes == Counter(bucket(len(OBJECTS[key])) for key in there)
    assert stats.folders.counts == {"": 2, "dogs": 6, "cats": 4}
    assert result.counts == {"I101": 1, "I104": 1, "I203": 1}
    total = 0
    for key in there:
        etag = hashlib.md5(OBJECTS[key]).hexdigest()  # noqa: S324 an ETag is MD5
        text = f"{len(OBJECTS[key])}\n{etag}\n{key}"
        total += int.from_bytes(hashlib.sha256(text.encode()).digest())
    assert int(stats.fingerprint, 16) == total % (1 << 256)
    assert len(stats.hashes) == 16 * len(there)


def test_only_so_many_hashes_of_records_are_held_and_the_smallest_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(manifests, "_RECORD_HASHES_KEPT", 8)
    lines = [json.dumps({"input": f"text {n}"}).encode() for n in range(300)]
    for by_rules_only in (False, True):
        scope = scope_of("titan-text-express/CONTINUED_PRE_TRAINING")
        running = ManifestCheck(scope, block_bytes=100)
        if by_rules_only:
            running._fast = running._classes = None
        for line in lines:
            running.feed(line + b"\n")
            # A block of five lines may come on top of twice as many as are kept.
            assert len(running._hashes) < (2 * 8 + 5) * HASH_BYTES
        stats = running.finish()[1].text_stats["training"]
        hashes = sorted(record_hash(line=n, content=line) for n, line in enumerate(lines, 1))
        assert (stats.hashed, stats.hashes) == (300, b"".join(hashes[:8]))


def test_only_so_many_lengths_are_held_and_the_longest_is_exact(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(manifests, "_LENGTHS_KEPT", 100)
    lengths = [*range(1, 400), 377]
    running = ManifestCheck(scope_of("titan-text-express/CONTINUED_PRE_TRAINING"), block_bytes=100)
    for length in lengths:
        running.feed(json.dumps({"input": "x" * length}).encode() + b"\n")
        assert len(running._lengths.get("input", ())) <= 100
    stats = running.finish()[1].text_stats["training"]
    assert stats.longest == {"input": 399}
    assert stats.lengths["input"] == Counter(map(bucket, lengths))


def test_a_conversation_counts_once_for_each_kind_of_media_that_it_has() -> None:
    def talk(*kinds: str) -> bytes:
        media = [
            {kind: {"format": "png", "source": {"s3Location": {"uri": f"s3://b/{n}"}}}}
            for n, kind in enumerate(kinds)
        ]
        turns = [{"role": "user", "content": [{"text": "what is it"}, *media]}]
        return json.dumps({"messages": turns}).encode()

    lines = [talk("image", "image"), talk("image", "video"), talk("document"), talk()]
    refs, result = check(b"\n".join(lines), scope=scope_of("nova-lite", bucket="b", folders=()))
    stats = result.text_stats["training"]
    assert stats.media == {"image": 2, "video": 1, "document": 1}
    assert (stats.records, stats.characters, stats.longest) == (4, 40, {"record": 10})
    assert stats.captions.counts == {}
    # What is in a document is not looked at.
    assert [(ref.line, ref.key) for ref in refs] == [(1, "0"), (1, "1"), (2, "0"), (2, "1")]


def test_images_of_conversations_in_other_folders_are_counted_by_folder() -> None:
    uris = ("s3://a/x/1", "s3://bucket/x/1", "s3://bucket/x/2", "x/1", "s3://bucket/folder/../1")
    blocks = [{"image": {"format": "png", "source": {"s3Location": {"uri": uri}}}} for uri in uris]
    line = json.dumps({"messages": [{"role": "user", "content": blocks}]}).encode()
    _, result = check(line, scope=scope_of("nova-lite"))
    expected = {"s3://a/x/": 1, "s3://bucket/x/": 2}
    assert result.text_stats["training"].outside == expected


@pytest.mark.slow
def test_the_first_300_captions_are_judged_whoever_checks_their_rows() -> None:
    def rows(caption: str, count: int) -> list[dict[str, str]]:
        return [{"image-ref": "s3://bucket/folder/1.png", "caption": caption}] * count

    german, faulty = "ein Hund auf der Wiese", "the dog on the lawn \x07"
    for records, languages in (
        (rows(german, 299) + rows("a dog on a lawn", 9), {"English": 1, "German": 299}),
        (rows(faulty, 400) + rows(german, 9), {"English": 300}),
        (rows(faulty, 100) + rows(german, 100) + rows("x", 9), {"English": 100, "German": 100}),
    ):
        data = "".join(json.dumps(record) + "\n" for record in records).encode()
        for options in ({}, {"by_rules_only": True}, {"block_bytes": 2_000}):
            _, result = check(data, findings_per_rule=1, **options)  # type: ignore[arg-type]
            stats = result.text_stats["training"]
            assert (stats.languages, stats.judged) == (languages, min(300, len(records)))
