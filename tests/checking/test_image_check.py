"""Images through a source: outcomes, limits, how many bytes are asked for, and any sharding."""

import itertools
import random
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedrock_tuning.checking.conclude import conclude
from bedrock_tuning.checking.fast_path_images import image_fast_path
from bedrock_tuning.checking.images import check_images
from bedrock_tuning.checking.result import CheckResult, merge
from bedrock_tuning.dataset.dataset import ModelRequirements
from bedrock_tuning.dataset.images.header import Header
from bedrock_tuning.dataset.images.image import Image
from bedrock_tuning.dataset.images.source import (
    RANGE_BYTES_MAX,
    ByteRange,
    Denied,
    FetchResult,
    Missing,
)
from bedrock_tuning.dataset.scope import ImageRef
from bedrock_tuning.rules import BY_ID, rules_for
from bedrock_tuning.rules.finding import Heard
from bedrock_tuning.rules.rule import run_rules
from tests.support import pictures
from tests.support.examples import scope_of
from tests.support.pictures import Folder, jpeg, png, with_exif, with_segments
from tests.support.properties import examples

MODELS = [
    "titan-multimodal-embeddings-g1",
    "titan-image-generator-v1",
    "nova-lite",
    "llama-3-2-11b",
]


def check(objects: dict[str, bytes], **options: Any) -> tuple[CheckResult, Folder]:
    """Checks every object, and `missing` if asked for, as line 1, 2, …"""
    model = options.pop("model", MODELS[0])
    keys = [*objects, *options.pop("more", ())]
    source = Folder(objects, **options)
    refs = [ImageRef(line, key) for line, key in enumerate(keys, 1)]
    return check_images(refs, source, scope_of(model)), source


def names(result: CheckResult) -> dict[str, int]:
    return {BY_ID[id].name: count for id, count in result.counts.items()}


def test_good_images_have_no_finding() -> None:
    result, source = check({"folder/1.png": png(), "folder/2.JPG": jpeg(4096, 1024)})
    assert result.counts == {}
    assert result.images("training") == 2
    assert len(source.ranges) == 2


def test_an_image_with_five_captions_is_read_once_and_judged_five_times() -> None:
    source = Folder({"a.png": png(8000, 20), "b.png": png()})
    refs = [ImageRef(line, "a.png" if line <= 5 else "b.png") for line in range(1, 11)]
    lines: list[tuple[str, int]] = []
    result = check_images(
        refs, source, scope_of(MODELS[0]), Heard(error_line=lambda *place: lines.append(place))
    )
    assert sorted(wanted.key for wanted in source.ranges) == ["a.png", "b.png"]
    assert result.images("training") == 10
    assert lines == [("training", line) for line in range(1, 6)]


# Large images are drawn by their tests, not by every process that collects them.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "data", "expected"),
    [
        ("1.png", b"", "empty-image"),
        ("1.png", b"<!DOCTYPE html><html><body>404", "image-format-not-supported"),
        ("1.gif", b"GIF89a\x00\x02\x00\x02" + bytes(30), "image-format-not-supported"),
        ("1.png", png()[:40], "truncated-image"),
        ("1.png", png()[:-400], "truncated-image"),
        ("1.jpg", jpeg()[:100], "truncated-image"),
        ("1.jpg", b"\xff\xd8\xff\xda" + bytes(100), "corrupt-image"),
        ("1.jpg", png(), "wrong-image-extension"),
        ("1.png", png(255, 300), "image-side-too-small"),
        ("1.png", partial(png, 4097, 2000), "image-side-too-large"),
        ("1.png", partial(png, 4096, 3073), "too-many-pixels"),
        ("1.png", partial(png, 4096, 3072), "pixels-disputed"),
        ("1.png", png(1025, 256), "aspect-ratio-out-of-range"),
        ("1.png", png(256, 1025), "aspect-ratio-out-of-range"),
        ("1.png", png() + bytes(25_000_000), "image-too-many-bytes"),
        ("1.png", png() + bytes(5_000_000), "image-bytes-disputed"),
        ("1.png", pictures.animated_png(), "animated-image"),
        ("1.jpg", jpeg(mode="CMYK"), "cmyk-image"),
        ("1.png", png(mode="I;16"), "deep-colour-image"),
        ("1.jpg", with_exif(jpeg(), 6), "rotated-by-exif"),
    ],
)
def test_each_fault_of_an_image_is_found_alone(
    key: str, data: bytes | Callable[[], bytes], expected: str
) -> None:
    found, _ = check({f"folder/{key}": data() if callable(data) else data})
    assert names(found) == {expected: 1}


