"""Writes a talk as a record of a format: those of Amazon Bedrock, and some of other tools."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from bedrock_tuning.dataset.record_formats import SCHEMA_VERSION
from bedrock_tuning.dataset.talks.talk import ANSWER, Talk, Turn, UnfitError


class PlacedImage(NamedTuple):
    """An image where the model reads it. format: as Bedrock calls it: "png", "jpeg" …"""

    format: str
    uri: str


# Puts an image where the model reads it; raises UnfitError.
PlaceImage = Callable[[str], PlacedImage]
Written = dict[str, Any]
_CHAT: Final = "choose a format of conversations, as in --to-format converse"


def _prompt_completion(talk: Talk, _: PlaceImage) -> Written:
    question, answer = _one_pair(talk)
    # These models know no system prompt: it stands in front of what is asked.
    prompt = "\n\n".join(filter(None, (talk.system, question.text)))
    return {"prompt": prompt, "completion": answer.text}


def _input_only(talk: Talk, _: PlaceImage) -> Written:
    if talk.turns:
        raise UnfitError("it is a conversation, not a plain text", fix=_CHAT, of_all=True)
    return {"input": talk.document}


def _claude(talk: Talk, _: PlaceImage) -> Written:
    system = {"system": talk.system} if talk.system else {}
    return {**system, "messages": [{"role": t.role, "content": t.text} for t in _texts(talk)]}


def _converse(talk: Talk, keep: PlaceImage) -> Written:
    def blocks(turn: Turn) -> list[Written]:
        parts: list[Written] = []
        if turn.reasoning:
            parts.append({"reasoningContent": {"reasoningText": {"text": turn.reasoning}}})
        for image in turn.images:
            if turn.role == "assistant":
                raise UnfitError(
                    "an answer has an image", fix="move the image to the user's turn before it"
                )
            if image.startswith(("http://", "https://", "gs://")):
                raise UnfitError(
                    "an image is an address of the web; download it first",
                    fix="download the images, and write their file names instead",
                    of_all=True,
                )
            place = keep(image)
            source = {"s3Location": {"uri": place.uri}}
            parts.append({"image": {"format": place.format, "source": source}})
        return [*parts, *([{"text": turn.text}] if turn.text else [])]

    system = {"system": [{"text": talk.system}]} if talk.system else {}
    messages = [{"role": turn.role, "content": blocks(turn)} for turn in talk.turns]
    return {"schemaVersion": SCHEMA_VERSION, **system, "messages": messages}


def _rft(talk: Talk, _: PlaceImage) -> Written:
    turns = _texts(talk)
    if turns[-1].role == "user":
        return {"messages": _openai_turns(talk.system, turns)}
    answer = {"reference_answer": turns[-1].text}
    return {"messages": _openai_turns(talk.system, turns[:-1]), **answer}


def _openai(talk: Talk, _: PlaceImage) -> Written:
    return {"messages": _openai_turns(talk.system, talk.turns)}


def _openai_turns(system: str, turns: tuple[Turn, ...]) -> list[Written]:
    def content(turn: Turn) -> Any:
        if not turn.images:
            return turn.text
        pictures = [{"type": "image_url", "image_url": {"url": image}} for image in turn.images]
        return [*pictures, {"type": "text", "text": turn.text}]

    first = [{"role": "system", "content": system}] if system else []
    return [*first, *({"role": turn.role, "content": content(turn)} for turn in turns)]


def _sharegpt(talk: Talk, _: PlaceImage) -> Written:
    names = {"user": "human", "assistant": "gpt"}
    first = [{"from": "system", "value": talk.system}] if talk.system else []
    turns = ({"from": names[turn.role], "value": turn.text} for turn in _texts(talk))
    return {"conversations": [*first, *turns]}


def _alpaca(talk: Talk, _: PlaceImage) -> Written:
    question, answer = _one_pair(talk)
    system = {"system": talk.system} if talk.system else {}
    return {**system, "instruction": question.text, "input": "", "output": answer.text}


def _vertex(talk: Talk, _: PlaceImage) -> Written:
    names = {"user": "user", "assistant": "model"}
    system = {"systemInstruction": {"parts": [{"text": talk.system}]}} if talk.system else {}
    contents = [{"role": names[t.role], "parts": [{"text": t.text}]} for t in _texts(talk)]
    return {**system, "contents": contents}


FORMATS: Final[Mapping[str, Callable[[Talk, PlaceImage], Written]]] = {
    "converse": _converse,
    "prompt-completion": _prompt_completion,
    "input-only": _input_only,
    "claude-messages": _claude,
    "rft": _rft,
    "openai": _openai,
    "sharegpt": _sharegpt,
    "alpaca": _alpaca,
    "vertex": _vertex,
}


def write_talk(talk: Talk, format: str, *, keep: PlaceImage, answered: bool = True) -> Written:
    """A record of a format; raises UnfitError if it has no place for the talk.

    answered: whether a conversation must end with an answer. A grader may need none, but what is
    lost may have been one.
    """
    if format != "input-only" and not talk.turns:
        raise UnfitError(
            "it is a document, not a conversation",
            fix="write questions with their answers; texts alone are for continued pre-training: "
            "--to-format input-only",
            of_all=True,
        )
    needs_one = bool(talk.lost) if format == "rft" else answered
    if talk.turns and talk.turns[-1].role == "user" and needs_one and format != "input-only":
        raise UnfitError("it ends without an answer", fix=ANSWER)
    return FORMATS[format](talk, keep)


def _texts(talk: Talk) -> tuple[Turn, ...]:
    """Turns without images."""
    if any(turn.images for turn in talk.turns):
        raise UnfitError(
            "it has images, and the format has no place for them",
            fix="convert them for a model that reads images: --to-format converse",
            of_all=True,
        )
    return talk.turns


def _one_pair(talk: Talk) -> tuple[Turn, Turn]:
    turns = _texts(talk)
    if len(turns) != 2:
        raise UnfitError(
            f"it has {len(turns)} turns, and the format has one question and answer", fix=_CHAT
        )
    return turns[0], turns[1]
