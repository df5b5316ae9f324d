"""Values of configuration files in the words of a message."""

import json
import reprlib
from collections.abc import Collection, Iterable
from datetime import date, time
from decimal import Decimal
from typing import Final

from bedrock_tuning.wording import closest

_SHOWN_MAX: Final = 60


class _Short(reprlib.Repr):
    """Never deeper than two levels, never longer than a line, whatever a file holds."""

    def repr_int(self, x: int, level: int) -> str:  # noqa: ARG002  (reprlib's signature)
        # Python refuses to print more than 4,300 digits; a hexadecimal literal can have them.
        return str(x) if abs(x) < 10**20 else f"a number of {x.bit_length()} bits"

    def repr_str(self, x: str, level: int) -> str:  # noqa: ARG002
        text = x if len(x) <= self.maxstring else f"{x[: self.maxstring - 3]}…"
        return json.dumps(text, ensure_ascii=False)

    def repr_bool(self, x: bool | None, level: int) -> str:  # noqa: ARG002
        return json.dumps(x)

    def repr_date(self, x: date | time, level: int) -> str:  # noqa: ARG002
        return x.isoformat()

    repr_NoneType = repr_bool  # noqa: N815  (reprlib's name)
    repr_datetime = repr_time = repr_date


_short = _Short()
_short.maxlevel = 2
_short.maxother = _short.maxstring = _SHOWN_MAX


def shown(value: object) -> str:
    """A value as its author wrote it in TOML or JSON, shortened to fit into a sentence."""
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value[:3]):
        text = json.dumps(value[:3], ensure_ascii=False)
        return text if len(value) <= 3 and len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}…"
    return _short.repr(value)


def quoted_choices(words: Iterable[object]) -> str:
    """The choices of a sentence: "a", "b" or "c"."""
    texts = [shown(word) for word in words]
    return " or ".join(filter(None, [", ".join(texts[:-1]), *texts[-1:]]))


def meant_key(key: str, keys: Collection[str], table: Collection[str]) -> tuple[str, str]:
    """A hint at what an unknown key was meant to be, and that key; "" twice when nobody can tell.

    table: its keys. What is set already cannot be what was meant, only set twice.
    """
    nearest = closest(key, keys)
    if nearest in table and closest(key, [nearest], misspelt=True):
        return f"; {nearest} is set already: remove one of the two", ""
    guess = closest(key, [name for name in keys if name not in table])
    return (f"; did you mean {guess}?" if guess else ""), guess


def plain_number(number: int | float) -> str:
    """A number as a plain decimal without needless zeros: "0.00005", never "5e-05"."""
    if isinstance(number, int):
        return str(number)
    text = format(Decimal(repr(number)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
