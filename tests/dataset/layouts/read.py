"""What is said of each layout of the shelf; `python -m tests.dataset.layouts.read` writes it."""

import tempfile
from pathlib import Path
from typing import Final

from bedrock_tuning.dataset.layouts.listing import look
from bedrock_tuning.dataset.layouts.reading import LayoutOptions
from bedrock_tuning.dataset.layouts.recognise import understand
from bedrock_tuning.errors import UserError
from tests.dataset.layouts.shelf import SHELF, TINY, laid, lay
from tests.dataset.layouts.spellings import spellings

READ: Final = Path(__file__).with_name("read.txt")


def _told(source: Path, options: LayoutOptions, folder: Path) -> list[str]:
    room = folder / "room"
    room.mkdir()
    try:
        found = understand(look(source, options, room=room))
    except UserError as error:
        lines = [f"  refused: {error.what} | {error.where} | {error.fix}"]
    else:
        lines = [f"  {found.layout}: {found.why}", *(f"  said: {each}" for each in found.said)]
        lines += [f"  {each.file} {each.split}: {each.caption!r}" for each in found.pairs]
        lines += [f"  left: {each.file}: {each.reason} ({each.kind})" for each in found.left]
        lines += [f"  perhaps {found.also}"] * bool(found.also)
    return [line.replace(str(folder), "FOLDER") for line in lines]


def written() -> str:
    """What is read of all layouts and spellings, and what is said of it."""
    lines: list[str] = []
    for layout in SHELF:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "in").mkdir()
            source = laid(layout, folder / "in")
            lines += [layout.name, *_told(source, layout.options, folder)]
    for each in spellings():
        with tempfile.TemporaryDirectory() as name:
            folder, files = Path(name), dict[str, bytes | str](dict.fromkeys(each.images, TINY))
            files |= each.files
            lay(files, folder / "in")
            lines += [each.name, *_told(folder / "in" / each.source, each.options, folder)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    READ.write_text(written(), "utf-8")
