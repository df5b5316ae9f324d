"""Reads a record by its structure: chats of all vendors, instructions, pairs, documents."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import cycle
from string import ascii_uppercase
from typing import Any, Final, NamedTuple

from bedrock_tuning.dataset.documents import PRODIGY, is_conversation, is_rejected
from bedrock_tuning.dataset.talks.contents import ForeignRecord, as_written, text_of
from bedrock_tuning.dataset.talks.names import (
    ANSWERS,
    ASKED,
    CONTEXTS,
    DOCUMENTS,
    EXPECTED,
    PROMPTS,
    ROLES,
    SIDES,
    TALKS,
    THOUGHTS,
    WRAPPERS,
)
from bedrock_tuning.dataset.talks.talk import ANSWER, Talk, UnfitError
from bedrock_tuning.dataset.talks.templates import turns_of
from bedrock_tuning.dataset.talks.turns import (
    PICTURES,
    add_pictures,
    dicts_in,
    first_key,
    list_of,
    role_of,
    talk_of,
    unused_of,
)


class Known(NamedTuple):
    """A record's format in words, and what it says."""

    form: str
    talk: Talk


def read_talk(record: ForeignRecord, *, marked: bool = True) -> Known | None:
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


def _preferences(record: ForeignRecord) -> Talk | None:
    """Nova's candidates with a preferenceLabel, or chosen and rejected: the better answer."""
    if "chosen" in record and "rejected" in record:
        chosen, prompt = record["chosen"], record.get("prompt", record.get("question", ""))
        chosen = turns_of(chosen) or chosen
        before = prompt if isinstance(prompt, list) else [{"role": "user", "content": prompt}]
        answer = chosen if isinstance(chosen, list) else [{"role": "assistant", "content": chosen}]
        turns = answer if len(answer) > 1 else [*before, *answer]
        return talk_of(turns, record, used=("chosen", "prompt", "question"))
    request = record.get("input")
    if "preferred_output" in record and isinstance(request, dict):
        turns = [*list_of(request.get("messages")), *list_of(record["preferred_output"])]
        return talk_of(turns, {**request, **record}, used=("messages", "input", "preferred_output"))
    messages = list(dicts_in(record.get("messages")))
    if not any("candidates" in message for message in messages):
        return None
    result: list[Any] = []
    for turn in messages:
        winner = next(
            (
                item
                for item in dicts_in(turn.get("candidates"))
                if str(item.get("preferenceLabel", "")).lower() in ("preferred", "chosen", "1")
            ),
            None,
        )
        result.append(turn if winner is None else {**turn, "content": winner.get("content")})
    talk = talk_of(result, record, used=("messages", "system", "schemaVersion"))
    return replace(talk, lost=(*talk.lost, "answers that were not preferred"))


def _wrapped(record: ForeignRecord) -> Talk | None:
    for one, other in SIDES:
        request, response = record.get(one), record.get(other)
        turns = request.get("messages") if isinstance(request, dict) else request
        if is_conversation(turns) and response and turns[-1:] and role_of(turns[-1]) == "user":
            answers = response if is_conversation(response) else _answers_of(response)
            if answers:
                return talk_of([*turns, *answers], record, used=(one, other))
        if isinstance(request, dict) and isinstance(response, dict):
            reading = read_talk({**request, **response})
            # A text under the same name in both is not one document.
            if reading is not None and reading.talk.turns:
                lost = (*reading.talk.lost, *unused_of(record, (one, other)))
                return replace(reading.talk, lost=lost)
    for name in WRAPPERS:
        inner = record.get(name)
        reading = read_talk(inner) if isinstance(inner, dict) else None
        if reading is not None:
            return replace(reading.talk, lost=(*reading.talk.lost, *unused_of(record, (name,))))
    return None


