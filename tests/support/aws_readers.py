"""What AWS's published validators and guides say of a record, written anew and knowing no rule.

Each reader returns what is wrong, in a few words; an empty list is a yes. They are written from the
pages and scripts that they name, not from our catalogue, so that both can be compared.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

Record = Mapping[str, Any]
Reader = Callable[[Record], list[str]]

_RESERVED = ("system:", "user:", "bot:", "assistant:", "<image>", "<video>", "<unk>")
_PATH = re.compile(r"[\w\-/.]+")


def _reserved(text: str) -> bool:
    return any(word in text.lower() for word in _RESERVED)


def _medium(block: Mapping[str, Any], formats: tuple[str, ...]) -> list[str]:
    place = block.get("source", {}).get("s3Location", {})
    uri = place.get("uri")
    if not isinstance(uri, str) or not uri.startswith("s3://"):
        return ["no S3 URI"]
    wrong = [] if _PATH.fullmatch(uri.removeprefix("s3://")) else ["characters in the URI"]
    if str(block.get("format")).lower() not in formats:
        wrong.append("format")
    return wrong


def nova_validator(model: str) -> Reader:
    """nova_ft_dataset_validator.py of amazon-nova-samples; model: micro, lite, pro or lite-2.0."""
    second = model == "lite-2.0"
    pictures = ("jpeg", "png", "gif") if second else ("jpeg", "png", "gif", "webp")
    videos = ("mov", "mkv", "mp4") if second else ("mov", "mkv", "mp4", "webm")

    def block(item: Mapping[str, Any], role: str) -> list[str]:
        wrong: list[str] = []
        if not any(item.get(kind) is not None for kind in ("text", *_USER, *_ASSISTANT)):
            wrong.append("no known block")
        if role == "assistant" and any(item.get(kind) for kind in _USER):
            wrong.append("media in the answer")
        if role == "user" and any(item.get(kind) for kind in _ASSISTANT):
            wrong.append("reasoning or tools of the user")
        if item.get("reasoningContent") and not second:
            wrong.append("reasoning")
        thought = item.get("reasoningContent", {}).get("reasoningText", {}).get("text", "")
        if any(_reserved(text) for text in (item.get("text") or "", thought)):
            wrong.append("reserved word")
        if item.get("image"):
            wrong += _medium(item["image"], pictures)
        if item.get("video"):
            wrong += _medium(item["video"], videos)
        if item.get("document"):
            wrong += _medium(item["document"], ("pdf",))
        if model == "micro" and any(item.get(k) for k in ("image", "video", "document")):
            wrong.append("media")
        return wrong

    def read(record: Record) -> list[str]:
        turns = record.get("messages")
        if not isinstance(turns, list) or len(turns) < 2:
            return ["two turns at least"]
        wrong = ["order"] * any(
            turn.get("role") != ("user", "assistant")[n % 2] for n, turn in enumerate(turns)
        )
        if len(turns) % 2:
            wrong.append("the assistant has the last word")
        documents = 0
        for turn in turns:
            content = turn.get("content")
            if not isinstance(content, list):
                return [*wrong, "content"]
            kinds = [kind for item in content for kind in item if item[kind] is not None]
            documents += kinds.count("document")
            if not set(kinds) & {"text", *_USER, "toolUse"}:
                wrong.append("nothing but reasoning")
            texts = "".join(item.get("text") or "" for item in content)
            if set(kinds) == {"text"} and not texts:
                wrong.append("empty")
            if kinds.count("image") > 10 or kinds.count("video") > 1:
                wrong.append("too many")
            if "video" in kinds and {"image", "document"} & set(kinds):
                wrong.append("mixed")
            for item in content:
                wrong += block(item, turn.get("role"))
        if documents > 1:
            wrong.append("one document")
        prompts = record.get("system") or []
        wrong += ["reserved word"] * any(_reserved(each.get("text", "")) for each in prompts)
        return wrong + _tools(record)

    return read


_USER = ("image", "video", "document", "toolResult")
_ASSISTANT = ("reasoningContent", "toolUse")


def _tools(record: Record) -> list[str]:
    config = record.get("toolConfig")
    if config is None:
        return []
    specs = [tool["toolSpec"] for tool in config["tools"]]
    names = [spec["name"] for spec in specs]
    wrong = ["tools"] if not names or len(names) != len(set(names)) else []
    wrong += ["description"] * any(not (spec.get("description") or "").strip() for spec in specs)
    wrong += ["schema"] * any("type" not in spec["inputSchema"]["json"] for spec in specs)
    open_calls: set[str] = set()
    for turn in record["messages"]:
        for item in turn["content"]:
            if "toolUse" in item:
                wrong += ["input"] * (not isinstance(item["toolUse"]["input"], dict))
                wrong += ["unknown tool"] * (item["toolUse"]["name"] not in names)
                open_calls.add(item["toolUse"]["toolUseId"])
            if "toolResult" in item:
                call = item["toolResult"]["toolUseId"]
                wrong += ["no such call"] * (call not in open_calls)
                open_calls.discard(call)
    return wrong


def _kinds(record: Record) -> set[str]:
    """The kinds of blocks that a record has; null is no block."""
    blocks = [item for turn in record["messages"] for item in turn["content"]]
    return {kind for item in blocks for kind, value in item.items() if value is not None}


def _or(value: Any, default: Any) -> Any:
    """A field's value, null being none."""
    return default if value is None else value


