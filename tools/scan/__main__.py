"""`python -m tools.scan` (`make scan`): checkov over all cases, against our table.

The other scanners are gates in tests/stacks; checkov has an environment of its own.

Exit code 0: every finding is accepted and no acceptance is stale; 1: not so; 2: could not run.
"""

import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from jsii.errors import JavaScriptError

from app import ROOT
from bedrock_tuning.config.customization import load_all
from bedrock_tuning.errors import TuningError
from tools.scan import checkov
from tools.scan.cases import CASES
from tools.scan.table import ScanJudgement, judge_findings, read

_REPORT = ROOT / "build" / "scan.md"


def main() -> int:
    """Scans, prints what is to be done and writes build/scan.md."""
    try:
        judged = _judge()
    except TuningError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except JavaScriptError as error:
        sys.stderr.write(f"the synthesis fails, its reasons are above: {error}\n")
        return 2
    _REPORT.parent.mkdir(exist_ok=True)
    _REPORT.write_text(report(judged), "utf-8")
    return finish(judged)


def finish(judged: Mapping[str, ScanJudgement]) -> int:
    """Prints what is to be done; the exit code."""
    for each in judged.values():
        for problem in (*each.unacknowledged, *each.stale):
            sys.stdout.write(f"{problem}\n")
    if not all(each.clean for each in judged.values()):
        sys.stderr.write("fix it, or accept it with a reason in tools/scan/acknowledgements.toml\n")
        return 1
    accepted = sum(count for each in judged.values() for _, count in each.accepted)
    sys.stderr.write(
        f"{len(CASES)} cases: {accepted} findings, each accepted with a reason; "
        f"{_REPORT.relative_to(ROOT)}\n"
    )
    return 0


def _judge() -> dict[str, ScanJudgement]:
    folders = {}
    with tempfile.TemporaryDirectory() as place:
        for case in CASES:
            sys.stderr.write(f"synthesize {case}\n")
            folders[case] = Path(place) / str(case)
            case.app(folders[case]).synth()
        sys.stderr.write("checkov\n")
        found = checkov.of_templates(folders, customizations=load_all(ROOT / "customizations"))
    return {checkov.CHECKOV: judge_findings(found, read(), tool=checkov.CHECKOV)}


def report(judged: Mapping[str, ScanJudgement]) -> str:
    """Markdown: what is open, then what is accepted and why."""
    lines = ["# Scanners", ""]
    for tool, each in judged.items():
        lines += [f"## {tool}", ""]
        problems: Sequence[object] = (*each.unacknowledged, *each.stale)
        lines += [f"* ❌ {problem}" for problem in problems] or ["Nothing to do."]
        lines += ["", "| accepted | where | findings | why |", "|---|---|---|---|"]
        for row, count in each.accepted:
            rules, where = ("<br>".join(f"`{x}`" for x in part) for part in (row.rules, row.where))
            only = f" (only with `{row.when}`)" if row.when else ""
            lines.append(f"| {rules} | {where}{only} | {count} | {row.reason} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
