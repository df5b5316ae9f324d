"""R4: rules about conversations: Converse, Claude messages and reinforcement fine-tuning."""

from collections.abc import Iterator
from difflib import get_close_matches

from bedrock_tuning.dataset.record import Record
from bedrock_tuning.dataset.record_formats import SCHEMA_VERSION
from bedrock_tuning.dataset.scope import DatasetScope
from bedrock_tuning.dataset.suggestions import role_hint
from bedrock_tuning.rules.rule import Fault, Severity, rule

_NOVA = "nova-lite"
# Longer names are no slip, and comparing them takes time.
_NAME_MAX = 40
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


@rule("R401", bad=_talk(), good=_GOOD, fix="Write at least one turn.", model=_NOVA)
def empty_conversation(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A conversation has no turns."""
    if record.value.get("messages") == []:
        yield Fault("the conversation has no turns", "messages")


@rule(
    "R402",
    bad=_talk(_turn("human", "what is AWS"), _turn("assistant", "Amazon Web Services")),
    good=_GOOD,
    fix="Use one of the roles that the format knows.",
    model=_NOVA,
)
def unknown_role(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A turn's role is not one that the format knows.

    The system prompt of Converse and of Claude has a field of its own; it is no turn.
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
    fix="Begin with a turn of the user.",
    model=_NOVA,
)
def first_turn_not_user(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A conversation does not begin with the user."""
    if record.format != "rft" and record.roles and record.roles[0] == "assistant":
        yield Fault("the first turn is the assistant's", "messages[0].role", "assistant", "user")


@rule(
    "R404",
    bad=_talk(_turn("user", "what is AWS")),
    good=_GOOD,
    fix="End with the answer that the model shall learn.",
    model=_NOVA,
)
def last_turn_not_assistant(record: Record, subject: DatasetScope) -> Iterator[Fault]:
    """A conversation does not end with the assistant.

    The last answer is what the model learns. In distillation the teacher writes it, so there it may
    be missing.
    """
    if record.format == "rft" or subject.is_distillation:
        return
    if record.roles and record.roles[-1] == "user":
        last = len(record.roles) - 1
        yield Fault("the last turn is the user's", f"messages[{last}].role", "user", "assistant")


@rule(
    "R405",
    bad=_talk(_turn("user", "hi"), _turn("user", "what is AWS"), _turn("assistant", "a cloud")),
    good=_GOOD,
    fix="Join the turns, or add the missing one between them.",
    model=_NOVA,
)
def turns_not_alternating(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """Two turns in a row have the same role."""
    if record.format == "rft":
        return
    for index, (one, next_one) in enumerate(zip(record.roles, record.roles[1:], strict=False), 1):
        if one == next_one and one is not None:
            yield Fault(f"two turns of the {one} in a row", f"messages[{index}].role", one)


@rule(
    "R406",
    bad=_talk(_turn("user", " "), _turn("assistant", "Amazon Web Services")),
    good=_GOOD,
    fix="Write the text, or remove the turn.",
    model=_NOVA,
)
def empty_message(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A turn or a system prompt is empty or white space only."""
    for path, text in record.spoken:
        if not text.strip():
            yield Fault(f"{path} is empty", path, text)
    for index, message in enumerate(record.messages):
        if message.get("content") == []:
            yield Fault("the turn has no content", f"messages[{index}].content")


@rule(
    "R407",
    bad=_talk(_turn("user", "User: what is AWS"), _turn("assistant", "Amazon Web Services")),
    good=_GOOD,
    fix="Write the text without it.",
    model=_NOVA,
)
def reserved_word(record: Record, subject: DatasetScope) -> Iterator[Fault]:
    """A text contains a word that the model uses to mark turns or media.

    Such a word in the data is taken for the mark itself: the turn ends where it should not.
    """
    limits = subject.contract.text
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
    fix=f'Write "schemaVersion": "{SCHEMA_VERSION}".',
    model=_NOVA,
)
def unknown_schema_version(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A Converse record names a schema that does not exist."""
    version = record.text("schemaVersion")
    if record.format == "converse" and version is not None and version != SCHEMA_VERSION:
        yield Fault(f'unknown schema "{version}"', "schemaVersion", version, f'"{SCHEMA_VERSION}"')


@rule(
    "R409",
    bad='{"messages": [{"role": "user", "content": "what is 6 × 7"}], "reference_anwser": "42"}',
    good='{"messages": [{"role": "user", "content": "what is 6 × 7"}], "reference_answer": "42"}',
    severity=Severity.WARNING,
    fix='Rename the field to "reference_answer", if it is meant to be that.',
    model="nova-2-lite/REINFORCEMENT_FINE_TUNING",
)
def misspelt_reference_answer(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A field is named nearly like the reference answer, and there is no reference answer.

    Other fields are allowed in this format, they are given to your grader; so a slip is no error.
    """
    if record.format == "rft" and "reference_answer" not in record.value:
        short = [name for name in record.value if len(name) <= _NAME_MAX]
        close = get_close_matches("reference_answer", short, n=1, cutoff=0.75)
        if close:
            yield Fault(f'the field is "{close[0]}"', close[0], close[0], "reference_answer")


@rule(
    "R410",
    bad='{"messages": ' + _GOOD.partition('"messages": ')[2],
    good=_GOOD,
    severity=Severity.WARNING,
    fix=f'Write "schemaVersion": "{SCHEMA_VERSION}" to be safe.',
    model=_NOVA,
)
def schema_version_missing(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A Converse record does not name its schema.

    Every sample that Amazon published names it; whether a job is refused without is not published.
    """
    if record.format != "converse" or record.lookalike or not record.messages:
        return
    if "schemaVersion" not in record.value:
        yield Fault("the record names no schema", "schemaVersion", "", f'"{SCHEMA_VERSION}"')
