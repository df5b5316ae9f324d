"""Answers that come piece by piece, in AWS's binary format for streams of events.

Amazon Transcribe Developer Guide, "Event stream encoding": a prelude of two lengths with its
CRC-32, headers, a payload in JSON, and the CRC-32 of it all.
"""

import struct
from binascii import crc32
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

CONTENT_TYPE: Final = "application/vnd.amazon.eventstream"
_TEXT: Final = 7
_PRELUDE: Final = 12
_CRC: Final = 4


def encode(events: Iterator[tuple[str, Mapping[str, Any]]]) -> bytes:
    """The events by name, one after the other."""
    return b"".join(_message(name, msgspec.json.encode(event)) for name, event in events)


def _message(name: str, payload: bytes) -> bytes:
    header_values = {
        ":event-type": name,
        ":content-type": "application/json",
        ":message-type": "event",
    }
    headers = b"".join(_header(key, value) for key, value in header_values.items())
    total = _PRELUDE + len(headers) + len(payload) + _CRC
    prelude = struct.pack("!II", total, len(headers))
    message = prelude + struct.pack("!I", crc32(prelude)) + headers + payload
    return message + struct.pack("!I", crc32(message))


def _header(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode()
    return struct.pack("!B", len(key)) + key + struct.pack("!BH", _TEXT, len(text)) + text


def of_conversation(answer: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """A whole answer of Converse as the events of ConverseStream, a word at a time."""
    message = answer["output"]["message"]
    yield "messageStart", {"role": message["role"]}
    for index, block in enumerate(message["content"]):
        for number, word in enumerate(block["text"].split(" ")):
            text = f" {word}" if number else word
            yield "contentBlockDelta", {"contentBlockIndex": index, "delta": {"text": text}}
        yield "contentBlockStop", {"contentBlockIndex": index}
    yield "messageStop", {"stopReason": answer["stopReason"]}
    yield "metadata", {"usage": answer["usage"], "metrics": answer["metrics"]}
