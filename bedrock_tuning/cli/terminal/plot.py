"""Curves, drawn in the terminal or into a file."""

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Final

from bedrock_tuning.cli.terminal.extras import require
from bedrock_tuning.errors import UserError
from bedrock_tuning.run.curves import Curve

_MARKERS: Final = ("braille", "•", "x", "+", "o")


def terminal_chart(labelled_curves: Sequence[tuple[str, Curve]], *, title: str, width: int) -> str:
    """Curves in one chart of characters. labelled_curves: the legend's words and the curve."""
    import plotext

    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plot_size(width, 18)
    plotext.title(title)
    plotext.xlabel("step")
    last = max(curve.points[-1].step for _, curve in labelled_curves)
    plotext.xticks(sorted({round(last * part / 4) for part in range(5)}))
    # Told apart without colors, as in a pipe or a log.
    for (label, curve), marker in zip(labelled_curves, cycle(_MARKERS), strict=False):
        steps = [point.step for point in curve.points]
        plotext.plot(steps, [point.value for point in curve.points], label=label, marker=marker)
    lines = plotext.uncolorize(plotext.build()).splitlines()
    return "\n".join(line.rstrip() for line in lines).rstrip()


def draw_curves(labelled_curves: Sequence[tuple[str, Curve]], *, title: str, file: Path) -> None:
    """Curves as SVG, PNG or PDF, by the file's ending.

    Raises UserError where matplotlib is missing or cannot write such a file.
    """
    require("matplotlib", extra="plots", what="drawing into a file")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for label, curve in labelled_curves:
        steps = [point.step for point in curve.points]
        axes.plot(steps, [point.value for point in curve.points], label=label)
    axes.set(title=title, xlabel="step")
    axes.grid(alpha=0.3)
    axes.legend()
    try:
        figure.savefig(file, dpi=150)
    except ValueError as error:
        raise UserError(str(error), where=str(file), fix="end the name with .svg or .png") from None
