"""In which order the CDK CLI deploys stacks: as the synthesis writes it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bedrock_tuning.config.names import RESERVED, stack_name
from bedrock_tuning.contracts.contract import settings_prefix
from bedrock_tuning.review.assembly.json_path import imports
from bedrock_tuning.review.assembly.manifest import stacks

_PLATFORM: Final = re.compile(stack_name(".+", f"({'|'.join(RESERVED)})"))
_SETTINGS: Final = re.compile(settings_prefix("([^/]+)") + "/.+")


def faults(
    manifest: Mapping[str, Any], templates: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, str]]:
    """Where, and how, the order is not that which the synthesis writes.

    templates: by what their stacks are deployed as. A stack of somebody else's may wait for any.
    """
    artifacts = manifest.get("artifacts", {})
    stack_names = {
        name: str(properties.get("stackName") or name) for name, _, properties in stacks(manifest)
    }
    exports = {
        export: name for name, stack in stack_names.items() for export in _exports(templates, stack)
    }
    for name, artifact in artifacts.items():
        dependencies = set(artifact.get("dependencies", ()))
        if name not in stack_names:
            if dependencies:
                yield name, f"it waits for {', '.join(sorted(dependencies))}"
            continue
        template = templates.get(stack_names[name], {})
        environment = _environment_of(template)
        if not environment and not _PLATFORM.fullmatch(stack_names[name]):
            continue
        expected = {f"{name}.assets"} & artifacts.keys()
        expected |= {exports[export] for export in imports(template) if export in exports}
        # A customization's stack comes after all that it shares with others.
        shared_stacks = (
            {stack_name(environment, part) for part in RESERVED} if environment else set()
        )
        expected |= {
            artifact_name for artifact_name, stack in stack_names.items() if stack in shared_stacks
        }
        for dependency in sorted(expected - dependencies):
            yield name, f"it does not wait for {dependency}, which it needs"
        for dependency in sorted(dependencies - expected):
            yield name, f"it waits for {dependency}, which it does not need"


def _environment_of(template: Mapping[str, Any]) -> str:
    """The environment whose runs read settings of this stack; "" for the stack of none."""
    for resource in (template.get("Resources") or {}).values():
        if isinstance(resource, Mapping) and resource.get("Type") == "AWS::SSM::Parameter":
            properties = resource.get("Properties")
            name = properties.get("Name") if isinstance(properties, Mapping) else ""
            if match := _SETTINGS.fullmatch(str(name)):
                return match[1]
    return ""


def _exports(templates: Mapping[str, Mapping[str, Any]], stack: str) -> Iterator[str]:
    for output in (templates.get(stack, {}).get("Outputs") or {}).values():
        if isinstance(output, Mapping):
            export = output.get("Export")
            yield str((export if isinstance(export, Mapping) else {}).get("Name"))
