"""checkov over synthesized templates, as a subprocess without network.

It lives in an environment of its own (requirements-scan.txt), because it pins an old boto3.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from app import ROOT
from tools.scan.cases import Case
from tools.scan.places import ScannedPlaces
from tools.scan.table import ScanError, ScanFinding

CHECKOV: Final = "checkov"
PROGRAM: Final = ROOT / "build" / "checkov" / "bin" / "checkov"
Run = Callable[[Sequence[str]], Any]


def run(arguments: Sequence[str]) -> Any:
    """checkov's JSON; raises ScanError.

    --skip-download: it asks its maker's service for nothing (seen with strace: no connection).
    --soft-fail: its exit code then speaks of itself and not of findings.
    """
    if not PROGRAM.is_file():
        raise ScanError("checkov is not installed: run `make scan`, with a package registry")
    command = [str(PROGRAM), "--skip-download", "--soft-fail", "--output", "json", *arguments]
    with tempfile.TemporaryDirectory() as home:
        # Neither the settings nor the account of the person who runs it.
        environment = {"PATH": os.environ["PATH"], "HOME": home, "LOG_LEVEL": "ERROR"}
        done = subprocess.run(  # noqa: S603
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
    try:
        return json.loads(done.stdout)
    except json.JSONDecodeError:
        said = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise ScanError(f"checkov ended with {done.returncode}: {' '.join(said)}") from None


def of_templates(
    folders: Mapping[Case, Path], *, customizations: Iterable[str], run: Run = run
) -> list[ScanFinding]:
    """Findings in the templates of several cases: all in one call, its start takes 3 s.

    folders: the cloud assembly of each case. Raises ScanError, too when it passed a template over.
    """
    places = ScannedPlaces(folders, customizations=customizations)
    report = run(["--framework", "cloudformation", "--file", *places.files])
    results = _results(report)
    if results.get("parsing_errors") or report["summary"]["parsing_errors"]:
        raise ScanError(f"checkov could not read {results.get('parsing_errors')}")
    _check_seen(places.files, [*results["passed_checks"], *results["failed_checks"]])
    return [
        places.finding(
            CHECKOV,
            rule=failed["check_id"],
            file=failed["file_abs_path"],
            logical_id=failed["resource"].rpartition(".")[2],
            detail=failed["check_name"],
        )
        for failed in results["failed_checks"]
    ]


def _results(report: Any) -> dict[str, Any]:
    # Without any check to do, the answer is the summary alone.
    if not isinstance(report, dict) or "results" not in report:
        raise ScanError("checkov found nothing that it could check")
    results: dict[str, Any] = report["results"]
    return results


def _check_seen(files: Iterable[str], checks: Iterable[Mapping[str, Any]]) -> None:
    seen = {str(Path(check["file_abs_path"]).resolve()) for check in checks}
    missing = sorted(set(files) - seen)
    if missing:
        raise ScanError(f"checkov passed over {', '.join(Path(f).name for f in missing)}")
