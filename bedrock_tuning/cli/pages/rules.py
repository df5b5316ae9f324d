"""docs/rules.md: every rule with its reason, its examples and its fix, made from the rules."""

from itertools import groupby
from typing import Final

from bedrock_tuning.cli.pages.rendering import render_markdown
from bedrock_tuning.rules import RULES

_SUBJECTS: Final = {
    "L": "Lines of a manifest",
    "R": "Records",
    "I": "Images",
    "D": "The dataset as a whole",
    "H": "Hyperparameters",
    "X": "The checker itself",
}
_EXAMPLE_MAX: Final = 160


def rules_page() -> str:
    """The whole page as Markdown."""
    groups = groupby(RULES, key=lambda rule: _SUBJECTS[rule.id[0]])
    sections = [(title, list(rules)) for title, rules in groups]
    return render_markdown("rules.md.j2", groups=sections, example=example)


def example(value: str | bytes) -> str:
    """An example as one readable line; a long one is cut, with its length."""
    if isinstance(value, bytes):
        text = "".join(chr(b) if 32 <= b < 127 else f"\\x{b:02x}" for b in value)
    else:
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in value)
    if not text:
        return "(nothing)"
    if len(text) > _EXAMPLE_MAX:
        return f"{text[:80]}…{text[-40:]} ({len(value):,} characters)"
    return text
