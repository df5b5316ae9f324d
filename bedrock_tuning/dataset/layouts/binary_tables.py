"""Excel, Parquet and Arrow files, read with openpyxl and pyarrow where these are installed."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

from bedrock_tuning.dataset.images.header import header
from bedrock_tuning.dataset.layouts.names import IMAGE_NAME
from bedrock_tuning.errors import UserError

Keep = Callable[[str, bytes], str]
Columns = Sequence[str]
Rows = Iterator[tuple[int, Mapping[str, Any]]]
# A table of a file: its name inside of the file if there are several, columns, rows, what was said.
Sheet = tuple[str, Columns, Rows, tuple[str, ...]]
_BATCH: Final = 64
_COLUMNS_MIN: Final = 2
_OLE: Final = b"\xd0\xcf\x11\xe0"


def _need(package: str, kind: str) -> None:
    if find_spec(package) is None:
        raise UserError(
            f"{kind} needs {package}, which is not installed",
            fix="pip install 'bedrock-tuning[formats]'",
        )


def read_xlsx(path: Path, keep: Keep) -> Iterator[Sheet]:  # noqa: ARG001
    """Every sheet with a table. Raises UserError for a file that is not .xlsx inside."""
    with path.open("rb") as file:
        head = file.read(64)
    if not head.startswith(b"PK"):
        text = head.lstrip().lower()
        kind = "an old .xls" if head.startswith(_OLE) else "no Excel workbook"
        kind = "HTML, not Excel" if text.startswith(b"<") else kind
        raise UserError(
            f"the file is {kind}",
            where=path.name,
            fix="open it in a spreadsheet and save it as .xlsx or CSV",
        )
    _need("openpyxl", "an Excel file")
    import openpyxl

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (BadZipFile, KeyError, ValueError, OSError) as error:
        raise UserError(
            f"the workbook cannot be read: {error}", where=path.name, fix="save it again as .xlsx"
        ) from None
    with closing(book):
        yield from _sheets(book, path.name)


def _sheets(book: Any, file: str) -> Iterator[Sheet]:
    several = len(book.worksheets) > 1
    for sheet in book.worksheets:
        lines = sheet.iter_rows(values_only=True)
        # A title may stand above the names of the columns.
        count = 0
        names: Sequence[Any] = ()
        while sum(cell is not None for cell in names) < _COLUMNS_MIN:
            count += 1
            line = next(lines, None)
            if line is None:
                break
            names = line
        else:
            notes = (f"{file}: the sheet {sheet.title}",) if several or count > 1 else ()
            if any(IMAGE_NAME.search(str(cell)) for cell in names):
                # There is no header: the first row is data.
                lines, count = chain([names], lines), count - 1
                names = [f"column {n}" for n in range(1, len(names) + 1)]
                notes = (*notes, f"{file}: the first line names no columns")
            columns, rows = _below(lines, names, count)
            yield sheet.title if several else "", columns, rows, notes


def _below(lines: Any, names: Sequence[Any], count: int) -> tuple[Columns, Rows]:
    """Columns and rows under a line of names."""
    columns = ["" if name is None else str(name).strip() for name in names]
    rows = [
        (number, dict(zip(columns, map(_whole_number, line), strict=False)))
        for number, line in enumerate(lines, count + 1)
        if any(cell is not None for cell in line)
    ]
    return columns, iter(rows)


def _whole_number(cell: Any) -> Any:
    # Excel keeps 1163 as 1163.0 after some calculations.
    return int(cell) if isinstance(cell, float) and cell.is_integer() else cell


def read_parquet(path: Path, keep: Keep) -> Iterator[Sheet]:
    """A Parquet file, a few rows at a time; images in it are kept as files."""
    _need("pyarrow", "a Parquet file")
    import pyarrow
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise UserError(
            f"the Parquet file cannot be read: {error}", where=path.name, fix="download it again"
        ) from None
    batches = file.iter_batches(batch_size=_BATCH)
    yield "", file.schema_arrow.names, _rows(path, file.schema_arrow, batches, keep), ()


def read_arrow(path: Path, keep: Keep) -> Iterator[Sheet]:
    """An Arrow file or stream, as Hugging Face's save_to_disk writes them."""
    _need("pyarrow", "an Arrow file")
    import pyarrow

    source = pyarrow.memory_map(str(path))
    try:
        try:
            reader: Any = pyarrow.ipc.open_stream(source)
            batches: Any = reader
        except pyarrow.ArrowInvalid:
            reader = pyarrow.ipc.open_file(pyarrow.memory_map(str(path)))
            batches = (reader.get_batch(n) for n in range(reader.num_record_batches))
    except (pyarrow.ArrowException, OSError) as error:
        raise UserError(
            f"the Arrow file cannot be read: {error}", where=path.name, fix="download it again"
        ) from None
    yield "", reader.schema.names, _rows(path, reader.schema, batches, keep), ()


def _rows(path: Path, schema: Any, batches: Any, keep: Keep) -> Rows:
    labels = _class_names(schema)
    number = 0
    for batch in batches:
        for row in batch.to_pylist():
            number += 1
            yield (
                number,
                {
                    name: _cell(value, labels.get(name), f"{path.stem}/{number:06}", keep)
                    for name, value in row.items()
                },
            )


def _cell(value: Any, labels: Sequence[str] | None, name: str, keep: Keep) -> Any:
    """A cell as text; an image becomes the name of the file that holds it now."""
    if labels is not None and isinstance(value, int) and 0 <= value < len(labels):
        return f"a photo of a {labels[value].replace('_', ' ')}"
    if isinstance(value, dict) and set(value) == {"bytes", "path"}:
        if not value["bytes"]:
            return value["path"]
        stem = Path(str(value["path"] or "")).stem
        return keep(f"{name}-{stem}" if stem else name, value["bytes"])
    if isinstance(value, bytes):
        return keep(name, value) if header(value).format != "unknown" else None
    if isinstance(value, list):
        cells = enumerate(value, 1)
        return [_cell(item, labels, f"{name}-{n}" if n > 1 else name, keep) for n, item in cells]
    return value


def _class_names(schema: Any) -> Mapping[str, Sequence[str]]:
    """Names of class labels by column, as Hugging Face keeps them beside the schema."""
    try:
        features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError, ValueError):
        return {}
    return {
        name: feature["names"]
        for name, feature in features.items()
        if isinstance(feature, dict) and isinstance(feature.get("names"), list)
    }
