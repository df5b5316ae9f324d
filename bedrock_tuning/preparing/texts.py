"""From texts in any format to training and validation manifests of one format."""

import base64
import binascii
import hashlib
import json
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, cast

from bedrock_tuning import s3_layout
from bedrock_tuning.catalogue import DatasetContract, Format
from bedrock_tuning.dataset.foreign import foreign_format
from bedrock_tuning.dataset.images.header import header
from bedrock_tuning.dataset.layouts.columns import NO_SPLIT, side_of, split_column
from bedrock_tuning.dataset.layouts.reading import LeftOut, Table
from bedrock_tuning.dataset.layouts.splits import Split, strictest
from bedrock_tuning.dataset.layouts.tables import TABLE_ENDINGS, read_tables
from bedrock_tuning.dataset.layouts.text import decode
from bedrock_tuning.dataset.scope import TextBudget
from bedrock_tuning.dataset.talks.chunks import chunks
from bedrock_tuning.dataset.talks.read import read_talk
from bedrock_tuning.dataset.talks.talk import Talk, UnfitError
from bedrock_tuning.dataset.talks.write import PlacedImage, write_talk
from bedrock_tuning.errors import UserError
from bedrock_tuning.files import Bounds, read_plain, require_plain
from bedrock_tuning.preparing.run import Prepared, Previewed
from bedrock_tuning.preparing.splits import records_of, validation_digests
from bedrock_tuning.preparing.unfit import nothing_converted
from bedrock_tuning.preparing.write import CHANGES, IMAGES, Workshop, new_folder, write_line
from bedrock_tuning.wording import counted

_RAW: Final = (".txt", ".md", ".rst", ".text")
_PREVIEW: Final = 5
# Characters of one piece of a long text; fewer where they would be too many tokens.
_PIECE: Final = 12_000
_PIECE_MIN: Final = 100
_FIELDS: Final = (
    'call the fields "prompt" and "completion" (in a table: in its first line), or write turns: '
    '{"messages": [{"role": "user", "content": "…"}, {"role": "assistant", …}]}'
)
_CAPTION: Final = (
    "a caption answers no question: add a field prompt, and call the caption completion"
)
_PLACES: Final = "put the images where the file names them, relative to its own folder"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPlan:
    """What to make of what. source: a file, or a folder of them. format: of the records.

    contract: of the model, None if no model is named. places: bucket and key prefix by kind; empty
    if nobody said where the dataset will lie, which images need. share: of the records for
    training, where no split is given; validates: a validation set that is given is kept.
    """

    source: Path
    format: str
    contract: DatasetContract | None
    places: Mapping[s3_layout.Kind, tuple[str, str]]
    share: float
    validates: bool = True
    seed: int
    encoding: str
    split_column: str
    out: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """A record on its way. where: file and row. split: as given. images: to be written, by name."""

    record: Mapping[str, Any]
    where: str
    split: Split
    talk: Talk


