"""R4: rules about conversations: Converse, Claude messages and reinforcement fine-tuning."""

from collections.abc import Iterator
from typing import Final

from bedrock_tuning.catalogue import Format
from bedrock_tuning.dataset.record import Record
from bedrock_tuning.dataset.record_formats import SCHEMA_VERSION, TALKS
from bedrock_tuning.dataset.scope import DatasetScope
from bedrock_tuning.dataset.suggestions import role_hint
from bedrock_tuning.rules.rule import Fault, Severity, rule
from bedrock_tuning.wording import closest

_NOVA = "nova-lite"
# User and assistant take turns; reinforcement fine-tuning has more roles.
_CHATS: Final[tuple[Format, ...]] = ("converse", "claude-messages")
_ROLES = {
    "converse": ("user", "assistant"),
    "claude-messages": ("user", "assistant"),
    "rft": ("system", "developer", "user", "assistant", "tool"),
}


def _turn(role: str, text: str) -> str:
    return f'{{"role": "{role}", "content": [{{"text": "{text}"}}]}}'


def _talk(*turns: str, version: str = SCHEMA_VERSION) -> str:
    return f'{{"schemaVersion": "{version}", "messages": [{", ".join(turns)}]}}'


_GOOD = _talk(_turn("user", "what is AWS"), _turn("assistant", "Amazon Web Services"))


@rule("R401", bad=_talk(), good=_GOOD, formats=TALKS, fix="Write at least one turn.", model=_NOVA)
def empty_conversation(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A conversation has no turns."""
    if record.value.get("messages") == []:
        yield Fault("the conversation has no turns", "messages", "[]", "at least one turn")


@rule(
    "R402",
    bad=_talk(_turn("human", "what is AWS"), _turn("assistant", "Amazon Web Services")),
    good=_GOOD,
    formats=TALKS,
    fix="Use one of the roles of the format.",
    model=_NOVA,
)
def unknown_role(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A turn's role is not a role of the format.

    In Converse and Claude records the system prompt is not a turn; it has a field of its own.
    """
    known = _ROLES.get(record.format, ())
    for index, role in enumerate(record.roles):
        if role is not None and role not in known:
            hint = role_hint(role, record.format)
            yield Fault(
                f'unknown role "{role}"' + (f" – {hint}" if hint else ""),
                f"messages[{index}].role",
                role,
                ", ".join(known),
            )


@rule(
    "R403",
    bad=_talk(_turn("assistant", "hello")),
    good=_GOOD,
    formats=_CHATS,
    fix="Begin with a user turn.",
    model=_NOVA,
)
def first_turn_not_user(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A conversation does not begin with the user."""
    if record.roles and record.roles[0] == "assistant":
        yield Fault("the first turn is the assistant's", "messages[0].role", "assistant", "user")


@rule(
    "R404",
    bad=_talk(_turn("user", "what is AWS")),
    good=_GOOD,
    formats=_CHATS,
    fix="End with the answer that the model should learn.",
    model=_NOVA,
)
def last_turn_not_assistant(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """A conversation does not end with the assistant.

    The model learns the last answer. In distillation the teacher model writes it, so it may be
    missing.
    """
    if not scope.is_distillation and record.roles and record.roles[-1] == "user":
        last = len(record.roles) - 1
        yield Fault("the last turn is the user's", f"messages[{last}].role", "user", "assistant")


@rule(
    "R405",
    bad=_talk(_turn("user", "hi"), _turn("user", "what is AWS"), _turn("assistant", "a cloud")),
    good=_GOOD,
    formats=_CHATS,
    fix="Join the turns, or add the missing turn between them.",
    model=_NOVA,
)
def turns_not_alternating(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """Two turns in a row have the same role."""
    for index, (one, next_one) in enumerate(zip(record.roles, record.roles[1:], strict=False), 1):
        if one == next_one and one is not None:
            words = f"two {one} turns in a row"
            yield Fault(words, f"messages[{index}].role", one, "user and assistant by turns")


@rule(
    "R406",
    bad=_talk(_turn("user", " "), _turn("assistant", "Amazon Web Services")),
    good=_GOOD,
    formats=TALKS,
    fix="Write the text or remove the turn.",
    model=_NOVA,
)
def empty_message(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A turn or a system prompt is empty or consists of white space."""
    for path, text in record.spoken:
        if not text.strip():
            yield Fault(f"{path} is empty", path, text, "at least one character")
    for index, message in enumerate(record.messages):
        if message.get("content") == []:
            path = f"messages[{index}].content"
            yield Fault("the turn has no content", path, "[]", "at least one block")


@rule(
    "R407",
    bad=_talk(_turn("user", "User: what is AWS"), _turn("assistant", "Amazon Web Services")),
    good=_GOOD,
    formats=TALKS,
    fix="Remove the word from the text.",
    model=_NOVA,
)
def reserved_word(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """A text contains a word that the model reserves to mark turns or media.

    The model takes such a word for the marker itself, and the turn ends too early.
    """
    limits = scope.contract.text
    if limits is None or not limits.reserved_words:
        return
    for path, text in record.spoken:
        for word in limits.reserved_words:
            if word in text:
                yield Fault(f"{path} contains {word!r}", path, word, "none of the reserved words")


@rule(
    "R408",
    bad=_talk(_turn("user", "hi"), _turn("assistant", "hello"), version="2024-01-01"),
    good=_GOOD,
    formats=("converse",),
    fix=f'Write "schemaVersion": "{SCHEMA_VERSION}".',
    model=_NOVA,
)
def unknown_schema_version(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A Converse record names an unknown schema version."""
    version = record.text("schemaVersion")
    if version is not None and version != SCHEMA_VERSION:
        yield Fault(f'unknown schema "{version}"', "schemaVersion", version, f'"{SCHEMA_VERSION}"')


@rule(
    "R409",
    bad='{"messages": [{"role": "user", "content": "what is 6 × 7"}], "reference_anwser": "42"}',
    good='{"messages": [{"role": "user", "content": "what is 6 × 7"}], "reference_answer": "42"}',
    severity=Severity.WARNING,
    formats=("rft",),
    fix='If the field is meant to be "reference_answer", rename it.',
    model="nova-2-lite/REINFORCEMENT_FINE_TUNING",
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
    "R410",
    bad='{"messages": ' + _GOOD.partition('"messages": ')[2],
    good=_GOOD,
    severity=Severity.WARNING,
    formats=("converse",),
    fix=f'To be safe, write "schemaVersion": "{SCHEMA_VERSION}".',
    model=_NOVA,
)
def schema_version_missing(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A Converse record does not name its schema version.

    Every sample that AWS publishes has the field. AWS does not document whether a job is rejected
    without it.
    """
    if not record.lookalike and record.messages and "schemaVersion" not in record.value:
        yield Fault("the record names no schema", "schemaVersion", "missing", f'"{SCHEMA_VERSION}"')
