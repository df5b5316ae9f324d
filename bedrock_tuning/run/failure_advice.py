"""Cause, row and fix for a failure message of Amazon Bedrock or an error of AWS."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import unescape
from typing import Final

from bedrock_tuning.access_denied import denial
from bedrock_tuning.catalogue import base_id, catalogue
from bedrock_tuning.rules import BY_NAME, RULES, find_rule
from bedrock_tuning.run.error_classes import CLASSES, VAGUE
from bedrock_tuning.run.failure_reasons import Reason, reasons

# Bedrock cuts its messages at 2,048 characters; nothing longer is worth matching, but for the way
# to the error in a traceback.
_LONGEST: Final = 4_096
_WHOLE: Final = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A failure in words.

    known: False for an unknown message; then `cause` only repeats it.
    line: of the manifest, from 1, if the message names it. record: the record's beginning as the
    message quotes it. where: the S3 object or the file that it names. message: Bedrock's own words.
    """

    known: bool
    cause: str
    fix: str
    message: str
    line: int | None = None
    record: str = ""
    where: str = ""


_LINE: Final = re.compile(
    r"\b(?:line|row)(?: number| no\.?)?\s*[:#]?\s*(\d{1,12})\b", re.IGNORECASE
)
# An error's class often stands in the text when all that is known is ClientError.
_CLASS: Final = re.compile(rf"\b({'|'.join((*CLASSES, *VAGUE))})\b")
# A finding of our own check: a rule's id in brackets, or its name.
_RULE: Final = re.compile(
    rf"\b(?:{'|'.join(rule.id for rule in RULES)}|{'|'.join(map(re.escape, BY_NAME))})\b"
)
_RECORD: Final = re.compile(r"record starting with:?\s*(\S.{0,200})", re.IGNORECASE | re.DOTALL)
_BUCKET: Final = re.compile(
    r"bucket:?\s*[`'\"]?([a-z0-9][a-z0-9.-]{2,62})[`'\"]?\s+at key:?\s*[`'\"]?([^\s`'\"]{1,1024})",
    re.IGNORECASE,
)
_FILE: Final = re.compile(r"(s3://[^\s`'\"]{1,1024}|[\w./-]{1,200}\.jsonl)", re.IGNORECASE)
# Where Python was, and the code that stands there: not a word of it is the message.
_TRACEBACK: Final = re.compile(r"Traceback \(most recent call last\):.*\n(?: .*\n)*")

# Terminals, mails and tickets wrap a sentence, and mark or indent its other lines. A line of a log
# begins with a time or a level, and goes on with no other.
_WRAPPED: Final = re.compile(
    r"(?<=\S)[ >|│]*\n(?:[ >|│]*)(?=[^\s>|│])"
    r"(?!(?:where|fix|next):|\[?(?:\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d|DEBUG|INFO|WARN|ERROR)\b)"
)


def explain(message: str, *, code: str = "", model: str = "") -> Explanation:
    """Cause and fix of a failureMessage, or of an error that a call returned.

    code: the error class, e.g. "ServiceQuotaExceededException", for a message that is unknown.
    model: the base model's key, id or ARN, for what the catalogue knows about it.
    AWS's access-denied messages name who may not do what to what. An unknown message is passed on
    whole, without a guess.
    """
    full_text = _plain(message[:_WHOLE])
    text = _WRAPPED.sub(" ", _TRACEBACK.sub("", full_text))[:_LONGEST]
    record = _RECORD.search(text)
    # What a record says is not what is said about it.
    context = text[: record.start(1)] if record else text
    known, cause, fix = _words(
        context, full_text, message, code=code.rpartition(".")[2], model=model
    )
    line = _LINE.search(context)
    return Explanation(
        known=known,
        cause=cause,
        fix=fix,
        message=message,
        line=int(line[1]) if line else None,
        record=record[1].strip() if record else "",
        where=_place(text),
    )