def _log(record: ForeignRecord) -> Talk | None:
    """Bedrock's invocation logs and batch inference: the request's body and the answer's."""
    request, answer = record.get("modelInput"), record.get("modelOutput")
    inputs, outputs = record.get("input"), record.get("output")
    if isinstance(inputs, dict) and isinstance(outputs, dict):
        request, answer = inputs.get("inputBodyJson"), outputs.get("outputBodyJson")
    if not isinstance(request, dict) or not isinstance(answer, dict):
        return None
    content = _answer_in(answer)
    fields: tuple[str, ...] = ("messages", "anthropic_version")
    turns: list[ForeignRecord] = [*dicts_in(request.get("messages"))]
    if (name := first_key(request, ("inputText", "prompt", "input_text", "message"))) and not turns:
        fields = (*fields, name)
        text = f"{request[name]}{content}" if isinstance(content, str) else ""
        turns = [{"role": "user", "content": request[name]}]
        # A prompt with marks ends where the model's turn begins.
        if parts := turns_of(text):
            return talk_of(parts, request, used=fields)
    return talk_of([*turns, {"role": "assistant", "content": content}], request, used=fields)


def _answers_of(response: Any) -> list[ForeignRecord]:
    """The answer beside a conversation: as text, as a turn, or in a model's response."""
    content = _answer_in(response) if isinstance(response, dict) else response
    return [{"role": "assistant", "content": content}] if content else []


def _answer_in(body: ForeignRecord) -> Any:
    """The answer in a response of any model: Converse, Claude, Titan, Llama, Mistral, OpenAI."""
    for name in ("output", "results", "outputs", "generations", "choices", "message"):
        inner = body.get(name)
        inner = next(dicts_in(inner), None) if isinstance(inner, list) else inner
        body = inner if isinstance(inner, dict) else body
    name_or_none = first_key(body, ("content", "outputText", "generation", "completion", "text"))
    return body[name_or_none] if name_or_none else None


def _vertex(record: ForeignRecord) -> Talk | None:
    """Vertex AI and Gemini: contents with parts."""
    contents = record.get("contents")
    if not isinstance(contents, list):
        return None
    turns = [
        {"role": content.get("role", "user"), "content": content.get("parts")}
        for content in dicts_in(contents)
    ]
    system = record.get("systemInstruction", record.get("system_instruction"))
    if isinstance(system, dict):
        turns.insert(0, {"role": "system", "content": system.get("parts")})
    fields = ("contents", "systemInstruction", "system_instruction")
    return talk_of(turns, record, used=fields)


def _chat(record: ForeignRecord) -> Talk | None:
    """ShareGPT, OpenAI, Claude, Converse: a list of turns under one of some names."""
    name = next((key for key in TALKS if isinstance(record.get(key), list)), None)
    if name is None:
        return None
    turns = _sides(record[name])
    fields = [name, "schemaVersion", *PICTURES, "model"]
    expected = first_key(record, EXPECTED)
    if expected and turns and role_of(turns[-1]) != "assistant":
        answer = record[expected]
        text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
        turns.append({"role": "assistant", "content": text})
        fields.append(expected)
    return talk_of(add_pictures(turns, record), record, used=fields)


def _sides(turns: list[Any]) -> list[ForeignRecord]:
    """Turns that say whose they are, also of texts in turn and of pairs."""
    if len(turns) > 1 and all(isinstance(item, str) for item in turns):
        roles = cycle(("user", "assistant"))
        return [{"role": role, "content": text} for role, text in zip(roles, turns, strict=False)]
    result: list[ForeignRecord] = []
    for turn in dicts_in(turns):
        prompt, answer = first_key(turn, PROMPTS), first_key(turn, ANSWERS)
        if role_of(turn) is None and prompt and answer and prompt != answer:
            result.append({"role": "user", "content": turn[prompt]})
            result.append({"role": "assistant", "content": turn[answer]})
        else:
            result.append(turn)
    return result


