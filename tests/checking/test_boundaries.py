"""For every model a dataset on all limits is valid; many faults are found in one pass."""

import dataclasses
import json
import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from bedrock_tuning.catalogue import DatasetContract, ImageLimits, Range, catalogue
from bedrock_tuning.checking.conclude import conclude
from bedrock_tuning.checking.images import check_images
from bedrock_tuning.checking.result import CheckResult, merge
from bedrock_tuning.dataset.dataset import ModelRequirements
from bedrock_tuning.dataset.images.source import ByteRange, Fetched, FetchResult
from bedrock_tuning.dataset.record_formats import SCHEMA_VERSION
from bedrock_tuning.dataset.scope import DatasetScope, ImageRef, TextBudget
from bedrock_tuning.report.report import Report
from bedrock_tuning.s3_layout import Kind
from tests.support.examples import check, scope_of
from tests.support.pictures import Folder, animated_png, jpeg, png, with_exif
from tests.support.videos import mp4

pytestmark = pytest.mark.slow

EVERY = [
    pytest.param(f"{key}/{type}", id=f"{key}-{type}")
    for key, model in catalogue().items()
    for type in model.datasets
]


_LETTERS = str.maketrans("0123456789", "abcdefghij")


def png_header(width: int, height: int) -> bytes:
    """The first bytes of a PNG of any size; the rest need not exist for a reader of headers."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    crc = struct.pack(">I", zlib.crc32(body))
    return (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + crc + struct.pack(">I4s", 9, b"IDAT")
    )


class Extremes:
    """Serves images whose key tells their size: folder/<kind>-<n>-<width>x<height>-<bytes>.png.

    Or a video's: folder/<kind>-<n>-<seconds>-<bytes>.mp4.
    """

    def fetch(self, ranges: Sequence[ByteRange]) -> list[FetchResult]:
        """Headers only."""
        return [self._one(each.key) for each in ranges]

    def _one(self, key: str) -> FetchResult:
        sides, size = key.removesuffix(".png").removesuffix(".mp4").split("-")[-2:]
        if key.endswith(".mp4"):
            return Fetched(mp4(int(sides)), int(size), key)
        width, height = map(int, sides.split("x"))
        return Fetched(png_header(width, height), int(size), key)


def characters(contract: DatasetContract) -> TextBudget:
    """The budget in characters of words, by the published figure."""
    budget = TextBudget.of(contract)
    ratio = budget.chars_per_token
    limits = {
        name: None if (most := getattr(budget, name)) is None else int(most * ratio)
        for name in ("prompt", "completion", "record")
    }
    return dataclasses.replace(budget, **limits)


def extreme_sizes(limits: ImageLimits) -> list[tuple[int, int]]:
    """Widths and heights on the edges of what the model accepts."""
    low, high = limits.side_min or 1, limits.side_max or 8192
    tall = int(low / (limits.aspect_min or 1 / 8))
    sizes = [(low, low), (low, min(tall, high)), (min(tall, high), low)]
    if limits.pixels_max is not None:
        other = limits.pixels_max // high
        assert high * other == limits.pixels_max
        sizes += [(high, other), (other, high)]
    else:
        sizes.append((high, high))
    return sizes


def extreme_records(
    contract: DatasetContract, kind: Kind, count: int, *, videos: bool = False
) -> Iterator[dict[str, Any]]:
    """Records of the contract's format with texts and images, or videos, on their limits."""
    budget = characters(contract)
    images = extreme_sizes(contract.image) if contract.image else []
    for n in range(count):
        # Letters only: digits are more tokens.
        tag = f"{kind[0]}{n:06} ".translate(_LETTERS)
        uris = [
            f"s3://bucket/folder/{kind}-{n}-{w}x{h}-{contract.image.bytes_max}.png"
            for w, h in images[n % max(1, len(images)) :][:1]
            if contract.image
        ]
        if contract.format == "image-caption":
            limits = contract.caption
            assert limits is not None
            length = limits.chars_min if n % 2 else limits.chars_max
            yield {"image-ref": uris[0], "caption": (tag * 400)[:length]}
        elif contract.format == "prompt-completion":
            whole = budget.record or (budget.prompt or 5_000) + (budget.completion or 5_000)
            prompt = min(budget.prompt or whole - 8, whole - 8)
            completion = min(budget.completion or whole, whole - prompt)
            prompt = (tag + "p" * prompt)[:prompt]
            yield {"prompt": prompt, "completion": (tag + "c" * completion)[:completion]}
        elif contract.format == "input-only":
            yield {"input": tag + "i" * ((budget.record or 10_000) - len(tag))}
        else:
            yield _conversation(contract, budget, tag, uris, videos=videos)