@dataclass(kw_only=True)
class Conversion:
    plan: TextPlan
    forms: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    left: list[LeftOut] = field(default_factory=list)
    fixes: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    images: dict[str, bytes] = field(default_factory=dict)

    def items(self) -> Iterator[_Item]:
        """Every record that the format has a place for."""
        for path in _files(self.plan.source):
            if path.suffix.lower() in _RAW and not _is_json(path):
                yield from self._pieces(path)
            else:
                yield from self._rows(path)

    def _pieces(self, path: Path) -> Iterator[_Item]:
        text, note = decode(path.read_bytes(), where=path.name, encoding=self.plan.encoding)
        self.said += [note] if note else []
        for number, piece in enumerate(_split_to_fit(text, self.plan.contract, limit=_PIECE), 1):
            place = f"{path.name} piece {number}"
            self.forms["plain text"] += 1
            yield from self._item(Talk(document=piece), place, Table(file=path.name).split)

    def _rows(self, path: Path) -> Iterator[_Item]:
        encoding = self.plan.encoding
        for table in read_tables(path, file=path.name, base="", encoding=encoding, keep=_no_images):
            self.said += table.said
            yield from self._table(table)

    def _table(self, table: Table) -> Iterator[_Item]:
        column = split_column(table, self.plan.split_column)
        for place, row in records_of(table):
            side, unknown = side_of(row.get(column) if column else "")
            if unknown:
                self._leave(place, NO_SPLIT, detail=unknown, fix="write train, validation or test")
                continue
            split = side or table.split
            try:
                reading = read_talk(
                    {name: value for name, value in row.items() if name != column},
                    marked=self.plan.format != "input-only",
                )
            except UnfitError as error:
                self._leave(place, str(error), fix=error.fix)
                continue
            if reading is None:
                names, fix = list(row)[:8], _CAPTION if "caption" in row else _FIELDS
                self._leave(place, "it is in no known format", detail=", ".join(names), fix=fix)
                continue
            # A format of another tool is none of ours, so every record is foreign to it.
            other = foreign_format(row, cast("Format", self.plan.format))
            self.forms[reading.form if other is None or not other.name else other.name] += 1
            yield from self._item(reading.talk, place, split)

    def _item(self, talk: Talk, place: str, split: Split) -> Iterator[_Item]:
        talk, contract = self._without_reasoning(talk), self.plan.contract
        answered = contract is None or not contract.teacher_answers
        try:
            record = write_talk(
                talk,
                self.plan.format,
                keep=lambda image: self._keep(image, place),
                answered=answered,
            )
        except UnfitError as error:
            self._leave(place, str(error), fix=error.fix)
            return
        self.lost.update(talk.lost)
        yield _Item(record=record, where=place, split=split, talk=talk)

    def _without_reasoning(self, talk: Talk) -> Talk:
        """Without the reasoning where the model or the format takes none."""
        contract = self.plan.contract
        limits = contract.conversation if contract is not None else None
        has_place = self.plan.format == "converse" and (
            limits is None or "reasoningContent" in limits.assistant_blocks
        )
        if has_place or not any(turn.reasoning for turn in talk.turns):
            return talk
        turns = tuple(replace(turn, reasoning="") for turn in talk.turns)
        return replace(talk, turns=turns, lost=(*talk.lost, "reasoning"))

    def _leave(self, place: str, reason: str, *, fix: str, detail: str = "") -> None:
        text = f"{reason}; it has: {detail}" if detail else reason
        self.left.append(LeftOut(file=place, reason=text, kind=reason))
        self.fixes[reason] = fix

    def _keep(self, image: str, place: str) -> PlacedImage:
        """An image that the record refers to, ready to be written beside the manifest."""
        contract = self.plan.contract
        if contract is not None and contract.image is None:
            raise UnfitError(
                "it has images, and the model reads text only",
                fix="choose a model that reads images: `tuning models`",
            )
        if image.startswith("s3://"):
            return PlacedImage(_format_of(image.rpartition(".")[2]), image)
        data = self._bytes(image)
        if not self.plan.places:
            raise UserError(
                f"{place} has images: where will they be stored?",
                fix="pass --to s3://bucket/customization/, or --customization NAME",
            )
        format = header(data).format
        if format not in ("png", "jpeg", "gif", "webp"):
            raise UnfitError(
                f"an image is {format}, which no model reads", fix="save it as PNG or JPEG"
            )
        name = f"{hashlib.sha256(data).hexdigest()[:24]}.{'jpg' if format == 'jpeg' else format}"
        self.images[name] = data
        return PlacedImage(format, f"{_PLACE}{name}")

    def _bytes(self, image: str) -> bytes:
        if image.startswith("data:"):
            try:
                return base64.b64decode(image.partition(",")[2], validate=True)
            except binascii.Error:
                raise UnfitError(
                    "the data URL of an image is broken", fix="write its bytes in Base64"
                ) from None
        root = self.plan.source if self.plan.source.is_dir() else self.plan.source.parent
        path = root / image.removeprefix("file://")
        if not Bounds(root).hold(path):
            raise UnfitError(f"an image is not below {root.name}", fix=_PLACES)
        try:
            return read_plain(path)
        except OSError:
            raise UnfitError("an image is not there", fix=_PLACES) from None


