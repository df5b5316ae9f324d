"""What a mistake was probably meant to be, in words for a message: formats, JSON, references."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from bedrock_tuning.catalogue import Format

# One record of each format, as short as possible.
EXAMPLES: Final[Mapping[Format, str]] = {
    "image-caption": '{"image-ref": "s3://bucket/folder/image.png", "caption": "…"}',
    "prompt-completion": '{"prompt": "…", "completion": "…"}',
    "input-only": '{"input": "…"}',
    "claude-messages": '{"system": "…", "messages": [{"role": "user", "content": "…"}, …]}',
    "converse": '{"schemaVersion": "bedrock-conversation-2024", "messages": '
    '[{"role": "user", "content": [{"text": "…"}]}, …]}',
    "rft": '{"messages": [{"role": "user", "content": "…"}], "reference_answer": …}',
}
# What other tools call the fields of our formats, in lower case and without separators.
ALIASES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("text", "description", "label", "title"), "caption"),
    **dict.fromkeys(("url", "path", "file", "filename", "uri", "s3uri"), "image-ref"),
    **dict.fromkeys(("response", "answer", "output", "target"), "completion"),
    **dict.fromkeys(("question", "instruction"), "prompt"),
    **dict.fromkeys(("document", "content"), "input"),
    # Bytes of the Converse API: a dataset names the object in S3.
    **dict.fromkeys(("bytes", "s3uri", "s3"), "s3Location"),
    "from": "role",
    "value": "content",
}
_SEVERAL: Final = "several records stand on one line"
_SYNTAX: Final = (
    (re.compile(rb"^\s*[\[\]]\s*(?:,\s*)?$"), "the file is one JSON array, not JSON Lines"),
    (re.compile(rb"^\s*\{.*\}\s*,\s*$", re.DOTALL), "a comma stands behind the record"),
    (re.compile(rb"\}\r\s*\{"), "lines end with CR only"),
    (re.compile(rb"^\s*\{\s*'"), "JSON has double quotes only"),
    (re.compile("“|”|„".encode()), "typographic quotes are no quotes of JSON"),
    (re.compile(rb",\s*[}\]]"), "a comma stands before a closing bracket"),
    (re.compile(rb"\}\s*(?:,\s*)?\{\s*\""), _SEVERAL),
    (re.compile(rb"^\s*(//|#|/\*)"), "JSON has no comments"),
    (re.compile(rb"^\s*[{}]\s*$|^\s*\"[^\"]*\"\s*:"), "a record is spread over several lines"),
    (re.compile(rb"^[^{}\[\]]*$"), "this looks like CSV or plain text"),
    (re.compile(rb"[^}\s]\s*$"), "the record is cut off, or goes on in the next line"),
)
_SYNTAX_BYTES: Final = 4_096
# By what the parser says, and what stands where it stopped.
_STOPPED: Final = tuple(
    (re.compile(problem), re.compile(rest), words)
    for problem, rest, words in (
        (
            "Expecting value",
            "\ufeff",
            "a byte order mark stands only at the beginning of a file: two files were joined",
        ),
        ("Expecting value", r"(?:True|False|None)\b", "JSON writes true, false and null"),
        ("Expecting", r"[^\S \t\r\n]|\u200b", "JSON knows no such blank: write a plain one"),
        ("Extra data", r"[^,{:]", "something stands behind the record"),
    )
)
_COLUMN: Final = re.compile(r"column (\d+)")
_CONSTANT: Final = re.compile("is not a JSON number")
_CONTROL: Final = re.compile("Invalid control character")
_ESCAPE: Final = re.compile(r"Invalid \\")


def syntax_hint(data: bytes, problem: str) -> str:
    """Why a line is no JSON, for people; "" when nothing is sure. problem: what the parser said."""
    if _CONTROL.search(problem):
        return r"a tab or another control character is written as an escape: \t"
    if _CONSTANT.search(problem):
        return "write null, or omit the field"
    if _ESCAPE.search(problem):
        return r"a backslash is written twice: \\"
    if "Unterminated" in problem:
        return "the line ends inside a string"
    column = _COLUMN.search(problem)
    rest = data.decode(errors="ignore")[int(column[1]) - 1 :] if column else ""
    for said, there, words in _STOPPED:
        if rest and said.search(problem) and there.match(rest):
            return words
    # What is wrong shows at an end; a long line is not searched as a whole.
    ends = data if len(data) <= _SYNTAX_BYTES else data[:_SYNTAX_BYTES] + data[-_SYNTAX_BYTES:]
    hints = (words for pattern, words in _SYNTAX if pattern.search(ends))
    # Turns that stand beside each other look like records.
    return next((hint for hint in hints if hint != _SEVERAL or "Expecting" not in problem), "")


_S3: Final = re.compile(
    r"(?:s3[an]?:/{1,3}|arn:aws[a-z-]*:s3:::)(?P<bucket>[a-z0-9.-]{1,63})/(?P<key>.+)",
    re.IGNORECASE | re.DOTALL,
)
_WEB: Final = re.compile(
    r"https?://(?:(?P<host>[a-z0-9.-]{1,63})\.)?s3[.-]?(?:[a-z0-9-]+\.)?amazonaws\.com/(?P<path>[^?#]+)"
    r"(?:[?#].*)?",
    re.IGNORECASE,
)


def s3_hint(ref: str) -> str:
    """The S3 URI that a reference was probably meant to be; "" when nobody can tell."""
    text = ref.strip()
    if len(text) > 2_048:
        return ""
    match = _S3.fullmatch(text)
    if match is not None:
        return f"s3://{match['bucket']}/{match['key']}"
    web = _WEB.fullmatch(text)
    if web is None:
        return ""
    path = unquote(web["path"])
    return f"s3://{web['host']}/{path}" if web["host"] else f"s3://{path}"


def key_hint(key: str) -> str:
    """What in a key that does not exist looks like a slip; "" if nothing does."""
    if key != key.strip():
        return "it begins or ends with a blank"
    if unquote(key) != key:
        return f"keys are not decoded; was {unquote(key)} meant?"
    if "\\" in key:
        return "folders are divided by /, not by \\"
    return ""


_ROLES: Final[Mapping[str, str]] = {
    "human": "user",
    "customer": "user",
    "prompter": "user",
    "bot": "assistant",
    "ai": "assistant",
    "gpt": "assistant",
    "model": "assistant",
    "chatbot": "assistant",
}


def role_hint(role: str, format: Format) -> str:
    """What a role that the format does not know should be; "" when nobody can tell."""
    name = role.strip().lower()
    if format == "rft" and name in ("system", "developer", "tool"):
        return f'did you mean "{name}"?'
    if name in ("system", "developer"):
        shape = '"system": [{"text": "…"}]' if format == "converse" else '"system": "…"'
        return f"a system prompt stands beside the messages: {shape}"
    guess = name if name in ("user", "assistant") else _ROLES.get(name)
    return f'did you mean "{guess}"?' if guess else ""
