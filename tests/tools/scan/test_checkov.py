"""checkov's answer becomes findings at construct paths; an answer that saw nothing is refused."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tools.scan import checkov
from tools.scan.cases import Case
from tools.scan.checkov import Run
from tools.scan.table import ScanError, ScanFinding

TEMPLATE = {
    "Resources": {
        "Logs1234ABCD": {
            "Type": "AWS::S3::Bucket",
            "Metadata": {"aws:cdk:path": "tuning-dev-data/Logs/Resource"},
        }
    }
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A synthesized stack of one bucket."""
    path = tmp_path / "tuning-dev-data.template.json"
    path.write_text(json.dumps(TEMPLATE), "utf-8")
    return tmp_path


def _check(file: Path, **changes: object) -> dict[str, Any]:
    return {
        "check_id": "CKV_AWS_18",
        "check_name": "Ensure that it logs",
        "file_abs_path": str(file),
        "file_path": f"/{file.name}",
        "file_line_range": [7, 8],
        "resource": "AWS::S3::Bucket.Logs1234ABCD",
        **changes,
    }


def _answer(
    *, failed: Sequence[object] = (), passed: Sequence[object] = (), errors: Sequence[str] = ()
) -> Mapping[str, Any]:
    results = {"failed_checks": failed, "passed_checks": passed, "parsing_errors": errors}
    return {"results": results, "summary": {"parsing_errors": len(errors)}}


def _run(answer: Any) -> Run:
    return lambda _: answer


def test_a_finding_is_where_the_construct_is(folder: Path) -> None:
    file = folder / "tuning-dev-data.template.json"
    (found,) = checkov.of_templates(
        {Case(): folder}, customizations=(), run=_run(_answer(failed=[_check(file)]))
    )
    assert found == ScanFinding(
        tool="checkov",
        rule="CKV_AWS_18",
        where="data/Logs",
        detail="Ensure that it logs",
        case=Case(),
    )


def test_a_template_that_was_passed_over_is_no_good_answer(folder: Path) -> None:
    other = folder / "tuning-dev-other.template.json"
    other.write_text(json.dumps(TEMPLATE), "utf-8")
    answer = _answer(passed=[_check(folder / "tuning-dev-data.template.json")])
    with pytest.raises(ScanError, match="passed over tuning-dev-other"):
        checkov.of_templates({Case(): folder}, customizations=(), run=_run(answer))


def test_a_template_that_cannot_be_read_is_no_good_answer(folder: Path) -> None:
    with pytest.raises(ScanError, match=r"could not read \['x.json'\]"):
        checkov.of_templates(
            {Case(): folder}, customizations=(), run=_run(_answer(errors=["x.json"]))
        )


def test_an_answer_without_results_is_no_good_answer(folder: Path) -> None:
    # What checkov prints when it had nothing to check.
    with pytest.raises(ScanError, match="nothing that it could check"):
        checkov.of_templates(
            {Case(): folder}, customizations=(), run=_run({"passed": 0, "failed": 0})
        )


def test_without_checkov_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkov, "PROGRAM", tmp_path / "checkov")
    with pytest.raises(ScanError, match="run `make scan`"):
        checkov.run([])


def test_a_checkov_that_breaks_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "checkov"
    program.write_text("#!/bin/sh\necho 'ImportError: no rules' >&2\nexit 3\n", "utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(checkov, "PROGRAM", program)
    with pytest.raises(ScanError, match="ended with 3: ImportError: no rules"):
        checkov.run([])