def nova_guide(record: Record) -> list[str]:
    """Amazon Nova User Guide, preparing data: what it says beyond the validator."""
    wrong = nova_validator("lite")(record)
    kinds = _kinds(record)
    if {"image", "video"} <= kinds:
        wrong.append("images or one video")
    return wrong


def nova_2_bedrock_guide(record: Record) -> list[str]:
    """Bedrock User Guide, nova-2-sft-data-prep: no tools, and fewer formats."""
    wrong = nova_validator("lite-2.0")(record)
    kinds = _kinds(record)
    return wrong + ["tools"] * bool({"toolUse", "toolResult"} & kinds or record.get("toolConfig"))


def nova_sdk(record: Record) -> list[str]:
    """nova-forge-sdk: the validator's rules, and in its schema one version and one prompt."""
    wrong = nova_validator("lite")(record)
    wrong += ["schema"] * (record.get("schemaVersion") != "bedrock-conversation-2024")
    wrong += ["system"] * (len(_or(record.get("system"), [0])) != 1)
    return wrong + ["fields"] * bool(set(record) - {"schemaVersion", "system", "messages"})


def llama_validator(record: Record) -> list[str]:
    """dataset_validation.py of amazon-bedrock-samples for Llama in the Converse format."""
    wrong = ["system"] * (len(_or(record.get("system"), [])) > 1)
    for turn in record.get("messages", ()):
        role = turn.get("role")
        wrong += ["role"] * (role not in ("user", "assistant", "system"))
        for item in turn.get("content", ()):
            wrong += ["image in the answer"] * bool(item.get("image") and role == "assistant")
            wrong += ["no text"] * ("image" not in item and "text" not in item)
    return wrong if "messages" in record else ["messages"]


def distillation_validator(record: Record) -> list[str]:
    """dataset_validator.py of amazon-bedrock-samples, its JSON Schema."""
    wrong = ["schema"] * (record.get("schemaVersion") != "bedrock-conversation-2024")
    wrong += ["fields"] * bool(set(record) - {"schemaVersion", "system", "messages"})
    wrong += ["system"] * (len(_or(record.get("system"), [0])) != 1)
    turns = record.get("messages", ())
    wrong += ["turns"] * (not 1 <= len(turns) <= 2)
    for n, turn in enumerate(turns):
        wrong += ["order"] * (turn.get("role") != ("user", "assistant")[n % 2])
        content = turn.get("content", ())
        wrong += ["blocks"] * (len(content) != 1)
        wrong += ["block"] * any("text" not in i or set(i) - {"text", "type"} for i in content)
    return wrong


def rft_sample(record: Record) -> list[str]:
    """nova_ft_dataset_validator.py of amazon-nova-samples, for reinforcement fine-tuning."""
    wrong = rft_validator(record)
    wrong += ["tools"] * (not record.get("tools"))
    for turn in record.get("messages") or ():
        content = turn.get("content")
        text = content if isinstance(content, str) else ""
        wrong += ["reserved"] * _reserved(text)
    return wrong


def rft_validator(record: Record) -> list[str]:
    """rft_dataset_validator.py of nova-forge-sdk."""
    turns = record.get("messages")
    if not turns:
        return ["messages"]
    roles = [(turn.get("role") or "").lower() for turn in turns]
    wrong = ["role"] * bool(set(roles) - {"", "system", "user", "assistant"})
    wrong += ["system first"] * ("system" in roles and roles[0] != "system")
    wrong += ["user"] * ("user" not in roles)
    for turn in turns:
        content = turn.get("content")
        wrong += ["content"] * (content is not None and not isinstance(content, str))
        wrong += ["empty"] * (isinstance(content, str) and not content.strip())
    answer = record.get("reference_answer")
    if answer is not None:
        wrong += ["answer"] * (not isinstance(answer, str | dict) or not answer)
        wrong += ["answer"] * (isinstance(answer, str) and not answer.strip())
    tools = record.get("tools")
    if tools is not None:
        for tool in tools:
            about = tool.get("function", {})
            schema = about.get("parameters") or {}
            wrong += ["tool"] * (tool.get("type") != "function")
            wrong += ["tool"] * (not about.get("name") or not about.get("description"))
            wrong += ["tool"] * (schema.get("type") != "object" or "properties" not in schema)
        names = [tool.get("function", {}).get("name") for tool in tools]
        wrong += ["tools"] * (not names or len(names) != len(set(names)))
    return wrong
