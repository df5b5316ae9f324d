"""The skeleton of a template: sections, resources, outputs; whatever has another form is taken out.

Everything else may then rely on it. A value that CloudFormation would have to transform first, or
that no template can have, could become anything: it is listed, and the proof fails.
"""

from collections.abc import Mapping
from typing import Any, Final

Raw = dict[str, Any]
_NAMED: Final = ("Resources", "Outputs", "Parameters", "Conditions")


def skeleton(template: Any) -> tuple[Raw, list[tuple[str, str]]]:
    """The template with only what has the form of one, and the names and kinds of the rest."""
    if not isinstance(template, dict):
        return {"Resources": {}}, [("", "not a template")]
    outline: Raw = {**template, "Resources": {}}
    rejects: list[tuple[str, str]] = []
    for section in (name for name in _NAMED if name in template):
        entries = template[section]
        if not isinstance(entries, dict):
            rejects.append((section, "not an object"))
            entries = {}
        outline[section] = {
            name: entry for name, entry in entries.items() if _is_formed(section, entry)
        }
        rejects += [
            (name, f"not one of the {section}") for name in entries.keys() - outline[section]
        ]
    return outline, rejects


def _is_formed(section: str, entry: Any) -> bool:
    if section == "Conditions":
        return True
    if not isinstance(entry, dict):
        return False
    if section == "Resources":
        dependencies = entry.get("DependsOn", [])
        names = [dependencies] if isinstance(dependencies, str) else dependencies
        return (
            isinstance(entry.get("Type"), str)
            and isinstance(entry.get("Properties", {}), dict)
            and _is_plain(entry.get("Metadata", {}))
            and isinstance(names, list)
            and all(isinstance(name, str) for name in names)
        )
    if section == "Outputs":
        export = entry.get("Export", {"Name": ""})
        return "Value" in entry and isinstance(export, dict) and "Name" in export
    return isinstance(entry.get("Type"), str)


def _is_plain(metadata: Any) -> bool:
    return isinstance(metadata, Mapping) and isinstance(metadata.get("aws:cdk:path", ""), str)
