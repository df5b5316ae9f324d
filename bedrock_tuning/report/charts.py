"""Small charts as data: where lines, boxes and texts are; templates/chart.svg.j2 draws them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import floor, log2
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from bedrock_tuning.run.curves import Curve

_WIDTH, _HEIGHT, _MAP_HEIGHT = 360, 160, 300
_LEFT, _RIGHT, _BOTTOM, _TOP = 44, 8, 22, 16
_PLOT: Final = _WIDTH - _LEFT - _RIGHT
# Half an octave per bar: each bar is a union of the histogram's buckets, so none is torn apart.
_PER_OCTAVE: Final = 2
_MARKS_MAX: Final = 7
# Aspect ratios by quarters of an octave.
_RATIOS: Final = {-12: "1:8", -8: "1:4", -4: "1:2", 0: "1:1", 4: "2:1", 8: "4:1", 12: "8:1"}
_RATIO_MAX: Final = 16


class Limit(NamedTuple):
    """A line across a chart: at which value, and what it says. The value itself is allowed."""

    value: float
    label: str


class Segment(NamedTuple):
    """A straight line."""

    style: str
    x1: float
    x2: float
    y1: float
    y2: float


class Box(NamedTuple):
    """A rectangle. label: what a pointer over it shows."""

    style: str
    x: float
    y: float
    width: float
    height: float
    label: str = ""
    opacity: float = 1


class Label(NamedTuple):
    """A text. anchor: which end of it is at x."""

    style: str
    x: float
    y: float
    anchor: str
    text: str


class Trace(NamedTuple):
    """A line through points. label: what a pointer over it shows."""

    style: str
    points: tuple[tuple[float, float], ...]
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A drawing in units of the viewBox."""

    title: str
    height: int = _HEIGHT
    width: int = _WIDTH
    lines: list[Segment] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    texts: list[Label] = field(default_factory=list)
    traces: list[Trace] = field(default_factory=list)


class _Bar(NamedTuple):
    """position: in bars from the left edge."""

    position: int
    total: int
    label: str


def _step(value: float) -> int:
    """Half octaves: 0 for zero, then 1 for 1, 3 for 2, 4 for 3, 5 for 4, 6 for 6, 7 for 8, …"""
    if value < 1:
        return 0
    octave = floor(log2(value))
    return 1 + _PER_OCTAVE * octave + int(value >= 1.5 * 2.0**octave)


def _step_inside(value: float, maximum: float) -> int:
    """The step of a value, which ends at a maximum where the value is that maximum."""
    step = _step(value)
    return step - 1 if value == maximum == _start(step) else step


def _start(step: int) -> float:
    """The smallest value of a step."""
    octave, half = divmod(step - 1, _PER_OCTAVE)
    return 0 if step <= 0 else 2.0**octave * (1.5 if half else 1)


def _position(value: float, first: int) -> float:
    """Where on the axis a value lies, in bars from the left edge."""
    step = _step(value)
    start, end = _start(step), _start(step + 1)
    return step - first + (value - start) / (end - start)


