"""What a rule is: one function that finds one fault, with its page, its examples and its fix."""

import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Generic, Protocol, TypeVar

from bedrock_tuning.catalogue import Format
from bedrock_tuning.dataset.dataset import Dataset
from bedrock_tuning.dataset.images.image import Image
from bedrock_tuning.dataset.json_lines import Line
from bedrock_tuning.dataset.record import Record
from bedrock_tuning.dataset.whole_file import WholeFile
from bedrock_tuning.defaults import DEFAULT_MODEL


class Severity(StrEnum):
    """error: the dataset is rejected. warning: it is used, but review it. info: advice."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Fault:
    """What a rule yields: what is wrong, where inside the item, the value seen, and the limit.

    line, kind: only for rules about a whole dataset, which may point to one of its records.
    """

    message: str
    field: str = ""
    value: str = ""
    limit: str = ""
    line: int | None = None
    kind: str | None = None


Item = TypeVar("Item", contravariant=True)


class RuleFunction(Protocol[Item]):
    """A rule's function: checks one item of one dataset."""

    __name__: str

    def __call__(self, item: Item, scope: Any, /) -> Iterator[Fault]:
        """Yields one Fault per fault."""


@dataclass(frozen=True, slots=True)
class Rule(Generic[Item]):
    """A rule of the catalogue.

    id: group letter and number, never reused. name: the fault, so that "allow <name>" reads well.
    bad, good: what the rule reports and what it accepts, for the docs and as its test: a line of a
    manifest, or as JSON what the checker saw of an image or a dataset.
    model: key of the base model, and after "/" a customization type, that the examples belong to.
    once: one finding per manifest is enough. source: tags of the catalogue's sources.
    item: what the rule checks. formats: of the records that it checks; empty for all.
    """

    id: str
    name: str
    severity: Severity
    summary: str
    explanation: str
    bad: str | bytes
    good: str | bytes
    fix: str
    model: str
    once: bool
    source: tuple[str, ...]
    item: type
    formats: frozenset[Format]
    check: RuleFunction[Item]


@dataclass(slots=True, eq=False, kw_only=True)
class Crash:
    """A rule and the exception that it raised, if any."""

    rule: Rule[Any]
    error: Exception | None


_ITEMS: Final = (WholeFile, Line, Record, Image, Dataset, Crash)


def rule(
    id: str,
    *,
    bad: str | bytes,
    good: str | bytes,
    fix: str,
    severity: Severity = Severity.ERROR,
    formats: Iterable[Format] = (),
    model: str = DEFAULT_MODEL,
    once: bool = False,
    source: tuple[str, ...] = (),
) -> Callable[[RuleFunction[Item]], Rule[Item]]:
    """Makes a Rule of a generator function: its name is the fault, its docstring is the page.

    The type of its first parameter says what the rule checks. id: for example "R201".
    fix: one sentence that says what to do.
    """

    def wrap(check: RuleFunction[Item]) -> Rule[Item]:
        item = next(iter(inspect.signature(check).parameters.values())).annotation
        if item not in _ITEMS:
            names = ", ".join(item.__name__ for item in _ITEMS)
            raise TypeError(f"{check.__name__}: the first parameter must be one of {names}")
        summary, _, explanation = inspect.cleandoc(check.__doc__ or "").partition("\n\n")
        return Rule(
            id=id,
            name=check.__name__.replace("_", "-"),
            severity=severity,
            summary=summary,
            explanation=explanation,
            bad=bad,
            good=good,
            fix=fix,
            model=model,
            once=once,
            source=source,
            item=item,
            formats=frozenset(formats),
            check=check,
        )

    return wrap


@rule(
    "X001",
    bad='{"crash": true}',
    good='{"crash": false}',
    fix="Report this to the maintainers together with the record.",
)
def rule_crashed(crash: Crash, _: object) -> Iterator[Fault]:
    """A rule failed while checking an item: a defect of this tool.

    The other rules still run. The dataset is rejected, because what the failed rule would have
    reported is unknown.
    """
    failed, error = crash.rule, crash.error
    if error is not None:
        yield Fault(f"rule {failed.id} ({failed.name}) failed: {error!r}", value=failed.id)


def run_rules(
    rules: Iterable[Rule[Any]], item: Any, scope: Any
) -> Iterator[tuple[Rule[Any], Fault]]:
    """Every fault that the rules find in an item; one that raises becomes X001, the rest go on."""
    for rule in rules:
        try:
            for fault in rule.check(item, scope):
                yield rule, fault
        except Exception as error:
            for fault in rule_crashed.check(Crash(rule=rule, error=error), scope):
                yield rule_crashed, fault
