"""R4: rules about records of reinforcement fine-tuning: a prompt, its tools, and what is right."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from bedrock_tuning.catalogue import Format
from bedrock_tuning.dataset.record import Record
from bedrock_tuning.dataset.scope import DatasetScope
from bedrock_tuning.rules.rule import Fault, Severity
from bedrock_tuning.rules.rule import rule as define
from bedrock_tuning.wording import closest, json_type

_RFT: Final[tuple[Format, ...]] = ("rft",)
_MODEL = "nova-2-lite/REINFORCEMENT_FINE_TUNING"
_SOURCES = ("NOVA2-UG", "SMP-NOVA", "SDK-NOVA")


def _record(*turns: str, answer: str = ', "reference_answer": "42"', more: str = "") -> str:
    messages = ", ".join(f'{{"role": "{role}", "content": "what is 6 × 7"}}' for role in turns)
    return f'{{"messages": [{messages}]{answer}{more}}}'


_GOOD = _record("user")
_TOOL = (
    '{"type": "function", "function": {"name": "f", "description": "d", '
    '"parameters": {"type": "object", "properties": {}}}}'
)

rule = partial(define, good=_GOOD, formats=_RFT, model=_MODEL, source=_SOURCES)


@rule(
    "R409",
    bad=_record("user", answer=', "reference_anwser": "42"'),
    severity=Severity.WARNING,
    fix='If the field is meant to be "reference_answer", rename it.',
    source=(),
)
def misspelt_reference_answer(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A field's name is close to "reference_answer", and there is no such field.

    This format allows other fields and passes them to your grader, so this is not an error.
    """
    if "reference_answer" not in record.value:
        name = closest("reference_answer", record.value, misspelt=True)
        if name:
            yield Fault(f'the field is "{name}"', name, name, "reference_answer")


@rule("R418", bad=_record("system"), fix="Write the prompt as a user turn.")
def prompt_without_user(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A prompt has no user turn."""
    if record.messages and "user" not in map(_lower, record.roles):
        roles = ", ".join(role or "none" for role in record.roles)
        yield Fault("there is no user turn", "messages", roles, "at least one user turn")


@rule(
    "R419",
    bad=_record("user", "system"),
    good=_record("system", "user"),
    fix="Move the system prompt to the beginning.",
)
def system_prompt_not_first(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A system prompt comes after another turn."""
    for index, role in enumerate(record.roles):
        if index and _lower(role) == "system" and _lower(record.roles[0]) != "system":
            field = f"messages[{index}].role"
            yield Fault("the system prompt is not the first turn", field, "system", "first turn")


@rule(
    "R420",
    bad=_record("user", answer=', "reference_answer": " "'),
    fix="Write the answer, or omit the field if your grader does not need it.",
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
    good=_record("user", more=f', "tools": [{_TOOL}]'),
    formats=("rft", "converse"),
    fix="Describe each tool once, or omit the field.",
)
def unusable_tools(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """A list of tools is empty, has a tool twice, or has one that is not described.

    Amazon Nova reads a name, a description and a schema of each tool's input. For models of other
    providers OpenAI's format applies, in which only the name is needed.
    """
    talk = scope.contract.conversation
    # A model that takes no calls of tools has a finding for the whole field.
    if record.lookalike is not None or (
        talk is not None and "toolUse" not in talk.assistant_blocks
    ):
        return
    field, tools = _tools_of(record)
    if not isinstance(tools, list):
        if tools is not None:
            yield Fault(f"the tools are of type {json_type(tools)}", field, limit="array")
        return
    if not tools:
        yield Fault("the list of tools is empty", field, "[]", "at least one tool")
    is_amazon = scope.model.provider == "Amazon"
    names: Counter[str] = Counter()
    for index, tool in enumerate(tools):
        spec, form = _spec_of(tool, record.format)
        for words in _faults_of(spec, record.format, is_amazon=is_amazon):
            yield Fault(words, f"{field}[{index}]", limit=form)
        names[str((spec or {}).get("name") or "")] += 1
    for name, count in names.items():
        if count > 1 and name:
            yield Fault(f'there are {count} tools "{name}"', field, name, "each tool once")


def _lower(role: str | None) -> str:
    return (role or "").lower()


def _tools_of(record: Record) -> tuple[str, Any]:
    """Where the tools of a record are, and what is there."""
    if record.format == "rft":
        return "tools", record.value.get("tools")
    config = record.value.get("toolConfig")
    return "toolConfig.tools", config.get("tools") if isinstance(config, dict) else None


def _spec_of(tool: Any, format: Format) -> tuple[dict[str, Any] | None, str]:
    """The description of a tool, None without one, and the form that a tool has."""
    if format == "rft":
        name, form = "function", '{"type": "function", "function": {"name": …}}'
    else:
        name, form = "toolSpec", '{"toolSpec": {"name": …}}'
    spec = tool.get(name) if isinstance(tool, dict) else None
    is_known = format != "rft" or (isinstance(tool, dict) and tool.get("type") == "function")
    return (spec if is_known and isinstance(spec, dict) else None), form


def _faults_of(spec: dict[str, Any] | None, format: Format, *, is_amazon: bool) -> Iterator[str]:
    """What is wrong with the description of a tool."""
    if spec is None:
        yield "a tool is not described in the form of the format"
        return
    for name in ("name", "description") if is_amazon else ("name",):
        value = spec.get(name)
        if not isinstance(value, str) or not value.strip():
            yield f"a tool has no {name}"
    if not is_amazon:
        return
    schema = spec.get("parameters" if format == "rft" else "inputSchema")
    if format == "converse" and isinstance(schema, dict):
        schema = schema.get("json")
    if not isinstance(schema, dict) or "type" not in schema:
        yield "a tool has no schema of its input, or one without a type"
    elif format == "rft" and not (
        schema["type"] == "object" and isinstance(schema.get("properties"), dict)
    ):
        yield "the schema of a tool's input is no object with properties"
