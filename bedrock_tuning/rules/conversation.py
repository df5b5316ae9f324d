"""R4: rules about conversations: Converse, Claude messages and reinforcement fine-tuning."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from bedrock_tuning.catalogue import Format
from bedrock_tuning.dataset.record import Record
from bedrock_tuning.dataset.record_formats import SCHEMA_VERSION, TALK_FORMATS
from bedrock_tuning.dataset.scope import DatasetScope
from bedrock_tuning.dataset.suggestions import role_hint
from bedrock_tuning.rules._example import GOOD_TALK, LLAMA_VISION, NOVA, talk, turn
from bedrock_tuning.rules.rule import Fault, Severity
from bedrock_tuning.rules.rule import rule as define

_DISTILLED = "llama-3-1-8b/DISTILLATION"
# User and assistant take turns; reinforcement fine-tuning has more roles.
_CHATS: Final[tuple[Format, ...]] = ("converse", "claude-messages")
_ROLES = {
    "converse": ("user", "assistant"),
    "claude-messages": ("user", "assistant"),
    "rft": ("system", "developer", "user", "assistant", "tool"),
}

rule = partial(define, good=GOOD_TALK, formats=("converse",), model=NOVA)


@rule("R401", bad=talk(), formats=TALK_FORMATS, fix="Write at least one turn.")
def empty_conversation(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A conversation has no turns."""
    if record.value.get("messages") == []:
        yield Fault("the conversation has no turns", "messages", "[]", "at least one turn")


