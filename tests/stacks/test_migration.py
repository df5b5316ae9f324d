"""An environment deployed by c42bc81 becomes this version's in one deployment, and keeps its data.

Then, all customizations were in the stacks of the platform; the function keeps what they served
when their old resources go (tests/lambdas/test_provisioned_throughput.py).
"""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from tests.stacks.make_layout import layout

BEFORE: Final = json.loads((Path(__file__).parent / "data" / "c42bc81.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def after(synth: Any) -> dict[str, Any]:
    """What this version must not change, with the same options."""
    return layout(Path(synth("dev", "all").directory))


@pytest.mark.parametrize("stack", BEFORE)
def test_what_holds_data_or_is_known_by_its_name_is_the_same_resource(
    stack: str, after: dict[str, Any]
) -> None:
    """Another logical id, or another value of what cannot be changed in place, would replace it."""
    kept = {name: after[stack]["kept"].get(name) for name in BEFORE[stack]["kept"]}
    assert kept == BEFORE[stack]["kept"]


@pytest.mark.parametrize("stack", BEFORE)
def test_no_stack_is_held_up_by_one_that_still_imports_from_it(stack: str, synth: Any) -> None:
    """CloudFormation refuses to remove or change an export while another stack imports it."""
    (new,) = [each for each in synth("dev", "all").stacks if each.stack_name == stack]
    exports = {
        output["Export"]["Name"]: output["Value"]
        for output in new.template.get("Outputs", {}).values()
        if "Export" in output
    }
    for name, value in BEFORE[stack]["imported"].items():
        assert exports.get(name) == value, name


def test_every_customization_moves_out_of_the_platforms_stacks(synth: Any) -> None:
    stacks = {each.stack_name: each.template["Resources"] for each in synth("dev", "all").stacks}
    for name in BEFORE:
        kinds = {each["Type"] for each in stacks[name].values()}
        assert "Custom::ProvisionedThroughput" not in kinds
    for name in stacks.keys() - {*BEFORE, "tuning-dev-people"}:
        assert {"Throughput", "Settings"} <= set(stacks[name])
