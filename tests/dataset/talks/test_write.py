"""A talk in each format: what comes back is what was said."""

import pytest

from bedrock_tuning.catalogue import catalogue
from bedrock_tuning.dataset.record_formats import misfits, shape_for
from bedrock_tuning.dataset.talks.chunks import chunks
from bedrock_tuning.dataset.talks.read import read_talk
from bedrock_tuning.dataset.talks.talk import Talk, Turn, UnfitError
from bedrock_tuning.dataset.talks.write import FORMATS, PlacedImage, write_talk

PAIR = Talk(
    turns=(Turn(role="user", text="What is it?"), Turn(role="assistant", text="A dog.")),
)
LONG = Talk(
    system="Be brief.",
    turns=(
        *PAIR.turns,
        Turn(role="user", text="And this?"),
        Turn(role="assistant", text="A cat."),
    ),
)
OURS = {
    "converse": "nova-lite",
    "prompt-completion": "titan-text-express",
    "claude-messages": "claude-3-haiku",
    "rft": "qwen3-32b",
}


def kept(image: str) -> PlacedImage:
    return PlacedImage("png", image)


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "input-only"])
def test_a_pair_comes_back_from_every_format(format: str) -> None:
    known = read_talk(write_talk(PAIR, format, keep=kept))
    assert known is not None
    assert known.talk == PAIR


@pytest.mark.parametrize("format", ["converse", "claude-messages", "openai", "sharegpt", "vertex"])
def test_a_conversation_with_a_system_prompt_comes_back(format: str) -> None:
    known = read_talk(write_talk(LONG, format, keep=kept))
    assert known is not None
    assert known.talk == LONG


@pytest.mark.parametrize(("format", "model"), OURS.items())
def test_what_is_written_has_the_shape_that_the_model_wants(format: str, model: str) -> None:
    contracts = catalogue()[model].datasets.values()
    contract = next(each for each in contracts if each.format == format)
    record = write_talk(PAIR, format, keep=kept)
    assert list(misfits(record, shape_for(contract))) == []


def test_images_and_reasoning_are_blocks_of_converse() -> None:
    talk = Talk(
        turns=(
            Turn(role="user", text="?", images=("s3://b/1.png",)),
            Turn(role="assistant", text="A dog.", reasoning="It barks."),
        )
    )
    known = read_talk(write_talk(talk, "converse", keep=kept))
    assert known is not None
    assert known.talk == talk


@pytest.mark.parametrize(
    ("talk", "format", "words"),
    [
        (LONG, "prompt-completion", "4 turns, and the format has one question"),
        (LONG, "alpaca", "4 turns"),
        (LONG, "input-only", "not a plain text"),
        (Talk(document="x"), "converse", "it is a document, not a conversation"),
        (Talk(turns=PAIR.turns[:1]), "converse", "ends without an answer"),
        (Talk(turns=(Turn(role="user", text="", images=("1",)), PAIR.turns[1])), "rft", "images"),
    ],
)
def test_what_has_no_place_is_refused_with_the_reason(talk: Talk, format: str, words: str) -> None:
    with pytest.raises(UnfitError, match=words):
        write_talk(talk, format, keep=kept)


def test_a_system_prompt_stands_in_front_where_there_is_no_other_place() -> None:
    record = write_talk(Talk(turns=PAIR.turns, system="Be brief."), "prompt-completion", keep=kept)
    assert record == {"prompt": "Be brief.\n\nWhat is it?", "completion": "A dog."}


def test_long_texts_are_cut_where_paragraphs_end() -> None:
    text = "One. Two.\n\nThree is a little longer.\n\nFour."
    assert list(chunks(text, most=40)) == ["One. Two.\n\nThree is a little longer.", "Four."]
    assert list(chunks(text, most=15)) == ["One. Two.", "Three is a", "little longer.", "Four."]
    assert list(chunks("x" * 25, most=10)) == ["x" * 10, "x" * 10, "x" * 5]
    assert list(chunks(" \n ", most=5)) == []


def test_nothing_is_lost_between_pieces() -> None:
    text = "\n\n".join(f"Sentence {n} is here. So is its end!" for n in range(200))
    pieces = list(chunks(text, most=300))
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert max(map(len, pieces)) <= 300
