"""docs/rules.md: every rule with its reason, its examples and its fix, made from the rules."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

from bedrock_tuning.rules import RULES
from bedrock_tuning.rules.rule import Rule

_HEADER: Final = """# Rules

`make docs` writes this page from `bedrock_tuning/rules/`: edit the docstring, not the page.
`tuning rules ID` shows the same in a terminal.

*error*: the dataset is not used, no job is started. *warning*: it is used, but look. *info*:
advice. Numbers are in [the catalogue of models](models.md), never in a rule. Examples are also the
rules' tests; those of images and datasets say what the checker saw, not what a file holds.

A customization can lower an error to a warning, or silence a warning, by the rule's name and with a
reason that every report shows:

```toml
[rules]
duplicate-key = { severity = "warning", reason = "the exporter repeats the caption" }
```
"""
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
    parts = [_HEADER]
    for letter, found in groupby(RULES, key=lambda rule: rule.id[0]):
        rules = list(found)
        parts.append(f"\n## {_SUBJECTS.get(letter, letter)}\n\n")
        parts.append("| Rule | Name | Severity | What it finds |\n| --- | --- | --- | --- |\n")
        for rule in rules:
            parts.append(
                f"| [{rule.id}](#{rule.id.lower()}) | `{rule.name}` | {rule.severity.value} "
                f"| {_one_line(rule.summary)} |\n"
            )
        for rule in rules:
            parts.extend(_rule(rule))
    return "".join(parts)


def _rule(rule: Rule[Any]) -> Iterator[str]:
    yield f'\n### <a id="{rule.id.lower()}"></a>{rule.id} {rule.name} ({rule.severity.value})\n\n'
    yield f"{rule.summary}\n"
    if rule.explanation:
        yield f"\n{rule.explanation}\n"
    yield f"\nFix: {rule.fix}\n"
    yield f"\n```\nbad:  {example(rule.bad)}\ngood: {example(rule.good)}\n```\n"


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


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