def _alternating(record: ForeignRecord) -> Talk | None:
    """Turns without roles (UltraChat), and those of Bedrock's evaluations of knowledge bases."""
    data = record.get("data")
    if isinstance(data, list) and data and all(isinstance(item, str) for item in data):
        return talk_of(_sides(data), record, used=("data",))
    rounds = list(dicts_in(record.get("conversationTurns")))
    if not rounds:
        return None
    turns = []
    for turn in rounds:
        right = next(dicts_in(turn.get("referenceResponses")), {})
        for role, side in (("user", turn.get("prompt")), ("assistant", right)):
            content = side.get("content") if isinstance(side, dict) else side
            turns.append({"role": role, "content": content})
    return talk_of(turns, record, used=("conversationTurns",))


def _graded(record: ForeignRecord) -> Talk | None:
    """A prompt of turns, and what its grader wants to hear (verl)."""
    grader, turns = record.get("reward_model"), record.get("prompt")
    if not isinstance(grader, dict) or not isinstance(turns, list):
        return None
    answer = {"role": "assistant", "content": grader.get("ground_truth")}
    return talk_of([*turns, answer], record, used=("prompt", "reward_model"))


def _alpaca(record: ForeignRecord) -> Talk | None:
    """Alpaca and Dolly: an instruction with its input or context, perhaps after a history."""
    if not isinstance(record.get("instruction"), str):
        return None
    answer = first_key(record, ("output", "response", "completion", "answer"))
    if answer is None:
        return None
    parts = ("instruction", "input", "context")
    texts = [name for name in parts if isinstance(record.get(name), str | dict)]
    prompt = "\n\n".join(filter(None, (text_of(as_written(record[name])) for name in texts)))
    history = _history(record)
    turns = [
        *history,
        {"role": "user", "content": prompt},
        {"role": "assistant", "content": as_written(record[answer])},
    ]
    fields = (*texts, "history" if history else "", *PICTURES, answer)
    return talk_of(add_pictures(turns, record), record, used=fields)


def _history(record: ForeignRecord) -> list[dict[str, Any]]:
    """Earlier turns, as pairs of question and answer."""
    return [
        {"role": role, "content": text}
        for pair in list_of(record.get("history"))
        if isinstance(pair, list | tuple)
        for role, text in zip(("user", "assistant"), pair, strict=False)
    ]


def _squad(record: ForeignRecord) -> Talk | None:
    answers = record.get("answers")
    if "question" not in record or "context" not in record or not isinstance(answers, dict | list):
        return None
    texts = answers.get("text") if isinstance(answers, dict) else answers
    text = next((text_of(item) for item in list_of(texts) if item), "")
    if not text:
        raise UnfitError("its question has no answer", fix=ANSWER)
    prompt = f"{record['context']}\n\n{record['question']}"
    turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": text}]
    return talk_of(turns, record, used=("question", "context", "answers"))


def _pair(record: ForeignRecord) -> Talk | None:
    """Two columns of any of the usual names: what is asked and what is answered."""
    if is_rejected(record):
        raise UnfitError("its annotator rejected it", fix="accept it, or leave it out")
    if PRODIGY in record:
        # There, "answer" is what the annotator clicked.
        record = {k: value for k, value in record.items() if k not in ("answer", PRODIGY)}
    prompt = first_key(record, PROMPTS)
    answer = first_key({name: value for name, value in record.items() if name != prompt}, ANSWERS)
    if prompt is None or answer is None:
        return None
    if answer.lower() == "text" and prompt.lower() in ROLES:
        # Who wrote the text, as in logs of chats.
        return None
    if record.get("label") is False and answer.lower() == "completion":
        raise UnfitError(
            "its answer is marked as a bad one",
            fix="add answers that are marked as good: models learn from those only",
        )
    fields = [prompt, answer, *PICTURES]
    question, about = record[prompt], first_key(record, CONTEXTS)
    if about and about != prompt and isinstance(question, str) and isinstance(record[about], str):
        question = "\n\n".join(filter(None, (record[about].strip(), question)))
        fields.append(about)
    if history := _history(record):
        fields.append("history")
    if thought := first_key(record, THOUGHTS):
        fields.append(thought)
    turns = [
        *history,
        {"role": "user", "content": question},
        {
            "role": "assistant",
            "content": as_written(record[answer]),
            THOUGHTS[0]: record[thought] if thought else "",
        },
    ]
    return talk_of(add_pictures(turns, record), record, used=fields)


