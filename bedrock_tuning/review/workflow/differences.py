"""How two definitions differ, state by state and field by field."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from bedrock_tuning.review.workflow.choices import ABSENT


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueDifference:
    """One value that differs. then, now: ABSENT on the side that does not have it.

    state: "" for the definition itself; one inside of a Map follows the Map's name. field: its path
    in the state, "" for the whole state.
    """

    state: str
    field: str
    then: Any
    now: Any


def differences(then: Any, now: Any, path: tuple[str, ...] = ()) -> Iterator[ValueDifference]:
    """All of two definitions, or of what they have at a path."""
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        for key in sorted({*then, *now}):
            yield from differences(then.get(key, ABSENT), now.get(key, ABSENT), (*path, str(key)))
    elif isinstance(then, list) and isinstance(now, list):
        for number, pair in enumerate(zip_longest(then, now, fillvalue=ABSENT)):
            yield from differences(*pair, (*path, str(number)))
    # In Python, 1 is true.
    elif isinstance(then, bool) is not isinstance(now, bool) or then != now:
        state, field = _place(path)
        yield ValueDifference(state=state, field=field, then=then, now=now)


def _place(path: tuple[str, ...]) -> tuple[str, str]:
    """The state and the field that a path leads to."""
    states: list[str] = []
    field: list[str] = []
    steps = iter(path)
    for step in steps:
        if step == "States":
            name = next(steps, "")
            states, field = ([*states, name], []) if name else (states, [step])
        else:
            field.append(step)
    return " / ".join(states), ".".join(field)