# Stands for the bucket and folder of a record until it is known which set it is in.
_PLACE: Final = "s3://\0/"


def prepare_texts(plan: TextPlan) -> Prepared:
    """Writes the dataset into plan.out; raises UserError and writes nothing if it cannot."""
    work = Conversion(plan=plan)
    items = list(work.items())
    if not items:
        raise nothing_converted(plan.source, work.left, work.fixes)
    kinds = _kinds(items, plan)
    counts: Counter[str] = Counter(item.split or "train" for item in items)
    has_splits = any(item.split for item in items)
    if has_splits and counts["test"]:
        work.said.append(f"test: {counted(counts['test'], 'record')} left out, for tests only")
    if has_splits and counts["validation"] and not plan.validates:
        work.said.append(
            f"validation: {counted(counts['validation'], 'record')} left out: there is to be no "
            "validation set"
        )
    with new_folder(plan.out) as folder:
        (folder / Workshop.FOLDER).mkdir(exist_ok=True)
        records = _write(plan, folder, items, kinds, work)
        (folder / Workshop.FOLDER).rmdir()
    forms = ", ".join(f"{form}: {count:,}" for form, count in work.forms.most_common())
    return Prepared(
        out=plan.out,
        understood=f"{counted(sum(work.forms.values()), 'record')} ({forms}), made {plan.format}",
        splits=dict(counts) if has_splits else {},
        said=tuple(work.said),
        preview=tuple(_preview(items, kinds)),
        records=records,
        changes={f"not carried over: {name}": n for name, n in work.lost.most_common()},
        left_out=tuple(work.left),
        left_out_by=dict(Counter(entry.kind for entry in work.left).most_common()),
        near=(),
        upload=tuple(_upload(plan, records, bool(work.images))),
    )


def _files(source: Path) -> list[Path]:
    require_plain(source)
    if not source.is_dir():
        return [source]
    bounds = Bounds(source)
    return sorted(
        path
        for path in source.rglob("*")
        if path.suffix.lower() in {*TABLE_ENDINGS, *_RAW}
        and not path.name.startswith(".")
        and path.is_file()
        and bounds.hold(path)
    )


