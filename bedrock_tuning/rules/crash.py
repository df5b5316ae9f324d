"""X: what the checker says about itself, and how rules are run."""

from collections.abc import Iterable, Iterator
from typing import Any

from bedrock_tuning.rules.rule import Fault, Rule, rule


@rule(
    "X001",
    bad='{"crash": true}',
    good='{"crash": false}',
    fix="Please report this together with the record.",
)
def rule_crashed(item: Any, _: Any) -> Iterator[Fault]:
    """A rule failed on an item: a defect of this tool.

    The check goes on with the other rules. The dataset counts as invalid, because what the rule
    would have said is unknown.
    """
    if isinstance(item, Crash):
        yield Fault(
            f"rule {item.rule.id} ({item.rule.name}) failed: {item.error!r}", value=item.rule.id
        )


class Crash:
    """A rule and the exception that it raised."""

    def __init__(self, *, rule: Rule[Any], error: Exception) -> None:
        self.rule = rule
        self.error = error


def run(rules: Iterable[Rule[Any]], item: Any, subject: Any) -> Iterator[tuple[Rule[Any], Fault]]:
    """Every fault that the rules find in an item; one that raises becomes X001, the rest go on."""
    for each in rules:
        try:
            for fault in each.check(item, subject):
                yield each, fault
        except Exception as error:
            for fault in rule_crashed.check(Crash(rule=each, error=error), subject):
                yield rule_crashed, fault
