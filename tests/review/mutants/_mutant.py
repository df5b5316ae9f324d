"""A flaw: its name, the check that must notice it, and the change that makes it."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.review.broken import Copy

Change = Callable[[Copy], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One flaw. killer: id of the check that must find it, whatever others find, too."""

    name: str
    killer: str
    change: Change

    def __str__(self) -> str:
        return self.name


def flaw(killer: str, name: str) -> Callable[[Change], Mutant]:
    """Makes a mutant of a function that changes templates."""

    def make(change: Change) -> Mutant:
        return Mutant(name=name, killer=killer, change=change)

    return make


def collected(namespace: dict[str, object]) -> tuple[Mutant, ...]:
    """All mutants that a module defines, in its order."""
    return tuple(value for value in namespace.values() if isinstance(value, Mutant))
