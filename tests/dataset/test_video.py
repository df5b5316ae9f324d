"""Lengths of videos from their headers: wherever they stand, however they are read, any bytes."""

import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedrock_tuning.checking.images import check_images
from bedrock_tuning.dataset.images.header import READ_BYTES_MIN, header
from bedrock_tuning.dataset.images.source import RANGE_BYTES_MAX
from bedrock_tuning.dataset.images.video import BOXES_MAX
from bedrock_tuning.dataset.scope import ImageRef
from tests.dataset.test_headers import in_windows
from tests.support.examples import scope_of
from tests.support.pictures import Folder, png
from tests.support.properties import examples
from tests.support.videos import box, element, matroska, mp4, mvhd

FEW = examples(200)
KINDS = {
    "mp4": mp4(),
    "mp4, moov last": mp4(front=False),
    "mp4, moov last, behind 300 kB": mp4(front=False, data=300_000),
    "mp4, 64 bits": box(b"ftyp", b"isom") + box(b"moov", mvhd(10_000, version=1), large=True),
    "old QuickTime": mp4(brand=b"qt  "),
    "QuickTime without ftyp": box(b"wide") + box(b"mdat", b"x") + box(b"moov", mvhd(10_000)),
    "webm": matroska(),
    "webm, live": matroska(open_end=True),
    "mkv, single precision": matroska(single=True),
    "mkv, other scale": matroska(scale=100_000),
}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("window", [READ_BYTES_MIN, 1_500, 16 << 10, 64 << 10, 1 << 30])
def test_the_length_is_found_however_the_file_is_read(name: str, window: int) -> None:
    found, reads = in_windows(KINDS[name], window)
    assert found == header(KINDS[name])
    assert found.seconds == pytest.approx(10)
    assert found.problem == ""
    assert reads <= 6


@FEW
@given(
    st.integers(1, 10_000_000),
    st.integers(1, 100_000),
    st.lists(st.tuples(st.sampled_from([b"free", b"mdat", b"uuid"]), st.integers(0, 3_000))),
    st.booleans(),
    st.sampled_from([0, 1]),
)
def test_any_order_of_boxes_gives_the_length(
    duration: int, scale: int, others: list[tuple[bytes, int]], large: bool, version: int
) -> None:
    before = b"".join(box(name, bytes(size), large=large) for name, size in others[:20])
    moov = box(b"moov", mvhd(duration, scale=scale, version=version), large=large)
    data = box(b"ftyp", b"mp42") + before + moov
    assert header(data).seconds == pytest.approx(duration / scale)
    assert in_windows(data, READ_BYTES_MIN)[0] == header(data)


@pytest.mark.parametrize(
    "data",
    [
        mp4(0),
        box(b"ftyp", b"isom") + box(b"moov", mvhd(0xFFFFFFFF)),
        box(b"ftyp", b"isom") + box(b"moov", mvhd(5, scale=0)),
        box(b"ftyp", b"isom") + box(b"mdat", b"x"),
        box(b"ftyp", b"isom") + box(b"free") * (BOXES_MAX + 9) + box(b"moov", mvhd(10_000)),
        matroska(0),
        matroska(float("nan")),
        matroska(float("inf")),
        element(0x1A45DFA3, b"") + element(0x18538067, element(0x1F43B675, b""), width=0),
    ],
)
def test_a_length_that_is_not_told_is_unknown_and_no_fault(data: bytes) -> None:
    assert (header(data).seconds, header(data).problem) == (None, "")


@pytest.mark.parametrize("make", [lambda: mp4(front=False), matroska])
def test_a_file_that_was_cut_is_known_as_such(make: Callable[[], bytes]) -> None:
    data = make()
    for end in (len(data) - 1, len(data) // 2):
        assert header(data[:end]).truncated, end


@FEW
@given(st.binary(max_size=3_000), st.sampled_from([*KINDS]), st.integers(0, 3_000))
def test_any_bytes_are_judged_alike_in_any_windows(noise: bytes, name: str, at: int) -> None:
    data = KINDS[name][:at] + noise
    found, reads = in_windows(data, READ_BYTES_MIN)
    assert found == header(data)
    assert reads <= 2 * BOXES_MAX
    assert found.end <= max(len(data), 33)


def test_a_file_of_tiny_boxes_is_no_endless_task() -> None:
    data = box(b"ftyp", b"isom") + box(b"free") * 500_000
    started = time.process_time()
    header(data)
    assert time.process_time() - started < 1


def _counts(objects: dict[str, bytes], model: str = "nova-lite") -> dict[str, int]:
    refs = [ImageRef(line, key) for line, key in enumerate(objects, 1)]
    return check_images(refs, Folder(objects), scope_of(model)).counts


def test_the_limit_of_90_seconds_is_inclusive() -> None:
    assert _counts({"folder/1.mp4": mp4(90), "folder/2.webm": matroska(90)}) == {}
    assert _counts({"folder/1.mp4": mp4(90.1), "folder/2.webm": matroska(91)}) == {"I208": 2}


def test_a_length_behind_the_data_costs_one_more_request() -> None:
    source = Folder({"folder/1.mp4": mp4(91, front=False, data=200_000)})
    assert check_images([ImageRef(1, "folder/1.mp4")], source, scope_of("nova-lite")).counts == {
        "I208": 1
    }
    assert len(source.ranges) == 2
    assert max(each.length for each in source.ranges) <= RANGE_BYTES_MAX


def test_an_unknown_length_is_a_warning_and_a_cut_file_an_error() -> None:
    assert _counts({"folder/1.mp4": mp4(0)}) == {"I209": 1}
    assert _counts({"folder/1.mp4": mp4(5, front=False)[:-1]}) == {"I105": 1}


def test_names_of_videos_and_images_must_fit_their_content() -> None:
    mixed = {
        "folder/1.mov": mp4(5),
        "folder/2.webm": matroska(5),
        "folder/3.mkv": matroska(6),
        "folder/4.mp4": matroska(7),
        "folder/5.mp4": png(),
        "folder/6.png": mp4(8),
    }
    assert _counts(mixed) == {"I109": 3}


def test_a_model_without_videos_says_what_the_object_is() -> None:
    assert _counts({"folder/1.png": mp4(200)}, "llama-3-2-11b") == {"I104": 1}
