"""One difference between two assemblies, and what kinds there are, the gravest first.

A module of its own: two modules find changes, and each kind of page shows them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

LOOSENED: Final = "loosened"
REPLACED: Final = "replaced"
REMOVED: Final = "removed"
TIGHTENED: Final = "tightened"
WORKFLOW: Final = "workflow"
CHANGED: Final = "changed"
ADDED: Final = "added"
ORDER: Final = (LOOSENED, REPLACED, REMOVED, TIGHTENED, WORKFLOW, CHANGED, ADDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference. grave: data could be lost, or somebody may do more than before."""

    kind: str
    where: str
    what: str
    grave: bool = False


def looser(changes: Sequence[Change]) -> int:
    """How many of the changes loosen a permission or a protection."""
    return sum(change.kind == LOOSENED for change in changes)


def at_risk(changes: Sequence[Change]) -> int:
    """How many of the changes replace or remove something together with its data."""
    return sum(change.grave and change.kind != LOOSENED for change in changes)
