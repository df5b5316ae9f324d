"""`tuning report`: a run's report brought here, and never over other files unasked."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.cli.support import RUN, StubbedAws
from tests.report.test_report import bad_report

FOLDER = "reports/pets-search/x/"
REJECTED = {
    "run": RUN,
    "customization": "pets-search",
    "status": "rejected",
    "report": f"s3://out/{FOLDER}report.json",
}
REPORT = json.loads(bad_report().to_json())
VERDICT = "REJECTED for Titan Multimodal Embeddings G1: 4 records, 8 errors, 1 warning"
FILES = {
    "report.html": b"drawn before the end",
    "report.json": json.dumps(REPORT).encode(),
    "rejected.jsonl": b"{}\n",
    "metrics.json": b'{"training_loss": null}',
}


class _GoneError(Exception):
    pass


class FakeS3:
    """The output bucket."""

    class exceptions:  # noqa: N801
        NoSuchKey = _GoneError

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        return {"Body": io.BytesIO(self._read(Bucket, Key))}

    def download_file(self, bucket: str, key: str, path: str) -> None:
        Path(path).write_bytes(self._read(bucket, key))

    def _read(self, bucket: str, key: str) -> bytes:
        assert bucket == "out"
        if key.removeprefix(FOLDER) not in self.files:
            raise _GoneError
        return self.files[key.removeprefix(FOLDER)]


@pytest.fixture(autouse=True)
def _here(aws: StubbedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.__dict__["s3"] = FakeS3(dict(FILES))
    aws.deployed()
    monkeypatch.chdir(tmp_path)


def written(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_all_files_of_a_report_come_here_and_their_paths_are_printed(
    run: Run, aws: StubbedAws, tmp_path: Path
) -> None:
    aws.has_run(**REJECTED)
    result = run("report", RUN)
    assert result.exit_code == 0, result.output
    names = ("report.html", "report.json", "rejected.jsonl")
    found = written(tmp_path / f"report-{RUN}")
    assert found.keys() == set(names)
    assert all(found[name] == FILES[name] for name in names[1:])
    assert result.stdout.splitlines() == [VERDICT, *(f"report-{RUN}/{name}" for name in names)]


def test_the_page_is_drawn_of_the_run_as_it_is_now(
    run: Run, aws: StubbedAws, tmp_path: Path
) -> None:
    aws.has_run(**REJECTED, message="told since", at_rejected="2026-11-21T09:31:00Z")
    assert run("report", RUN, "--html", "page.html").exit_code == 0
    page = (tmp_path / "page.html").read_text("utf-8")
    assert "told since" in page
    assert "the dataset was rejected" in page
    assert "caption-too-long" in page


def test_a_bill_is_asked_only_on_request_and_for_this_run(
    run: Run, aws: StubbedAws, tmp_path: Path
) -> None:
    aws.has_run(**REJECTED)
    period = {"TimePeriod": {"Start": "2026-11-01", "End": "2026-11-27"}, "Estimated": True}
    money = {"UnblendedCost": {"Amount": "212.4", "Unit": "USD"}}
    group = {"Keys": [f"bedrock-tuning:run${RUN}"], "Metrics": money}
    answer = {"ResultsByTime": [{**period, "Groups": [group]}]}
    aws.answer("cost_explorer", "get_cost_and_usage", answer, None)
    assert run("report", RUN, "--html", "page.html", "--billed").exit_code == 0
    assert "212.40 USD" in (tmp_path / "page.html").read_text("utf-8")


def test_a_report_of_another_version_says_so(run: Run, aws: StubbedAws) -> None:
    aws.s3.files["report.json"] = json.dumps({**REPORT, "errors": "many"}).encode()  # type: ignore[attr-defined]
    aws.has_run(**REJECTED)
    result = run("report", RUN)
    assert result.exit_code == 2
    assert "written by another version" in result.stderr


def test_a_trained_model_has_its_metrics_beside_the_report(
    run: Run, aws: StubbedAws, tmp_path: Path
) -> None:
    aws.has_run(**REJECTED, metrics="s3://out/x/metrics.json")
    assert run("report", RUN, "-o", "here").exit_code == 0
    found = written(tmp_path / "here")
    assert found.keys() == FILES.keys()
    assert found["metrics.json"] == FILES["metrics.json"]


def test_files_that_are_there_already_stay_until_somebody_says_otherwise(
    run: Run, aws: StubbedAws, tmp_path: Path
) -> None:
    (tmp_path / "report.json").write_text("mine")
    aws.has_run(**REJECTED)
    result = run("report", RUN, "-o", ".")
    assert result.exit_code == 2
    assert "report.json" in result.stderr
    assert written(tmp_path) == {"report.json": b"mine"}
    aws.deployed()
    aws.has_run(**REJECTED)
    assert run("report", RUN, "-o", ".", "--overwrite").exit_code == 0
    assert written(tmp_path)["report.json"] == FILES["report.json"]


def test_only_the_page_is_written_where_only_the_page_is_wanted(
    run: Run, aws: StubbedAws, tmp_path: Path
) -> None:
    aws.has_run(**REJECTED)
    assert run("report", RUN, "--html", "page.html").exit_code == 0
    assert written(tmp_path).keys() == {"page.html"}


def test_as_json_the_report_itself_is_printed_and_nothing_is_written(
    run: Run, aws: StubbedAws, tmp_path: Path
) -> None:
    aws.has_run(**REJECTED)
    assert json.loads(run("report", RUN, "--json").stdout) == REPORT
    assert written(tmp_path) == {}


def test_a_run_without_a_report_says_what_it_is_instead(run: Run, aws: StubbedAws) -> None:
    aws.has_run(run=RUN, customization="pets-search", status="closed")
    result = run("report", RUN)
    assert result.exit_code == 2
    assert "has no report: it is closed" in result.stderr


def test_a_report_that_was_deleted_is_no_defect_of_this_tool(run: Run, aws: StubbedAws) -> None:
    aws.s3.files.clear()  # type: ignore[attr-defined]
    aws.has_run(**REJECTED)
    result = run("report", RUN)
    assert result.exit_code == 2
    assert "no longer exists" in result.stderr
