"""Metrics of jobs: every published layout is read, and the advice fits the curve."""

import csv
import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedrock_tuning.run.curves import advice, curves

TRAINING = "training_artifacts/step_wise_training_metrics.csv"
VALIDATION = "validation_artifacts/post_fine_tuning_validation/validation_metrics.csv"


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def losses(values: list[float], kind: str = "training") -> dict[str, list[dict[str, str]]]:
    path = TRAINING if kind == "training" else VALIDATION
    lines = [f"{step},0,{value}" for step, value in enumerate(values)]
    return {path: rows("\n".join([f"step_number,epoch_number,{kind}_loss", *lines]))}


def falling(steps: int = 50, *, rate: float = 10) -> list[float]:
    return [0.2 + math.exp(-rate * step / steps) for step in range(steps)]


@pytest.mark.parametrize(
    ("path", "header", "name"),
    [
        (TRAINING, "step_number,epoch_number,training_loss", "training loss"),
        (VALIDATION, "step_number,epoch_number,validation_loss", "validation loss"),
        ("validation_artifacts/validation_metrics.csv", "step_number,epoch_number,loss",
         "validation loss"),
        ("validation_artifacts/post_fine_tuning_validation/validation/validation_metrics.csv",
         "Step Number,Epoch,Validation_Loss", "validation loss"),
        ("training_artifacts/metrics.csv", "iteration,epoch,val_loss", "validation val loss"),
    ],
)  # fmt: skip
def test_a_loss_is_found_by_its_names_wherever_it_lies(path: str, header: str, name: str) -> None:
    (curve,) = curves({path: rows(f"{header}\n5,1,0.5\n10,2,0.25")})
    assert curve.name == name
    assert curve.is_loss
    assert [(p.step, p.epoch, p.value) for p in curve.points] == [(5, 1, 0.5), (10, 2, 0.25)]


def test_a_file_without_steps_counts_its_rows() -> None:
    (curve,) = curves({TRAINING: rows("training_loss\n0.5\n0.25")})
    assert [(point.step, point.epoch) for point in curve.points] == [(0, None), (1, None)]


def test_losses_come_first_and_other_numbers_stay() -> None:
    text = (
        "step_number,perplexity,accuracy,training_loss,note\n0,2.7,0.1,1.0,warm\n1,1.6,0.2,0.5,up"
    )
    assert [curve.name for curve in curves({TRAINING: rows(text)})] == [
        "training loss", "training accuracy", "training perplexity",
    ]  # fmt: skip


def test_a_value_that_is_no_finite_number_is_counted_and_not_drawn() -> None:
    (curve,) = curves({TRAINING: rows("step_number,training_loss\n0,1.0\n1,nan\n2,inf\n3,\n4,0.5")})
    assert [point.step for point in curve.points] == [0, 4]
    assert curve.skipped == 3
    assert "3 rows of the training loss are not numbers" in advice([curve])[0]


def test_rows_longer_than_their_header_and_empty_files_do_no_harm() -> None:
    long = [{"step_number": "0", "training_loss": "0.5", "": ["x", "y"]}]
    assert [curve.points[0].value for curve in curves({TRAINING: long, VALIDATION: []})] == [0.5]


@pytest.mark.parametrize(
    ("training", "validation", "said"),
    [
        (falling(), None, "has levelled off"),
        (falling(rate=1), None, "still fell in the last fifth"),
        # Of five steps a fifth is one.
        ([1, 0.9, 0.8, 0.2, 0.2], None, "has levelled off"),
        ([1.0] * 50, None, "hardly fell"),
        ([1.0 + step / 50 for step in range(50)], None, "hardly fell"),
        (falling(), [1, 0.6, 0.5, 0.55, 0.7, 0.9], "lowest at step 2 (0.5) and rises to 0.9"),
        (falling(), [1, 0.6, 0.5, 0.49, 0.485, 0.49], "has levelled off"),
    ],
)
def test_the_advice_fits_the_curve(
    training: list[float], validation: list[float] | None, said: str
) -> None:
    files = losses(training) | (losses(validation, "validation") if validation else {})
    (sentence,) = advice(curves(files))
    assert said in sentence


def test_too_few_steps_are_no_ground_for_advice() -> None:
    assert advice(curves(losses([1.0] * 4))) == []
    assert "hardly fell" in advice(curves(losses([1.0] * 5)))[0]
    assert advice([]) == []


@given(
    st.dictionaries(
        st.text(max_size=30),
        st.lists(st.dictionaries(st.text(max_size=12), st.one_of(st.text(max_size=8), st.none()))),
        max_size=3,
    )
)
def test_no_file_makes_it_fail_and_every_row_is_a_point_or_counted(
    files: dict[str, list[dict[str, str | None]]],
) -> None:
    for curve in curves(files):
        assert len(curve.points) + curve.skipped == len(files[curve.file])
    advice(curves(files))


def test_a_column_without_a_name_is_no_metric() -> None:
    """The index of whoever wrote the file with pandas."""
    files = {TRAINING: rows(",step_number,epoch_number,training_loss\n0,0,1,1.0\n1,1,2,0.5")}
    (curve,) = curves(files)
    assert (curve.name, curve.file, curve.skipped) == ("training loss", TRAINING, 0)
    assert [(p.step, p.epoch, p.value) for p in curve.points] == [(0, 1.0, 1.0), (1, 2.0, 0.5)]
    assert curve.best.step == 1


def test_advice_is_about_the_loss_whatever_else_was_measured() -> None:
    lines = [f"{step},{value},1.0,x" for step, value in enumerate(falling())]
    files = {TRAINING: rows("\n".join(["step_number,training_loss,perplexity,note", *lines]))}
    (sentence,) = advice(curves(files))
    assert "has levelled off" in sentence


def test_a_rise_of_a_twentieth_is_noise_and_one_at_the_end_of_few_steps_as_well() -> None:
    for validation in ([40, 32, 24, 20, 21], [40, 20, 36, 36], [40, 36, 32, 24, 20]):
        files = losses(falling()) | losses(validation, "validation")
        assert "has levelled off" in advice(curves(files))[0], validation
    files = losses(falling()) | losses([40, 32, 24, 20, 21.1], "validation")
    assert "overfits" in advice(curves(files))[0]
