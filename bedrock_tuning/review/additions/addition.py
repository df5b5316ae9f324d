"""One addition: what identifies it in review.toml, and how it is taken out of the templates."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from bedrock_tuning.config.names import stack_name
from bedrock_tuning.review.assembly.skeleton import Raw
from bedrock_tuning.review.bound_contracts import Bound
from bedrock_tuning.review.permitted import PermittedValue

Templates = dict[str, Raw]
Remove = Callable[[Templates], None]
# What a proposed entry says until somebody changes it.
_DAYS: Final = 180
_REASON: Final = "WHY THIS IS NEEDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """kind: the name of its table in review.toml. fields: what stands there, but for reason and
    expiry. where: the construct path, or the stack. remove: takes it out of templates that may be
    changed. against: the generic rules that it breaks; with one it cannot be permitted.
    """

    kind: str
    fields: Mapping[str, PermittedValue]
    where: str
    remove: Remove = field(repr=False, compare=False)
    against: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """Where it is in words of review.toml."""
        return str(self.fields.get("at", self.fields.get("name")))

    def entry(self, today: date) -> str:
        """What permits it, to be pasted into review.toml."""
        values = {**self.fields, "reason": _REASON}
        lines = [
            f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items()
        ]
        expires = today + timedelta(days=_DAYS)
        return "\n".join([f"[[{self.kind}]]", *lines, f"expires = {expires:%Y-%m-%d}"])


def generic_path(path: str, bound: Bound) -> str:
    """A construct path without what differs from environment to environment."""
    return path.removeprefix(stack_name(bound.contracts.environment, ""))


def without_resource(stack: str, logical_id: str) -> Remove:
    """Takes a whole resource out."""

    def remove(templates: Templates) -> None:
        del templates[stack]["Resources"][logical_id]

    return remove