def _is_json(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(64).lstrip()[:1] in (b"{", b"[")


def _no_images(name: str, data: bytes) -> str:
    """Images in the cells of a table of texts have no place in a text."""
    return f"{name} ({len(data):,} bytes)"


def _split_to_fit(text: str, contract: DatasetContract | None, *, limit: int) -> Iterator[str]:
    """Pieces of a text that the model surely reads whole, however its tokens are counted."""
    budget = TextBudget.of(contract) if contract is not None else TextBudget()
    for piece in chunks(text, most=limit):
        if limit > _PIECE_MIN and budget.verdict([piece], budget.record):
            yield from _split_to_fit(piece, contract, limit=limit // 2)
        else:
            yield piece


def _format_of(extension: str) -> str:
    return {"jpg": "jpeg", "jpe": "jpeg"}.get(extension.lower(), extension.lower())


def _kinds(items: list[_Item], plan: TextPlan) -> list[s3_layout.Kind | None]:
    """Of each record; None for tests. Equal records are never in two sets."""
    digests = [
        hashlib.sha256(json.dumps(item.record, sort_keys=True).encode()).hexdigest()
        for item in items
    ]
    splits: dict[str, Split] = {}
    for digest, item in zip(digests, items, strict=True):
        splits[digest] = strictest(splits.get(digest, ""), item.split)
    kinds: dict[str, s3_layout.Kind | None] = dict.fromkeys(splits, "training")
    if len(set(splits.values())) > 1 or set(splits.values()) == {"test"}:
        for digest, split in splits.items():
            if split in ("validation", "test"):
                is_kept = split == "validation" and plan.validates
                kinds[digest] = "validation" if is_kept else None
    elif plan.share < 1:
        for digest in validation_digests(Counter(digests), share=plan.share, seed=plan.seed):
            kinds[digest] = "validation"
    if "training" not in kinds.values():
        raise UserError(
            "every record belongs to the test split, by a column or by the file's name",
            where=str(plan.source),
            fix="pass the training data too; or, if these are not for tests, rename the file",
        )
    return [kinds[digest] for digest in digests]


def _write(
    plan: TextPlan,
    folder: Path,
    items: list[_Item],
    kinds: list[s3_layout.Kind | None],
    work: Conversion,
) -> dict[str, int]:
    records: dict[str, int] = {}
    for kind in s3_layout.KINDS:
        selection = [item for item, side in zip(items, kinds, strict=True) if side == kind]
        if not selection:
            continue
        place = ""
        if any(_names(selection)):
            if kind not in plan.places:
                raise UserError(
                    f"where will the images of the {kind} set be stored?",
                    fix=f"--{kind}-to s3://bucket/customization/, or --split 1",
                )
            bucket, prefix = plan.places[kind]
            place = s3_layout.uri(bucket, f"{prefix}{IMAGES}/")
        (folder / kind).mkdir()
        with (folder / kind / s3_layout.MANIFEST_FILE).open("wb") as file:
            for item in selection:
                write_line(file, _place_images(item.record, place))
        for name in sorted(set(_names(selection))):
            (folder / kind / IMAGES).mkdir(exist_ok=True)
            (folder / kind / IMAGES / name).write_bytes(work.images[name])
        records[kind] = len(selection)
    with (folder / CHANGES).open("wb") as file:
        for item in items:
            if item.talk.lost:
                write_line(file, {"file": item.where, "not_carried_over": list(item.talk.lost)})
        for entry in work.left:
            write_line(file, {"file": entry.file, "left_out": entry.reason})
    return records


def _place_images(value: Any, place: str) -> Any:
    """A record whose images lie where its set lies."""
    if isinstance(value, str):
        return place + value[len(_PLACE) :] if value.startswith(_PLACE) else value
    if isinstance(value, list):
        return [_place_images(item, place) for item in value]
    if isinstance(value, dict):
        return {name: _place_images(item, place) for name, item in value.items()}
    return value


def _names(items: list[_Item]) -> Iterator[str]:
    waiting: list[Any] = [item.record for item in items]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str) and value.startswith(_PLACE):
            yield value[len(_PLACE) :]


def _preview(items: list[_Item], kinds: list[s3_layout.Kind | None]) -> Iterator[Previewed]:
    step = max(1, len(items) // _PREVIEW)
    for item, kind in list(zip(items, kinds, strict=True))[::step][:_PREVIEW]:
        texts = [turn.text for turn in item.talk.turns] or ["", item.talk.document]
        answer = texts[-1] if len(texts) > 1 else ""
        yield Previewed(file=texts[0], caption=answer, kind=kind or "left out")


def _upload(plan: TextPlan, records: Mapping[str, int], has_images: bool) -> Iterator[str]:
    kinds: list[s3_layout.Kind] = [kind for kind in reversed(s3_layout.KINDS) if kind in records]
    for verb, name in (("sync", IMAGES), ("cp", s3_layout.MANIFEST_FILE)):
        for kind in kinds if verb == "cp" or has_images else ():
            if kind in plan.places:
                bucket, prefix = plan.places[kind]
                target = s3_layout.uri(bucket, f"{prefix}{name}")
                yield shlex.join(["aws", "s3", verb, str(plan.out / kind / name), target])