def _conversation(
    contract: DatasetContract, budget: TextBudget, tag: str, uris: list[str], *, videos: bool
) -> dict[str, Any]:
    length = min(budget.record or 4_000, 4_000 if budget.line_bytes else 1 << 20)
    if uris and contract.image and contract.image.tile_tokens:
        length -= int(contract.image.tile_tokens * budget.chars_per_token)
    question, answer = tag + "q" * (length - len(tag) - 1), "a"
    if contract.format != "converse":
        turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        more = {"reference_answer": {"a": [1]}, "level": 3} if contract.format == "rft" else {}
        return {"messages": turns, **more}
    media = contract.media
    most = (media.images_per_record_max or 1) if media else 1
    pictures = [
        {
            "image": {
                "format": "png",
                "source": {"s3Location": {"uri": uri, "bucketOwner": "1" * 12}},
            }
        }
        for uri in uris * most
    ]
    if media and media.video_bytes_max and videos:
        name = f"s3://bucket/folder/{tag.strip()}-{media.video_seconds_max}-{media.video_bytes_max}"
        source = {"s3Location": {"uri": f"{name}.mp4"}}
        pictures = [{"video": {"format": "mp4", "source": source}}]
    turns = [
        {"role": "user", "content": [{"text": question}, *pictures]},
        {"role": "assistant", "content": [{"text": answer}]},
    ]
    record = {"schemaVersion": SCHEMA_VERSION, "messages": turns}
    if budget.line_bytes:
        room = budget.line_bytes - len(json.dumps(record))
        turns[0]["content"][0] = {"text": question + "q" * room}
        turns.pop()
        turns[0]["content"][0]["text"] += "q" * (budget.line_bytes - len(json.dumps(record)))
        assert len(json.dumps(record)) == budget.line_bytes
    return record


def verdict(text: str, counts: dict[Kind, int], *, videos: bool = False) -> Report:
    """The report on a dataset of so many extreme records of each kind."""
    parts: list[CheckResult] = []
    scope = scope_of(text)
    for kind, count in counts.items():
        scope = scope_of(text, kind=kind)
        rows = [json.dumps(r) for r in extreme_records(scope.contract, kind, count, videos=videos)]
        refs, partial = check("\n".join(rows).encode(), scope=scope)
        parts.append(partial)
        if refs:
            parts.append(check_images(refs, Extremes(), scope))
    return conclude(merge(parts), ModelRequirements(base_model=scope.model, dataset=scope.contract))


def least(contract: DatasetContract) -> dict[Kind, int]:
    """The smallest number of records of each kind."""
    total = contract.total_records or Range()
    counts: dict[Kind, int] = {"training": max(contract.training_records.min or 1, total.min or 1)}
    if contract.validation != "forbidden":
        counts["validation"] = (contract.validation_records or Range()).min or 1
    return counts


@pytest.mark.parametrize("text", EVERY)
def test_a_dataset_on_all_limits_has_no_error(text: str) -> None:
    scope = scope_of(text)
    report = verdict(text, least(scope.contract))
    assert [f for f in report.findings if f.severity == "error"] == []
    assert report.valid
    if scope.contract.media is not None:
        assert verdict(text, least(scope.contract), videos=True).errors == 0


@pytest.mark.parametrize("text", EVERY)
def test_one_record_less_is_too_few_where_a_minimum_is_published(text: str) -> None:
    contract = scope_of(text).contract
    counts = {**least(contract), "training": least(contract)["training"] - 1}
    if contract.training_records.min is not None:
        assert verdict(text, counts).counts["too-few-records"] >= 1
    elif contract.total_records is not None and contract.total_records.min is not None:
        counts = {"training": contract.total_records.min - 1}
        assert verdict(text, counts).counts["too-few-records-in-total"] == 1


