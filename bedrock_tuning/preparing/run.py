"""From images and their captions, however they lie, to training and validation manifests."""

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from bedrock_tuning import s3_layout
from bedrock_tuning.catalogue import DatasetContract
from bedrock_tuning.dataset.layouts.listing import look
from bedrock_tuning.dataset.layouts.reading import LayoutOptions, LeftOut
from bedrock_tuning.dataset.layouts.recognise import ImageCaption, Understood, understand
from bedrock_tuning.errors import UserError
from bedrock_tuning.preparing.fix import PictureFix, UnfixableError, fix_caption
from bedrock_tuning.preparing.splits import sides
from bedrock_tuning.preparing.write import (
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
from bedrock_tuning.wording import counted

_PREVIEW: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparePlan:
    """What to make of what.

    places: bucket and key prefix (ends with "/") of each kind that there may be. share: of the
    records for training as the user wants it; usual_share where nothing is said. contract: what to
    fix images and captions to; None leaves them as they are. link: hard links instead of copies.
    """

    source: Path
    options: LayoutOptions
    places: Mapping[s3_layout.Kind, tuple[str, str]]
    share: float | None
    usual_share: float
    seed: int
    contract: DatasetContract | None
    link: bool
    out: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Previewed:
    """One pair as the model will see it. kind: the set that it is in."""

    file: str
    caption: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What was made.

    understood: what the input is, in one line. splits: images by split as they were found. said:
    what was decided on the way. changes: images by kind of change. left_out_by: number by reason.
    near: pictures that look the same and are on two sides. upload: shell lines.
    """

    out: Path
    understood: str
    splits: Mapping[str, int]
    said: tuple[str, ...]
    preview: tuple[Previewed, ...]
    records: Mapping[str, int]
    changes: Mapping[str, int]
    left_out: tuple[LeftOut, ...]
    left_out_by: Mapping[str, int]
    near: tuple[tuple[str, str], ...]
    upload: tuple[str, ...]

    @property
    def dropped(self) -> float:
        """Which share of everything was left out, tests apart."""
        left = len(self.left_out)
        return left / max(1, left + sum(self.records.values()))


def prepare(plan: PreparePlan, *, meter: Meter = silent) -> Prepared:
    """Writes the dataset into plan.out; raises UserError and writes nothing if it cannot."""
    _check_apart(plan)
    with new_folder(plan.out) as folder:
        work = folder / Workshop.FOLDER
        scene = look(plan.source, plan.options, room=work / "unpacked")
        understood = understand(scene)
        left = understood.left
        told: dict[str, list[PictureFix]] = {}
        pairs = _fixed_captions(understood.pairs, plan.contract, left, told)
        shop = Workshop(
            files=scene.files,
            work=work,
            limits=plan.contract.image if plan.contract is not None else None,
            # Images that are fixed are decoded anyway; given sets may be leaky.
            looks=plan.contract is not None or any(pair.split for pair in pairs),
            meter=meter,
        )
        tests = {pair.file for pair in pairs if pair.split == "test"}
        images = shop.images(sorted({pair.file for pair in pairs}), unchanged=tests)
        left += shop.left
        pairs = [pair for pair in pairs if pair.file in images]
        if not pairs:
            raise UserError(
                "no image with a usable caption is left",
                where=str(plan.source),
                fix=f"for example {left[0].file}: {left[0].reason}" if left else "add images",
            )
        dealt = sides(pairs, images, share=plan.share, usual_share=plan.usual_share, seed=plan.seed)
        left += dealt.left
        pairs = [pair for pair in pairs if pair.file in dealt.kinds]
        if plan.contract is not None:
            pairs = _without_copies(pairs, images, left)
        records = _write(plan, folder, pairs, dealt.kinds, images, told, left)
        shop.close()
    return Prepared(
        out=plan.out,
        understood=_one_line(understood),
        splits=dealt.counts if dealt.given else {},
        said=(*understood.said, *_also(understood), *dealt.said),
        preview=tuple(_preview(pairs, dealt.kinds)),
        records=records,
        changes=_summed(pairs, images, told),
        left_out=tuple(left),
        left_out_by=dict(Counter(each.kind for each in left).most_common()),
        near=tuple(dealt.near),
        upload=tuple(_upload(plan, records)),
    )


def _check_apart(plan: PreparePlan) -> None:
    source, out = plan.source.resolve(), plan.out.resolve()
    if source.is_dir() and (out == source or source in out.parents):
        raise UserError(
            "the output folder is inside the input folder",
            where=str(plan.out),
            fix="pass -o with a folder elsewhere",
        )


def _one_line(understood: Understood) -> str:
    """What was read, as in "COCO captions (a.json: images and annotations): 2 images, …"."""
    pairs = understood.pairs
    images = len({pair.file for pair in pairs})
    each = f" ({len(pairs) / images:.3g} each)" if images and len(pairs) > images else ""
    counts = Counter({pair.file: pair.split for pair in pairs}.values())
    named = [f"{split} {counts[split]:,}" for split in ("train", "validation", "test")]
    splits = f"; splits as given: {', '.join(named)}" if set(counts) - {""} else ""
    return (
        f"{understood.layout} ({understood.why}): {counted(images, 'image')}, "
        f"{counted(len(pairs), 'caption')}{each}{splits}"
    )


def _also(understood: Understood) -> Iterator[str]:
    if understood.also:
        yield f"{understood.also} would fit, too: --captions chooses another reading"


def _preview(
    pairs: Sequence[ImageCaption], kinds: Mapping[str, s3_layout.Kind]
) -> Iterator[Previewed]:
    """Five pairs from all over the dataset."""
    step = max(1, len(pairs) // _PREVIEW)
    for pair in pairs[::step][:_PREVIEW]:
        yield Previewed(file=pair.file, caption=pair.caption, kind=kinds[pair.file])


def _fixed_captions(
    pairs: Sequence[ImageCaption],
    contract: DatasetContract | None,
    left: list[LeftOut],
    told: dict[str, list[PictureFix]],
) -> list[ImageCaption]:
    if contract is None or contract.caption is None:
        return list(pairs)
    kept: dict[ImageCaption, None] = {}
    for pair in pairs:
        try:
            caption, changes = fix_caption(pair.caption, contract.caption)
        except UnfixableError as error:
            left.append(LeftOut(file=pair.file, reason=str(error), kind="caption too short"))
            continue
        told.setdefault(pair.file, []).extend(changes)
        fixed = replace(pair, caption=caption)
        if fixed in kept:
            reason = "the same caption again"
            left.append(LeftOut(file=pair.file, reason=reason, kind="the same pair again"))
        kept[fixed] = None
    return list(kept)


def _without_copies(
    pairs: Sequence[ImageCaption], images: Mapping[str, PreparedImage], left: list[LeftOut]
) -> list[ImageCaption]:
    """Each picture once: from a file that needed no change if there is one, else the first."""
    best: dict[str, str] = {}
    for pair in sorted(pairs, key=lambda pair: bool(images[pair.file].changes)):
        best.setdefault(images[pair.file].digest, pair.file)
    kept = []
    for pair in pairs:
        chosen = best[images[pair.file].digest]
        if pair.file == chosen:
            kept.append(pair)
        else:
            reason = f"the same picture as {chosen}"
            left.append(LeftOut(file=pair.file, reason=reason, kind="the same picture again"))
    return kept


def _write(
    plan: PreparePlan,
    folder: Path,
    pairs: Sequence[ImageCaption],
    kinds: Mapping[str, s3_layout.Kind],
    images: Mapping[str, PreparedImage],
    told: Mapping[str, list[PictureFix]],
    left: Sequence[LeftOut],
) -> dict[str, int]:
    names = unique({pair.file: images[pair.file].name for pair in pairs})
    records: dict[str, int] = {}
    for kind in s3_layout.KINDS:
        chosen = [pair for pair in pairs if kinds[pair.file] == kind]
        if not chosen:
            continue
        bucket, prefix = plan.places[kind]
        lines = [
            (s3_layout.uri(bucket, f"{prefix}{IMAGES}/{names[pair.file]}"), pair.caption)
            for pair in chosen
        ]
        write_manifest(folder / kind / s3_layout.MANIFEST_FILE, lines)
        records[kind] = len(lines)
    with (folder / CHANGES).open("wb") as file:
        for name, target_name in sorted(names.items()):
            target = f"{kinds[name]}/{IMAGES}/{target_name}"
            put(images[name], folder / target, link=plan.link)
            done = [*images[name].changes, *told.get(name, ())]
            write_line(file, {"file": name, "to": target, "changes": [" ".join(c) for c in done]})
        for each in sorted(left, key=lambda each: each.file):
            write_line(file, {"file": each.file, "left_out": each.reason})
    return records


def _summed(
    pairs: Sequence[ImageCaption],
    images: Mapping[str, PreparedImage],
    told: Mapping[str, list[PictureFix]],
) -> dict[str, int]:
    found: Counter[str] = Counter()
    for file in {pair.file for pair in pairs}:
        changes = (*images[file].changes, *told.get(file, ()))
        found.update({change.kind for change in changes})
    return dict(sorted(found.items()))


def _upload(plan: PreparePlan, records: Mapping[str, int]) -> Iterator[str]:
    """Images first, the training manifest last: its upload is what starts a run."""
    kinds: list[s3_layout.Kind] = [kind for kind in reversed(s3_layout.KINDS) if kind in records]
    for verb, name in (("sync", IMAGES), ("cp", s3_layout.MANIFEST_FILE)):
        for kind in kinds:
            bucket, prefix = plan.places[kind]
            target = s3_layout.uri(bucket, f"{prefix}{name}")
            yield shlex.join(["aws", "s3", verb, str(plan.out / kind / name), target])