def test_a_missing_a_refused_and_an_impossible_image_are_told_apart() -> None:
    result, source = check(
        {"folder/refused.png": png()},
        denied=["folder/refused.png"],
        more=["folder/absent.png", "folder/" + "ü" * 520],
    )
    expected = {"image-not-readable": 1, "image-missing": 1, "image-key-too-long": 1}
    assert names(result) == expected
    assert len(source.ranges) == 2


def test_an_image_overwritten_between_two_reads_is_found() -> None:
    class Changing(Folder):
        def fetch(self, ranges: Any) -> Any:
            answers = super().fetch(ranges)
            self.objects = {"folder/1.jpg": jpeg(400, 400)}
            return answers

    source = Changing({"folder/1.jpg": with_segments(jpeg(), 65_000, 65_000)})
    result = check_images([ImageRef(1, "folder/1.jpg")], source, scope_of())
    assert names(result) == {"image-changed-meanwhile": 1}


def camera_jpegs(count: int) -> dict[str, bytes]:
    """JPEGs whose headers end like those of a public set of 88 camera files.

    34 % within 4 KB, 81 % within 16 KB, all within 64 KB.
    """
    rng = random.Random(7)  # noqa: S311
    small = jpeg(300, 300)
    images = {}
    for number in range(count):
        share = rng.random()
        low, high = (1, 3) if share < 0.34 else (4, 15) if share < 0.81 else (16, 62)
        images[f"folder/IMG_{number:04}.JPG"] = with_exif(
            small, 1, padding=rng.randint(low << 10, high << 10)
        )
    return images


@pytest.mark.slow
def test_camera_jpegs_need_hardly_more_than_one_request_each() -> None:
    images = camera_jpegs(3_000)
    result, source = check(images)
    assert result.counts == {}
    assert len(source.ranges) / len(images) <= 1.10
    assert max(each.length for each in source.ranges) <= RANGE_BYTES_MAX


@pytest.mark.slow
def test_the_first_range_shrinks_where_headers_are_short() -> None:
    data = png()
    images = {f"folder/{n}.png": data for n in range(1_200)}
    _, source = check(images)
    assert len(source.ranges) == len(images)
    assert source.ranges[-1].length == 1 << 10


@pytest.mark.slow
def test_portrait_photos_with_megabytes_of_depth_are_read_by_leaps() -> None:
    data = with_segments(jpeg(), *[65_533] * 40)
    result, source = check({"folder/1.jpg": data})
    assert result.counts == {}
    assert len(source.ranges) <= 42
    assert sum(each.length for each in source.ranges) < len(data) / 2


HEADERS = st.builds(
    Header,
    format=st.sampled_from(["png", "jpeg", "gif", "webp", "HTML", "MP4 video", "unknown"]),
    width=st.sampled_from([0, 1, 9, 10, 255, 256, 511, 512, 1024, 3072, 4096, 4097, 8192, 8193]),
    height=st.sampled_from([0, 1, 10, 256, 512, 1024, 3059, 3072, 3073, 4096, 8192]),
    bits=st.sampled_from([1, 8, 12, 16]),
    channels=st.integers(0, 5),
    animated=st.booleans(),
    orientation=st.integers(1, 8),
    located=st.booleans(),
    problem=st.sampled_from(["", "", "", "cut"]),
)
SIZES = st.sampled_from([0, 1, 5_000_000, 5_000_001, 10_000_001, 25_000_000, 25_000_001, 10**8])
KEYS = st.sampled_from(
    ["folder/1", "folder/1.png", "folder/1.PNG", "folder/a.b/1.jpg", "folder/1.gif"]
)


