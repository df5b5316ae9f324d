"""Reads a record by its structure: chats of all vendors, instructions, pairs, documents."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from string import ascii_uppercase
from typing import Any, Final, Literal, NamedTuple

from bedrock_tuning.dataset.talks.names import (
    ANSWERS,
    DOCUMENTS,
    PROMPTS,
    ROLES,
    SPLITS,
    SYSTEM,
    TALKS,
    WRAPPERS,
)
from bedrock_tuning.dataset.talks.talk import Role, Talk, Turn, UnfitError
from bedrock_tuning.dataset.talks.templates import turns_of

Record = Mapping[str, Any]


class Known(NamedTuple):
    """A record's format in words, and what it says."""

    form: str
    talk: Talk


def read_talk(record: Record, *, marked: bool = True) -> Known | None:
    """What a record says; None if it is in no known format. Raises UnfitError for a broken one.

    marked: whether a text with the marks of a chat template is a conversation, not a document.
    """
    for form, read in _FORMS:
        if read is _marked and not marked:
            continue
        talk = read(record)
        if talk is not None:
            return Known(form, talk)
    return None


def _preferences(record: Record) -> Talk | None:
    """Nova's candidates with a preferenceLabel, or chosen and rejected: the better answer."""
    if "chosen" in record and "rejected" in record:
        chosen, prompt = record["chosen"], record.get("prompt", record.get("question", ""))
        chosen = turns_of(chosen) or chosen
        asked = prompt if isinstance(prompt, list) else [{"role": "user", "content": prompt}]
        answer = chosen if isinstance(chosen, list) else [{"role": "assistant", "content": chosen}]
        turns = answer if len(answer) > 1 else [*asked, *answer]
        return _talk(turns, record, used=("chosen", "prompt", "question"))
    messages = list(_dicts(record.get("messages")))
    if not any("candidates" in each for each in messages):
        return None
    better: list[Any] = []
    for turn in messages:
        best = next(
            (
                each
                for each in _dicts(turn.get("candidates"))
                if str(each.get("preferenceLabel", "")).lower() in ("preferred", "chosen", "1")
            ),
            None,
        )
        better.append(turn if best is None else {**turn, "content": best.get("content")})
    talk = _talk(better, record, used=("messages", "system", "schemaVersion"))
    return replace(talk, lost=(*talk.lost, "answers that were not preferred"))


def _wrapped(record: Record) -> Talk | None:
    for name in WRAPPERS:
        inner = record.get(name)
        known = read_talk(inner) if isinstance(inner, dict) else None
        if known is not None:
            return replace(known.talk, lost=(*known.talk.lost, *_unused(record, (name,))))
    return None


def _log(record: Record) -> Talk | None:
    """Bedrock's invocation logs and batch inference: the request's body and the answer's."""
    request, answer = record.get("modelInput"), record.get("modelOutput")
    asked, told = record.get("input"), record.get("output")
    if isinstance(asked, dict) and isinstance(told, dict):
        request, answer = asked.get("inputBodyJson"), told.get("outputBodyJson")
    if not isinstance(request, dict) or not isinstance(answer, dict):
        return None
    output = answer.get("output")
    message = output.get("message") if isinstance(output, dict) else answer
    content = message.get("content") if isinstance(message, dict) else None
    turns = [*_dicts(request.get("messages")), {"role": "assistant", "content": content}]
    return _talk(turns, request, used=("messages", "system", "anthropic_version"))


def _vertex(record: Record) -> Talk | None:
    """Vertex AI and Gemini: contents with parts."""
    contents = record.get("contents")
    if not isinstance(contents, list):
        return None
    turns = [
        {"role": each.get("role", "user"), "content": each.get("parts")}
        for each in _dicts(contents)
    ]
    system = record.get("systemInstruction", record.get("system_instruction"))
    if isinstance(system, dict):
        turns.insert(0, {"role": "system", "content": system.get("parts")})
    used = ("contents", "systemInstruction", "system_instruction")
    return _talk(turns, record, used=used)


def _chat(record: Record) -> Talk | None:
    """ShareGPT, OpenAI, Claude, Converse: a list of turns under one of some names."""
    name = next((each for each in TALKS if isinstance(record.get(each), list)), None)
    if name is None:
        return None
    turns = list(_dicts(record[name]))
    answer = record.get("reference_answer")
    if answer and turns and _role(turns[-1]) != "assistant":
        text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
        turns.append({"role": "assistant", "content": text})
    pictures = record.get("images", record.get("image", ()))
    if pictures and turns:
        pictures = pictures if isinstance(pictures, list) else [pictures]
        first = next((n for n, turn in enumerate(turns) if _role(turn) == "user"), 0)
        turns[first] = {**turns[first], "images": pictures}
    used = (name, "system", "schemaVersion", "reference_answer", "images", "image", "model")
    return _talk(turns, record, used=used)


