"""Formats of other tools and services: recognised from one record, named as people know them."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Final, Literal

from bedrock_tuning.catalogue import Format
from bedrock_tuning.dataset.documents import records_in
from bedrock_tuning.dataset.record_formats import TALK_FORMATS, required_of
from bedrock_tuning.dataset.suggestions import ALIASES
from bedrock_tuning.dataset.talks.contents import ForeignRecord
from bedrock_tuning.dataset.talks.names import ANSWERS, DOCUMENTS, PROMPTS
from bedrock_tuning.dataset.talks.nested import questions_of
from bedrock_tuning.dataset.talks.read import read_talk
from bedrock_tuning.dataset.talks.talk import UnfitError
from bedrock_tuning.dataset.talks.templates import turns_of
from bedrock_tuning.dataset.talks.write import PlacedImage, write_talk
from bedrock_tuning.wording import did_you_mean

# What `tuning prepare` does with such a file: texts are converted, with the images that they speak
# of, whose first answers may be captions; documents, which hold no question and no answer, only for
# continued pre-training; tables of images are read.
Way = Literal["texts", "texts with images", "captions in chats", "documents", "images", ""]


@dataclass(frozen=True, slots=True)
class Foreign:
    """A format: its name, which of ours it is, and how it becomes one of ours.

    unanswered: its records never have an answer.
    """

    name: str
    formats: tuple[Format, ...] = ()
    way: Way = "texts"
    unanswered: bool = False


@dataclass(frozen=True, slots=True)
class _Sign:
    """names: fields that the record has, in any case. only: it has no others."""

    foreign: Foreign
    names: frozenset[str] = frozenset()
    only: bool = False
    test: Callable[[ForeignRecord], bool] | None = None

    def fits(self, names: frozenset[str]) -> bool:
        """Whether the lower-case names of a record are those of the format."""
        return self.names == names if self.only else self.names <= names


def _turns(record: ForeignRecord) -> Iterator[ForeignRecord]:
    turns = record.get("messages")
    if isinstance(turns, list):
        yield from (turn for turn in turns if isinstance(turn, dict))


def _blocks(record: ForeignRecord) -> Iterator[ForeignRecord]:
    for turn in _turns(record):
        content = turn.get("content")
        if isinstance(content, list):
            yield from (block for block in content if isinstance(block, dict))


def _has_types(*kinds: str) -> Callable[[ForeignRecord], bool]:
    return lambda record: any(block.get("type") in kinds for block in _blocks(record))


def _has_text_turns(record: ForeignRecord) -> bool:
    contents = [turn.get("content") for turn in _turns(record)]
    return bool(contents) and all(isinstance(content, str | None) for content in contents)


def _has_block_turns(record: ForeignRecord) -> bool:
    contents = [turn.get("content") for turn in _turns(record)]
    blocks = [*_blocks(record)]
    untyped = bool(blocks) and not any("type" in block for block in blocks)
    return untyped and all(isinstance(content, list) for content in contents)


def _is_web_image(record: ForeignRecord) -> bool:
    """Whether there is the web address of an image: with its caption, or by its ending."""
    address = str(record.get("url") or record.get("image_url"))
    is_image = "caption" in record or _IMAGE.search(address) is not None
    return address.startswith(("http://", "https://")) and is_image


_IMAGE: Final = re.compile(r"\.(?:jpe?g|png|webp|gif)(?:[?#].*)?$", re.IGNORECASE)


def _has_system_beside_typed(record: ForeignRecord) -> bool:
    return isinstance(record.get("system"), str) and _has_types("text")(record)


def _is_list_of_texts(key: str) -> Callable[[ForeignRecord], bool]:
    def test(record: ForeignRecord) -> bool:
        value = record.get(key)
        return isinstance(value, list) and all(isinstance(item, str) for item in value)

    return test


def _is_list(key: str) -> Callable[[ForeignRecord], bool]:
    return lambda record: isinstance(record.get(key), list)


def _is_object(key: str) -> Callable[[ForeignRecord], bool]:
    return lambda record: isinstance(record.get(key), dict)


def _sign(
    name: str,
    *names: str,
    formats: tuple[Format, ...] = (),
    way: Way = "texts",
    unanswered: bool = False,
    only: bool = False,
    test: Callable[[ForeignRecord], bool] | None = None,
) -> _Sign:
    return _Sign(Foreign(name, formats, way, unanswered), frozenset(names), only, test)


_OPENAI: Final = "OpenAI chat (turns whose contents are texts)"
_PARTS: Final = "OpenAI chat with pictures (contents in typed parts)"
_ANTHROPIC: Final = "Anthropic Messages (typed blocks)"
# Answers without what was asked teach nothing.
_BATCHES: Final[tuple[tuple[str, str, Way], ...]] = (
    ("Anthropic batch requests", "params", "texts"),
    ("OpenAI batch answers", "response", ""),
    ("Anthropic batch answers", "result", ""),
)
# The first that fits counts, so the specific ones come first.
_SIGNS: Final = (
    _sign(
        "preference pairs (Nova DPO: candidates with a preferenceLabel)",
        "messages",
        test=lambda record: any("candidates" in turn for turn in _turns(record)),
    ),
    _sign("preference pairs (DPO: chosen and rejected)", "chosen", "rejected"),
    _sign("preference pairs (OpenAI: preferred_output)", "input", "preferred_output"),
    _sign("prompts for a grader (verl)", "prompt", "reward_model"),
    _sign("Bedrock evaluation (prompt and referenceResponse)", "prompt", "referenceresponse"),
    _sign("Bedrock evaluation (conversationTurns)", "conversationturns"),
    _sign("Bedrock batch inference with answers (modelOutput)", "modelinput", "modeloutput"),
    _sign(
        "Bedrock batch inference (recordId and modelInput)",
        *("recordid", "modelinput"),
        unanswered=True,
    ),
    _sign("Bedrock invocation logs", "schematype", "input", "output"),
    _sign("OpenAI batch requests (custom_id and body)", "custom_id", "body"),
    *(
        _sign(
            f"{owner} (custom_id and {key})",
            *("custom_id", key),
            way=way,
            unanswered=True,
            test=_is_object(key),
        )
        for owner, key, way in _BATCHES
    ),
    _sign("OpenAssistant (messages of a tree)", "message_id", "parent_id", "role", way=""),
    _sign("a conversation exported from ChatGPT (mapping)", "mapping", "current_node", way=""),
    _sign("request bodies of InvokeModel for Claude", "anthropic_version", "messages"),
    _sign("request bodies of InvokeModel for Titan", "inputtext"),
    _sign("Vertex AI (contents and parts)", "contents", test=_is_list("contents")),
    _sign("Vertex AI (input_text and output_text)", "input_text", "output_text"),
    _sign("Gemini (text_input and output)", "text_input", "output"),
    _sign(
        "LLaVA (conversations about an image)",
        "conversations",
        "image",
        way="captions in chats",
    ),
    _sign(
        "LLaVA (conversations about images)",
        "conversations",
        "images",
        way="captions in chats",
    ),
    _sign("ShareGPT (conversations with from and value)", "conversations"),
    _sign("Dolly (instruction, context, response)", "instruction", "response"),
    _sign("Alpaca (instruction, input, output)", "instruction", "output"),
    _sign("Alpaca (instruction, input, output)", "instruction", "completion"),
    _sign("SQuAD (context, question, answers)", "context", "question", "answers"),
    *(_sign("questions with choices", "question", name) for name in ("choices", "options")),
    _sign(
        "one text with the marks of a chat template",
        "text",
        test=lambda record: bool(turns_of(record.get("text"))),
    ),
    _sign("MRQA (a context with questions)", "context", "qas"),
    _sign("SQuAD (a document with paragraphs)", "paragraphs"),
    _sign("SQuAD (one object with all documents)", "version", "data", test=_is_list("data")),
    _sign("one object with a list for each split", "train", test=_is_list("train")),
    _sign("CoQA (a story with questions and answers)", "story", "questions", "answers"),
    _sign("COCO (images and annotations)", "images", "annotations", way="images"),
    _sign("SageMaker Ground Truth (source-ref)", "source-ref", way="images"),
    _sign("an image folder of Hugging Face (file_name)", "file_name", way="images"),
    _sign("Label Studio (data and annotations)", "data", "annotations", way="images"),
    _sign("Roboflow (image, prefix, suffix)", "image", "prefix", "suffix", way="images"),
    _sign("open_clip (filepath and title)", "filepath", "title", way="images"),
    *(
        _sign("a table of web addresses of images", name, way="", test=_is_web_image)
        for name in ("url", "image_url")
    ),
    _sign("image and caption", "image-ref", formats=("image-caption",), way=""),
    _sign("questions about images", "image", "question", "answer", way="images"),
    _sign("a table of images", "image", "caption", only=True, way="images"),
    _sign("a table of images", "image", "text", only=True, way="images"),
    _sign("OpenAI chat with tools", "messages", "functions", test=_has_text_turns),
    _sign(_OPENAI, "messages", formats=("claude-messages", "rft"), test=_has_text_turns),
    _sign(
        _PARTS,
        "messages",
        formats=("rft",),
        way="texts with images",
        test=_has_types("image_url", "input_text"),
    ),
    _sign(_ANTHROPIC, "messages", way="texts with images", test=_has_types("image")),
    _sign(_ANTHROPIC, "messages", test=_has_types("tool_use")),
    # Of rft, every other field of a record is the grader's.
    _sign(_ANTHROPIC, "messages", "system", formats=("rft",), test=_has_system_beside_typed),
    _sign("Converse", "messages", "schemaversion", formats=("converse",)),
    _sign("Converse", "messages", formats=("converse",), test=_has_block_turns),
    # The texts of Converse may have a type, too.
    _sign(_ANTHROPIC, "messages", formats=("converse", "rft"), test=_has_types("text")),
    _sign("a conversation", "messages", formats=("claude-messages", "converse", "rft")),
    *(
        _sign(f"a conversation ({key})", key, test=_is_list(key))
        for key in ("dialog", "dialogue", "conversation", "chat", "turns")
    ),
    _sign("prompt and completion", "prompt", "completion", formats=("prompt-completion",)),
    _sign("turns without roles (UltraChat)", "id", "data", test=_is_list_of_texts("data")),
)
# Formats that are not pairs of a prompt and an answer.
_DOCUMENTS: Final = (
    _sign(
        "input only (continued pre-training)",
        "input",
        formats=("input-only",),
        way="documents",
        only=True,
    ),
    _sign("text only", "text", way="documents", only=True),
    *(
        _sign("texts with their places on the web", "text", place, way="documents")
        for place in ("url", "meta", "timestamp")
    ),
)


# A record that has none of the fields that the wanted format needs, in no other that has a name.
UNKNOWN: Final = Foreign("", way="")


def foreign_format(value: ForeignRecord, format: Format) -> Foreign | None:
    """The other format that a record is in; None when it has the names of the wanted one, or none.

    A typed block ({"type": "text"}) alone does not make a conversation a foreign one.
    """
    # Sets of names are remembered; no format has that many.
    names = frozenset(name.lower() for name in islice(value, _NAMES_MAX))
    for sign in _candidates(names):
        if sign.test is None or sign.test(value):
            return None if format in sign.foreign.formats else sign.foreign
    return UNKNOWN if 0 < len(value) <= _COMPARED_MAX and _lacks_all(value, format) else None


def is_told_by_values(names: Iterable[str]) -> bool:
    """Whether values tell which format a record with these names is in, or names alone do."""
    lower = frozenset(name.lower() for name in islice(names, _NAMES_MAX))
    return any(sign.test is not None for sign in _candidates(lower))


_NAMES_MAX: Final = 1_000
# To look for misspellings takes 30 µs for each name.
_COMPARED_MAX: Final = 100


def _lacks_all(value: ForeignRecord, format: Format) -> bool:
    """Whether no name of a record is one that the format needs, or may be meant to be one."""
    is_talk = format in TALK_FORMATS
    # A field that does not hold a list cannot be a misspelling of one that does.
    names = (name for name, inner in value.items() if not is_talk or isinstance(inner, list))
    return _shares_nothing(frozenset(names), required_of(format))


@lru_cache(maxsize=1_024)
def _shares_nothing(names: frozenset[str], needs: tuple[str, ...]) -> bool:
    return names.isdisjoint(needs) and not any(
        did_you_mean(name, needs, aliases=ALIASES) for name in names
    )


def why_not_converted(
    value: ForeignRecord, format: Format, *, answered: bool = True
) -> UnfitError | None:
    """Why `tuning prepare` makes no record of the wanted format of this one; None if it does.

    answered: whether a conversation must end with an answer. Without words: it cannot be read.
    """
    layout = records_in(value, one_line=True)
    first = value if layout is None else layout.records[0]
    try:
        reading = read_talk(next(questions_of(first), first), marked=format != "input-only")
    except UnfitError:
        reading = None
    if reading is None:
        return UnfitError("")
    try:
        write_talk(
            reading.talk, format, keep=lambda image: PlacedImage("png", image), answered=answered
        )
    except UnfitError as error:
        return error
    return None


def is_hopeless(why: UnfitError | None, foreign: Foreign | None) -> bool:
    """Whether no record of a file can be converted, by what its first one shows."""
    if why is None:
        return False
    return why.of_all or foreign is None or not foreign.name or foreign.unanswered


# Records of one file have the same few sets of names.
@lru_cache(maxsize=1_024)
def _candidates(names: frozenset[str]) -> tuple[_Sign, ...]:
    signs = (*_SIGNS, *_pairs(names), *_DOCUMENTS)
    return tuple(sign for sign in signs if sign.fits(names))


def _pairs(names: frozenset[str]) -> Iterator[_Sign]:
    """A prompt and an answer under names that `tuning prepare` reads."""
    prompt = next((name.lower() for name in PROMPTS if name.lower() in names), None)
    for answer in ANSWERS:
        # Two names of texts, as input and text, are no prompt and its answer.
        are_texts = prompt in DOCUMENTS and answer in DOCUMENTS
        if prompt and answer.lower() in names - {prompt} and not are_texts:
            yield _sign(f"{prompt} and {answer}", prompt, answer.lower())


def command_for(way: Way, format: Format, model: str, *, validation: bool = False) -> str:
    """The command that makes our format of a file in another one; "" if there is none.

    validation: the model takes a validation set, which lies in a bucket of its own.
    """
    place = " --to s3://BUCKET/NAME/"
    if format == "image-caption":
        place += " --validation-to s3://VALIDATION-BUCKET/NAME/" if validation else ""
        of_images = way in ("images", "captions in chats")
        command = f"tuning prepare FOLDER --captions FILE -m {model} -o OUT{place}"
        return command if of_images else ""
    with_images = way in ("texts with images", "captions in chats")
    if way != "texts" and not with_images and (way, format) != ("documents", "input-only"):
        return ""
    # A record in this format names its images by where they will lie.
    suffix = place if with_images and format == "converse" else ""
    return f"tuning prepare FILE --to-format {format} -m {model} -o OUT{suffix}"