def counted(text: str, **records: int) -> dict[str, int]:
    """What is said about numbers of records alone."""
    from bedrock_tuning.dataset.dataset import Dataset
    from bedrock_tuning.rules import rules_for
    from bedrock_tuning.rules.rule import run_rules
    from tests.support.examples import dataset_of

    dataset = dataset_of(text, {kind: {"records": n} for kind, n in records.items()})
    found: dict[str, int] = {}
    for rule, _ in run_rules(rules_for(Dataset), dataset, None):
        found[rule.name] = found.get(rule.name, 0) + 1
    return found


@pytest.mark.parametrize("text", EVERY)
def test_the_largest_number_of_records_is_allowed_and_one_more_is_not(text: str) -> None:
    contract = scope_of(text).contract
    errors = {"too-many-records", "too-many-records-in-total"}
    training, total = contract.training_records.max, contract.total_records
    if training is not None:
        assert errors.isdisjoint(counted(text, training=training))
        assert counted(text, training=training + 1)["too-many-records"] == 1
    if total is not None and total.max is not None:
        assert errors.isdisjoint(counted(text, training=total.max - 5, validation=5))
        more = counted(text, training=total.max - 4, validation=5)
        assert more["too-many-records-in-total"] == 1


def row(ref: object, caption: object = "a dog", **more: object) -> bytes:
    return json.dumps({"image-ref": ref, "caption": caption, **more}).encode()


@pytest.mark.slow
def test_many_kinds_of_faults_are_found_in_one_pass() -> None:
    good = "s3://bucket/folder/"
    objects = {
        "folder/good.png": png(),
        "folder/copy.png": png(),
        "folder/html.png": b"<!DOCTYPE html>",
        "folder/empty.png": b"",
        "folder/cut.png": png()[:50],
        "folder/broken.jpg": b"\xff\xd8\xff\xda" + bytes(99),
        "folder/lies.jpg": png(noise=1),
        "folder/small.png": png(255, 256),
        "folder/wide.png": png(4097, 2000),
        "folder/long.png": png(1025, 256),
        "folder/large.png": png(4096, 3073),
        "folder/edge.png": png(4096, 3072),
        "folder/heavy.png": png(noise=2) + bytes(25_000_000),
        "folder/heavier.png": png(noise=3) + bytes(5_000_000),
        "folder/moving.png": animated_png(),
        "folder/print.jpg": jpeg(mode="CMYK"),
        "folder/deep.png": png(mode="I;16"),
        "folder/lying.jpg": with_exif(jpeg(), 6),
    }
    rows = [
        *(row(f"s3://bucket/{key}") for key in objects),
        row(good + "missing.png"),
        row(good + "secret.png"),
        b"",
        b"{]",
        b'{"caption": "caf\xe9"}',
        b'{"a": "\x00"}',
        b'{"a": "\\ud800"}',
        b"[" * 1_000,
        b"[]",
        b'{"caption": "a", "caption": "b", "image-ref": "s3://bucket/folder/good.png"}',
        b" " * (5 << 20),
        row(good + "good.png", 1),
        json.dumps({"image-ref": good + "good.png", "Caption": "a dog"}).encode(),
        row(good + "good.png", "x" * 2_561),
        row(good + "good.png", "x" * 700),
        row(good + "good.png", "\t"),
        row(good + "good.png", "\x07"),
        row("folder/good.png"),
        row("s3://elsewhere/folder/good.png"),
        row(good + "../good.png"),
        row("s3://bucket/other/good.png"),
        row(good),
        b'{"prompt": "a", "completion": "b"}',
    ]
    text = b"\xef\xbb\xbf" + b"\n".join(rows) + b"\r\n"
    scope: DatasetScope = scope_of()
    refs, partial = check(text, scope=scope)
    source = Folder(objects, denied=["folder/secret.png"])
    images = check_images(refs, source, scope)
    validation = scope_of(kind="validation")
    leaked = check(row(good + "good.png"), scope=validation)
    leak = check_images([ImageRef(1, "folder/good.png")], source, validation)
    terms = ModelRequirements(
        base_model=scope.model, dataset=scope.contract, hyperparameters={"batchSize": "9217"}
    )
    report = conclude(merge([partial, images, leaked[1], leak]), terms)
    assert len(report.counts) >= 45, sorted(report.counts)
    assert {"too-few-records", "duplicate-image", "image-in-both-manifests"} <= set(report.counts)
    assert {"folders-not-covered", "hyperparameter-out-of-range"} <= set(report.counts)
