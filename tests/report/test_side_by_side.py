"""The page of two models' answers: both are there, and what is simulated says so."""

import base64
import io

import pytest
from PIL import Image

from bedrock_tuning.report.side_by_side import Compared, side_by_side_page
from bedrock_tuning.run.curves import curves
from bedrock_tuning.serving.side_by_side import ModelAnswer, Prompt

LOCAL = "local · 000000000000 · us-east-1"
RUN = "20261121-093000-3f9a1c"
LONG = "Smila the cat in deep snow, " * 30


def picture(color: str) -> str:
    file = io.BytesIO()
    Image.new("RGB", (512, 512), color).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


ROWS = (
    Compared(
        prompt=Prompt(text="Ron on a beach"),
        answers=(ModelAnswer(picture=picture("red")), ModelAnswer(picture=picture("blue"))),
        seed=1,
    ),
    Compared(
        prompt=Prompt(text=LONG, system="Be kind.", expected="A <b>cat</b>."),
        answers=(ModelAnswer(text="An animal."), ModelAnswer(problem="blocked by the filters")),
    ),
)


def page(place: str = LOCAL) -> str:
    steps = [{"step_number": str(at), "training_loss": str(9 / at)} for at in range(1, 9)]
    return side_by_side_page(
        ROWS,
        columns=("Base model", f"tuned model of run {RUN}"),
        about={"Customization": "pets-style", "Deployment": place},
        losses={RUN: curves({"step_wise_training_metrics.csv": steps})},
        place=place,
    )


def test_both_answers_to_each_prompt_are_shown_with_the_seed_and_the_loss() -> None:
    shown = page()
    for color in ("red", "blue"):
        assert picture(color) in shown
    for text in ("Seed 1", "An animal.", "blocked by the filters", "Be kind.", LONG, "1.125"):
        assert text in shown


def test_texts_of_models_and_datasets_are_no_markup() -> None:
    assert "<b>cat</b>" not in page()


@pytest.mark.parametrize(
    ("place", "simulated"), [(LOCAL, True), ("prod · 111122223333 · us-east-1", False)]
)
def test_only_what_is_simulated_says_so(place: str, simulated: bool) -> None:
    assert ("SIMULATED" in page(place)) == simulated
