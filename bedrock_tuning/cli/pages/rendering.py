"""The templates of the generated pages, and the filters that they share."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from bedrock_tuning.wording import in_cell

_TEMPLATES: Final = Path(__file__).with_name("templates")


def render_markdown(template: str, **values: object) -> str:
    """A page as Markdown."""
    # Imported here: `tuning rules` shows a rule as its page does, and needs no template.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"in_cell": in_cell, "row": _row}
    return environment.get_template(template).render(**values)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(map(in_cell, cells))} |"
