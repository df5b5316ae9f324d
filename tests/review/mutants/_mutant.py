"""A flaw: its name, the check that must notice it, and the change that makes it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.review.broken import Copy

Change = Callable[[Copy], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One flaw. killer: id of the check that must find it, whatever others find, too.

    environment: of cdk.json, or a variant of conftest.py, for what only some settings bring.
    """

    name: str
    killer: str
    change: Change
    environment: str = "dev"

    def __str__(self) -> str:
        return self.name


def flaw(killer: str, name: str, environment: str = "dev") -> Callable[[Change], Mutant]:
    """Makes a mutant of a function that changes templates."""

    def make(change: Change) -> Mutant:
        return Mutant(name=name, killer=killer, change=change, environment=environment)

    return make


def collected(namespace: dict[str, object], environment: str = "") -> tuple[Mutant, ...]:
    """All mutants that a module defines, in its order; environment: of all of them, if given."""
    found = (value for value in namespace.values() if isinstance(value, Mutant))
    return tuple(replace(each, environment=environment or each.environment) for each in found)
