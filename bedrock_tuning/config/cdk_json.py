"""cdk.json's bytes → its context, or what is wrong with the file as such."""

import json
from typing import Any, Final

from bedrock_tuning.config.field_types import shown
from bedrock_tuning.errors import SettingsError

_FIX: Final = "`git checkout cdk.json` brings the last one back"


def context(data: bytes) -> dict[str, Any]:
    """The context: CDK's feature flags, and the settings under "tuning".

    Raises SettingsError if the file is no JSON, has a key twice, or no object "context".
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _wrong(f"byte {error.start} is not UTF-8: save it as UTF-8") from None
    if not text.strip():
        raise _wrong(f"is empty: {_FIX}")
    twice: list[str] = []
    try:
        found = json.loads(
            text,
            object_pairs_hook=lambda pairs: _object(pairs, twice),
            parse_constant=_no_constant,
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise _wrong(f"is not JSON: {error.msg} at {where}: correct it, or {_FIX}") from None
    except RecursionError:
        raise _wrong(f"is not JSON: nested too deeply: {_FIX}") from None
    except ValueError as error:
        raise _wrong(f"is not JSON: {error}") from None
    if twice:
        raise SettingsError(
            f"cdk.json: {shown(key)} is written twice in one object, and only the last one would "
            "count: remove one"
            for key in twice
        )
    if not isinstance(found, dict):
        raise _wrong(f"must be an object, not {shown(found)}: {_FIX}")
    if "context" not in found:
        raise _wrong(
            f'has no "context", which holds feature flags and the settings ("tuning"): {_FIX}'
        )
    if not isinstance(found["context"], dict):
        raise _wrong(f"context: {shown(found['context'])} must be an object: {_FIX}")
    inside: dict[str, Any] = found["context"]
    if "tuning" in found:
        raise _wrong("tuning: belongs to the context: move it to context.tuning")
    return inside


def _object(pairs: list[tuple[str, Any]], twice: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            twice.append(key)
        found[key] = value
    return found


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is no number of JSON: write a number")


def _wrong(what: str) -> SettingsError:
    between = " " if what.startswith(("is ", "has ", "must ")) else ": "
    return SettingsError([f"cdk.json{between}{what}"])
