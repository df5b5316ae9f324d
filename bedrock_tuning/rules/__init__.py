"""The rules, discovered in the modules of this folder: to add a rule, write its function.

L lines · R records · I images · D datasets · H hyperparameters · X the checker itself
"""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Final

from bedrock_tuning.catalogue import Format
from bedrock_tuning.rules.rule import Fault, Rule, Severity
from bedrock_tuning.wording import did_you_mean

_GROUPS: Final = "LRIDHX"


def _discover() -> dict[str, Rule[Any]]:
    rules: dict[str, Rule[Any]] = {}
    for module in iter_modules(__path__):
        for value in vars(import_module(f"{__name__}.{module.name}")).values():
            if isinstance(value, Rule) and rules.setdefault(value.id, value) is not value:
                names = f"{rules[value.id].name} and {value.name}"
                raise ValueError(f"{names} have the same id, {value.id}")
    return dict(sorted(rules.items(), key=lambda entry: (_GROUPS.index(entry[0][0]), entry[0])))


BY_ID: Final[dict[str, Rule[Any]]] = _discover()
BY_NAME: Final[Mapping[str, Rule[Any]]] = {rule.name: rule for rule in BY_ID.values()}
# A view, so that a test can add a rule.
RULES: Final = BY_ID.values()


def rules_for(item: type, format: Format | None = None) -> tuple[Rule[Any], ...]:
    """The rules that check items of a type; format: of the records."""
    return tuple(
        rule
        for rule in RULES
        if rule.item is item and (not rule.formats or format is None or format in rule.formats)
    )


def find_rule(text: str) -> Rule[Any]:
    """The rule of an id or a name; raises KeyError with the closest one for anything else."""
    rule = BY_ID.get(text.upper()) or BY_NAME.get(text)
    if rule is None:
        raise KeyError(f'there is no rule "{text}"{did_you_mean(text, [*BY_NAME, *BY_ID])}')
    return rule


__all__ = [
    "BY_ID",
    "BY_NAME",
    "RULES",
    "Fault",
    "Rule",
    "Severity",
    "find_rule",
    "rules_for",
]
