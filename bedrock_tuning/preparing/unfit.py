"""Why no record of a file of texts can be converted, and what to do about it."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bedrock_tuning.dataset.layouts.reading import LeftOut
from bedrock_tuning.dataset.whole_file import HEAD_BYTES, Container, WholeFile
from bedrock_tuning.errors import UserError
from bedrock_tuning.wording import counted

_CHAT: Final = "choose a format of conversations, as in --to-format converse"
_ANSWER: Final = "write the answer of each record, in a chat as the last turn, of the assistant"
_PLACES: Final = "put the images where the file names them, relative to its own folder"
# By words of the reason.
_FIXES: Final = (
    (
        "caption",
        "a caption answers no question: add a field prompt, and call the caption completion",
    ),
    (
        "in no known format",
        'call the fields "prompt" and "completion" (in a table: in its first line), or write '
        'turns: {"messages": [{"role": "user", "content": "…"}, {"role": "assistant", …}]}',
    ),
    (
        "a document is no conversation",
        "write questions with their answers; texts alone are for continued pre-training: "
        "--to-format input-only",
    ),
    ("is no plain text", _CHAT),
    ("format has one question", _CHAT),
    ("ends without an answer", _ANSWER),
    ("has no answer", _ANSWER),
    ("none of its choices", "give the answer as a choice, its letter, or its number from 0"),
    ("begins with an answer", "write what the user asks in front of the first answer"),
    (
        "marked as a bad one",
        "add answers that are marked as good: models learn from those only",
    ),
    ("model reads text only", "choose a model that reads images: `tuning models`"),
    ("no place for them", "convert them for a model that reads images: --to-format converse"),
    ("address of the web", "download the images, and write their file names instead"),
    ("is not there", _PLACES),
    ("is not below", _PLACES),
    ("says no place", "write the file name of each image, or its data URL"),
    ("no text", "write a text of the user and one of the assistant in each record"),
)


def nothing_converted(source: Path, left: Sequence[LeftOut]) -> UserError:
    """What keeps most records out, the first of them, and what helps."""
    found = _container(source)
    if found is not None and found.way not in ("json", "table", "text"):
        return UserError(
            f"no record can be converted: the file is {found.name}",
            where=str(source),
            fix=found.way or "save the records as JSON Lines, CSV, Excel or Parquet",
        )
    if not left:
        return UserError(
            "there is no record to convert",
            where=str(source),
            fix="pass a file of texts with at least one record: JSON Lines, CSV, Excel, Parquet",
        )
    ((kind, count),) = Counter(each.kind for each in left).most_common(1)
    first = next(each for each in left if each.kind == kind)
    more = f", and {counted(count - 1, 'more record')}" if count > 1 else ""
    fix = next((words for part, words in _FIXES if part in first.reason), "correct the records")
    return UserError(
        f"no record can be converted: {first.reason}", where=f"{first.file}{more}", fix=fix
    )


def _container(source: Path) -> Container | None:
    """What a file is by its beginning; None for a folder, and for what may be JSON Lines."""
    if source.is_dir():
        return None
    with source.open("rb") as file:
        return WholeFile(file.read(HEAD_BYTES), is_complete=not file.read(1)).container