def _words(
    text: str, full_text: str, message: str, *, code: str, model: str
) -> tuple[bool, str, str]:
    """Whether the message is known, the cause, the fix. full_text: the text with its tracebacks."""
    table = reasons()
    own_reason = _first_match(table.own, text)
    rule = _RULE.search(text)
    if rule is not None and own_reason is None:
        definition = find_rule(rule[0])
        return (
            True,
            f"a finding of this project's own check, not of Bedrock: {definition.summary}",
            f"{definition.fix} More: tuning rules {definition.id}",
        )
    reason = _first_match(table.known, text)
    refusal = denial(text)
    if refusal is not None:
        prefix = (
            f"{reason.cause}: " if reason is not None and reason.about == "service role" else ""
        )
        return True, prefix + refusal.cause, refusal.fix
    # A folder may be called after the service that its files once were for.
    named = _FILE.sub("", text)
    origin = next((name for name, sign in table.elsewhere.items() if sign.search(named)), None)
    if origin is not None:
        return False, f"this message is not known here, it comes from {origin}: {message}", _OTHERS
    if own_reason is not None:
        return True, own_reason.cause, own_reason.fix
    if reason is not None:
        is_closed = reason.about == "closed model"
        return (
            True,
            _describe_closed(reason.cause, text, model) if is_closed else reason.cause,
            reason.fix,
        )
    class_match = _CLASS.search(text)
    kind = code if code in CLASSES or code in VAGUE else class_match[1] if class_match else ""
    if kind in CLASSES:
        return (True, *CLASSES[kind])
    # A subject and a fault in one sentence are enough.
    wrong = [part for part in _SENTENCE.split(text) if table.fault.search(part)]
    about = (each for each in table.known if each.subject and any(map(each.subject.search, wrong)))
    if (broad := next(about, None)) is not None:
        return True, broad.cause, broad.fix
    if (own_reason := _first_match(table.own, full_text[:_LONGEST])) is not None:
        return True, own_reason.cause, own_reason.fix
    if kind:
        return False, f"AWS refuses the request: {message.strip()}", _READ
    if not message.strip():
        return False, "Bedrock gives no reason", _UNKNOWN
    return False, f"this message is not known here: {message}", _UNKNOWN


def _first_match(reasons: Iterable[Reason], text: str) -> Reason | None:
    return next((reason for reason in reasons if reason.pattern.search(text)), None)


_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+|\n")
_OTHERS: Final = "look into the documentation of what wrote it"
_READ: Final = "the message says which part; compare the customization with docs/models.md"
_UNKNOWN: Final = (
    "the message is unknown: if Bedrock wrote it, contact AWS Support with the job's ARN"
)


def _plain(text: str) -> str:
    """As it was written: pages and terminals change apostrophes and blanks, JSON escapes more."""
    text = unescape(_ITALICS.sub(r"\1", _COLOURS.sub("", text)))
    for variant, plain in _CHANGED.items():
        text = text.replace(variant, plain)
    return re.sub(r"[^\S\n]+", " ", text)


_COLOURS: Final = re.compile(r"\x1b\[[\d;]*m")
# As a chat writes them. Keys of objects begin with an underscore, too: _checked/NAME/.
_ITALICS: Final = re.compile(r"(?<![\w/])_(\w[^\n]*\S)_(?![\w/])")
_CHANGED: Final = {"\u2019": "'", "\u2018": "'", "\\n": "\n", '\\"': '"', "\\u0027": "'"}


def with_advice(message: str, *, model: str = "") -> str:
    """A message followed by its cause and fix; the message alone if they are unknown."""
    advice = explain(message, model=model)
    if not advice.known:
        return message
    return f"{message}\nLikely cause: {advice.cause}\nWhat to do: {advice.fix}"


def _describe_closed(cause: str, text: str, model: str) -> str:
    """That the base model is closed; since when, if it is one of the catalogue's."""
    for base in catalogue().values():
        names = {base.key, *base.ids.customization, *base.ids.throughput, *base.ids.invoke}
        if base_id(model) in names or any(name in text for name in names):
            reason = base.lifecycle.closed_because().partition(":")[0]
            return f"{cause}: {base.name} is {reason}" if reason else cause
    return cause


# Of a sentence, not of a name.
_ENDS: Final = ".,:;)]"


def _place(text: str) -> str:
    bucket = _BUCKET.search(text)
    if bucket:
        return f"s3://{bucket[1]}/{bucket[2].rstrip(_ENDS)}"
    file = _FILE.search(text)
    return file[1].rstrip(_ENDS) if file else ""
