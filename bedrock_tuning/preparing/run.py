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
from bedrock_tuning.preparing.splits import deal_sides
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
        count = len(self.left_out)
        return count / max(1, count + sum(self.records.values()))


def prepare(plan: PreparePlan, *, meter: Meter = silent) -> Prepared:
    """Writes the dataset into plan.out; raises UserError and writes nothing if it cannot."""
    _check_apart(plan)
    with new_folder(plan.out) as folder:
        work = folder / Workshop.FOLDER
        scene = look(plan.source, plan.options, room=work / "unpacked")
        content = understand(scene)
        rest = content.left
        fixes: dict[str, list[PictureFix]] = {}
        pairs = _fix_captions(content.pairs, plan.contract, rest, fixes)
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
        rest += shop.left
        pairs = [pair for pair in pairs if pair.file in images]
        if not pairs:
            raise UserError(
                "no image with a usable caption is left",
                where=str(plan.source),
                fix=f"for example {rest[0].file}: {rest[0].reason}" if rest else "add images",
            )
        deal = deal_sides(
            pairs, images, share=plan.share, usual_share=plan.usual_share, seed=plan.seed
        )
        rest += deal.left
        pairs = [pair for pair in pairs if pair.file in deal.kinds]
        if plan.contract is not None:
            pairs = _without_copies(pairs, images, rest)
        records = _write(plan, folder, pairs, deal.kinds, images, fixes, rest)
        shop.close()
    return Prepared(
        out=plan.out,
        understood=_one_line(content),
        splits=deal.counts if deal.given else {},
        said=(*content.said, *_alternative(content), *deal.said),
        preview=tuple(_preview(pairs, deal.kinds)),
        records=records,
        changes=_change_counts(pairs, images, fixes),
        left_out=tuple(rest),
        left_out_by=dict(Counter(entry.kind for entry in rest).most_common()),
        near=tuple(deal.near),
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


def _one_line(content: Understood) -> str:
    """What was read, as in "COCO captions (a.json: images and annotations): 2 images, …"."""
    pairs = content.pairs
    images = len({pair.file for pair in pairs})
    rate = f" ({len(pairs) / images:.3g} each)" if images and len(pairs) > images else ""
    counts = Counter({pair.file: pair.split for pair in pairs}.values())
    parts = [f"{split} {counts[split]:,}" for split in ("train", "validation", "test")]
    splits = f"; splits as given: {', '.join(parts)}" if set(counts) - {""} else ""
    return (
        f"{content.layout} ({content.why}): {counted(images, 'image')}, "
        f"{counted(len(pairs), 'caption')}{rate}{splits}"
    )


def _alternative(content: Understood) -> Iterator[str]:
    if content.also:
        yield f"{content.also} would fit, too: --captions chooses another reading"


def _preview(
    pairs: Sequence[ImageCaption], kinds: Mapping[str, s3_layout.Kind]
) -> Iterator[Previewed]:
    """Five pairs from all over the dataset."""
    step = max(1, len(pairs) // _PREVIEW)
    for pair in pairs[::step][:_PREVIEW]:
        yield Previewed(file=pair.file, caption=pair.caption, kind=kinds[pair.file])


def _fix_captions(
    pairs: Sequence[ImageCaption],
    contract: DatasetContract | None,
    rest: list[LeftOut],
    fixes: dict[str, list[PictureFix]],
) -> list[ImageCaption]:
    if contract is None or contract.caption is None:
        return list(pairs)
    result: dict[ImageCaption, None] = {}
    for pair in pairs:
        try:
            caption, changes = fix_caption(pair.caption, contract.caption)
        except UnfixableError as error:
            rest.append(LeftOut(file=pair.file, reason=str(error), kind="caption too short"))
            continue
        fixes.setdefault(pair.file, []).extend(changes)
        new = replace(pair, caption=caption)
        if new in result:
            reason = "the same caption again"
            rest.append(LeftOut(file=pair.file, reason=reason, kind="the same pair again"))
        result[new] = None
    return list(result)


def _without_copies(
    pairs: Sequence[ImageCaption], images: Mapping[str, PreparedImage], rest: list[LeftOut]
) -> list[ImageCaption]:
    """Each picture once: from a file that needed no change if there is one, else the first."""
    files: dict[str, str] = {}
    for pair in sorted(pairs, key=lambda pair: bool(images[pair.file].changes)):
        files.setdefault(images[pair.file].digest, pair.file)
    result = []
    for pair in pairs:
        file = files[images[pair.file].digest]
        if pair.file == file:
            result.append(pair)
        else:
            reason = f"the same picture as {file}"
            rest.append(LeftOut(file=pair.file, reason=reason, kind="the same picture again"))
    return result


def _write(
    plan: PreparePlan,
    folder: Path,
    pairs: Sequence[ImageCaption],
    kinds: Mapping[str, s3_layout.Kind],
    images: Mapping[str, PreparedImage],
    fixes: Mapping[str, list[PictureFix]],
    rest: Sequence[LeftOut],
) -> dict[str, int]:
    names = unique({pair.file: images[pair.file].name for pair in pairs})
    records: dict[str, int] = {}
    for kind in s3_layout.KINDS:
        selection = [pair for pair in pairs if kinds[pair.file] == kind]
        if not selection:
            continue
        bucket, prefix = plan.places[kind]
        lines = [
            (s3_layout.uri(bucket, f"{prefix}{IMAGES}/{names[pair.file]}"), pair.caption)
            for pair in selection
        ]
        write_manifest(folder / kind / s3_layout.MANIFEST_FILE, lines)
        records[kind] = len(lines)
    with (folder / CHANGES).open("wb") as file:
        for name, target_name in sorted(names.items()):
            target = f"{kinds[name]}/{IMAGES}/{target_name}"
            put(images[name], folder / target, link=plan.link)
            steps = [*images[name].changes, *fixes.get(name, ())]
            write_line(file, {"file": name, "to": target, "changes": [" ".join(c) for c in steps]})
        for entry in sorted(rest, key=lambda entry: entry.file):
            write_line(file, {"file": entry.file, "left_out": entry.reason})
    return records


def _change_counts(
    pairs: Sequence[ImageCaption],
    images: Mapping[str, PreparedImage],
    fixes: Mapping[str, list[PictureFix]],
) -> dict[str, int]:
    result: Counter[str] = Counter()
    for file in {pair.file for pair in pairs}:
        changes = (*images[file].changes, *fixes.get(file, ()))
        result.update({change.kind for change in changes})
    return dict(sorted(result.items()))


def _upload(plan: PreparePlan, records: Mapping[str, int]) -> Iterator[str]:
    """Images first, the training manifest last: its upload is what starts a run."""
    kinds: list[s3_layout.Kind] = [kind for kind in reversed(s3_layout.KINDS) if kind in records]
    for verb, name in (("sync", IMAGES), ("cp", s3_layout.MANIFEST_FILE)):
        for kind in kinds:
            bucket, prefix = plan.places[kind]
            target = s3_layout.uri(bucket, f"{prefix}{name}")
            yield shlex.join(["aws", "s3", verb, str(plan.out / kind / name), target])
