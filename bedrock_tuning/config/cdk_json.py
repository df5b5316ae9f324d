"""cdk.json's bytes → its context, or what is wrong with the file as such."""

import json
import re
from functools import partial
from typing import Any, Final

from bedrock_tuning.config.lines import KeyPath, Lines, json_lines
from bedrock_tuning.config.messages import shown
from bedrock_tuning.errors import SettingsError

_QUOTED: Final = re.compile(r'"(?:\\.|[^"\\])*"')
_FIX: Final = "`git checkout cdk.json` restores the last version"


class Located(dict[str, Any]):
    """An object of cdk.json. lines: the line of each key, by its path from the file's root."""

    def __init__(self, values: dict[str, Any], *, lines: Lines) -> None:
        super().__init__(values)
        self.lines = lines


def context(data: bytes) -> dict[str, Any]:
    """The context: CDK's feature flags, and the settings under "tuning", with their lines.

    Raises SettingsError if the file is not JSON, has a key twice, or no object "context".
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _error(f": byte {error.start} is not UTF-8: save it as UTF-8") from None
    if not text.strip():
        raise _error(f" is empty: {_FIX}")
    content = _parse(text)
    if not isinstance(content, dict):
        raise _error(f" must be an object, not {shown(content)}: {_FIX}")
    lines = _lines(text)
    if "context" not in content:
        raise _error(f' has no "context", which holds feature flags and settings: {_FIX}')
    flags: dict[str, Any] = content["context"]
    if not isinstance(flags, dict):
        raise _error(
            f":{lines[('context',)]}: context: must be an object, not {shown(flags)}: {_FIX}"
        )
    if "tuning" in content:
        raise _error(
            f":{lines[('tuning',)]}: tuning: belongs in context: move it to context.tuning"
        )
    if isinstance(flags.get("tuning"), dict):
        flags["tuning"] = Located(flags["tuning"], lines=lines)
    return flags


def _parse(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=partial(_refuse_constant, text))
    except json.JSONDecodeError as error:
        problem = f":{error.lineno}: is not JSON: {error.msg} at column {error.colno}"
        raise _error(f"{problem}: correct it, or {_FIX}") from None
    except RecursionError:
        raise _error(f" is not JSON: nested too deeply: {_FIX}") from None
    except ValueError as error:
        raise _error(f" is not JSON: {error}") from None


def _lines(text: str) -> Lines:
    """Raises SettingsError for keys that are written twice: JSON would keep the last one."""
    lines: dict[KeyPath, int] = {}
    problems = []
    for path, line in json_lines(text):
        if path in lines:
            problems.append(
                f"cdk.json:{line}: {shown(path[-1])} is already set on line {lines[path]}: "
                "remove one of the two"
            )
        lines.setdefault(path, line)
    if problems:
        raise SettingsError(problems)
    return lines


def _refuse_constant(text: str, word: str) -> None:
    values = _QUOTED.sub("", text)
    line = values.count("\n", 0, values.index(word)) + 1
    raise _error(f":{line}: {word} is not a number in JSON: write a number")


def _error(text: str) -> SettingsError:
    return SettingsError([f"cdk.json{text}"])
