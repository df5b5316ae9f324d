"""The records of a manifest that its run's page shows."""

import itertools
import json

import pytest

from bedrock_tuning.dataset.sample import SHOWN, Sampled, sampled
from tests.support.examples import scope_of

SCOPE = scope_of()


def line(number: int, *, padding: int = 0) -> bytes:
    caption = f"picture {number}{'.' * padding}"
    row = {"image-ref": f"s3://bucket/folder/{number}.png", "caption": caption}
    return json.dumps(row).encode()


class Manifest:
    """Its bytes, and how many of them were read."""

    def __init__(self, lines: list[bytes]) -> None:
        self.body = b"\n".join([*lines, b""])
        self.read = 0

    def __call__(self, start: int, length: int) -> bytes:
        piece = self.body[start : start + length]
        self.read += len(piece)
        return piece

    def sampled(self) -> list[Sampled]:
        return sampled(self, len(self.body), SCOPE)


def numbers(found: list[Sampled]) -> list[int]:
    return [int(each.key.removeprefix("folder/").removesuffix(".png")) for each in found]


@pytest.mark.parametrize("count", [1, 5, SHOWN])
def test_of_few_records_all_are_shown(count: int) -> None:
    found = Manifest([line(number) for number in range(count)]).sampled()
    assert numbers(found) == list(range(count))
    assert found[0] == Sampled("folder/0.png", "picture 0")


def test_of_some_records_those_at_even_distances_are_shown() -> None:
    found = numbers(Manifest([line(number) for number in range(240)]).sampled())
    assert found == list(range(0, 240, 10))


@pytest.mark.slow
def test_of_a_large_manifest_pieces_are_read_and_records_are_shown_from_end_to_end() -> None:
    count = 20_000
    manifest = Manifest([line(number, padding=300) for number in range(count)])
    found = numbers(manifest.sampled())
    assert len(found) == SHOWN
    assert found[0] == 0
    steps = [after - before for before, after in itertools.pairwise(found)]
    assert all(abs(step - count / SHOWN) <= 2 + count / SHOWN / 50 for step in steps)
    assert manifest.read <= SHOWN * (64 << 10)


@pytest.mark.parametrize(("more", "shown"), [(0, 24), (1, 1)])
def test_what_fits_into_the_pieces_is_read_as_a_whole(more: int, shown: int) -> None:
    """Lines as long as a piece: whoever reads pieces finds the end of the first line only."""
    piece = 64 << 10
    lines = [line(number) for number in range(24)]
    padded = [each + b" " * (piece - 1 - len(each)) for each in lines]
    manifest = Manifest([*padded[:-1], padded[-1] + b" " * more])
    assert len(manifest.body) == 24 * piece + more
    assert len(manifest.sampled()) == shown


def test_what_is_no_record_with_an_image_is_left_out() -> None:
    lines = [
        b"\xef\xbb\xbf" + line(0),
        b"",
        b"{",
        b"[1]",
        b'"text"',
        b"\xff",
        b'{"caption": "no image"}',
        b'{"image-ref": "s3://elsewhere/1.png", "caption": "outside"}',
        line(1),
        line(1),
    ]
    assert numbers(Manifest(lines).sampled()) == [0, 1]


def test_an_empty_manifest_shows_nothing() -> None:
    assert sampled(lambda _, __: pytest.fail("nothing is to be read"), 0, SCOPE) == []


@pytest.mark.parametrize(("kind", "format"), [("video", "mp4"), ("document", "pdf")])
def test_a_medium_that_is_no_image_is_not_shown(kind: str, format: str) -> None:
    place = {"s3Location": {"uri": f"s3://bucket/folder/1.{format}"}}
    content = [{"text": "what is it"}, {kind: {"format": format, "source": place}}]
    data = json.dumps({"messages": [{"role": "user", "content": content}]}).encode()
    read = Manifest([data])
    assert sampled(read, len(read.body), scope_of("nova-lite")) == []
