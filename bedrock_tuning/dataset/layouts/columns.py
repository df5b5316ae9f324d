"""Any table with a column of images and a column of captions, whatever they are called."""

import ast
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import isnan
from typing import Any, Final

from bedrock_tuning.dataset.documents import is_rejected
from bedrock_tuning.dataset.layouts.reading import (
    CaptionRow,
    LayoutOptions,
    LeftOut,
    Reading,
    Scene,
    Table,
)
from bedrock_tuning.dataset.layouts.splits import Split, split_of_word
from bedrock_tuning.dataset.layouts.tables import cells_shown
from bedrock_tuning.errors import UserError
from bedrock_tuning.wording import did_you_mean, word_list

# What the columns are called, the usual names first; the cells decide between all of them.
_IMAGES: Final = word_list(
    "file_name file filename image-ref image image_name image_path filepath path img img_path",
    "image_id image_file name id url image_url",
)
_CAPTIONS: Final = word_list(
    "caption captions text title sentence sentences comment description prompt suffix answer raw",
    "productdisplayname prod_name detail_desc alt alt_text transcription label labels class",
    "category",
)
_SPLITS: Final = ("split", "set", "subset", "partition", "fold")
# Label Studio's own columns, beside the images and what people said of them.
_ANNOTATOR: Final = frozenset(
    ["annotation_id", "annotator", "lead_time", "created_at", "updated_at", "completed_by"]
)
# What is asked about an image does not describe it.
_CAPTION_FIELDS: Final = ("caption", "text", "prompt", "description", "TEXT", "title")
_NO_CAPTIONS: Final = frozenset({*_SPLITS, *_ANNOTATOR, "id", "question", "query", "instruction"})
_COUNTED: Final = re.compile(r"[-_ ]?\d+$")
_URL: Final = re.compile(r"https?://", re.IGNORECASE)
_SAMPLE: Final = 200
# Below this share of names that exist, a column is not the one of the images.
_FOUND_MIN: Final = 0.5


def read_nested(table: Table, scene: Scene) -> Reading | None:
    """A table whose images or captions are fields of objects in its cells, as in {"path": …}."""
    if _OWN_READERS & set(table.columns) or (flat := _flattened(table)) is None:
        return None
    reading = read_columns(flat, scene)
    if reading is not None:
        reading.layout = NESTED
    return reading


NESTED: Final = "fields inside of objects"
# Chats and tasks of annotators say more than their texts: whose they are, what was cancelled.
_OWN_READERS: Final = frozenset({"messages", "conversations", "data"})


def _flattened(table: Table) -> Table | None:
    """A table with a column for each field inside of its cells, as "data.image"; None without."""
    sample = [value for _, cells in table.rows[:_SAMPLE] for value in cells.values()]
    if table.value is not None or not any(map(_is_nested, sample)):
        return None
    rows = [(number, dict(_leaves(cells))) for number, cells in table.rows]
    columns = dict.fromkeys(name for _, row in rows for name in row)
    return replace(table, columns=tuple(columns), rows=rows)


def _is_nested(value: Any) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and bool(value[:1]) and _is_nested(value[0])
    )


