"""Draws what imports what into docs/architecture.md: `python -m tools.import_graph`.

The picture is Mermaid, which GitHub draws. An arrow that follows from others is left out: where A
imports B and B imports C, it says nothing new that A imports C.
"""

from collections.abc import Mapping
from typing import Final

import grimp

from tools import CHECKOUT

PAGE: Final = CHECKOUT / "docs/architecture.md"
BEGIN: Final = "<!-- begin: drawn by make docs -->\n"
END: Final = "<!-- end -->\n"
_ROOT: Final = "bedrock_tuning"
_OUTSIDE: Final = ("lambdas",)

# What each folder imports.
Arrows = Mapping[str, frozenset[str]]


def arrows() -> Arrows:
    """The imports among the folders of the package, the stacks and the functions.

    Modules beside the folders (errors, wording, …) are left out: nearly everything imports them.
    """
    graph = grimp.build_graph(_ROOT, *_OUTSIDE)
    folders = {child for child in graph.find_children(_ROOT) if graph.find_children(child)} | set(
        _OUTSIDE
    )
    for folder in folders:
        graph.squash_module(folder)
    return {
        _name(folder): frozenset(
            _name(other)
            for other in graph.find_modules_directly_imported_by(folder) & (folders - {folder})
        )
        for folder in sorted(folders)
    }


def _name(module: str) -> str:
    return module.removeprefix(f"{_ROOT}.")


def reduced(direct: Arrows) -> Arrows:
    """Without arrows that follow from others; there must be no circle."""

    def reach(start: str) -> set[str]:
        return {start}.union(*(reach(each) for each in direct[start]))

    return {
        name: frozenset(
            target
            for target in targets
            if not any(target in reach(other) for other in targets - {target})
        )
        for name, targets in direct.items()
    }


def drawing() -> str:
    """The Mermaid block."""
    lines = [
        f"  {name} --> {target}"
        for name, targets in reduced(arrows()).items()
        for target in sorted(targets)
    ]
    return "\n".join(["```mermaid", "flowchart TD", *lines, "```", ""])


def page() -> str:
    """The page as it should be: its text, and the drawing between its marks."""
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{drawing()}{END}{after}"


def main() -> None:
    """Writes the page."""
    PAGE.write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
