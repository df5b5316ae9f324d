"""What a rule is: one function that finds one fault, with its page, its examples and its fix."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from inspect import cleandoc
from typing import Any, Final, Generic, Protocol, TypeVar


class Severity(StrEnum):
    """error: the dataset is not used. warning: it is, but look. info: advice."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Fault:
    """What a rule yields: where inside the item, what was seen, what the limit is, in words.

    line, kind: only for rules about a whole dataset, which may point to one of its records.
    """

    message: str
    field: str = ""
    value: str = ""
    limit: str = ""
    line: int | None = None
    kind: str | None = None


Item = TypeVar("Item", contravariant=True)


class Check(Protocol[Item]):
    """A rule's function: looks at one item for one subject."""

    __name__: str

    def __call__(self, item: Item, subject: Any, /) -> Iterator[Fault]:
        """Yields one Fault per fault."""


@dataclass(frozen=True, slots=True)
class Rule(Generic[Item]):
    """A rule of the catalogue.

    id: subject letter and number, never reused. name: the fault, so that "allow <name>" reads well.
    bad, good: what the rule finds and what it leaves alone, for the docs and as its test: a line of
    a manifest, or as JSON what the checker saw of an image or of a dataset.
    model: key of the base model, and after "/" a customization type, that they are judged by.
    once: the first finding of a manifest says it all.
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
    check: Check[Item]


FLAGSHIP: Final = "titan-multimodal-embeddings-g1"


def rule(
    id: str,
    *,
    bad: str | bytes,
    good: str | bytes,
    fix: str,
    severity: Severity = Severity.ERROR,
    model: str = FLAGSHIP,
    once: bool = False,
) -> Callable[[Check[Item]], Rule[Item]]:
    """Makes a Rule of a generator function: its name is the fault, its docstring is the page.

    id: for example "R201". fix: one sentence that says what to do.
    """

    def wrap(check: Check[Item]) -> Rule[Item]:
        summary, _, explanation = cleandoc(check.__doc__ or "").partition("\n\n")
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
            check=check,
        )

    return wrap