def _leaves(cells: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields of a row, however deep; what is in objects of a list is one list."""
    for name, value in cells.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{inner}", leaf) for inner, leaf in _leaves(value))
        elif _is_nested(value):
            fields: dict[str, list[Any]] = defaultdict(list)
            for item in value:
                for inner, leaf in _leaves(item) if isinstance(item, dict) else ():
                    fields[f"{name}.{inner}"] += leaf if isinstance(leaf, list) else [leaf]
            yield from fields.items()
        else:
            yield name, value


def read_columns(table: Table, scene: Scene) -> Reading | None:
    """A table whose columns of images and captions are chosen by names and by what is in them."""
    if not table.rows and table.value is None:
        scene.refuse(f"{table.file}: there are no rows", may_be_text=True)
    if not table.rows or (table.value is not None and not _fits(table, scene)):
        return None
    options, cells = scene.options, _Cells(table, scene)
    image = _column(options.file_column, table) or cells.images()
    if image is None:
        cells.refuse()
        return None
    captions = _caption_columns(options, table) or cells.captions(without=image)
    if captions and not options.caption_column and cells.are_numbers(captions):
        scene.refuse(
            f"{table.file}: {', '.join(captions)} holds numbers, as of classes, and no captions"
        )
        return None
    if not captions:
        scene.refuse(
            f"{table.file}: no column of captions beside {image}; it has: "
            f"{cells_shown(table.columns)}"
        )
        return None
    split = split_column(table, options.split_column)
    names = [image, *captions, *([split] if split else [])]
    studio = bool(_ANNOTATOR & set(table.columns))
    reading = Reading(
        layout="Label Studio" if studio else _layout(table),
        why=f"{table.file}: {', '.join(names[:1])} → {', '.join(captions)}",
    )
    for number, cell in table.rows:
        place = f"row {number}"
        name = cell.get(image)
        several = name if isinstance(name, list) else [name]
        pictures = [
            str(item) for item in several if isinstance(item, str | int) and str(item).strip()
        ]
        if is_rejected(cell):
            reading.leave(str(name), f"{place}: rejected", REJECTED)
            continue
        if len(pictures) != 1:
            reading.left += not_one(pictures, where=place, table=table)
            continue
        add_rows(
            reading,
            pictures[0],
            [cell.get(column) for column in captions],
            where=place,
            table=table,
            split=cell.get(split) if split else "",
            without=f"{place} has no caption",
        )
    if reading.left and not reading.rows:
        others = f", and {len(reading.left) - 1:,} more" if len(reading.left) > 1 else ""
        scene.refuse(f"{table.file}: {reading.left[0].reason}{others}")
    return reading


def _layout(table: Table) -> str:
    name = table.file.rpartition("/")[2]
    if name.startswith("metadata."):
        return "Hugging Face ImageFolder"
    if {"image-ref", "caption"} <= set(table.columns):
        return "a manifest of Bedrock"
    return "a table"


def _fits(table: Table, scene: Scene) -> bool:
    """Whether a document of one flat object is a row, and not captions by file."""
    return bool(table.value) and not any(scene.is_image(name) for name in table.columns)


def _column(column: str, table: Table) -> str | None:
    """A column that the user names, as the table spells it."""
    if not column:
        return None
    spellings = {name.strip().lower(): name for name in table.columns}
    if column.strip().lower() not in spellings:
        raise UserError(
            f'there is no column "{column}"{did_you_mean(column, table.columns)}',
            where=table.file,
            fix=f"the columns are: {cells_shown(table.columns)}",
        )
    return spellings[column.strip().lower()]


def _caption_columns(options: LayoutOptions, table: Table) -> list[str]:
    names = [name for name in options.caption_column.split(",") if name.strip()]
    return [column for name in names if (column := _column(name, table)) is not None]


class _Cells:
    """What some rows of a table hold, by column."""

    def __init__(self, table: Table, scene: Scene) -> None:
        self._table, self._scene = table, scene
        step = max(1, len(table.rows) // _SAMPLE)
        self._sample = [cells for _, cells in table.rows[::step]][:_SAMPLE]

    def _values(self, column: str) -> list[Any]:
        items = (cells.get(column) for cells in self._sample)
        return [value for value in items if value not in (None, "", [])]

    def images(self) -> str | None:
        """The column most of whose cells name images that are here; the usual names win ties."""
        base = self._table.base
        top: tuple[float, int, str] | None = None
        for column in self._table.columns:
            values = self._values(column)
            heads = [value[0] if isinstance(value, list) else value for value in values]
            split = self._table.split
            count = sum(self._scene.is_image(head, base=base, split=split) for head in heads)
            share = count / max(1, len(self._sample))
            if not self._may_name(column, heads):
                continue
            rank = share, -_rank(column, _IMAGES), column
            if share >= _FOUND_MIN and (top is None or rank[:2] > top[:2]):
                top = rank
        if top is not None:
            return top[2]
        if self._scene.options.captions:
            # The user named this table: the names that are missing are told one by one.
            usual = [name for name in self._table.columns if _rank(name, _IMAGES) < len(_IMAGES)]
            return min(usual, key=lambda name: _rank(name, _IMAGES), default=None)
        return None

    def _may_name(self, column: str, values: Sequence[Any]) -> bool:
        """Whether numbers are names: not if they repeat, unless the column is called so."""
        if not all(str(value).isdecimal() for value in values):
            return True
        is_name = _rank(column, _IMAGES) < len(_IMAGES) or column.strip().lower().endswith("id")
        return is_name or len(set(values)) == len(values)

    def refuse(self) -> None:
        """Says why this table is none of images."""
        table, scene = self._table, self._scene
        for column in table.columns:
            values = self._values(column)
            if values and all(isinstance(value, str) and _URL.match(value) for value in values):
                scene.refuse(
                    f"{table.file}: the images of {column} are web addresses, not files here; "
                    "download them first, for example with img2dataset"
                )
                return
        why = f"no column names images that are here; it has: {cells_shown(table.columns)}"
        scene.refuse(f"{table.file}: {why}", may_be_text=True)

    def captions(self, *, without: str) -> list[str]:
        """The columns of captions: by name, else the one with the most words."""
        others = [
            name
            for name in self._table.columns
            if name != without and name and name.lower() not in _NO_CAPTIONS
        ]
        # Numbers of classes, where their names stand beside them.
        others = [name for name in others if not self.are_numbers([name])] or others
        columns = [name for name in others if _rank(name, _CAPTIONS) < len(_CAPTIONS)]
        if columns:
            rank = min(_rank(name, _CAPTIONS) for name in columns)
            # caption_1, caption_2 …: several captions of one image.
            return [name for name in columns if _rank(name, _CAPTIONS) == rank]
        words = {name: self._words(name) for name in others}
        best_name = max(words, key=lambda name: words[name], default="")
        return [best_name] if words.get(best_name) else []

    def are_numbers(self, columns: Sequence[str]) -> bool:
        """Whether there is something in some columns, and never a letter."""
        values = [value for name in columns for value in self._values(name)]
        texts = [text for value in values for text in texts_of(value)]
        return bool(texts) and not any(char.isalpha() for text in texts for char in text)

    def _words(self, column: str) -> float:
        texts = [text for value in self._values(column) for text in texts_of(value)]
        texts = [text for text in texts if any(char.isalpha() for char in text)]
        if not texts or any(_URL.match(text) for text in texts):
            return 0.0
        return sum(len(text.split()) for text in texts) / len(self._sample)


def split_column(table: Table, name: str) -> str | None:
    """The column that says which split a row belongs to; name: by the user, "" for the usual.

    Raises UserError if the user's column is not there, or names no split at all.
    """
    choice = _column(name, table)
    for column in table.columns if choice is None else [choice]:
        if choice or column.lower() in _SPLITS:
            words = dict.fromkeys(str(cells.get(column) or "") for _, cells in table.rows)
            if any(map(split_of_word, words)):
                return column
            if choice:
                texts = cells_shown([word for word in words if word])
                raise UserError(
                    f'no cell of "{choice}" names a split; it has: {texts}',
                    where=table.file,
                    fix="name the splits train, validation and test",
                )
    return None


def _rank(column: str, usual: Sequence[str]) -> int:
    key = column.strip().lower().replace(" ", "_").rpartition(".")[2]
    for name in (key, _COUNTED.sub("", key)):
        if name in usual:
            # Singular and plural are the same column.
            return usual.index(name)
    return len(usual)


def not_one(pictures: Sequence[str], *, where: str, table: Table) -> Iterator[LeftOut]:
    """Why a row with no image, or with several, makes no pair: a caption is of one image."""
    if not pictures:
        yield LeftOut(file=table.file, reason=f"{where} names no image", kind="no image named")
    for name in pictures:
        reason = f"{where}: one caption for {len(pictures)} images"
        yield LeftOut(file=name, reason=reason, kind="several images")


NO_SPLIT: Final = "split not known"
REJECTED: Final = "annotation rejected"


def side_of(word: object) -> tuple[Split, str]:
    """The split that a word names, "" without a word, and what is wrong with another word."""
    side = split_of_word(word)
    if side or word is None or not str(word).strip():
        return side, ""
    return "", f'"{word}" names no split: train, validation or test'


def add_rows(
    reading: Reading,
    name: str,
    texts: object,
    *,
    where: str,
    table: Table,
    split: object = "",
    without: str = "",
) -> None:
    """One row for each text. without: what is told where there is none."""
    side, unknown = side_of(split)
    if unknown:
        reading.leave(name, f"{where}: {unknown}", NO_SPLIT)
        return
    captions = list(texts_of(texts))
    if not captions:
        reading.leave(name, without or f"{where}: no caption", "caption empty")
    reading.rows += (
        CaptionRow(
            image=name,
            caption=text,
            where=where,
            base=table.base,
            split=side,
            table_split=table.split,
        )
        for text in captions
    )


def caption_in(fields: Mapping[str, Any]) -> Any:
    """The value of the field that is called as captions are; None without one."""
    return next((fields[name] for name in _CAPTION_FIELDS if fields.get(name)), None)


def texts_of(value: Any) -> Iterator[str]:
    """The texts in a cell: one, a list of them, or JSON as Label Studio writes it."""
    if isinstance(value, str):
        inner = _json(value)
        if inner is not None:
            yield from texts_of(inner)
        elif value.strip():
            yield value
    elif isinstance(value, list):
        for item in value:
            yield from texts_of(item)
    elif isinstance(value, Mapping):
        for name in ("choices", "text", "raw", "caption", "value"):
            if name in value:
                yield from texts_of(value[name])
                return
    elif isinstance(value, int | float) and not isinstance(value, bool) and not isnan(value):
        yield str(value)


def _json(text: str) -> Any:
    if not text.startswith(("[", "{")):
        return None
    # A list that Python wrote has single quotes.
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        return value if isinstance(value, list | dict) else None
    return None
