"""The page that shows the answers of two models side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bedrock_tuning.report.html import environment
from bedrock_tuning.report.run_page import is_simulated
from bedrock_tuning.run.curves import Curve
from bedrock_tuning.serving.side_by_side import ModelAnswer, Prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One prompt with its answers, in the order of the columns. seed: of a picture, else None."""

    prompt: Prompt
    answers: tuple[ModelAnswer, ModelAnswer]
    seed: int | None = None


def side_by_side_page(
    rows: Sequence[Compared],
    *,
    columns: tuple[str, str],
    about: Mapping[str, str],
    losses: Mapping[str, Sequence[Curve]],
    place: str,
) -> str:
    """The whole page. columns: what the two models are called. losses: curves by run."""
    return (
        environment()
        .get_template("side_by_side.html.j2")
        .render(
            rows=rows,
            columns=columns,
            about=about,
            losses=losses,
            simulated=is_simulated(place),
        )
    )
