"""Tokens are estimated by script: what is surely too long is an error, what may be is a warning."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedrock_tuning.catalogue import catalogue
from bedrock_tuning.dataset.scope import TextBudget
from bedrock_tuning.dataset.tokens import (
    caption_tokens,
    tokens,
    tokens_bound,
    tokens_most,
    too_many_tokens,
)
from bedrock_tuning.rules.finding import Finding
from tests.support.examples import check, scope_of

PRE = "titan-text-lite/CONTINUED_PRE_TRAINING"
TABLE = "| 12.4 | 13.9 | (0.3) | $1,234.56 |\n"
PROSE = "The small brown dog sleeps under the old wooden table near the river. "
CODE = "    if (x[i] != y[j]) { a += f(x, y)[0]; }\n"


def findings(model: str, record: object) -> list[Finding]:
    _, result = check(json.dumps(record, ensure_ascii=False).encode(), scope=scope_of(model))
    return [each for found in result.findings.values() for each in found]


def severities(text: str, model: str = PRE) -> list[tuple[str, str]]:
    record: object = {"input": text}
    if model.startswith("nova"):
        turns = [("user", text), ("assistant", "yes")]
        messages = [{"role": role, "content": [{"text": words}]} for role, words in turns]
        record = {"schemaVersion": "bedrock-conversation-2024", "messages": messages}
    return [(each.severity, each.name) for each in findings(model, record)]


BAND = [("warning", "record-may-exceed-token-limit")]
OVER = [("error", "record-over-token-limit")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (PROSE * 140, []),
        (PROSE * 200, []),
        (PROSE * 300, BAND),
        (PROSE * 400, OVER),
        (TABLE * 100, []),
        # A report of 10,000 characters was 4,919 tokens, and the limit is 4,096.
        (TABLE * 285, BAND),
        (TABLE * 1_000, OVER),
        (CODE * 300, BAND),
        ("12345 " * 1_666, BAND),
        # A genome, a key in Base64: nobody merges their letters.
        ("ACGTTGCA" * 600, BAND),
        ("QWxhZGRpbjpvcGVuIHNlc2FtZQ" * 400, BAND),
        ("犬が川の近くで眠る。" * 400, []),
        ("犬が川の近くで眠る。" * 600, BAND),
        ("犬が川の近くで眠る。" * 900, OVER),
        ("Собака спит под столом. " * 300, BAND),
        ("größer naïve café. " * 300, []),
    ],
)
def test_a_record_is_judged_by_the_range_of_its_script(
    text: str, found: list[tuple[str, str]]
) -> None:
    assert severities(text) == found


def test_much_japanese_on_a_large_limit_is_not_passed_in_silence() -> None:
    assert severities("犬" * 72_000, "nova-lite") == OVER
    assert severities("犬" * 40_000, "nova-lite") == BAND
    assert severities("犬" * 31_000, "nova-lite") == []


def test_many_emoji_are_not_passed_in_silence() -> None:
    assert severities("😀" * 65_000, "nova-lite") == OVER
    assert severities("😀" * 16_000, "nova-lite") == BAND
    assert severities("😀" * 7_000, "nova-lite") == []


def test_a_finding_shows_estimate_source_and_confidence() -> None:
    (finding,) = findings(PRE, {"input": TABLE * 285})

    assert "between" in finding.message
    assert "4,096 tokens" in finding.limit
    assert "up to 6 characters per token (sources S3, UG-prep, confidence high)" in finding.limit


@pytest.mark.parametrize("model", catalogue())
def test_every_limit_in_tokens_has_a_figure_with_source_and_confidence(model: str) -> None:
    for contract in catalogue()[model].datasets.values():
        if contract.text is not None and contract.text.record_tokens_max_for(batch_size=None):
            assert "confidence" in contract.tokens_from


@pytest.mark.parametrize("field", ["prompt", "completion"])
def test_a_field_with_a_limit_of_its_own_is_judged_alone(field: str) -> None:
    record = {"prompt": "a", "completion": "b", field: TABLE * 200}
    names = [(each.name, each.field) for each in findings("cohere-command", record)]

    assert ("record-may-exceed-token-limit", field) in names


@given(st.text(), st.sampled_from([3.0, 4.7, 6.0]))
def test_the_ends_of_the_estimate_are_in_order_and_never_more_than_bytes(
    text: str, ratio: float
) -> None:
    found = tokens(text, chars_per_token=ratio)
    line = json.dumps({"input": text}, ensure_ascii=False).encode(errors="replace")

    assert 0 <= found.least <= found.most + 1e-9
    assert found.most <= len(text.encode(errors="replace"))
    assert found.most <= tokens_bound(line, chars_per_token=ratio) + 1e-9
    assert caption_tokens(text, chars_per_token=ratio) <= len(text)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("caption", "told"),
    [("dog " * 150, False), ("dog " * 151, True), ("犬" * 128, False), ("犬" * 129, True)],
)
def test_a_caption_in_another_script_is_too_long_much_earlier(caption: str, told: bool) -> None:
    record = {"image-ref": "s3://bucket/folder/1.png", "caption": caption}
    for count in (1, 500):
        data = (json.dumps(record, ensure_ascii=False) + "\n") * count
        _, result = check(data.encode())
        assert result.counts.get("R203", 0) == (count if told else 0)


def test_a_caption_too_long_for_an_invocation_is_said_to_be() -> None:
    record = {"image-ref": "s3://bucket/folder/1.png", "caption": "dog " * 400}
    (finding,) = findings("titan-multimodal-embeddings-g1", record)

    assert "a text of an invocation has at most 256" in finding.limit


@pytest.mark.parametrize(
    ("characters", "least", "most", "caption"),
    [
        ("09", 4, 12, 2),
        ("!/:@[`{~\u0080\u00bf\u2000\u2fff", 2, 12, 2),
        ("az \n\0\x7f", 2, 3, 2),
        ("AZ", 2, 12, 2),
        ("\u00c0\u02bf", 2, 12, 2),
        ("\u02c0\u07ff\u0800\u1fff", 3, 12, 12),
        ("\u3000\ufffd", 6, 12, 12),
        ("\U00010000\U0010ffff", 6, 48, 12),
    ],
)
def test_a_character_counts_by_the_class_of_its_first_byte(
    characters: str, least: float, most: float, caption: float
) -> None:
    for character in characters:
        text = character * 12
        assert tokens(text, chars_per_token=6.0) == pytest.approx((least, most)), repr(character)
        assert caption_tokens(text, chars_per_token=6.0) == pytest.approx(caption), repr(character)


@pytest.mark.parametrize(
    ("text", "least", "most"), [("9" * 8, 4, 8), ("犬" * 8, 5, 8), ("Ж" * 8, 4, 8), ("a" * 8, 4, 4)]
)
def test_no_script_has_more_characters_for_a_token_than_words_have(
    text: str, least: float, most: float
) -> None:
    ratio = {"犬": 1.6}.get(text[0], 2.0)
    assert tokens(text, chars_per_token=ratio) == pytest.approx((least, most))


def test_a_bound_counts_letters_by_four_and_every_other_byte_by_one() -> None:
    assert tokens_bound(b"abcdefgh12", chars_per_token=6.0) == 8 / 4 + 2
    assert tokens_bound(b"abcdefgh12", chars_per_token=2.0) == 8 / 2 + 2
    assert (tokens_most("abc"), tokens_most("äbc"), tokens_most("\ud800")) == (3, 4, 1)


def test_without_a_limit_no_caption_has_too_many_tokens() -> None:
    limits = catalogue()["titan-image-generator-v1"].datasets["FINE_TUNING"].caption
    assert too_many_tokens("x" * 9_999, None) == too_many_tokens("x" * 9_999, limits) == 0


def test_a_record_below_the_smallest_limit_of_a_budget_breaks_none() -> None:
    assert TextBudget(prompt=20, completion=10, record=30).least == 10
    assert TextBudget(record=30).least == 30
    assert TextBudget().least is None
