"""JSON documents that hold all records of a dataset, in each of the usual arrangements."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeGuard

# Lists that belong to one record, whatever else the document has.
_OF_ONE: Final = frozenset(["messages", "conversations"])
# Names of a list that holds all records of a file.
_WRAPPERS: Final = frozenset(["data", "records", "rows", "items", "examples", "samples"])
_VIEWER: Final = frozenset(["features", "rows"])
# Two parts of one record may have the same fields.
_SEVERAL: Final = 3
_FILE: Final = re.compile(r"\.[A-Za-z]{3,4}\d*$")


class Held(NamedTuple):
    """How a document holds its records, in words, and the records."""

    name: str
    records: list[dict[str, Any]]


def records_in(value: Mapping[str, Any], *, one_line: bool) -> Held | None:
    """The records in a JSON object that is a whole file; None if it may be a record itself.

    one_line: it may be the only line of JSON Lines, so that a list of any name means nothing.
    """
    if any(map(_FILE.search, value)):
        # Captions by the name of their image.
        return None
    listed = not one_line or value.keys() <= {*_WRAPPERS, "schema"} or value.keys() >= _VIEWER
    for arrange in _ARRANGED:
        layout = arrange(value) if listed or arrange is not _list else None
        if layout is not None and layout.records:
            return layout
    return None


def is_conversation(value: Any) -> TypeGuard[list[dict[str, Any]]]:
    """Whether a list consists of turns with roles."""
    return isinstance(value, list) and bool(value) and all(map(_is_turn, value))


# Every task of Prodigy has one.
PRODIGY: Final = "_task_hash"


def is_rejected(record: Mapping[str, Any]) -> bool:
    """Whether the annotator of a record did not accept it, in Prodigy or VizWiz."""
    clicked = record.get("answer") if PRODIGY in record else None
    return record.get("is_rejected") is True or clicked in ("reject", "ignore")


def _is_turn(value: Any) -> bool:
    return isinstance(value, dict) and all(names & value.keys() for names in _TURN)


_TURN: Final = (frozenset(["role", "from"]), frozenset(["content", "value"]))


def _split(value: Mapping[str, Any]) -> Held | None:
    """As pandas writes it with orient="split": names of columns, and rows without names."""
    columns, rows = value.get("columns"), value.get("data")
    if not (isinstance(columns, list) and isinstance(rows, list)):
        return None
    if not all(isinstance(row, list) and len(row) == len(columns) for row in rows):
        return None
    records = [dict(zip(map(str, columns), row, strict=True)) for row in rows]
    return Held("one JSON object with columns and data (pandas)", records)


def _list(value: Mapping[str, Any]) -> Held | None:
    """The only list of objects, or rows as the viewer of Hugging Face shows them."""
    lists = [(name, item) for name, item in value.items() if isinstance(item, list)]
    if value.keys() >= _VIEWER:
        lists = [(name, item) for name, item in lists if name == "rows"]
    if len(lists) != 1 or _OF_ONE & value.keys():
        return None
    ((name, records),) = lists
    # A task of Label Studio has its data beside a list of annotations.
    if "data" in value and name != "data":
        return None
    if not all(isinstance(record, dict) for record in records):
        return None
    inner = [record.get("row") for record in records]
    if all(isinstance(row, dict) for row in inner):
        records = inner
    return Held(f'one JSON object with a list "{name}"', list(records))


def _columns(value: Mapping[str, Any]) -> Held | None:
    """A list for each field, or an object by row number, as pandas writes by default."""
    first = next(iter(value.values()), None)
    if len(value) < 2 or not isinstance(first, list | dict) or len(first) < 2:
        return None
    columns: list[list[Any]] = []
    for column in value.values():
        if type(column) is not type(first) or len(column) != len(first):
            return None
        if isinstance(column, dict):
            if list(column) != list(first) or not all(map(str.isdigit, column)):
                return None
            column = column.values()
        columns.append(list(column))
    if any(isinstance(cell, dict | list) for cell in columns[0]):
        return None
    records = [dict(zip(value, row, strict=True)) for row in zip(*columns, strict=True)]
    return Held("one JSON object with all values of a field together", records)


def _by_id(value: Mapping[str, Any]) -> Held | None:
    """Records of the same fields by number or name."""
    first = next(iter(value.values()), None)
    if len(value) < _SEVERAL or not isinstance(first, dict) or len(first) < 2:
        return None
    if any(not isinstance(item, dict) or item.keys() != first.keys() for item in value.values()):
        return None
    return Held("one JSON object with records by name", list(value.values()))


_ARRANGED: Final[tuple[Callable[[Mapping[str, Any]], Held | None], ...]] = (
    *(_split, _list, _columns, _by_id),
)
