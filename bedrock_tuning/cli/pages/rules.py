"""docs/rules.md: every rule with its reason, its examples and its fix, made from the rules."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

from bedrock_tuning.rules import RULES
from bedrock_tuning.rules.rule import Rule
from bedrock_tuning.wording import in_cell

_HEADER: Final = """# Rules

`make docs` writes this page from `bedrock_tuning/rules/`: edit the docstring, not the page.
`tuning rules ID` shows the same in a terminal.

*error*: the dataset is rejected, and no training job is started. *warning*: the dataset is used;
review the finding. *info*: advice. Limits are in [the catalogue of models](models.md), not in the
rules. The examples are also the rules' tests; those for images and datasets show what the checker
saw, not the content of a file.

Each rule lists its first 10,000 findings; `tuning validate --findings-per-rule N` changes that.
Counts are always exact.

A customization can lower an error to a warning, or silence a warning. It names the rule and gives a
reason, which every report shows:

```toml
[rules]
duplicate-key = { severity = "warning", reason = "our exporter repeats the caption" }
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
    for letter, group in groupby(RULES, key=lambda rule: rule.id[0]):
        rules = list(group)
        parts.append(f"\n## {_SUBJECTS.get(letter, letter)}\n\n")
        parts.append("| Rule | Name | Severity | What it finds |\n| --- | --- | --- | --- |\n")
        for rule in rules:
            parts.append(
                f"| [{rule.id}](#{rule.id.lower()}) | `{rule.name}` | {rule.severity.value} "
                f"| {in_cell(rule.summary)} |\n"
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
    if rule.source:
        links = ", ".join(f"[{tag}](models.md#source-{tag.lower()})" for tag in rule.source)
        yield f"\nSource: {links}\n"
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