@rule(
    "R402",
    bad=talk(turn("human", "what is AWS"), turn("assistant", "Amazon Web Services")),
    formats=TALK_FORMATS,
    fix="Use one of the roles of the format.",
)
def unknown_role(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A turn's role is not a role of the format.

    In Converse and Claude records the system prompt is not a turn; it has a field of its own.
    """
    roles = _ROLES.get(record.format, ())
    for index, role in enumerate(record.roles):
        if role is not None and role not in roles:
            hint = role_hint(role, record.format)
            yield Fault(
                f'unknown role "{role}"' + (f" – {hint}" if hint else ""),
                f"messages[{index}].role",
                role,
                ", ".join(roles),
            )


@rule("R403", bad=talk(turn("assistant", "hello")), formats=_CHATS, fix="Begin with a user turn.")
def first_turn_not_user(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A conversation does not begin with the user."""
    if record.roles and record.roles[0] == "assistant":
        yield Fault("the first turn is the assistant's", "messages[0].role", "assistant", "user")


@rule(
    "R404",
    bad=talk(turn("user", "what is AWS")),
    formats=_CHATS,
    fix="End with the answer that the model should learn.",
)
def last_turn_not_assistant(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """A conversation does not end with the assistant.

    The model learns the last answer. In distillation the teacher model writes it, so it may be
    missing.
    """
    if not scope.contract.teacher_answers and record.roles and record.roles[-1] == "user":
        last = len(record.roles) - 1
        yield Fault("the last turn is the user's", f"messages[{last}].role", "user", "assistant")


@rule(
    "R405",
    bad=talk(turn("user", "hi"), turn("user", "what is AWS"), turn("assistant", "a cloud")),
    formats=_CHATS,
    fix="Join the turns, or add the missing turn between them.",
)
def turns_not_alternating(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """Two turns in a row have the same role."""
    for index, (one, next_one) in enumerate(zip(record.roles, record.roles[1:], strict=False), 1):
        if one == next_one and one is not None:
            words = f"two {one} turns in a row"
            yield Fault(words, f"messages[{index}].role", one, "user and assistant by turns")


@rule(
    "R406",
    bad=talk(turn("user", " "), turn("assistant", "Amazon Web Services")),
    formats=TALK_FORMATS,
    fix="Write the text or remove the turn.",
)
def empty_message(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A turn or a system prompt is empty or consists of white space."""
    for path, text in record.spoken:
        if not text.strip():
            yield Fault(f"{path} is empty", path, text, "at least one character")
    for index, message in enumerate(record.messages):
        content = message.get("content")
        # Only the answer of a model may be something else, as calls of tools.
        is_silent = record.format == "rft" and content is None
        if content == [] or (is_silent and record.roles[index] in ("user", "system", "developer")):
            path = f"messages[{index}].content"
            value = "null" if content is None else "[]"
            yield Fault("the turn has no content", path, value, "at least one block")
    for path, kinds in _kinds_by_turn(record).items():
        if kinds == {"reasoningContent"}:
            limit = "reasoning and an answer"
            yield Fault("the turn has reasoning only", path, "reasoningContent", limit)


@rule(
    "R407",
    bad=talk(turn("user", "USER: what is AWS"), turn("assistant", "Amazon Web Services")),
    formats=TALK_FORMATS,
    fix="Remove the word from the text.",
)
def reserved_word(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """A text contains a word that the model reserves to mark turns or media.

    The model takes such a word for the marker itself, and the turn ends too early. Amazon Nova
    reserves its words in upper and lower case, also inside of longer words.
    """
    yield from _reserved_faults(record, scope, is_disputed=False)


@rule(
    "R422",
    bad='{"messages": [{"role": "user", "content": "User: what is AWS"}]}',
    good='{"messages": [{"role": "user", "content": "what is AWS"}]}',
    severity=Severity.WARNING,
    formats=("rft",),
    fix="To be safe, remove the word from the text.",
    model="nova-2-lite/REINFORCEMENT_FINE_TUNING",
)
def reserved_word_disputed(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """A text contains a word that one source reserves to mark turns, and another does not."""
    yield from _reserved_faults(record, scope, is_disputed=True)


def _reserved_faults(record: Record, scope: DatasetScope, *, is_disputed: bool) -> Iterator[Fault]:
    """Reserved words in the texts of a record: those about which sources differ, or the others."""
    limits = scope.contract.text
    if limits is None or not limits.reserved_words:
        return
    dispute = scope.contract.dispute("text.reserved_words")
    if (dispute is not None) != is_disputed:
        return
    by = f", which is refused by {dispute.ours}, not by {dispute.others}" if dispute else ""
    fold = str.lower if limits.reserved_in_any_case else str
    words = {word: fold(word) for word in limits.reserved_words}
    for path, text in record.spoken:
        folded = fold(text)
        for word, folded_word in words.items():
            if folded_word in folded:
                at = folded.index(folded_word)
                seen = text[at : at + len(word)]
                message = f"{path} contains {seen!r}{by}"
                yield Fault(message, path, seen, "none of the reserved words")


@rule(
    "R408",
    bad=talk(turn("user", "hi"), turn("assistant", "hello"), version="2024-01-01"),
    fix=f'Write "schemaVersion": "{SCHEMA_VERSION}".',
    model=LLAMA_VISION,
)
def unknown_schema_version(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """A Converse record names a schema version that the model does not take."""
    version, talk = _version(record), scope.contract.conversation
    if version is not None and talk is not None and version != (talk.schema_version or version):
        limit = f'"{talk.schema_version}"'
        yield Fault(f'unknown schema "{version}"', "schemaVersion", version, limit)


@rule(
    "R410",
    bad=talk(turn("user", "hi"), turn("assistant", "hello"), version=""),
    severity=Severity.WARNING,
    fix=f'To be safe, write "schemaVersion": "{SCHEMA_VERSION}".',
)
def schema_version_missing(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """A Converse record does not name its schema version.

    Every sample that AWS publishes has the field. AWS does not document whether a job is rejected
    without it.
    """
    talk = scope.contract.conversation
    if talk is not None and not talk.schema_version_required and _has_no_version(record):
        yield Fault("the record names no schema", "schemaVersion", "missing", f'"{SCHEMA_VERSION}"')


@rule(
    "R417",
    bad=talk(turn("user", "hi"), version=""),
    good=talk(turn("user", "hi")),
    source=("UG-dist", "SMP-DIST"),
    fix=f'Write "schemaVersion": "{SCHEMA_VERSION}".',
    model=_DISTILLED,
)
def schema_version_required(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """A Converse record does not name its schema version, and this type of job needs it."""
    talk = scope.contract.conversation
    if talk is not None and talk.schema_version_required and _has_no_version(record):
        limit = f'"{talk.schema_version}"'
        yield Fault("the record names no schema", "schemaVersion", "missing", limit)


def _version(record: Record) -> str | None:
    return None if record.lookalike is not None else record.text("schemaVersion")


def _has_no_version(record: Record) -> bool:
    return (
        record.lookalike is None and bool(record.messages) and "schemaVersion" not in record.value
    )


@rule(
    "R416",
    bad=talk(turn("user", "hi"), turn("assistant", "hello"), version="our-schema-2026"),
    severity=Severity.WARNING,
    once=True,
    fix=f'To be safe, write "schemaVersion": "{SCHEMA_VERSION}".',
)
def schema_version_disputed(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """A Converse record names a schema version that one source allows and another does not.

    Reported once per manifest.
    """
    version = _version(record)
    dispute = scope.contract.dispute("conversation.schema_version")
    if version is None or dispute is None or version == dispute.value:
        return
    words = f'"{version}" is accepted by {dispute.ours}, not by {dispute.others}'
    yield Fault(words, "schemaVersion", version, f'"{dispute.value}"')


@rule(
    "R415",
    bad=talk(turn("user", "hi"), turn("assistant", "hello"), turn("user", "what is AWS")),
    good=talk(turn("user", "what is AWS")),
    source=("UG-dist", "SMP-DIST", "SMP-LLAMA"),
    fix="Join the texts, or split the record.",
    model=_DISTILLED,
)
def too_many_parts(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """A conversation has more system prompts, user turns or blocks in a turn than are accepted."""
    limits = scope.contract.conversation
    if limits is None:
        return
    system = record.value.get("system")
    contents = [(f"messages[{n}].content", m.get("content")) for n, m in enumerate(record.messages)]
    blocks = ((path, len(content)) for path, content in contents if isinstance(content, list))
    prompts = len(system) if isinstance(system, list) else 0
    for field, noun, count, most in (
        ("system", "system prompts", prompts, limits.system_prompts_max),
        ("messages", "user turns", record.roles.count("user"), limits.user_turns_max),
        *((path, "blocks", count, limits.blocks_per_turn_max) for path, count in blocks),
    ):
        if most is not None and count > most:
            yield Fault(f"there are {count} {noun}", field, f"{count} {noun}", f"at most {most}")


def _kinds_by_turn(record: Record) -> dict[str, set[str]]:
    """The kinds of blocks of each turn, by its path."""
    kinds: dict[str, set[str]] = {}
    for block in record.blocks:
        kinds.setdefault(block.path.rpartition("[")[0], set()).update(block.kinds)
    return kinds