def _alpaca(record: Record) -> Talk | None:
    """Alpaca and Dolly: an instruction with its input or context, perhaps after a history."""
    if not isinstance(record.get("instruction"), str):
        return None
    answer = _first(record, ("output", "response", "completion", "answer"))
    if answer is None:
        return None
    parts = [record["instruction"], *(record.get(name) for name in ("input", "context"))]
    prompt = "\n\n".join(each for each in parts if isinstance(each, str) and each.strip())
    turns = [
        {"role": role, "content": text}
        for pair in _list(record.get("history"))
        if isinstance(pair, list | tuple)
        for role, text in zip(("user", "assistant"), pair, strict=False)
    ]
    turns += [
        {"role": "user", "content": prompt},
        {"role": "assistant", "content": record[answer]},
    ]
    used = ("instruction", "input", "context", "history", "system", answer)
    return _talk(turns, record, used=used)


def _squad(record: Record) -> Talk | None:
    answers = record.get("answers")
    if "question" not in record or "context" not in record or not isinstance(answers, dict | list):
        return None
    texts = answers.get("text") if isinstance(answers, dict) else answers
    text = next((_text(each)[0] for each in _list(texts) if each), "")
    if not text:
        raise UnfitError("its question has no answer")
    prompt = f"{record['context']}\n\n{record['question']}"
    turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": text}]
    return _talk(turns, record, used=("question", "context", "answers"))


def _pair(record: Record) -> Talk | None:
    """Two columns of any of the usual names: what is asked and what is answered."""
    prompt = _first(record, PROMPTS)
    answer = _first(record, [name for name in ANSWERS if name != prompt])
    if prompt is None or answer is None:
        return None
    turns = [
        {"role": "user", "content": record[prompt]},
        {"role": "assistant", "content": record[answer]},
    ]
    return _talk(turns, record, used=(prompt, answer, "system"))


def _marked(record: Record) -> Talk | None:
    """A conversation as one text; the prompt of an old form may have marks, and its answer none."""
    name = _first(record, ("text", "prompt", "content", "conversation", "input"))
    if name is None:
        return None
    answer = _first(record, ("completion", "response", "output"))
    whole = f"{record[name]}{record[answer]}" if answer is not None else record[name]
    turns = turns_of(whole)
    used = (name, answer or name, "system")
    return _talk(turns, record, used=used) if turns else None


def _choices(record: Record) -> Talk | None:
    """A question with choices, whose answer may be the number or the letter of one."""
    asked, answer = _first(record, ("question", "prompt", "query")), _first(record, _CORRECT)
    given = _first(record, ("choices", "options", "endings"))
    if asked is None or given is None:
        return None
    choices = record[given]
    texts = choices.get("text") if isinstance(choices, dict) and "text" in choices else choices
    if isinstance(texts, dict):
        letters, texts = list(texts), list(texts.values())
    else:
        texts = [_text(each)[0] for each in _list(texts)]
        labels = choices.get("label") if isinstance(choices, dict) else None
        letters = [*map(str, _list(labels))] or [*ascii_uppercase[: len(texts)]]
    right = record[answer] if answer is not None else None
    if isinstance(right, str) and right.strip().isdigit() and right.strip() not in letters:
        right = int(right)
    if isinstance(right, int) and not isinstance(right, bool):
        right = letters[right] if 0 <= right < len(letters) else None
    if right in texts:
        right = letters[texts.index(right)]
    if not texts or right not in letters:
        raise UnfitError("its answer is none of its choices")
    lines = [f"{letter}. {text}" for letter, text in zip(letters, texts, strict=False)]
    prompt = "\n".join([_text(record[asked])[0], *lines])
    turns = [
        {"role": "user", "content": prompt},
        {"role": "assistant", "content": f"{right}. {texts[letters.index(right)]}"},
    ]
    return _talk(turns, record, used=(asked, given, answer or asked, "system"))


_CORRECT: Final = ("answer", "answerKey", "answer_idx", "label", "correct", "target")


def _document(record: Record) -> Talk | None:
    name = _first(record, DOCUMENTS)
    if name is None or not isinstance(record[name], str):
        return None
    return Talk(document=record[name], lost=_unused(record, (name,)))


_FORMS: Final[Sequence[tuple[str, Callable[[Record], Talk | None]]]] = (
    ("preference pairs (DPO)", _preferences),
    ("invocation logs", _log),
    ("requests to a model", _wrapped),
    ("Vertex AI (contents and parts)", _vertex),
    ("conversations", _chat),
    ("instructions (Alpaca, Dolly)", _alpaca),
    ("questions with context (SQuAD)", _squad),
    ("questions with choices", _choices),
    ("one text with the marks of a chat template", _marked),
    ("pairs of prompt and answer", _pair),
    ("documents", _document),
)


