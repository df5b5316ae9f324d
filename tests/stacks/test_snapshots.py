"""The synthesized templates, committed: one YAML per stack and environment.

`make snapshots` accepts them as they are; the diff is what a reviewer reads.
"""

import json
from typing import Any

import pytest
import yaml
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from tests.stacks.conftest import ENVIRONMENTS
from tests.stacks.readable import readable

LINES_MAX = 1_500


SHORT = 110


class _Dumper(yaml.SafeDumper):
    """What is short stands on one line; a repeated value is written out, without anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_sequence(self, tag: str, sequence: Any, flow_style: bool | None = None) -> Any:
        flow = _is_short(sequence) or all(isinstance(item, str) for item in sequence)
        return super().represent_sequence(tag, sequence, flow_style=flow)

    def represent_mapping(self, tag: str, mapping: Any, flow_style: bool | None = None) -> Any:
        return super().represent_mapping(tag, mapping, flow_style=_is_short(mapping))


def _is_short(value: Any) -> bool:
    return len(json.dumps(value)) <= SHORT


class YamlTemplate(SingleFileSnapshotExtension):
    """One file per template."""

    _write_mode = WriteMode.TEXT
    file_extension = "yaml"

    def serialize(self, data: Any, **_: Any) -> str:
        return yaml.dump(data, Dumper=_Dumper, sort_keys=True, width=160, allow_unicode=True)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("stack", ["data", "pipeline", "serving"])
def test_the_template_is_the_committed_one(
    synth: Any, environment: str, stack: str, snapshot: SnapshotAssertion
) -> None:
    template = synth(environment).get_stack_by_name(f"tuning-{environment}-{stack}").template
    assert readable(template) == snapshot.use_extension(YamlTemplate)


@pytest.mark.parametrize("stack", ["data", "pipeline", "serving"])
def test_a_snapshot_is_short_enough_to_be_read(synth: Any, stack: str) -> None:
    template = synth("prod").get_stack_by_name(f"tuning-prod-{stack}").template
    assert YamlTemplate().serialize(readable(template)).count("\n") < LINES_MAX


def test_one_changed_character_in_a_policy_is_a_diff_of_one_line(synth: Any) -> None:
    template = readable(synth("dev").get_stack_by_name("tuning-dev-pipeline").template)
    before = YamlTemplate().serialize(template).splitlines()
    after = YamlTemplate().serialize(_change_one_prefix(template)).splitlines()
    assert sum(a != b for a, b in zip(before, after, strict=True)) == 1


def _change_one_prefix(template: dict[str, Any]) -> dict[str, Any]:
    text = yaml.dump(template, Dumper=_Dumper, sort_keys=True, width=10_000)
    assert "/jobs/pets-search/*" in text
    changed: dict[str, Any] = yaml.safe_load(
        text.replace("/jobs/pets-search/*", "/jobs/pets-searc/*", 1)
    )
    return changed
