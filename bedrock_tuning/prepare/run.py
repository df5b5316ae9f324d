"""From a folder of images and their captions to training and validation manifests."""

import hashlib
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bedrock_tuning import s3_layout
from bedrock_tuning.catalogue import DatasetContract
from bedrock_tuning.errors import UserError
from bedrock_tuning.prepare.fix import Change, UnfixableError, fix_caption
from bedrock_tuning.prepare.pairs import LeftOut, Pair, read_pairs
from bedrock_tuning.prepare.write import (
    CHANGES,
    IMAGES,
    PreparedImage,
    Workshop,
    new_folder,
    put,
    unique,
    write_line,
    write_manifest,
)
from bedrock_tuning.progress import Meter, silent


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparePlan:
    """What to make of what.

    places: bucket and key prefix (ends with "/") of each kind that there will be. share: of the
    records for training. contract: what to fix images and captions to; None leaves them as they
    are. link: hard links instead of copies.
    """

    folder: Path
    captions: str
    places: Mapping[s3_layout.Kind, tuple[str, str]]
    share: float
    seed: int
    contract: DatasetContract | None
    link: bool
    out: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What was made. records: by kind. changes: images by kind of change. upload: shell lines."""

    out: Path
    records: Mapping[str, int]
    changes: Mapping[str, int]
    left_out: tuple[LeftOut, ...]
    upload: tuple[str, ...]


def prepare(plan: PreparePlan, *, meter: Meter = silent) -> Prepared:
    """Writes the dataset into plan.out; raises UserError and writes nothing if it cannot."""
    _check_apart(plan)
    pairs, left = read_pairs(plan.folder, plan.captions)
    told: dict[str, list[Change]] = {}
    contract = plan.contract
    if contract is not None and contract.caption is not None:
        pairs = _fixed_captions(pairs, contract, left, told)
    with new_folder(plan.out) as folder:
        staging = folder / ".staging"
        staging.mkdir()
        shop = Workshop(
            folder=plan.folder,
            staging=staging,
            limits=contract.image if contract is not None else None,
            meter=meter,
        )
        images = shop.images(sorted({pair.file for pair in pairs}))
        left += shop.left
        pairs = [pair for pair in pairs if pair.file in images]
        if contract is not None:
            pairs = _without_copies(pairs, images, left)
        if not pairs:
            raise UserError(
                "no image with a usable caption is left",
                where=str(plan.folder),
                fix=f"for example {left[0].file}: {left[0].reason}" if left else "add images",
            )
        records = _write(plan, folder, pairs, images, told, left)
        staging.rmdir()
    return Prepared(
        out=plan.out,
        records=records,
        changes=_summed(pairs, images, told),
        left_out=tuple(left),
        upload=tuple(_upload(plan, records)),
    )


def _check_apart(plan: PreparePlan) -> None:
    folder, out = plan.folder.resolve(), plan.out.resolve()
    if out == folder or folder in out.parents:
        raise UserError(
            "the output folder is inside the input folder",
            where=str(plan.out),
            fix="pass -o with a folder elsewhere",
        )


def _fixed_captions(
    pairs: Sequence[Pair],
    contract: DatasetContract,
    left: list[LeftOut],
    told: dict[str, list[Change]],
) -> list[Pair]:
    if contract.caption is None:
        return list(pairs)
    kept = []
    for pair in pairs:
        try:
            caption, changes = fix_caption(pair.caption, contract.caption)
        except UnfixableError as error:
            left.append(LeftOut(file=pair.file, reason=str(error)))
            continue
        told.setdefault(pair.file, []).extend(changes)
        kept.append(replace(pair, caption=caption))
    return kept


def _without_copies(
    pairs: Sequence[Pair], images: Mapping[str, PreparedImage], left: list[LeftOut]
) -> list[Pair]:
    """Each picture once: from a file that needed no change if there is one, else the first."""
    best: dict[str, Pair] = {}
    for pair in sorted(pairs, key=lambda pair: bool(images[pair.file].changes)):
        best.setdefault(images[pair.file].digest, pair)
    for pair in pairs:
        chosen = best[images[pair.file].digest]
        if pair is not chosen:
            again = chosen.file == pair.file
            what = "named again" if again else f"the same picture as {chosen.file}"
            left.append(LeftOut(file=pair.file, reason=what))
    return [pair for pair in pairs if pair is best[images[pair.file].digest]]


def _write(
    plan: PreparePlan,
    folder: Path,
    pairs: Sequence[Pair],
    images: Mapping[str, PreparedImage],
    told: Mapping[str, list[Change]],
    left: Sequence[LeftOut],
) -> dict[str, int]:
    counts = Counter(images[pair.file].digest for pair in pairs)
    chosen = validation_digests(counts, share=plan.share, seed=plan.seed)
    names = unique({pair.file: images[pair.file].name for pair in pairs})
    kinds: dict[str, s3_layout.Kind] = {
        file: "validation" if images[file].digest in chosen else "training" for file in names
    }
    records: dict[str, int] = {}
    for kind in s3_layout.KINDS:
        if kind not in kinds.values():
            continue
        bucket, prefix = plan.places[kind]
        lines = [
            (s3_layout.uri(bucket, f"{prefix}{IMAGES}/{names[pair.file]}"), pair)
            for pair in pairs
            if kinds[pair.file] == kind
        ]
        write_manifest(folder / kind / s3_layout.MANIFEST_FILE, lines)
        records[kind] = len(lines)
    with (folder / CHANGES).open("wb") as file:
        for name, kind in sorted(kinds.items()):
            target = f"{kind}/{IMAGES}/{names[name]}"
            put(images[name], plan.folder / name, folder / target, link=plan.link)
            done = [*images[name].changes, *told.get(name, ())]
            write_line(file, {"file": name, "to": target, "changes": [" ".join(c) for c in done]})
        for each in sorted(left, key=lambda each: each.file):
            write_line(file, {"file": each.file, "left_out": each.reason})
    for image in images.values():
        if image.staged is not None:
            image.staged.unlink(missing_ok=True)
    return records


def _summed(
    pairs: Sequence[Pair], images: Mapping[str, PreparedImage], told: Mapping[str, list[Change]]
) -> dict[str, int]:
    found: Counter[str] = Counter()
    for file in {pair.file for pair in pairs}:
        changes = (*images[file].changes, *told.get(file, ()))
        found.update({change.kind for change in changes})
    return dict(sorted(found.items()))


def _upload(plan: PreparePlan, records: Mapping[str, int]) -> list[str]:
    """Images first, the training manifest last: its upload is what starts a run."""
    kinds = [kind for kind in ("validation", "training") if kind in records]
    lines = [
        shlex.join(["aws", "s3", "sync", str(plan.out / kind / IMAGES), _uri(plan, kind, IMAGES)])
        for kind in kinds
    ]
    lines += [
        shlex.join(
            [
                "aws",
                "s3",
                "cp",
                str(plan.out / kind / s3_layout.MANIFEST_FILE),
                _uri(plan, kind, s3_layout.MANIFEST_FILE),
            ]
        )
        for kind in kinds
    ]
    return lines


def _uri(plan: PreparePlan, kind: str, name: str) -> str:
    bucket, prefix = plan.places["validation" if kind == "validation" else "training"]
    return s3_layout.uri(bucket, f"{prefix}{name}")


def validation_digests(counts: Mapping[str, int], *, share: float, seed: int) -> frozenset[str]:
    """The digests whose records belong to the validation set.

    counts: records by the digest of their image's bytes, so copies stay together. share: of all
    records that training keeps, 0 to 1. The same digests, share and seed give the same answer,
    whatever the files are called; at least one image stays in training.
    """
    wanted = round(sum(counts.values()) * (1 - share))
    order = sorted(counts, key=lambda digest: hashlib.sha256(f"{seed}/{digest}".encode()).digest())
    chosen: set[str] = set()
    taken = 0
    for digest in order[:-1]:
        if taken >= wanted:
            break
        # A group of copies that is too big for what is still wanted stays in training.
        if taken + counts[digest] <= wanted:
            chosen.add(digest)
            taken += counts[digest]
    return frozenset(chosen)
