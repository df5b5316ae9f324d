"""R4: rules about records of reinforcement fine-tuning: a prompt, its tools, and what is right."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from bedrock_tuning.catalogue import Format
from bedrock_tuning.dataset.record import Record
from bedrock_tuning.dataset.scope import DatasetScope
from bedrock_tuning.rules.rule import Fault, Severity, rule
from bedrock_tuning.wording import closest, json_type

_RFT: Final[tuple[Format, ...]] = ("rft",)
_MODEL = "nova-2-lite/REINFORCEMENT_FINE_TUNING"
_SOURCES = ("NOVA2-UG", "SMP-NOVA", "SDK-NOVA")


def _record(*turns: str, answer: str = ', "reference_answer": "42"', more: str = "") -> str:
    messages = ", ".join(f'{{"role": "{role}", "content": "what is 6 × 7"}}' for role in turns)
    return f'{{"messages": [{messages}]{answer}{more}}}'


_GOOD = _record("user")


@rule(
    "R409",
    bad=_record("user", answer=', "reference_anwser": "42"'),
    good=_GOOD,
    severity=Severity.WARNING,
    formats=_RFT,
    fix='If the field is meant to be "reference_answer", rename it.',
    model=_MODEL,
)
def misspelt_reference_answer(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A field's name is close to "reference_answer", and there is no such field.

    This format allows other fields and passes them to your grader, so this is not an error.
    """
    if "reference_answer" not in record.value:
        name = closest("reference_answer", record.value, cutoff=0.75)
        if name is not None:
            yield Fault(f'the field is "{name}"', name, name, "reference_answer")


@rule(
    "R418",
    bad=_record("system"),
    good=_GOOD,
    formats=_RFT,
    source=_SOURCES,
    fix="Write the prompt as a user turn.",
    model=_MODEL,
)
def prompt_without_user(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A prompt has no user turn."""
    if record.messages and "user" not in map(_lower, record.roles):
        roles = ", ".join(role or "none" for role in record.roles)
        yield Fault("there is no user turn", "messages", roles, "at least one user turn")


@rule(
    "R419",
    bad=_record("user", "system"),
    good=_record("system", "user"),
    formats=_RFT,
    source=_SOURCES,
    fix="Move the system prompt to the beginning.",
    model=_MODEL,
)
def system_prompt_not_first(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A system prompt stands behind another turn."""
    for index, role in enumerate(record.roles):
        if index and _lower(role) == "system" and _lower(record.roles[0]) != "system":
            field = f"messages[{index}].role"
            yield Fault("the system prompt is not the first turn", field, "system", "first turn")


@rule(
    "R420",
    bad=_record("user", answer=', "reference_answer": " "'),
    good=_GOOD,
    formats=_RFT,
    source=_SOURCES,
    fix="Write the answer, or omit the field if your grader does not need it.",
    model=_MODEL,
)
def unusable_reference_answer(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A reference answer is empty, or is neither a text nor an object."""
    value = record.value.get("reference_answer")
    if value is None:
        return
    if not isinstance(value, str | dict):
        words = f"the reference answer is of type {json_type(value)}"
        yield Fault(words, "reference_answer", json_type(value), "string or object")
    elif not (value.strip() if isinstance(value, str) else value):
        words = "the reference answer is empty"
        yield Fault(words, "reference_answer", repr(value), "a text or an object with fields")


@rule(
    "R421",
    bad=_record("user", more=', "tools": []'),
    good=_record("user", more=', "tools": [{"type": "function", "function": {"name": "f"}}]'),
    formats=_RFT,
    source=_SOURCES,
    fix="Describe each tool once, or omit the field.",
    model=_MODEL,
)
def unusable_tools(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A list of tools is empty, has a tool twice, or has one without a name."""
    tools = record.value.get("tools")
    if not isinstance(tools, list):
        return
    if not tools:
        yield Fault("the list of tools is empty", "tools", "[]", "at least one tool")
    names = Counter(map(_name_of, tools))
    for name, count in names.items():
        if not name:
            yield Fault("a tool has no name", "tools", "no name", "function.name")
        elif count > 1:
            yield Fault(f'there are {count} tools "{name}"', "tools", name, "each tool once")


def _lower(role: str | None) -> str:
    return (role or "").lower()


def _name_of(tool: Any) -> str:
    function = tool.get("function") if isinstance(tool, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    return name.strip() if isinstance(name, str) else ""