@pytest.mark.slow
@examples(1_000)
@given(HEADERS, SIZES, KEYS, st.sampled_from(MODELS))
def test_the_fast_path_calls_an_image_clean_only_if_no_rule_reports_it(
    header: Header, size: int, key: str, model: str
) -> None:
    image = Image(line=1, key=key, header=header, size=size, etag="0")
    fast = image_fast_path(scope_of(model))
    assert fast is not None
    if fast.is_clean(image):
        assert list(run_rules(rules_for(Image), image, scope_of(model))) == []


@pytest.mark.parametrize("model", [*MODELS, "nova-canvas", "titan-image-generator-v2"])
def test_the_fast_path_calls_every_plain_png_and_jpeg_clean_that_no_rule_reports(
    model: str,
) -> None:
    scope = scope_of(model)
    fast, limits = image_fast_path(scope), scope.contract.image
    assert fast is not None
    assert limits is not None
    rules = rules_for(Image)
    bytes_ = {limits.bytes_max, limits.bytes_warn or 1}
    low, high = limits.side_min or 1, limits.side_max or 9_000
    sides = {low, 512, 1024, 3059, 3072, high}
    sides |= {round(low * by) for by in (limits.aspect_max or 2, 1 / (limits.aspect_min or 2))}
    near = [side + more for side in sides for more in (-1, 0, 1) if side + more > 0]
    shapes = [("png", 3, 512, 512, size + more) for size in bytes_ for more in (-1, 0, 1)]
    shapes += [("png", 3, width, height, 9) for width in near for height in near]
    shapes += [("jpeg", channels, 512, 512, 1) for channels in range(6)]
    headers = [
        (Header(format=format, width=width, height=height, channels=channels), size)
        for format, channels, width, height, size in shapes
    ]
    headers += [
        (Header(format="jpeg", width=512, height=512, **more), 9)  # type: ignore[arg-type]
        for more in (
            *({"orientation": 4}, {"orientation": 5}, {"bits": 8}, {"bits": 16}),
            *({"located": True}, {"animated": True}),
        )
    ]
    for header, size in headers:
        image = Image(line=1, key="folder/1", header=header, size=size, etag="0")
        clean = not list(run_rules(rules, image, scope))
        assert fast.is_clean(image) == clean, (header, size)


def test_a_key_of_1024_bytes_is_asked_for_and_a_longer_one_is_not() -> None:
    # Characters of one byte, two and four: S3 counts bytes.
    keys = ["x" * 1_024, "x" * 1_025, "ü" * 512, "ü" * 513, "🐕" * 256, "🐕" * 257]
    source = Folder({})
    refs = [ImageRef(line, key) for line, key in enumerate(keys, 1)]
    result = check_images(refs, source, scope_of(folders=()))
    assert [each.key for each in source.ranges] == keys[::2]
    assert [each.line for each in result.findings["I108"]] == [2, 4, 6]
    assert result.images("training") == 6


def test_what_the_source_knows_of_an_image_that_it_does_not_bring_is_told() -> None:
    class Told(Folder):
        def fetch(self, ranges: Sequence[ByteRange]) -> list[FetchResult]:
            return [
                Missing(each.key, near="folder/Ron.png") if each.key.endswith("n") else
                Denied(each.key, "the key of KMS")
                for each in ranges
            ]  # fmt: skip

    refs = [ImageRef(3, "folder/ron"), ImageRef(4, "folder/smila")]
    result = check_images(refs, Told({}), scope_of())
    told = [(each.line, each.key, each.message) for each in result.findings["I101"]]
    told += [(each.line, each.key, each.message) for each in result.findings["I102"]]
    assert told == [
        (3, "folder/ron", 'there is no such object – did you mean "folder/Ron.png"?'),
        (4, "folder/smila", "the image cannot be read: the key of KMS"),
    ]
    assert result.image_stats["training"].hashed == 0


