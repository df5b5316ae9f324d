"""Pages about retrieval: two models compared, and pictures found by a search."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bedrock_tuning.report.html import ShownPicture, environment
from bedrock_tuning.serving.comparison import (
    CLASS_QUESTIONS_MIN,
    QUESTIONS_MIN,
    RECALL_AT,
    Comparison,
    Verdict,
)

VERDICTS: Final[Mapping[Verdict, str]] = {
    "better": "Tuning paid: the tuned model finds more of what belongs together.",
    "worse": "The tuned model finds less than the base model.",
    "no-difference": "No difference can be shown between the tuned model and the base model.",
    "too-few": "There are too few questions to tell the models apart.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A picture that a search found. cosine: how near it is to the question."""

    picture: ShownPicture
    cosine: float


def comparison_page(
    comparison: Comparison, *, about: Mapping[str, str], pictures: Mapping[int, ShownPicture]
) -> str:
    """The whole page. pictures: by number, those that Moved names."""
    return (
        environment()
        .get_template("comparison.html.j2")
        .render(
            comparison=comparison,
            verdict=VERDICTS[comparison.verdict],
            about=about,
            pictures=pictures,
            recall_at=RECALL_AT,
            questions_min=QUESTIONS_MIN,
            class_questions_min=CLASS_QUESTIONS_MIN,
        )
    )


def search_page(
    question: str, *, about: Mapping[str, str], columns: Mapping[str, Sequence[Hit]]
) -> str:
    """The whole page. columns: the hits by the model's name in words, nearest first."""
    return (
        environment()
        .get_template("search.html.j2")
        .render(question=question, about=about, columns=columns)
    )
