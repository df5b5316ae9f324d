"""What a customization file says for each environment: its tables with [environments.NAME] on top.

The result is read like a file of its own; every value still knows the table that it was written in.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bedrock_tuning.config.customization_fields import PLACEMENT
from bedrock_tuning.config.lines import KeyPath
from bedrock_tuning.config.messages import quoted_choices, shown
from bedrock_tuning.config.reader import Problems, Section
from bedrock_tuning.wording import or_meant

ENVIRONMENTS_KEY: Final = "environments"
UNSET_KEY: Final = "unset"
RegionOfEnvironment = Mapping[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What a file says for some environments.

    regions: of these environments, where they are known. moved: where a value, or a whole table,
    was written that the file's own tables do not have. unset: which of their keys were taken away,
    with where that is said.
    """

    table: Mapping[str, Any]
    regions: RegionOfEnvironment = field(default_factory=dict)
    moved: Mapping[KeyPath, KeyPath] = field(default_factory=dict)
    unset: Mapping[KeyPath, KeyPath] = field(default_factory=dict)

    def origin(self, path: KeyPath) -> tuple[KeyPath, KeyPath]:
        """The key to name for a path, and the one whose line to name."""
        for length in range(len(path), 0, -1):
            begin = path[:length]
            if begin in self.moved:
                place = (*self.moved[begin], *path[length:])
                return place, place
            if begin in self.unset:
                return path, self.unset[begin]
        return path, path


def versions(
    table: Mapping[str, Any],
    problems: Problems,
    regions: RegionOfEnvironment,
    *,
    every: bool = True,
) -> list[Version]:
    """One for all environments that change nothing, and one for each that does.

    regions: of environments, None where it is not known; with none at all, the file's own tables
    are the only version. every: whether there are no other environments.
    """
    base = {key: value for key, value in table.items() if key != ENVIRONMENTS_KEY}
    root = Section(table=table, path=(), problems=problems)
    changes = root.table(ENVIRONMENTS_KEY)
    targets = _placement(root, changes, regions, every=every)
    if not regions:
        return [Version(table=base)]
    others = {name: region for name, region in targets.items() if name not in changes}
    result = [Version(table=base, regions=others)] if others else []
    for name, region in targets.items():
        if name in changes and changes.holds_table(name):
            result.append(_version(base, changes.table(name), name, region))
    return result


def _placement(
    root: Section, changes: Section, regions: RegionOfEnvironment, *, every: bool
) -> RegionOfEnvironment:
    """The environments that the file is deployed in; reports those that it names and are none."""
    only, only_regions = (_words(root, key) for key in ("only", "only_regions"))
    names = list(regions)
    for name in (only or ()) if regions and every else ():
        if name not in regions:
            root.problem("only", _no_environment(name, names))
    for name in changes if regions and every else ():
        if name not in regions:
            changes.problem(name, _no_environment(name, names))
    targets = {
        name: region
        for name, region in regions.items()
        if (only is None or name in only)
        and (only_regions is None or region is None or region in only_regions)
    }
    for name in changes:
        if not changes.holds_table(name):
            changes.table(name)
        elif name in regions and name not in targets:
            changes.problem(name, "has no effect: only or only_regions leaves it out")
    return targets


def _no_environment(name: str, names: Sequence[str]) -> str:
    hint = or_meant(name, names) or f": use {quoted_choices(names)}"
    return f"cdk.json has no environment {shown(name)}{hint}"


def _words(root: Section, key: str) -> Sequence[str] | None:
    """A list of text; None where it is missing or wrong, which is reported where it is read."""
    value = dict(root.items()).get(key)
    return value if value and not PLACEMENT[key].kind.problem(value) else None


def _version(base: Mapping[str, Any], changes: Section, name: str, region: str | None) -> Version:
    prefix: KeyPath = (ENVIRONMENTS_KEY, name)
    table, moved, unset = _copy(base), dict[KeyPath, KeyPath](), dict[KeyPath, KeyPath]()
    for key in _unset(changes):
        path = tuple(key.split("."))
        if _remove(table, path):
            unset[path] = (*prefix, UNSET_KEY)
        else:
            changes.problem(
                UNSET_KEY, f"{shown(key)} is not set above [{ENVIRONMENTS_KEY}]: remove it"
            )
    for key in PLACEMENT:
        if key in changes:
            changes.problem(key, "belongs above the first [table]: it is about all environments")
    values = {key: value for key, value in changes.items() if key not in (UNSET_KEY, *PLACEMENT)}
    for path in _merge(table, values):
        moved[path] = (*prefix, *path)
    return Version(table=table, regions={name: region}, moved=moved, unset=unset)


def _unset(changes: Section) -> list[str]:
    value = dict(changes.items()).get(UNSET_KEY, [])
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    changes.problem(
        UNSET_KEY, f'must be a list of keys, not {shown(value)}: ["serving.lease_hours"]'
    )
    return []


def _copy(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _copy(item) if isinstance(item, dict) else item for key, item in value.items()}


def _remove(table: dict[str, Any], path: KeyPath) -> bool:
    """Takes a key away; whether it was there."""
    for key in path[:-1]:
        inner = table.get(key)
        if not isinstance(inner, dict):
            return False
        table = inner
    return table.pop(path[-1], None) is not None


def _merge(
    table: dict[str, Any], changes: Mapping[str, Any], path: KeyPath = ()
) -> Iterator[KeyPath]:
    """Puts values into a table; yields the path of each, and of each table that is new in it."""
    for key, value in changes.items():
        child = (*path, key)
        if isinstance(value, dict) and isinstance(table.get(key), dict):
            yield from _merge(table[key], value, child)
        else:
            table[key] = _copy(value) if isinstance(value, dict) else value
            yield child
