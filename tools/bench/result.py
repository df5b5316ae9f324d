"""What a benchmark leaves behind: figures of every run, goals, and the machine they hold for."""

from statistics import median
from typing import Any, Final

import msgspec

_VERSION: Final = 1


class BenchRow(msgspec.Struct, kw_only=True):
    """One thing that was measured. figures: of every run, by the column's name."""

    what: str
    figures: dict[str, list[float]] = msgspec.field(default_factory=dict)

    def median(self, column: str) -> float:
        """The median of one column; raises KeyError when it was not measured."""
        return median(self.figures[column])

    def spread(self, column: str) -> float:
        """Largest minus smallest value, as a share of the median."""
        values = self.figures[column]
        return (max(values) - min(values)) / (median(values) or 1)

    def add(self, figures: dict[str, float]) -> None:
        """One more run."""
        for column, value in figures.items():
            self.figures.setdefault(column, []).append(value)


class Goal(msgspec.Struct, kw_only=True):
    """What was promised and what came out."""

    what: str
    wanted: str
    got: str
    met: bool


class BenchSection(msgspec.Struct, kw_only=True):
    """One benchmark. columns: in the order of the table, with the format of their values.

    about: how it was measured. notes: what a reader must know to judge the figures.
    missing: why it was not measured, else empty.
    """

    name: str
    title: str
    about: str = ""
    columns: dict[str, str] = msgspec.field(default_factory=dict)
    rows: list[BenchRow] = msgspec.field(default_factory=list)
    goals: list[Goal] = msgspec.field(default_factory=list)
    notes: list[str] = msgspec.field(default_factory=list)
    missing: str = ""

    def row(self, what: str) -> BenchRow:
        """The row of this name, added when it is new."""
        for row in self.rows:
            if row.what == what:
                return row
        self.rows.append(BenchRow(what=what))
        return self.rows[-1]

    def at_least(self, what: str, value: float, least: float, format: str) -> None:
        """A goal that a value must reach."""
        self._goal(what, f"≥ {format.format(least)}", format.format(value), value >= least)

    def at_most(self, what: str, value: float, most: float, format: str) -> None:
        """A goal that a value must not exceed."""
        self._goal(what, f"≤ {format.format(most)}", format.format(value), value <= most)

    def _goal(self, what: str, wanted: str, got: str, met: bool) -> None:
        self.goals.append(Goal(what=what, wanted=wanted, got=got, met=met))


class Results(msgspec.Struct, kw_only=True):
    """One run of the benchmarks. load: the machine's load average when it began and ended."""

    version: int = _VERSION
    date: str
    quick: bool
    rounds: int
    machine: dict[str, Any]
    load: list[float]
    sections: list[BenchSection]

    def renewed(self, newer: "Results") -> "Results":
        """These with the sections of another run, which say when and where that was."""
        where = f"{newer.machine['processor']}, {newer.machine['cores']} cores"
        began, ended = newer.load
        when = (
            f"Measured by itself: {newer.date}, {where}, load average {began:.1f} to {ended:.1f}."
        )
        for section in newer.sections:
            section.notes.append(when)
        new = {section.name: section for section in newer.sections}
        kept = [new.pop(section.name, section) for section in self.sections]
        return msgspec.structs.replace(self, sections=[*kept, *new.values()])
