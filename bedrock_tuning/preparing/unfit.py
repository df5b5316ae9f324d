"""Why no record of a file of texts can be converted, and what to do about it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from bedrock_tuning.dataset.layouts.reading import LeftOut
from bedrock_tuning.dataset.whole_file import HEAD_BYTES, Container, WholeFile
from bedrock_tuning.errors import UserError
from bedrock_tuning.wording import counted


def nothing_converted(source: Path, rest: Sequence[LeftOut], fixes: Mapping[str, str]) -> UserError:
    """What keeps most records out, the first of them, and what helps. fixes: by kind of reason."""
    container = _container(source)
    if container is not None and not container.can_be_converted:
        return UserError(
            f"no record can be converted: the file is {container.name}",
            where=str(source),
            fix=container.way or "save the records as JSON Lines, CSV, Excel or Parquet",
        )
    if not rest:
        return UserError(
            "there is no record to convert",
            where=str(source),
            fix="pass a file of texts with at least one record: JSON Lines, CSV, Excel, Parquet",
        )
    ((kind, count),) = Counter(entry.kind for entry in rest).most_common(1)
    first = next(entry for entry in rest if entry.kind == kind)
    others = f", and {counted(count - 1, 'more record')}" if count > 1 else ""
    return UserError(
        f"no record can be converted: {first.reason}",
        where=f"{first.file}{others}",
        fix=fixes[kind],
    )


def _container(source: Path) -> Container | None:
    """What a file is by its beginning; None for a folder, and for what may be JSON Lines."""
    if source.is_dir():
        return None
    with source.open("rb") as file:
        return WholeFile(file.read(HEAD_BYTES), is_complete=not file.read(1)).container
