"""Hundreds of customizations are proved by one of each shape, and none hides behind another."""

import json
import re
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from app import ROOT, build_app, read_context
from bedrock_tuning import review
from bedrock_tuning.config import customization, settings
from bedrock_tuning.contracts import Contracts, contracts
from bedrock_tuning.review.assembly import template
from bedrock_tuning.review.families import reduced
from tests.review.broken import Synthesized

SEARCH = (ROOT / "customizations" / "pets-search.toml").read_text("utf-8")
# Names that differ only by hyphens or look like parts of something else are names like others.
NAMES = ("pets", "petssearch", "pets-search", "v1a", "v1-a", "s3", "dev", "jobs", "tuning")


# Beside those of one shape: a grader, a teacher behind an inference profile, another round.
OTHERS = {
    "graded": (
        "nova-2-lite",
        '''customization_type = "REINFORCEMENT_FINE_TUNING"
grader = "arn:aws:lambda:us-east-1:444455556666:function:reward"''',
    ),
    "taught": (
        "nova-micro",
        '''customization_type = "DISTILLATION"
teacher = "us.amazon.nova-premier-v1:0"''',
    ),
    "taught-here": (
        "nova-micro",
        '''customization_type = "DISTILLATION"
teacher = "amazon.nova-pro-v1:0"''',
    ),
    "again": (
        "nova-micro",
        'custom_model = "arn:aws:bedrock:us-east-1:444455556666:'
        'custom-model/amazon.nova-micro-v1:0:128k/abcdefghijkl"',
    ),
    "brought": (
        "nova-micro",
        '''[job]
job_name = "ron-and-smila"
model_name = "ron-and-smila"
output_folder = "marketing/ron"
service_role = "arn:aws:iam::444455556666:role/ml/BedrockCustomization"''',
    ),
    "placed": ("nova-micro", '[job]\noutput_folder = "marketing/smila"'),
}


def _others(folder: Path) -> None:
    for name, (model, job) in OTHERS.items():
        text = f'description = "x"\nbase_model = "{model}"\n{job}\n'
        (folder / f"{name}.toml").write_text(text, "utf-8")


def _customizations(folder: Path, names: tuple[str, ...]) -> Path:
    folder.mkdir()
    for number, name in enumerate(names):
        changed = SEARCH.replace("lease_hours = 8", f"lease_hours = {number % 700 + 1}")
        if name == "jobs":
            changed += '[dataset]\nfolders = ["folder1", "folder2/pictures"]\n'
        (folder / f"{name}.toml").write_text(changed, "utf-8")
    return folder


def _contracts(folder: Path) -> Contracts:
    chosen = settings.read(read_context()["tuning"], environment="dev")
    return contracts(chosen, customization.load_all(folder))


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    """Some customizations of one shape, each with values of its own; the proof ran inside."""
    folder = tmp_path_factory.mktemp("families")
    files = _customizations(folder / "customizations", NAMES)
    _others(files)
    context = {**read_context(), "aws:cdk:enable-path-metadata": True}
    build_app(context, outdir=str(folder / "cdk.out"), customizations=files).synth()
    return Synthesized.read(folder / "cdk.out", _contracts(files))


def test_one_of_them_is_proved_for_those_that_are_like_it(families: Synthesized) -> None:
    whole = template.read(families.folder)
    _, few = reduced(whole, families.contracts)
    # A name that is a word of the templates, too (s3, dev, the team's tag), is judged by itself.
    alike = {"petssearch", "pets-search", "v1a", "v1-a"}
    assert len(set(few.settings) & alike) == 1
    assert review.violations(review.evidence_of(whole, families.contracts)) == []


def _broken(families: Synthesized, name: str, change: Callable[[Any], None]) -> list[str]:
    """The checks that a change of one customization's template breaks."""
    copy = families.copy()
    change(copy.stack(name)["Resources"])
    found = copy.violations()
    assert all(f"tuning-dev-{name}" in each.where for each in found)
    return [each.check for each in found]


def _units(resources: Any) -> None:
    resources["Throughput"]["Properties"]["ModelUnits"] = "100"


def _budget(resources: Any) -> None:
    value = resources["Settings"]["Properties"]["Value"]["Fn::Sub"]
    value[0] = value[0].replace("over-budget", "never")


def _wide(resources: Any) -> None:
    (role,) = [each for name, each in resources.items() if name.startswith("BedrockRole")]
    statement = role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]
    statement["Resource"] = "*"


def _neighbour(resources: Any) -> None:
    text = json.dumps(resources).replace("/v1-a/*", "/pets/*")
    resources.update(json.loads(text))


def _folders(resources: Any) -> None:
    value = resources["Settings"]["Properties"]["Value"]["Fn::Sub"]
    value[0] = value[0].replace("folder1", "dev")


def _renamed(key: str, value: str) -> Callable[[Any], None]:
    def change(resources: Any) -> None:
        text = resources["Settings"]["Properties"]["Value"]["Fn::Sub"]
        text[0] = re.sub(rf'"{key}": "[^"]*"', f'"{key}": "{value}"', text[0])

    return change


def _passes_another(resources: Any) -> None:
    (name,) = [each for each in resources if each.startswith("Starter")]
    text = json.dumps(resources[name]).replace("role/ml/BedrockCustomization", "role/ml/*")
    resources[name] = json.loads(text)


def _extra(resources: Any) -> None:
    resources["Extra"] = {"Type": "AWS::S3::Bucket", "Properties": {}}


FLAWS = [
    *product(
        ["v1-a", "petssearch"],
        [(_units, "M803"), (_budget, "M805"), (_wide, "P304"), (_extra, "A110")],
    ),
    # This one alone has a neighbour, whose folder it names.
    ("v1-a", (_neighbour, "M810")),
    ("jobs", (_folders, "M829")),
    # What the settings no longer name, the roles may still do, and the other way round.
    ("graded", (_renamed("grader", ""), "M816")),
    ("graded", (_renamed("grader", "arn:aws:lambda:us-east-1:1:function:x"), "M817")),
    ("taught", (_renamed("teacher", ""), "M816")),
    ("taught", (_renamed("teacher", ""), "M823")),
    ("taught-here", (_renamed("teacher", "us.amazon.nova-premier-v1:0"), "M817")),
    ("again", (_renamed("custom_model", ""), "M820")),
    ("brought", (_passes_another, "M821")),
    ("brought", (_renamed("service_role", "arn:aws:iam::444455556666:role/x"), "M808")),
    ("placed", (_renamed("output_folder", "marketing"), "M829")),
    ("placed", (_renamed("output_folder", "marketing/other"), "M810")),
]


@pytest.mark.parametrize(
    ("name", "change", "check"), [(name, change, check) for name, (change, check) in FLAWS]
)
def test_a_flaw_in_one_of_many_is_found_where_it_is(
    families: Synthesized, name: str, change: Callable[[Any], None], check: str
) -> None:
    assert check in _broken(families, name, change)


# That one of four is proved for all is tested above.
@pytest.mark.long
def test_many_customizations_are_synthesized_and_proved(tmp_path: Path) -> None:
    # Three hundred: `make load`.
    names = tuple(f"team-{number:03}-find-pictures" for number in range(60))
    files = _customizations(tmp_path / "customizations", names)
    promised = _contracts(files)
    assembly = build_app(
        read_context(), outdir=str(tmp_path / "cdk.out"), customizations=files
    ).synth()
    assert len(assembly.stacks) == 64
    _, few = reduced(template.read(tmp_path / "cdk.out"), promised)
    assert len(few.settings) == 1
