"""Pages about retrieval: two models compared, and pictures found by a search."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bedrock_tuning.report.html import ShownPicture, environment
from bedrock_tuning.report.run_page import is_simulated
from bedrock_tuning.serving.comparison import (
    CLASS_QUESTIONS_MIN,
    QUESTIONS_MIN,
    RECALL_AT,
    Comparison,
    ComparisonVerdict,
)


def in_words(verdict: ComparisonVerdict, against: str | None) -> str:
    """What a verdict means. against: the run whose model takes the base model's place, or None."""
    model = baseline_name(against)
    if against is None:
        improvement = "Tuning paid off: the tuned model finds more of what belongs together."
    else:
        improvement = f"The tuned model finds more of what belongs together than the {model}."
    return {
        "better": improvement,
        "worse": f"The tuned model finds less than the {model}.",
        "no-difference": f"No difference can be shown between the tuned model and the {model}.",
        "too-few": "There are too few questions to tell the models apart.",
    }[verdict]


def baseline_name(against: str | None) -> str:
    """What the model is called that the tuned one is compared with."""
    return "base model" if against is None else f"model of run {against}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A picture that a search found. cosine: how near it is to the question."""

    picture: ShownPicture
    cosine: float


def comparison_page(
    comparison: Comparison,
    *,
    about: Mapping[str, str],
    pictures: Mapping[int, ShownPicture],
    against: str | None,
    place: str,
) -> str:
    """The whole page. pictures: by number, those that Moved names. against: as in `in_words`."""
    return (
        environment()
        .get_template("comparison.html.j2")
        .render(
            comparison=comparison,
            verdict=in_words(comparison.verdict, against),
            left="base" if against is None else "other",
            other=baseline_name(against),
            simulated=is_simulated(place),
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
