"""What a customization job left of its training: loss by step, and what it says about the next run.

metrics.json of a run holds Bedrock's CSV files row by row, as text. Published files differ in their
places and columns (docs/facts/jobs.md#metrics), so columns are recognized by their names, and
whatever else is a number stays.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bedrock_tuning.s3_layout import Kind

_STEP_WORDS: Final = ("step", "iteration")
# A change below this share of the whole fall is noise.
_NOISE: Final = 0.02
# From here on a validation loss that rises says that the model learns its dataset by heart.
_RISE: Final = 0.05
# Of the whole fall, in the last fifth of the steps alone.
_STILL_FALLING: Final = 0.1
_FEWEST: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One row. epoch: None where the file has none. value: finite."""

    step: int
    epoch: float | None
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One column of one file, by step. skipped: rows whose value is not a finite number."""

    kind: Kind
    metric: str
    file: str
    points: tuple[Point, ...]
    skipped: int = 0

    @property
    def name(self) -> str:
        """As people call it: "validation loss", "training perplexity"."""
        return self.metric if self.kind in self.metric else f"{self.kind} {self.metric}"

    @property
    def is_loss(self) -> bool:
        """Whether less is better, and the two kinds can be compared."""
        return self.metric.endswith("loss")

    @property
    def best(self) -> Point:
        """The lowest value; the first of several."""
        return min(self.points, key=lambda point: point.value)


def curves(files: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Curve]:
    """The columns of metrics files that hold numbers, losses first. files: rows by path."""
    columns = [curve for path, rows in sorted(files.items()) for curve in _of_file(path, rows)]
    return sorted(columns, key=lambda curve: (not curve.is_loss, curve.kind, curve.metric))


def _of_file(path: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[Curve]:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    steps = next((c for c in columns if any(word in c.lower() for word in _STEP_WORDS)), None)
    epochs = next((c for c in columns if "epoch" in c.lower()), None)
    for column in columns:
        if column in ("", steps, epochs):
            continue
        points = []
        for place, row in enumerate(rows):
            value = _number(row.get(column))
            step = _number(row.get(steps)) if steps else None
            if value is not None:
                epoch = _number(row.get(epochs)) if epochs else None
                points.append(
                    Point(step=place if step is None else int(step), epoch=epoch, value=value)
                )
        if points:
            yield Curve(
                kind=_kind(path, column),
                metric=column.strip().lower().replace("_", " "),
                file=path,
                points=tuple(sorted(points, key=lambda point: point.step)),
                skipped=len(rows) - len(points),
            )


def _kind(path: str, column: str) -> Kind:
    label = f"{path}/{column}".lower()
    return "validation" if "validation" in label or "val_" in column.lower() else "training"


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def advice(all_curves: Sequence[Curve]) -> list[str]:
    """What the losses say and what to change in the next run; [] if there is too little to tell."""
    losses = {curve.kind: curve for curve in all_curves if curve.is_loss}
    training, validation = losses.get("training"), losses.get("validation")
    sentences = [
        f"{curve.skipped} rows of the {curve.name} are not numbers: training may have diverged; "
        "use a lower learning rate."
        for curve in losses.values()
        if curve.skipped
    ]
    if training is None or len(training.points) < _FEWEST:
        return sentences
    if validation is not None and _rises(validation):
        best = validation.best
        sentences.append(
            f"The validation loss is lowest at step {best.step} ({best.value:.4g}) and rises to "
            f"{validation.points[-1].value:.4g}: the model overfits. Train for fewer steps or "
            "epochs, or add data."
        )
        return sentences
    values = [point.value for point in training.points]
    fall = _mean(values[: _fifth(values)]) - _mean(values[-_fifth(values) :])
    if fall <= _NOISE * abs(values[0]):
        sentences.append(
            "The training loss hardly fell: the model learned little. Check captions and answers, "
            "then increase the learning rate or the batch size."
        )
    elif _late_fall(values) > _STILL_FALLING * fall:
        sentences.append(
            "The training loss still fell in the last fifth of the steps: more steps or epochs may "
            "help."
        )
    else:
        sentences.append("The training loss has levelled off: more steps are unlikely to help.")
    return sentences


def _rises(curve: Curve) -> bool:
    last, best = curve.points[-1], curve.best
    return (
        len(curve.points) >= _FEWEST
        and last.step > best.step
        and last.value - best.value > _RISE * abs(best.value)
    )


def _late_fall(values: Sequence[float]) -> float:
    """By how much the mean of the last fifth is below that of the fifth before."""
    fifth = _fifth(values)
    return _mean(values[-2 * fifth : -fifth]) - _mean(values[-fifth:])


def _fifth(values: Sequence[float]) -> int:
    return max(1, len(values) // 5)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
