"""One page about one run, from its upload to its end: what people keep and show to others."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from bedrock_tuning.config.names import LOCAL_ACCOUNT
from bedrock_tuning.report.charts import traces
from bedrock_tuning.report.html import Pictures, dataset_parts, environment
from bedrock_tuning.report.report import Report
from bedrock_tuning.run.curves import advice, curves
from bedrock_tuning.run.row import BROKEN, Row, commit_of, hyperparameters, next_steps, timeline

REPORT: Final = "report.json"
METRICS: Final = "metrics.json"
# The small pictures that a page shows, so that it can be drawn again without the dataset.
PICTURES_FILE: Final = "pictures.json"
# What the model was asked and answered; "picture" names a file beside it.
SMOKE: Final = "smoke.json"
# Of a customization with a gate.
EVALUATION: Final = "evaluation.json"
_GOOD: Final = ("served", "trained", "valid")
_BAD: Final = ("rejected", "not-better", *BROKEN)


class RunFiles(msgspec.Struct, frozen=True, kw_only=True):
    """What lies beside a run's report, as far as it is there.

    metrics: metrics.json. smoke: smoke.json; smoke_picture: a data URI. billed: what a bill says,
    in words.
    """

    report: Report | None = None
    metrics: Mapping[str, Any] | None = None
    pictures: Pictures | None = None
    smoke: Mapping[str, Any] | None = None
    smoke_picture: str = ""
    evaluation: Mapping[str, Any] | None = None
    billed: str = ""


def read_files(find: Callable[[str], bytes | None]) -> RunFiles:
    """find: a file of a run's report by its name, None where there is none.

    Raises msgspec.ValidationError for a report of another version.
    """
    report, metrics = find(REPORT), find(METRICS)
    pictures, smoke = find(PICTURES_FILE), find(SMOKE)
    smoke_test: Mapping[str, Any] | None = None if smoke is None else json.loads(smoke)
    name = str(smoke_test["picture"]) if smoke_test else ""
    picture = find(name) if name else None
    evaluation = find(EVALUATION)
    return RunFiles(
        report=None if report is None else msgspec.json.decode(report, type=Report),
        metrics=None if metrics is None else json.loads(metrics),
        pictures=None if pictures is None else msgspec.json.decode(pictures, type=Pictures),
        smoke=smoke_test,
        evaluation=None if evaluation is None else json.loads(evaluation),
        smoke_picture=_data_uri(name, picture) if picture is not None else "",
    )


def _data_uri(name: str, data: bytes) -> str:
    return f"data:image/{name.rpartition('.')[2]};base64,{base64.b64encode(data).decode()}"


def run_page(row: Row, files: RunFiles, *, place: str, command: Callable[[str], str]) -> str:
    """The whole page.

    row: the run's item. place: environment, account and Region, as `Deployment.place`. command: a
    command as it is typed there, from its words after "tuning".
    """
    status = str(row["status"])
    metric_curves = curves((files.metrics or {}).get("files", {}))
    parts = (
        dataset_parts(files.report, files.pictures or Pictures())
        if files.report is not None
        else {}
    )
    return (
        environment()
        .get_template("run.html.j2")
        .render(
            row=row,
            style="valid" if status in _GOOD else "rejected" if status in _BAD else "neutral",
            simulated=is_simulated(place),
            about=dict(_about(row, place, files.report)),
            steps=[(command(words), reason) for words, reason in next_steps(row)],
            moments=timeline(row),
            hyperparameters=hyperparameters(row),
            curves=metric_curves,
            chart=traces("Loss by step", [curve for curve in metric_curves if curve.is_loss]),
            advice=advice(metric_curves),
            files=files,
            estimate=str(row.get("estimate", "")).splitlines(),
            **{"report": None, **parts},
        )
    )


def is_simulated(place: str) -> bool:
    """Whether it is the local AWS. place: environment, account and Region."""
    return LOCAL_ACCOUNT in place


def _about(row: Row, place: str, report: Report | None) -> Iterator[tuple[str, str]]:
    """Which run it is, and of exactly what."""
    model = report.model_name if report is not None else row.get("base_model")
    facts = {
        "Run": row["run"],
        "Deployment": place,
        "Started": row.get("created"),
        "Base model": model,
        "Builds on": row.get("builds_on"),
        "Settings": f"version {row['settings_version']}" if "settings_version" in row else None,
        "Commit": commit_of(row),
        "Training manifest": _version(row, "training"),
        "Validation manifest": _version(row, "validation"),
        "Custom model": row.get("model_arn"),
        "Endpoint": row.get("endpoint_arn"),
    }
    return ((name, str(value)) for name, value in facts.items() if value)


def _version(row: Row, kind: str) -> str | None:
    version = row.get(f"{kind}_version")
    return f"version {version}" if version else None
