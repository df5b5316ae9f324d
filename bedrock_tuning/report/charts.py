"""Small charts as inline SVG: bars and a map of sizes; drawn here, so the page needs no library."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from math import floor, log2
from typing import Final, NamedTuple

_WIDTH, _HEIGHT = 360, 160
_LEFT, _BOTTOM, _TOP = 8, 22, 16
# Half an octave per bar: each bar is a union of the histogram's buckets, so none is torn apart.
_PER_OCTAVE: Final = 2


class Limit(NamedTuple):
    """A line across a chart: at which value, and what it says."""

    value: float
    label: str


def _svg(title: str, height: int, body: Sequence[str]) -> str:
    return (
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="{escape(title)}">{"".join(body)}</svg>'
    )


def _step(value: float) -> int:
    """Half octaves: 0 for zero, then 1 for 1, 3 for 2, 4 for 3, 5 for 4, 6 for 6, 7 for 8, …"""
    if value < 1:
        return 0
    octave = floor(log2(value))
    return 1 + _PER_OCTAVE * octave + int(value >= 1.5 * 2.0**octave)


def _start(step: int) -> float:
    """The smallest value of a step."""
    octave, half = divmod(step - 1, _PER_OCTAVE)
    return 0 if step <= 0 else 2.0**octave * (1.5 if half else 1)


def histogram(
    title: str,
    counts: Mapping[int, int],
    *,
    limits: Sequence[Limit] = (),
    label: Callable[[float], str] = lambda value: f"{value:,.0f}",
) -> str:
    """Bars over values of 0 and more on a logarithmic axis; "" when nothing was counted.

    counts: how often each value occurs, values rounded down as by `dataset.statistics.bucket`.
    """
    if not counts:
        return ""
    bars: dict[int, int] = {}
    for value, count in counts.items():
        bars[_step(value)] = bars.get(_step(value), 0) + count
    shown = [limit for limit in limits if limit.value > 0]
    steps = [*bars, *(_step(limit.value) for limit in shown)]
    first, last = min(steps), max(steps)
    names = {step: f"{label(_start(step))} to {label(_start(step + 1))}" for step in bars}
    marks = {step: label(_start(step)) for step in range(first, last + 2)}
    lines = [Limit(_place(limit.value, first), limit.label) for limit in shown]
    return _bars(
        title,
        {step - first: count for step, count in bars.items()},
        last - first + 1,
        names={step - first: name for step, name in names.items()},
        marks={step - first: mark for step, mark in marks.items()},
        limits=lines,
    )


def _place(value: float, first: int) -> float:
    """Where on the axis a value lies, in bars from the left edge."""
    step = _step(value)
    start, end = _start(step), _start(step + 1)
    return step - first + (value - start) / (end - start)


def aspects(title: str, counts: Mapping[int, int], *, limits: Sequence[Limit] = ()) -> str:
    """Bars over width / height; counts by round(8 log2(ratio)), drawn in quarters of an octave."""
    if not counts:
        return ""
    quarters: dict[int, int] = {}
    for eighth, count in counts.items():
        quarter = max(-16, min(16, round(eighth / 2)))
        quarters[quarter] = quarters.get(quarter, 0) + count
    places = [4 * log2(limit.value) for limit in limits]
    first = floor(min(*quarters, *places, -4))
    last = floor(max(*quarters, *places, 4)) + 1
    ratios = {-12: "1:8", -8: "1:4", -4: "1:2", 0: "1:1", 4: "2:1", 8: "4:1", 12: "8:1"}
    return _bars(
        title,
        {quarter - first: count for quarter, count in quarters.items()},
        last - first + 1,
        names={quarter - first: f"about {2 ** (quarter / 4):.2f}" for quarter in quarters},
        marks={place - first: text for place, text in ratios.items() if first <= place <= last},
        limits=[
            Limit(place - first + 0.5, limit.label)
            for place, limit in zip(places, limits, strict=True)
        ],
        centred=True,
    )


def _bars(
    title: str,
    counts: Mapping[int, int],
    number: int,
    *,
    names: Mapping[int, str],
    marks: Mapping[int, str],
    limits: Sequence[Limit],
    centred: bool = False,
) -> str:
    """Bars side by side. names: of bars; marks: of their left edges or middles, by position."""
    width = (_WIDTH - 2 * _LEFT) / number
    floor_y, most = _HEIGHT - _BOTTOM, max(counts.values())
    body = [
        f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _LEFT}" y1="{floor_y}" y2="{floor_y}"/>'
    ]
    for place, count in sorted(counts.items()):
        height = max(1.5, (floor_y - _TOP) * count / most)
        body.append(
            f'<rect class="bar" x="{_LEFT + place * width + 0.5:.1f}" '
            f'y="{floor_y - height:.1f}" width="{max(1, width - 1):.1f}" height="{height:.1f}">'
            f"<title>{escape(names[place])}: {count:,}</title></rect>"
        )
    every = max(1, -(-len(marks) // 7))
    for place, text in list(marks.items())[:: 1 if centred else every]:
        x = _LEFT + (place + (0.5 if centred else 0)) * width
        anchor = "start" if x < 20 else "end" if x > _WIDTH - 20 else "middle"
        body.append(
            f'<text class="mark" x="{x:.1f}" y="{_HEIGHT - 6}" text-anchor="{anchor}">'
            f"{escape(text)}</text>"
        )
    for limit in limits:
        x = _LEFT + limit.value * width
        anchor = "end" if x > _WIDTH / 2 else "start"
        shift = -3 if anchor == "end" else 3
        body.append(
            f'<line class="limit" x1="{x:.1f}" x2="{x:.1f}" y1="4" y2="{floor_y}"/>'
            f'<text class="limit-text" x="{x + shift:.1f}" y="11" text-anchor="{anchor}">'
            f"{escape(limit.label)}</text>"
        )
    return _svg(title, _HEIGHT, body)


def sizes(
    title: str, counts: Mapping[tuple[int, int], int], *, side_min: int, side_max: int
) -> str:
    """A map of widths and heights, both logarithmic; the box is what the model accepts."""
    if not counts:
        return ""
    cells: dict[tuple[int, int], int] = {}
    for (width, height), count in counts.items():
        cell = _step(width), _step(height)
        cells[cell] = cells.get(cell, 0) + count
    steps = [*(s for cell in cells for s in cell), _step(side_min) - 1, _step(side_max) + 1]
    first, last = max(1, min(steps)), max(steps)
    number = last - first + 1
    height = 300
    side_x, side_y = (_WIDTH - 40 - _LEFT) / number, (height - _BOTTOM - _LEFT) / number

    def x(place: float) -> float:
        return 40 + place * side_x

    def y(place: float) -> float:
        return height - _BOTTOM - place * side_y

    most, body = max(cells.values()), []
    for (column, row), count in sorted(cells.items()):
        # The square root keeps rare sizes visible beside frequent ones.
        shade = 0.15 + 0.85 * (count / most) ** 0.5
        body.append(
            f'<rect class="bar" x="{x(column - first) + 0.5:.1f}" '
            f'y="{y(row - first + 1) + 0.5:.1f}" width="{side_x - 1:.1f}" '
            f'height="{side_y - 1:.1f}" opacity="{shade:.2f}"><title>'
            f"{_start(column):,.0f} × {_start(row):,.0f} px and more: {count:,}</title></rect>"
        )
    for step in range(first, last + 1):
        if (step - 1) % _PER_OCTAVE == 0:
            text = f"{_start(step):,.0f}"
            body.append(
                f'<text class="mark" x="{x(step - first):.1f}" y="{height - 6}" '
                f'text-anchor="middle">{text}</text>'
                f'<text class="mark" x="36" y="{y(step - first) + 3:.1f}" '
                f'text-anchor="end">{text}</text>'
            )
    low, high = _place(side_min, first), _place(side_max, first)
    body.append(
        f'<rect class="box" x="{x(low):.1f}" y="{y(high):.1f}" width="{x(high) - x(low):.1f}" '
        f'height="{y(low) - y(high):.1f}"/>'
    )
    return _svg(title, height, body)
