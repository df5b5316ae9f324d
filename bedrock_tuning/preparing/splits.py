"""Which record is for training, which for validation: given splits are kept, none leaks."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bedrock_tuning import s3_layout
from bedrock_tuning.dataset.layouts.reading import LeftOut, Table
from bedrock_tuning.dataset.layouts.recognise import ImageCaption
from bedrock_tuning.dataset.layouts.splits import Split, strictest
from bedrock_tuning.dataset.talks.nested import questions_of
from bedrock_tuning.errors import UserError
from bedrock_tuning.preparing.near_duplicates import near_pairs
from bedrock_tuning.preparing.write import PreparedImage
from bedrock_tuning.wording import counted

_KINDS: Final[Mapping[Split, s3_layout.Kind]] = {
    "train": "training",
    "validation": "validation",
}


@dataclass(kw_only=True)
class Sides:
    """The kind of each image that is used.

    given: whether the dataset brought its splits. counts: images by split as they were found. near:
    files that look the same and are on two sides. left: what would be on two sides.
    """

    kinds: dict[str, s3_layout.Kind]
    given: bool
    counts: Mapping[str, int]
    left: list[LeftOut] = field(default_factory=list)
    near: list[tuple[str, str]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


def deal_sides(
    pairs: Sequence[ImageCaption],
    images: Mapping[str, PreparedImage],
    *,
    share: float | None,
    usual_share: float,
    seed: int,
) -> Sides:
    """Deals images to training and validation; pairs: of images that can be used.

    share: of the records for training as the user wants it, None if nothing was said; usual_share
    then applies. Below 1, images without a split are dealt at random if no validation set is given.
    Raises UserError if nothing is left for training, or if share contradicts given splits.
    """
    splits: dict[str, Split] = {pair.file: pair.split or "train" for pair in pairs}
    counts: Counter[str] = Counter(splits.values())
    result = Sides(kinds={}, given=any(pair.split for pair in pairs), counts=dict(counts))
    _without_leaks(splits, images, result)
    validates = (usual_share if share is None else share) < 1
    if counts["validation"] and share is not None and validates:
        raise UserError(
            f"the dataset has its own validation set: {counted(counts['validation'], 'image')}",
            fix="omit --split to keep it, or pass --split 1 to leave it out",
        )
    if counts["test"]:
        result.said.append(f"test: {counted(counts['test'], 'image')} left out, for tests only")
    if counts["validation"] and not validates:
        result.said.append(
            f"validation: {counted(counts['validation'], 'image')} left out: there is to be no "
            "validation set"
        )
    if not any(split == "train" for split in splits.values()):
        raise UserError(
            "no image is left for training: "
            + ", ".join(f"{split} has {count:,}" for split, count in sorted(counts.items())),
            fix="rename the folder or the table, or choose a column with --split-column",
        )
    looks = {file: look for file in splits if (look := images[file].look) is not None}
    near = list(near_pairs(looks))
    if counts["validation"] or not validates:
        kinds = {file: _KINDS.get(split) for file, split in splits.items()}
        result.kinds = {
            file: kind
            for file, kind in kinds.items()
            if kind is not None and (validates or kind == "training")
        }
    else:
        if not looks:
            result.said.append("pictures that look the same were not searched for; --fix does it")
        result.kinds = _deal(pairs, splits, images, near, share=share or usual_share, seed=seed)
    result.near = [pair for pair in near if len({_side(result, splits, file) for file in pair}) > 1]
    return result


def _side(result: Sides, splits: Mapping[str, Split], file: str) -> str:
    return result.kinds.get(file) or splits[file]


def _without_leaks(
    splits: dict[str, Split], images: Mapping[str, PreparedImage], result: Sides
) -> None:
    """Takes a picture out of training that is also for validation or for tests."""
    owners: dict[str, str] = {}
    for file, split in splits.items():
        for digest in (images[file].source, images[file].digest):
            other = owners.get(digest)
            if other is None or strictest(splits[other], split) != splits[other]:
                owners[digest] = file
    for file in list(splits):
        for digest in (images[file].source, images[file].digest):
            other = owners[digest]
            if splits[other] != splits[file]:
                kind = f"also in {splits[other]}"
                reason = f"the same picture as {other}, which is in {splits[other]}"
                result.left.append(LeftOut(file=file, reason=reason, kind=kind))
                break
    for entry in result.left:
        del splits[entry.file]


def _deal(
    pairs: Sequence[ImageCaption],
    splits: Mapping[str, Split],
    images: Mapping[str, PreparedImage],
    near: Sequence[tuple[str, str]],
    *,
    share: float,
    seed: int,
) -> dict[str, s3_layout.Kind]:
    """Training and validation at random; equal and near-equal pictures stay together."""
    files = {file for file, split in splits.items() if split == "train"}
    groups = {images[file].digest: images[file].digest for file in files}
    for one, other in sorted(near):
        if one in files and other in files:
            first, second = sorted((images[one].digest, images[other].digest))
            # Near the first of a group only: a chain of near pictures ends far away.
            if groups[first] == first and groups[second] == second:
                groups[second] = first
    counts = Counter(groups[images[pair.file].digest] for pair in pairs if pair.file in files)
    digests = validation_digests(counts, share=share, seed=seed)
    return {
        file: "validation" if groups[images[file].digest] in digests else "training"
        for file in files
    }


def validation_digests(counts: Mapping[str, int], *, share: float, seed: int) -> frozenset[str]:
    """The digests whose records belong to the validation set.

    counts: records by the digest of their image's bytes, so copies stay together. share: of all
    records that training keeps, 0 to 1. The same digests, share and seed give the same answer,
    whatever the files are called; at least one image stays in training.
    """
    goal = round(sum(counts.values()) * (1 - share))
    order = sorted(counts, key=lambda digest: hashlib.sha256(f"{seed}/{digest}".encode()).digest())
    digests: set[str] = set()
    count = 0
    for digest in order[:-1]:
        if count >= goal:
            break
        # A group of copies that is too big for what is still wanted stays in training.
        if count + counts[digest] <= goal:
            digests.add(digest)
            count += counts[digest]
    return frozenset(digests)


def records_of(table: Table) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every record with its place."""
    rows = table.rows or ([(1, table.value)] if isinstance(table.value, dict) else [])
    yield from _questions(rows, table.file)


def _questions(
    rows: Iterable[tuple[int, Mapping[str, Any]]], file: str
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every record with its place; those of a document, whose questions are records, with both."""
    for number, document in rows:
        for count, row in enumerate(questions_of(document), 1):
            suffix = "" if row is document else f" question {count}"
            yield f"{file} row {number}{suffix}", row
