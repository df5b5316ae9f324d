"""Two environments synthesized into one folder: the review judges one of them and says which."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app import ROOT, build_app
from bedrock_tuning.cli.__main__ import tuning
from bedrock_tuning.review.assembly import template
from tests.review.broken import Synthesized
from tools.scan.cases import Case

PARTS = ("data", "people", "pets-search", "pets-style", "pipeline", "serving")


@pytest.fixture(scope="module")
def cdk_out(dev: Synthesized, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The templates of dev, then of prod beside them, as two `cdk synth` leave them."""
    folder = dev.copied(tmp_path_factory.mktemp("both") / "cdk.out")
    # The proof runs inside of it: the templates of dev must be no violation of prod's.
    build_app(Case(environment="prod").context(), outdir=str(folder)).synth()
    return folder


def _review(folder: Path, *options: str) -> Result:
    project = (
        "--settings",
        str(ROOT / "cdk.json"),
        "--customizations",
        str(ROOT / "customizations"),
    )
    return CliRunner().invoke(tuning, ["review", str(folder), *project, *options])


def test_only_the_stacks_of_the_last_synthesis_are_read(cdk_out: Path) -> None:
    assembly = template.read(cdk_out)
    assert sorted(assembly.templates) == [f"tuning-prod-{part}" for part in PARTS]
    assert {resource.stack for resource in assembly.resources} == set(assembly.templates)
    assert assembly.left_aside == tuple(f"tuning-dev-{part}" for part in PARTS)


def test_the_command_says_which_it_reviews_and_proves_that_one(cdk_out: Path) -> None:
    done = _review(cdk_out, "--json")
    assert done.exit_code == 0
    # Among the lines: whatever else this process warns of on standard error is not ours to judge.
    lines = done.stderr.splitlines()
    prod, dev = (", ".join(f"tuning-{each}-{part}" for part in PARTS) for each in ("prod", "dev"))
    assert f"reviewing {prod}, not {dev}, left over from an earlier synthesis" in lines
    (proved,) = [line for line in lines if line.startswith("proved: ")]
    assert proved.endswith(" resources of prod")
    answer = json.loads(done.stdout)
    assert answer["left_aside"] == [f"tuning-dev-{part}" for part in PARTS]
    assert sorted(answer["stacks"]) == [f"tuning-prod-{part}" for part in PARTS]


def test_one_environment_alone_leaves_nothing_aside(dev: Synthesized) -> None:
    done = _review(dev.folder)
    assert "left over" not in done.stderr
    assert done.stderr.rstrip().endswith(" resources of dev")


def test_without_a_manifest_nobody_knows_which_one_is_meant(cdk_out: Path, tmp_path: Path) -> None:
    for file in cdk_out.glob("*.template.json"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    done = _review(tmp_path)
    assert done.exit_code == 1
    assert done.stderr == (
        "not checked: stacks of dev, prod in one folder; synthesize one environment\n"
    )
