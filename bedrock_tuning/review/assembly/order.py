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
    called = {name: str(given.get("stackName") or name) for name, _, given in stacks(manifest)}
    exports = {
        export: name for name, stack in called.items() for export in _exports(templates, stack)
    }
    for name, artifact in artifacts.items():
        found = set(artifact.get("dependencies", ()))
        if name not in called:
            if found:
                yield name, f"it waits for {', '.join(sorted(found))}"
            continue
        template = templates.get(called[name], {})
        environment = _customized(template)
        if not environment and not _PLATFORM.fullmatch(called[name]):
            continue
        wanted = {f"{name}.assets"} & artifacts.keys()
        wanted |= {exports[each] for each in imports(template) if each in exports}
        # A customization's stack comes after all that it shares with others.
        shared = {stack_name(environment, part) for part in RESERVED} if environment else set()
        wanted |= {each for each, stack in called.items() if stack in shared}
        for other in sorted(wanted - found):
            yield name, f"it does not wait for {other}, which it needs"
        for other in sorted(found - wanted):
            yield name, f"it waits for {other}, which it does not need"


def _customized(template: Mapping[str, Any]) -> str:
    """The environment whose runs read settings of this stack; "" for the stack of none."""
    for resource in (template.get("Resources") or {}).values():
        if isinstance(resource, Mapping) and resource.get("Type") == "AWS::SSM::Parameter":
            properties = resource.get("Properties")
            name = properties.get("Name") if isinstance(properties, Mapping) else ""
            if found := _SETTINGS.fullmatch(str(name)):
                return found[1]
    return ""


def _exports(templates: Mapping[str, Mapping[str, Any]], stack: str) -> Iterator[str]:
    for output in (templates.get(stack, {}).get("Outputs") or {}).values():
        if isinstance(output, Mapping):
            export = output.get("Export")
            yield str((export if isinstance(export, Mapping) else {}).get("Name"))