OBJECTS = {
    **{f"folder/dogs/{n}.png": png(noise=n) for n in range(8)},
    **{f"folder/cats/{n}.jpg": with_exif(jpeg(noise=n), 6, padding=n * 9_000) for n in range(6)},
    "folder/copy.png": png(noise=3),
    "folder/page.png": b"<html>",
    "folder/empty.jpg": b"",
    "folder/small.png": png(100, 100),
    "folder/cut.jpg": jpeg()[:90],
}
KEYS_USED = [*OBJECTS, "folder/absent.png", "folder/dogs/3.png"]


@examples(150)
@given(
    st.lists(st.sampled_from(KEYS_USED), max_size=40),
    st.lists(st.integers(0, 40), max_size=6),
    st.randoms(),
    st.sampled_from([2_000, 16 << 10, 1 << 20]),
)
def test_any_sharding_gives_the_same_result(
    keys: list[str], cuts: list[int], rng: random.Random, longest: int
) -> None:
    refs = [ImageRef(line, key) for line, key in enumerate(keys, 1)]
    whole = check_images(refs, Folder(OBJECTS), scope_of())
    ends = sorted({0, len(refs), *(cut for cut in cuts if cut < len(refs))})
    shards = [refs[start:end] for start, end in itertools.pairwise(ends)] or [refs]
    rng.shuffle(shards)
    source = Folder(OBJECTS, longest=longest)
    parts = [
        CheckResult.from_json(check_images(shard, source, scope_of()).to_json()) for shard in shards
    ]
    joined = merge([merge(parts[:2]), *parts[2:]])
    assert joined == merge([whole])
    terms = ModelRequirements(base_model=scope_of().model, dataset=scope_of().contract)
    assert conclude(joined, terms).to_json() == conclude(merge([whole]), terms).to_json()


def test_equal_images_share_a_hash_and_the_order_does_not_matter_for_the_fingerprint() -> None:
    refs = [ImageRef(line, key) for line, key in enumerate(KEYS_USED, 1)]
    there = check_images(refs, Folder(OBJECTS), scope_of())
    back = check_images(refs[::-1], Folder(OBJECTS), scope_of())
    assert there.fingerprint("training") == back.fingerprint("training")
    changed = Folder({**OBJECTS, "folder/copy.png": png(noise=9)})
    other = check_images(refs, changed, scope_of())
    assert other.fingerprint("training") != there.fingerprint("training")
    stats = there.image_stats["training"]
    contents = Counter(stats.hashes[at : at + 8] for at in range(0, len(stats.hashes), 16))
    assert sorted(contents.values())[-1] == 3


@pytest.mark.slow
def test_no_more_bytes_are_asked_for_at_once_than_fit_into_memory() -> None:
    deep, batches = with_segments(jpeg(), 40_000), []

    class Batches(Folder):
        def fetch(self, ranges: Sequence[ByteRange]) -> list[FetchResult]:
            batches.append(sum(each.length for each in ranges))
            return super().fetch(ranges)

    objects = {f"folder/{line}.jpg": deep for line in range(1, 1_001)}
    refs = [ImageRef(line, key) for line, key in enumerate(objects, 1)]
    check_images(refs, Batches(objects), scope_of())
    # The header ends a little behind 40,000 bytes; the first batch does not know it yet.
    assert batches[0] == 256 * RANGE_BYTES_MAX == 16 << 20
    assert max(batches) <= 16 << 20
    assert sum(batches[1:]) == 744 * (40 << 10)


@pytest.mark.slow
def test_images_are_asked_for_in_large_batches_where_headers_are_short() -> None:
    picture, asked = png(), []

    class Batches(Folder):
        def fetch(self, ranges: Sequence[ByteRange]) -> list[FetchResult]:
            asked.append(len(ranges))
            return super().fetch(ranges)

    source = Batches({f"folder/{line}.png": picture for line in range(1, 2_001)})
    refs = [ImageRef(line, key) for line, key in enumerate(source.objects, 1)]
    check_images(refs, source, scope_of())
    # The first batch does not know yet how little is enough.
    assert asked == [256, 1_024, 720]
    assert Counter(each.length for each in source.ranges) == {RANGE_BYTES_MAX: 256, 1024: 1_744}
