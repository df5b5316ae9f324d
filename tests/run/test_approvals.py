"""A person's answer: what is understood, what is refused in which words, and what is kept."""

import json
from typing import Any

import pytest

from bedrock_tuning.run.approvals import AnswerError, ApprovalAnswer, Decision

RUN = "20261121-093000-3f9a1c"
FORM = (
    'the body must be {"run": NAME, "decision": "approve" or "decline", "reason": at most 1,000 '
    "characters}: "
)


@pytest.mark.parametrize(
    "answer",
    [
        ApprovalAnswer(run=RUN, decision="approve"),
        ApprovalAnswer(run=RUN, decision="approve", reason="r" * 1_000),
        ApprovalAnswer(run=RUN, decision="decline", reason="too dear"),
    ],
)
def test_an_answer_is_read_as_it_was_sent(answer: ApprovalAnswer) -> None:
    assert ApprovalAnswer.from_json(answer.to_json()) == answer


def test_an_approval_needs_no_reason() -> None:
    text = json.dumps({"run": RUN, "decision": "approve"})
    assert ApprovalAnswer.from_json(text) == ApprovalAnswer(run=RUN, decision="approve", reason="")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"by": "ann"}, f"{FORM}Object contains unknown field `by`"),
        ({"run": ""}, f"{FORM}Expected `str` of length >= 1 - at `$.run`"),
        ({"run": 7}, f"{FORM}Expected `str`, got `int` - at `$.run`"),
        ({"decision": "agree"}, f"{FORM}Invalid enum value 'agree' - at `$.decision`"),
        ({"decision": ""}, f"{FORM}Invalid enum value '' - at `$.decision`"),
        ({"reason": 7}, f"{FORM}Expected `str`, got `int` - at `$.reason`"),
        ({"reason": ["too dear"]}, f"{FORM}Expected `str`, got `array` - at `$.reason`"),
        ({"reason": None}, f"{FORM}Expected `str`, got `null` - at `$.reason`"),
        ({"reason": "r" * 1_001}, f"{FORM}Expected `str` of length <= 1000 - at `$.reason`"),
        ({"decision": "decline", "reason": ""}, "a declined run needs a reason"),
        ({"decision": "decline", "reason": " \n"}, "a declined run needs a reason"),
    ],
)
def test_an_answer_in_another_form_is_refused_with_what_is_right(
    changes: dict[str, Any], said: str
) -> None:
    given = {"run": RUN, "decision": "approve", "reason": "worth it", **changes}
    with pytest.raises(AnswerError) as refused:
        ApprovalAnswer.from_json(json.dumps(given))
    assert str(refused.value) == said


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '"approve"', "null", "\ud800"])
def test_what_is_no_object_is_no_answer(text: str) -> None:
    with pytest.raises(AnswerError, match="the body must be"):
        ApprovalAnswer.from_json(text)


@pytest.mark.parametrize("missing", ["run", "decision"])
def test_an_answer_without_a_run_or_a_decision_is_none(missing: str) -> None:
    given = {"run": RUN, "decision": "approve"}
    del given[missing]
    with pytest.raises(AnswerError, match=f"missing required field `{missing}`"):
        ApprovalAnswer.from_json(json.dumps(given))


def test_a_decision_is_kept_whole_and_readable() -> None:
    kept = Decision(
        run=RUN,
        customization="pets-search",
        decision="approve",
        by="arn:aws:iam::000000000000:user/ann",
        at="2026-11-21T09:30:00Z",
        reason="worth it",
        price="total: 12.00 USD",
        asked_because="it is above the budget",
        about={"model": "a"},
    )
    text = kept.to_json()
    assert Decision.from_json(text) == kept
    assert '\n  "customization": "pets-search",\n' in text
    assert kept.past == "approved"
    assert Decision.from_json(text.replace('"approve"', '"decline"')).past == "declined"