def histogram(
    title: str,
    counts: Mapping[int, int],
    *,
    limits: Sequence[Limit] = (),
    label: Callable[[float], str] = "{:,.0f}".format,
) -> Chart | None:
    """Bars over values of 0 and more on a logarithmic axis; None when nothing was counted.

    counts: how often each value occurs, values rounded as by `dataset.statistics.bucket`. limits:
    maxima.
    """
    if not counts:
        return None
    positive_limits = [limit for limit in limits if limit.value > 0]
    by_step: dict[int, int] = {}
    for value, count in counts.items():
        step = (
            min(_step_inside(value, limit.value) for limit in positive_limits)
            if positive_limits
            else _step(value)
        )
        by_step[step] = by_step.get(step, 0) + count
    steps = [*by_step, *(_step(limit.value) for limit in positive_limits)]
    first, last = min(steps), max(steps)
    bars = [
        _Bar(step - first, count, f"{label(_start(step))} to {label(_start(step + 1))}")
        for step, count in sorted(by_step.items())
    ]
    marks = [(float(step - first), label(_start(step))) for step in range(first, last + 2)]
    interval = -(-len(marks) // _MARKS_MAX)
    places = [Limit(_position(limit.value, first), limit.label) for limit in positive_limits]
    return _bars(title, bars, last - first + 1, marks=marks[::interval], limits=places)


def aspects(title: str, counts: Mapping[int, int], *, limits: Sequence[Limit] = ()) -> Chart | None:
    """Bars over width / height; counts by round(8 log2(ratio)), drawn in quarters of an octave.

    limits: minima below 1, maxima above; the bar of a limit lies inside.
    """
    if not counts:
        return None
    quarters: dict[int, int] = {}
    for eighth, count in counts.items():
        quarter = max(-_RATIO_MAX, min(_RATIO_MAX, round(eighth / 2)))
        quarters[quarter] = quarters.get(quarter, 0) + count
    places = [4 * log2(limit.value) for limit in limits]
    first = floor(min(*quarters, *places, -4))
    last = floor(max(*quarters, *places, 4)) + 1
    bars = [
        _Bar(quarter - first, count, f"about {2 ** (quarter / 4):.2f}")
        for quarter, count in sorted(quarters.items())
    ]
    marks = [
        (position - first + 0.5, text)
        for position, text in _RATIOS.items()
        if first <= position <= last
    ]
    lines = [
        Limit(place - first + (place > 0), limit.label)
        for place, limit in zip(places, limits, strict=True)
    ]
    return _bars(title, bars, last - first + 1, marks=marks, limits=lines)


def _bars(
    title: str,
    bars: Sequence[_Bar],
    number: int,
    *,
    marks: Sequence[tuple[float, str]],
    limits: Sequence[Limit],
) -> Chart:
    """Bars side by side. marks, limits: on the x axis, in bars from the left edge."""
    chart = Chart(title=title)
    width, floor_y = _PLOT / number, _HEIGHT - _BOTTOM
    top = _ceiling(max(bar.total for bar in bars))
    for count in dict.fromkeys((0, top // 2, top)):
        y = floor_y - (floor_y - _TOP) * count / top
        chart.lines.append(Segment("grid" if count else "axis", _LEFT, _WIDTH - _RIGHT, y, y))
        chart.texts.append(Label("mark", _LEFT - 4, y + 3, "end", f"{count:,}"))
    for bar in bars:
        height = max(1.5, (floor_y - _TOP) * bar.total / top)
        x, bar_width = _LEFT + bar.position * width + 0.5, max(1, width - 1)
        text = f"{bar.label}: {bar.total:,}"
        chart.boxes.append(Box("bar", x, floor_y - height, bar_width, height, text))
    for position, text in marks:
        x = _LEFT + position * width
        anchor = "end" if x > _WIDTH - 20 else "middle"
        chart.texts.append(Label("mark", x, _HEIGHT - 6, anchor, text))
    for limit in limits:
        x = _LEFT + limit.value * width
        anchor, shift = ("end", -3) if x > _WIDTH / 2 else ("start", 3)
        chart.lines.append(Segment("limit", x, x, 4, floor_y))
        chart.texts.append(Label("limit-text", x + shift, 11, anchor, limit.label))
    return chart


def _ceiling(count: int) -> int:
    """The end of the y axis: the next 1, 2, 4, 6, 8 times a power of ten."""
    power: int = 10 ** (len(str(count)) - 1)
    return next(step * power for step in (1, 2, 4, 6, 8, 10) if step * power >= count)


def traces(title: str, curves: Sequence["Curve"]) -> Chart | None:
    """Values by step, both axes linear; None without a point. Each kind of curve has its style."""
    points = [point for curve in curves for point in curve.points]
    if not points:
        return None
    steps, values = [point.step for point in points], [point.value for point in points]
    left, right, low, high = min(steps), max(steps), min(values), max(values)
    floor_y = _HEIGHT - _BOTTOM

    def x(step: float) -> float:
        return _LEFT + _PLOT * (step - left) / ((right - left) or 1)

    def y(value: float) -> float:
        return floor_y - (floor_y - _TOP) * (value - low) / ((high - low) or 1)

    chart = Chart(title=title)
    for value in dict.fromkeys((low, (low + high) / 2, high)):
        style = "axis" if value == low else "grid"
        chart.lines.append(Segment(style, _LEFT, _WIDTH - _RIGHT, y(value), y(value)))
        chart.texts.append(Label("mark", _LEFT - 4, y(value) + 3, "end", f"{value:.3g}"))
    for step in dict.fromkeys((left, (left + right) // 2, right)):
        anchor = "end" if step == right > left else "middle"
        chart.texts.append(Label("mark", x(step), _HEIGHT - 6, anchor, f"{step:,}"))
    for row, curve in enumerate(curves):
        coordinates = tuple((x(point.step), y(point.value)) for point in curve.points)
        chart.traces.append(Trace(f"trace {curve.kind}", coordinates, curve.name))
        chart.texts.append(
            Label(f"name {curve.kind}", _WIDTH - _RIGHT, _TOP - 4 + 12 * row, "end", curve.name)
        )
    return chart


def sizes(
    title: str, counts: Mapping[tuple[int, int], int], *, side_min: int, side_max: int
) -> Chart | None:
    """A map of widths and heights, both logarithmic; the box is what the model accepts."""
    if not counts:
        return None
    cells: dict[tuple[int, int], int] = {}
    for (width, height), count in counts.items():
        cell = _step_inside(width, side_max), _step_inside(height, side_max)
        cells[cell] = cells.get(cell, 0) + count
    steps = [*(step for cell in cells for step in cell), _step(side_min) - 1, _step(side_max) + 1]
    first, last = max(1, min(steps)), max(steps)
    side_x = _PLOT / (last - first + 1)
    side_y = (_MAP_HEIGHT - _BOTTOM - _RIGHT) / (last - first + 1)

    def x(place: float) -> float:
        return _LEFT + place * side_x

    def y(place: float) -> float:
        return _MAP_HEIGHT - _BOTTOM - place * side_y

    def marks() -> Iterator[Label]:
        for step in range(first, last + 1):
            if (step - 1) % _PER_OCTAVE == 0:
                text = f"{_start(step):,.0f}"
                yield Label("mark", x(step - first), _MAP_HEIGHT - 6, "middle", text)
                yield Label("mark", _LEFT - 4, y(step - first) + 3, "end", text)

    max_count, boxes = max(cells.values()), []
    for (column, row), count in sorted(cells.items()):
        text = f"from {_start(column):,.0f} × {_start(row):,.0f} px: {count:,}"
        # The square root keeps rare sizes visible beside frequent ones.
        shade = 0.15 + 0.85 * (count / max_count) ** 0.5
        left, top = x(column - first) + 0.5, y(row - first + 1) + 0.5
        boxes.append(Box("bar", left, top, side_x - 1, side_y - 1, text, shade))
    low, high = _position(side_min, first), _position(side_max, first)
    boxes.append(Box("box", x(low), y(high), x(high) - x(low), y(low) - y(high)))
    return Chart(title=title, height=_MAP_HEIGHT, boxes=boxes, texts=list(marks()))
