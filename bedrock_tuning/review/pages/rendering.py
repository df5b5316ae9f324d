"""The templates of the pages, and the filters that they share."""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from bedrock_tuning.wording import cleaned, counted, in_cell

TEMPLATES: Final = Path(__file__).with_name("templates")
# What a proof from templates is none of.
SCOPE: Final = (
    "Not covered: other users and roles of the account, who can do with these resources what their "
    "own policies allow, unless a policy here denies it (setting `deny_others`); the code of "
    "functions and layers, which templates name by its hash; service control, resource control and "
    "session policies, which can only restrict; policies of resources outside these templates."
)
_BREAKS: Final = re.compile(r"([/:._-]|(?<=[a-z])(?=[A-Z]))")


def render(template: str, **values: object) -> str:
    """A page; in HTML every value is escaped."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        finalize=cleaned,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "breakable": _breakable,
        "codes": _codes,
        "counted": counted,
        "head": _head,
        "parts": _parts,
        "prose": _prose,
        "row": _row,
    }
    return environment


def _breakable(text: str) -> Markup:
    """A name that a line may be broken in, between its parts and never inside of a word."""
    parts = re.split(_BREAKS, text)
    markup = "".join(f"{part}\0" if index % 2 else part for index, part in enumerate(parts))
    return Markup(str(escape(markup)).replace("\0", "<wbr>"))  # noqa: S704


def _prose(text: str) -> Markup:
    """A sentence whose names between backticks are code."""
    parts = str(escape(text)).split("`")
    pieces = (f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts))
    return Markup("".join(pieces))  # noqa: S704


def _parts(place: str) -> tuple[str, str]:
    """A resource and the path inside of it."""
    kind, _, remainder = place.partition(" ")
    name, _, tail = remainder.partition(" ") if kind in ("bucket", "table") else (remainder, "", "")
    return f"{kind} {name}".strip(), tail


def _codes(names: Iterable[str]) -> str:
    """Names in Markdown's code, one after the other."""
    return ", ".join(f"`{name}`" for name in names)


def _head(names: Sequence[str]) -> str:
    """The first two lines of a table in Markdown."""
    return f"| {' | '.join(names)} |\n|{'---|' * len(names)}"


def _row(cells: Iterable[str]) -> str:
    """One line of a table in Markdown."""
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    """A cell's text: no line of its own, no bar, and stars that are stars."""
    plain = in_cell(text).replace("<", "&lt;")
    parts = plain.split("`")
    # Between backticks a star is a star already.
    return "`".join(
        part if index % 2 else part.replace("*", "\\*") for index, part in enumerate(parts)
    )
