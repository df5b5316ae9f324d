"""The text of a customization file as a table; what is not TOML is said with its line and a fix."""

import re
import tomllib
from pathlib import Path
from typing import Any, Final

from bedrock_tuning.config.messages import shown
from bedrock_tuning.config.reader import Problems

# Endings of files that were probably meant to be customizations, and would be ignored silently.
_SLIPS: Final = (".toml.txt", ".tml", ".yaml", ".yml", ".json")


def parse(text: str, *, problems: Problems) -> dict[str, Any] | None:
    """The file's table; None if it is not TOML."""
    if text.startswith("\ufeff"):
        problems.add((), "starts with a byte order mark: save it as UTF-8 without one")
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except RecursionError:
        problems.add((), "is not TOML: nested too deeply")
    except ValueError as error:
        where = re.search(r"at line (\d{1,9})", str(error))
        line = int(where[1]) if where else None
        problems.add((), f"is not TOML: {error}{_line_and_fix(str(error), text, line)}", line=line)
    return None


def _line_and_fix(message: str, text: str, line: int | None) -> str:
    """The line that TOML's reader stopped at, if it names one, and the most common fix."""
    fixes = {
        "Invalid value": "write text in quotes",
        "Expected '='": "write key = value",
        "Cannot": "write each table and key once",
    }
    fix = next((fix for begin, fix in fixes.items() if message.startswith(begin)), "")
    lines = text.split("\n")
    quoted = f", in {shown(lines[line - 1].strip())}" if line and line <= len(lines) else ""
    return quoted + (f": {fix}" if fix else "")


def ignored(directory: Path) -> list[str]:
    """What lies in the folder, was probably meant to be read, and would not be."""
    problems = []
    for path in sorted(directory.iterdir()) if directory.is_dir() else ():
        name, lower = path.name, path.name.lower()
        if path.is_dir() and any(path.glob("*.toml")):
            problems.append(f"{directory.name}/{name}/: subfolders are not read: move its files up")
        elif lower.endswith((*_SLIPS, ".toml")) and not name.endswith(".toml"):
            problems.append(
                f"{directory.name}/{name}: only files that end in .toml are read: rename it, or "
                "move it away"
            )
    return problems
