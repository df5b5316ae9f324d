"""What the functions return: it has DataFrames, and shows itself in a notebook."""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bedrock_tuning.cli.terminal.extras import require

if TYPE_CHECKING:
    import pandas as pd

    from bedrock_tuning.report.html import ShownPicture
    from bedrock_tuning.report.report import Report

_SHOWN: Final = 12
_FIELDS: Final = ("kind", "line", "name", "severity", "field", "value", "limit", "message", "fix")
_TEMPLATES: Final = Path(__file__).with_name("templates")


def frame(rows: Sequence[Any], **options: Any) -> "pd.DataFrame":
    """A table; raises UserError without pandas."""
    require("pandas", extra="notebook", what="a DataFrame")
    import pandas as pd

    return pd.DataFrame(rows, **options)


def render_part(template: str, **values: object) -> str:
    """What a notebook shows: a part of a page, in which every value is escaped."""
    from bedrock_tuning.report.html import environment

    return environment(_TEMPLATES).get_template(template).render(**values)


class Checked:
    """The result of a check.

    report: as data, with every count. findings: the first ones of each rule, one a row. In a
    notebook it shows the page that `tuning validate --html` writes.
    """

    def __init__(self, report: "Report") -> None:
        self.report = report

    @property
    def valid(self) -> bool:
        """Whether a run would accept the dataset."""
        return self.report.valid

    @cached_property
    def findings(self) -> "pd.DataFrame":
        """One a row: kind, line, name, severity, field, value, limit, message and fix."""
        rows = [[getattr(finding, name) for name in _FIELDS] for finding in self.report.findings]
        return frame(rows, columns=_FIELDS)

    def __repr__(self) -> str:
        verdict = "VALID" if self.valid else "REJECTED"
        report = self.report
        return (
            f"{verdict} for {report.model}: {report.records:,} records, {report.errors:,} errors, "
            f"{report.warnings:,} warnings"
        )

    def _repr_html_(self) -> str:
        from bedrock_tuning.report.html import to_html

        return render_part("checked.html.j2", page=to_html(self.report), verdict=repr(self))


class PreparedDataset:
    """What `prepare` wrote.

    folder: to validate and upload. understood: how the source was read, in one line. records: one
    a row, with `kind` (training or validation), the record's fields and, for pictures, the `file`.
    checked: what the checker says, None where no model was named. left_out: file and reason.
    """

    def __init__(
        self,
        *,
        folder: Path,
        understood: str,
        checked: Checked | None,
        left_out: Sequence[tuple[str, str]],
    ) -> None:
        self.folder = folder
        self.understood = understood
        self.checked = checked
        self._left_out = left_out

    @cached_property
    def records(self) -> "pd.DataFrame":
        """One row for each line of the manifests."""
        rows = []
        for kind in ("training", "validation"):
            manifest = self.folder / kind / "manifest.jsonl"
            lines = manifest.read_text("utf-8").splitlines() if manifest.is_file() else []
            for line in lines:
                record = json.loads(line)
                name = str(record.get("image-ref", "")).rpartition("/")[2]
                file = {"file": str(manifest.parent / "images" / name)} if name else {}
                rows.append({"kind": kind, **record, **file})
        return frame(rows)

    @cached_property
    def left_out(self) -> "pd.DataFrame":
        """Columns: file, reason."""
        return frame(self._left_out, columns=("file", "reason"))

    def __repr__(self) -> str:
        counts = self.records["kind"].value_counts().to_dict()
        summary = ", ".join(f"{count:,} {kind} records" for kind, count in counts.items())
        return f"{self.folder}: {summary}" + (f"; {self.checked!r}" if self.checked else "")

    def _repr_html_(self) -> str:
        sample = self.records.iloc[:: max(1, len(self.records) // _SHOWN)].head(_SHOWN)
        has_pictures = "file" in sample
        return render_part(
            "prepared.html.j2",
            understood=self.understood,
            summary=repr(self),
            cards=[_card(row) for _, row in sample.iterrows()] if has_pictures else (),
            table="" if has_pictures else sample.to_html(index=False),
        )


def _card(row: Any) -> "ShownPicture":
    from bedrock_tuning.report.html import ShownPicture
    from bedrock_tuning.sources.pictures import thumbnail

    file = Path(row["file"])
    return ShownPicture(file.name, row["caption"], thumbnail(file.read_bytes()))
