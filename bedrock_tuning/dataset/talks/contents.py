"""What a turn's content holds, in any spelling: text, images, reasoning."""

import json
from collections.abc import Mapping
from typing import Any

# A record as another tool writes it.
ForeignRecord = Mapping[str, Any]


def text_of(value: Any) -> str:
    """The text of a content, whatever else is in it."""
    return blocks_of(value)[0]


def as_written(value: Any) -> Any:
    """A content as it is, but an object or a list without a text as JSON."""
    is_data = isinstance(value, dict | list) and bool(value) and blocks_of(value)[:2] == ("", ())
    return json.dumps(value, ensure_ascii=False) if is_data else value


def blocks_of(content: Any) -> tuple[str, tuple[str, ...], str, list[str]]:
    """Text, images, reasoning, and what else there is, of a content in any spelling."""
    if isinstance(content, str):
        return content.replace("<image>", "").strip(), (), "", []
    if isinstance(content, bool):
        return str(content).lower(), (), "", []
    if isinstance(content, int | float):
        return str(content), (), "", []
    texts, images, reasoning, lost = [], [], [], []
    for block in content if isinstance(content, list) else [content] if content else ():
        if isinstance(block, str):
            texts.append(block)
        elif not isinstance(block, dict):
            continue
        elif isinstance(text := block.get("text", block.get("value")), str):
            texts.append(text)
        elif (image := _image(block)) is not None:
            images.append(image)
        elif isinstance(thought := block.get("reasoningContent"), dict):
            inner = thought.get("reasoningText")
            reasoning.append(str(inner.get("text", "")) if isinstance(inner, dict) else "")
        else:
            lost.append(f"blocks of the kind {block.get('type') or next(iter(block), 'empty')}")
    return "\n\n".join(texts).strip(), tuple(images), "\n\n".join(reasoning), lost


def _image(block: ForeignRecord) -> str | None:
    """Where the image of a block is: an address, a path, an S3 URI or a data URL."""
    for name in ("image_url", "image", "fileData", "file_data", "inlineData", "inline_data"):
        value = block.get(name)
        if isinstance(value, str):
            return value
        if isinstance(value, dict):
            return place_of(value)
    source = block.get("source")
    return place_of(source) if block.get("type") == "image" and isinstance(source, dict) else None


def place_of(value: ForeignRecord) -> str:
    """Where an image is, as an object says it; "" if it does not."""
    source = value.get("source")
    if isinstance(source, dict):
        return place_of(source.get("s3Location", source))
    kind = value.get("mimeType") or value.get("mime_type") or value.get("media_type") or "image"
    data = value.get("data", value.get("bytes"))
    if isinstance(data, str):
        return f"data:{kind};base64,{data}"
    for name in ("url", "uri", "path", "fileUri", "file_uri"):
        if isinstance(value.get(name), str):
            return str(value[name])
    return ""