def _marked(record: ForeignRecord) -> Talk | None:
    """A conversation as one text; the prompt of an old form may have marks, and its answer none."""
    name = first_key(record, ("text", "prompt", "content", "conversation", "chat", "input"))
    if name is None:
        return None
    answer = first_key(record, ("completion", "response", "output"))
    text = f"{record[name]}{record[answer]}" if answer is not None else record[name]
    turns = turns_of(text)
    fields = (name, answer or name, "system")
    return talk_of(turns, record, used=fields) if turns else None


def _choices(record: ForeignRecord) -> Talk | None:
    """A question with choices, whose answer may be the number or the letter of one."""
    question, answer = (
        first_key(record, ("question", "prompt", "query")),
        first_key(record, _CORRECT),
    )
    key = first_key(record, ("choices", "options", "endings"))
    if question is None or key is None:
        return None
    choices = record[key]
    texts = choices.get("text") if isinstance(choices, dict) and "text" in choices else choices
    if isinstance(texts, dict):
        letters, texts = list(texts), list(texts.values())
    else:
        texts = [text_of(item) for item in list_of(texts)]
        labels = choices.get("label") if isinstance(choices, dict) else None
        letters = [*map(str, list_of(labels))] or [*ascii_uppercase[: len(texts)]]
    right = record[answer] if answer is not None else None
    if isinstance(right, str) and right.strip().isdigit() and right.strip() not in letters:
        right = int(right)
    if isinstance(right, int) and not isinstance(right, bool):
        right = letters[right] if 0 <= right < len(letters) else None
    if right in texts:
        right = letters[texts.index(right)]
    if not texts or right not in letters:
        raise UnfitError(
            "its answer is none of its choices",
            fix="give the answer as a choice, its letter, or its number from 0",
        )
    lines = [f"{letter}. {text}" for letter, text in zip(letters, texts, strict=False)]
    prompt = "\n".join([text_of(record[question]), *lines])
    turns = [
        {"role": "user", "content": prompt},
        {"role": "assistant", "content": f"{right}. {texts[letters.index(right)]}"},
    ]
    return talk_of(turns, record, used=(question, key, answer or question, "system"))


_CORRECT: Final = ("answer", "answerKey", "answer_idx", "label", "correct", "target")


def _prompt_only(record: ForeignRecord) -> Talk | None:
    """A prompt that somebody else answers: a teacher, or what a grader grades."""
    name = first_key(record, ASKED)
    if name is None or not isinstance(record[name], str):
        return None
    extra = first_key(record, ("input", *CONTEXTS))
    fields = [name, extra or name]
    if first_key({key: value for key, value in record.items() if key not in fields}, DOCUMENTS):
        # What stands beside a document, as a title does, asks nothing.
        return None
    texts = [record[key].strip() for key in dict.fromkeys(fields) if isinstance(record[key], str)]
    turns = [{"role": "user", "content": "\n\n".join(filter(None, texts))}]
    return talk_of(turns, record, used=fields)


def _document(record: ForeignRecord) -> Talk | None:
    name = first_key(record, DOCUMENTS)
    if name is None or not isinstance(record[name], str):
        return None
    return Talk(document=record[name], lost=unused_of(record, (name,)))


_FORMS: Final[Sequence[tuple[str, Callable[[ForeignRecord], Talk | None]]]] = (
    ("preference pairs (DPO)", _preferences),
    ("invocation logs", _log),
    ("requests to a model", _wrapped),
    ("Vertex AI (contents and parts)", _vertex),
    ("conversations", _chat),
    ("turns without roles", _alternating),
    ("prompts for a grader (verl)", _graded),
    ("instructions (Alpaca, Dolly)", _alpaca),
    ("questions with context (SQuAD)", _squad),
    ("questions with choices", _choices),
    ("one text with the marks of a chat template", _marked),
    ("pairs of prompt and answer", _pair),
    ("prompts", _prompt_only),
    ("documents", _document),
)
