"""Files that a check writes: never over its own inputs, and all of them known before it starts."""

from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path

from bedrock_tuning.dataset.json_lines import LINE_BYTES_MAX
from bedrock_tuning.errors import UserError
from bedrock_tuning.sources.manifests import LocalManifest, Manifest


def check_outputs(outputs: Mapping[str, Path | None], inputs: Iterable[Manifest]) -> None:
    """Raises UserError for an output that is an input, twice the same, or in no folder.

    outputs: file by option name, None where the option was not given.
    """
    taken = {
        manifest.path.resolve(): "an input"
        for manifest in inputs
        if isinstance(manifest, LocalManifest)
    }
    for option, path in outputs.items():
        if path is None:
            continue
        where = path.resolve()
        if where in taken:
            raise UserError(f"{option} {path} would overwrite {taken[where]}", fix="choose another")
        if not where.parent.is_dir():
            raise UserError("no such folder", where=str(path.parent), fix="create it")
        if where.is_dir():
            raise UserError(f"{option} {path} is a folder", fix="name a file in it")
        taken[where] = f"the file of {option}"


def write_accepted(manifest: Manifest, bad: set[int], path: Path) -> int:
    """Copies the lines without an error, byte by byte; returns how many."""
    kept = number = 0
    rest = b""
    with path.open("wb") as file:
        for chunk in chain(manifest.chunks(), [b"\n"]):
            *lines, rest = (rest + chunk).split(b"\n")
            # The beginning says enough of a line that is too long for any record: it is bad.
            rest = rest[: LINE_BYTES_MAX + 1]
            for line in lines:
                number += 1
                if number not in bad and line.strip():
                    kept += 1
                    file.write(line + b"\n")
    return kept
