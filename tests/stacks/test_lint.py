"""Linters that others will run on our templates find nothing but what we accept with a reason."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from app import ROOT
from bedrock_tuning.config.customization import load_all
from tests.stacks.conftest import Built
from tools.scan import linters, table
from tools.scan.cases import CASES, Case
from tools.scan.table import ScanFinding

pytestmark = pytest.mark.long

Linter = Callable[..., list[ScanFinding]]
LINTERS = {linters.CFN_LINT: linters.cfn_lint, linters.VALIDATOR: linters.validator}


@pytest.fixture(scope="session")
def folders(built: Built) -> Mapping[Case, Path]:
    """Where the templates of each case are."""
    return {case: Path(built(case).synth().directory) for case in CASES}


@pytest.mark.parametrize("tool", LINTERS)
def test_every_finding_is_accepted_with_a_reason_and_none_in_vain(
    folders: Mapping[Case, Path], tool: str
) -> None:
    found = LINTERS[tool](folders, customizations=load_all(ROOT / "customizations"))
    judged = table.judge_findings(found, table.read(), tool=tool)
    assert not judged.unacknowledged, "\n".join(map(str, judged.unacknowledged))
    assert not judged.stale, "\n".join(judged.stale)


@pytest.mark.parametrize("tool", LINTERS)
def test_a_flaw_is_found_at_its_construct(assembly: Any, tmp_path: Path, tool: str) -> None:
    # An empty answer of a linter that saw nothing would look like a good one.
    name = "tuning-dev-data.template.json"
    whole = json.loads((Path(assembly.directory) / name).read_text("utf-8"))
    whole["Resources"]["Flawed"] = {
        "Type": "AWS::S3::Bucket",
        "Metadata": {"aws:cdk:path": "tuning-dev-data/Flawed/Resource"},
        "Properties": {"Nonsense": 1},
    }
    (tmp_path / name).write_text(json.dumps(whole), "utf-8")
    found = LINTERS[tool]({Case(): tmp_path}, customizations=())
    assert [f.where for f in found if "Nonsense" in f.detail] == ["data/Flawed"]


def test_editors_ignore_what_the_table_accepts(repository: Path) -> None:
    ignored = re.findall(r"^  - (\w+)$", (repository / ".cfnlintrc.yaml").read_text("utf-8"), re.M)
    accepted = [rule for row in table.read() if row.tool == linters.CFN_LINT for rule in row.rules]
    assert ignored == accepted
