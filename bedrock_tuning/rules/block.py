"""R4: rules about content blocks of conversations: which ones a model takes in which turn."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from bedrock_tuning.catalogue import ConversationLimits, Format, catalogue
from bedrock_tuning.dataset.record import BlockAt, Record
from bedrock_tuning.dataset.scope import DatasetScope
from bedrock_tuning.rules._example import GOOD_TALK, IMAGE, NOVA, asked, talk, turn
from bedrock_tuning.rules.rule import Fault, Severity
from bedrock_tuning.rules.rule import rule as define

_FORMATS: Final[tuple[Format, ...]] = ("converse",)
_NOVA_2 = "nova-2-lite"
_THOUGHT = '{"reasoningContent": {"reasoningText": {"text": "It has whiskers."}}}'
_CALL = '{"toolUse": {"toolUseId": "t", "name": "hours", "input": {}}}'
_RESULT = '{"toolResult": {"toolUseId": "t", "content": [{"text": "9"}]}}'


def _tools(name: str) -> str:
    spec = f'{{"name": "{name}", "inputSchema": {{"json": {{"type": "object"}}}}}}'
    return f'"toolConfig": {{"tools": [{{"toolSpec": {spec}}}]}}, '


def _call_of(tool: str) -> str:
    return talk(
        turn("user", "when"),
        turn("assistant", _CALL),
        turn("user", _RESULT),
        turn("assistant", "at nine"),
        more=_tools(tool),
    )


def _block_kinds(limits: ConversationLimits, role: str | None) -> tuple[str, ...]:
    """Kinds of blocks in turns of a role; of any role for "" or an unknown one."""
    kinds = {"user": limits.user_blocks, "assistant": limits.assistant_blocks}
    return kinds.get(role or "", (*limits.user_blocks, *limits.assistant_blocks))


def _kinds(record: Record) -> Iterator[tuple[BlockAt, str]]:
    for block in record.blocks:
        for kind in block.kinds:
            yield block, kind


def _takers(kind: str) -> str:
    """Open models that take a block, for a limit."""
    names = [
        model.name
        for model in catalogue().values()
        for contract in model.datasets.values()
        if model.lifecycle.open_for_new_jobs
        and contract.conversation is not None
        and kind in _block_kinds(contract.conversation, "")
    ]
    return f"accepted by {', '.join(dict.fromkeys(names)) or 'no open model'}"


rule = partial(define, good=GOOD_TALK, formats=_FORMATS, model=NOVA)


@rule(
    "R411",
    bad=talk(turn("user", "is it a cat"), turn("assistant", _THOUGHT, "yes")),
    fix="Remove the block, or choose a model that accepts it.",
)
def block_not_supported(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """A conversation has a kind of content that the model does not take in any turn.

    Reasoning, tool calls and documents belong to the Converse API, but few models are tuned on
    them. Images and videos have a rule of their own, media-not-supported.
    """
    limits = scope.contract.conversation
    if limits is None:
        return
    kinds = {*_block_kinds(limits, ""), "image", "video"}
    for block, kind in _kinds(record):
        if kind not in kinds:
            words = f"{scope.model.name} does not accept {kind}"
            yield Fault(words, f"{block.path}.{kind}", kind, _takers(kind))
    if record.value.get("toolConfig") is not None and "toolUse" not in kinds:
        words = f"{scope.model.name} does not accept toolConfig"
        yield Fault(words, "toolConfig", "toolConfig", _takers("toolUse"))


@rule(
    "R412",
    bad=talk(turn("user", "draw a cat"), turn("assistant", "here", IMAGE)),
    good=asked(IMAGE),
    fix="Move the block to a turn of the other role, or remove it.",
)
def block_in_wrong_turn(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """A turn has a kind of content that belongs to the other role.

    Images, videos, documents and results of tools are the user's; reasoning and calls of tools are
    the assistant's. The models answer in text only.
    """
    limits = scope.contract.conversation
    if limits is None:
        return
    kinds = _block_kinds(limits, "")
    for block, kind in _kinds(record):
        accepted = _block_kinds(limits, block.role)
        if kind in kinds and kind not in accepted:
            words = f"the {block.role}'s turn has {kind}, which belongs to the other role"
            yield Fault(words, f"{block.path}.{kind}", kind, f"{block.role}: {', '.join(accepted)}")


@rule(
    "R413",
    bad=_call_of("hours"),
    severity=Severity.WARNING,
    fix="To be safe, start with a small job, or leave such records out.",
    model=_NOVA_2,
)
def block_disputed(record: Record, scope: DatasetScope) -> Iterator[Fault]:
    """A conversation has a kind of content that one source allows and another does not."""
    contract = scope.contract
    if not contract.disputes:
        return
    for block, kind in _kinds(record):
        path = f"conversation.{block.role}_blocks"
        dispute = contract.dispute(path, kind)
        if dispute is not None:
            words = f"{kind} is accepted by {dispute.ours}, not by {dispute.others}"
            yield Fault(words, f"{block.path}.{kind}", kind, "sources differ")


@rule(
    "R414",
    bad=_call_of("other"),
    good=_call_of("hours"),
    source=("SMP-NOVA",),
    fix="Describe the tool in toolConfig, and give each call an id of its own.",
    model=_NOVA_2,
)
def tool_call_unresolved(record: Record, _: DatasetScope) -> Iterator[Fault]:
    """A call names a tool that toolConfig does not describe, or a result answers no open call."""
    config = record.value.get("toolConfig")
    if config is None:
        return
    tools = _names(config)
    calls: dict[str, bool] = {}
    for block, kind in _kinds(record):
        value, path = block.value[kind], f"{block.path}.{kind}"
        if kind not in ("toolUse", "toolResult") or not isinstance(value, dict):
            continue
        call, name = str(value.get("toolUseId")), str(value.get("name"))
        if kind == "toolUse":
            if name not in tools:
                limit = ", ".join(sorted(tools)) or "no tool is described"
                yield Fault(f'no tool "{name}" is described', f"{path}.name", name, limit)
            if call in calls:
                words = f'the id "{call}" is used twice'
                yield Fault(words, f"{path}.toolUseId", call, "each id once")
            calls[call] = False
        elif calls.get(call, True):
            words = f'no open call has the id "{call}"'
            yield Fault(words, f"{path}.toolUseId", call, "the id of an earlier toolUse")
        else:
            calls[call] = True


def _names(config: Any) -> set[str]:
    tools = config.get("tools") if isinstance(config, dict) else None
    specs = [tool.get("toolSpec") for tool in tools or () if isinstance(tool, dict)]
    return {str(spec.get("name")) for spec in specs if isinstance(spec, dict)}
