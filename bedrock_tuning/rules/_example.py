"""What the examples of rules in several modules have in common.

A module of its own: the others of this folder have rules only.
"""

from bedrock_tuning.dataset.record_formats import SCHEMA_VERSION

NOVA = "nova-lite"
LLAMA_VISION = "llama-3-2-11b"
GOOD_ROW = '{"image-ref": "s3://bucket/folder/1.png", "caption": "a dog"}'
GOOD_IMAGE = '{"format": "png", "width": 512, "height": 512}'
GOOD_DATASET = '{"training": {"records": 1000}, "validation": {"records": 8}}'


def turn(role: str, *blocks: str) -> str:
    """A turn; a block is JSON, or the text of a text block."""
    content = ", ".join(b if b.startswith("{") else f'{{"text": "{b}"}}' for b in blocks)
    return f'{{"role": "{role}", "content": [{content}]}}'


def talk(*turns: str, version: str = SCHEMA_VERSION, more: str = "") -> str:
    """A conversation; version "" names none. more: further fields with a comma behind."""
    schema = f'"schemaVersion": "{version}", ' if version else ""
    return f'{{{schema}{more}"messages": [{", ".join(turns)}]}}'


def asked(*blocks: str, answer: str = "a dog") -> str:
    """A conversation of one question with these blocks and its answer."""
    return talk(turn("user", "what is this", *blocks), turn("assistant", answer))


def attached(kind: str, format: str, key: str, *, owner: str = "") -> str:
    """An image, a video or a document in a bucket."""
    place = f'"uri": "s3://bucket/{key}"' + (f', "bucketOwner": "{owner}"' if owner else "")
    return f'{{"{kind}": {{"format": "{format}", "source": {{"s3Location": {{{place}}}}}}}}}'


IMAGE = attached("image", "png", "folder/1.png")
VIDEO = attached("video", "mp4", "folder/1.mp4")
GOOD_TALK = talk(turn("user", "what is AWS"), turn("assistant", "Amazon Web Services"))