def _talk(turns: Iterable[Any], record: Record, *, used: Sequence[str]) -> Talk:
    """Turns of any spelling as ours: joined where one side speaks twice. Raises UnfitError."""
    system = [_text(record.get("system"))[0]]
    lost = dict.fromkeys(_unused(record, used))
    found: list[Turn] = []
    for turn in _dicts(turns):
        role = _role(turn)
        content = turn.get("content", turn.get("value", turn.get("text")))
        text, images, reasoning, left = _blocks(content)
        given = _list(turn.get("images"))
        images += tuple(
            _place(each) if isinstance(each, dict) else _text(each)[0] for each in given
        )
        if "" in images:
            raise UnfitError("an image of it says no place")
        lost.update(dict.fromkeys(left))
        lost.update(dict.fromkeys(_unused(turn, _TURN)))
        if role == "system":
            system.append(text)
        elif role is None:
            lost["tool calls and their results"] = None
        elif text or images:
            found.append(Turn(role=role, text=text, images=images, reasoning=reasoning))
    if found and found[0].role == "assistant":
        raise UnfitError("it begins with an answer")
    if not found:
        raise UnfitError("it has no text")
    joined: list[Turn] = []
    for each in found:
        if joined and joined[-1].role == each.role:
            joined[-1] = _joined(joined[-1], each)
        else:
            joined.append(each)
    return Talk(
        turns=tuple(joined),
        system="\n\n".join(filter(None, system)),
        lost=tuple(lost),
    )


_TURN: Final = ("role", "from", "content", "value", "text", "images", "candidates", "refusal")


def _joined(one: Turn, other: Turn) -> Turn:
    return Turn(
        role=one.role,
        text="\n\n".join(filter(None, (one.text, other.text))),
        images=one.images + other.images,
        reasoning="\n\n".join(filter(None, (one.reasoning, other.reasoning))),
    )


def _role(turn: Record) -> Role | Literal["system"] | None:
    """Who speaks; None for tools and others."""
    name = str(turn.get("role", turn.get("from", ""))).strip().lower()
    return "system" if name in SYSTEM else ROLES.get(name)


def _text(value: Any) -> tuple[str, tuple[str, ...]]:
    text, images, _, _ = _blocks(value)
    return text, images


def _blocks(content: Any) -> tuple[str, tuple[str, ...], str, list[str]]:
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
        elif isinstance(block.get("text"), str):
            texts.append(block["text"])
        elif (image := _image(block)) is not None:
            images.append(image)
        elif isinstance(thought := block.get("reasoningContent"), dict):
            inner = thought.get("reasoningText")
            reasoning.append(str(inner.get("text", "")) if isinstance(inner, dict) else "")
        else:
            lost.append(f"blocks of the kind {block.get('type') or next(iter(block), 'empty')}")
    return "\n\n".join(texts).strip(), tuple(images), "\n\n".join(reasoning), lost


def _image(block: Record) -> str | None:
    """Where the image of a block is: an address, a path, an S3 URI or a data URL."""
    for name in ("image_url", "image", "fileData", "file_data", "inlineData", "inline_data"):
        value = block.get(name)
        if isinstance(value, str):
            return value
        if isinstance(value, dict):
            return _place(value)
    source = block.get("source")
    return _place(source) if block.get("type") == "image" and isinstance(source, dict) else None


def _place(value: Record) -> str:
    source = value.get("source")
    if isinstance(source, dict):
        return _place(source.get("s3Location", source))
    kind = value.get("mimeType") or value.get("mime_type") or value.get("media_type") or "image"
    data = value.get("data", value.get("bytes"))
    if isinstance(data, str):
        return f"data:{kind};base64,{data}"
    for name in ("url", "uri", "path", "fileUri", "file_uri"):
        if isinstance(value.get(name), str):
            return str(value[name])
    return ""


def _first(record: Record, names: Sequence[str]) -> str | None:
    """The first of some names, in any case, under which the record has a value."""
    spelled = {name.lower(): name for name, value in record.items() if value not in (None, "", [])}
    return next((spelled[name.lower()] for name in names if name.lower() in spelled), None)


def _unused(record: Record, used: Sequence[str]) -> tuple[str, ...]:
    return tuple(
        str(name)
        for name, value in record.items()
        if name not in used and name not in SPLITS and value not in (None, "", [], {})
    )


def _dicts(values: Any) -> Iterator[Record]:
    yield from (each for each in _list(values) if isinstance(each, dict))


def _list(value: Any) -> list[Any]:
    """A list as it is; anything else has no elements."""
    return value if isinstance(value, list) else []
