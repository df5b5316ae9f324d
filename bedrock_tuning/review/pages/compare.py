"""What changed between two synthesized assemblies: permissions first, what was loosened on top.

Resources are the same when they have the same construct path below their stacks, so the templates
of two environments can be compared as well as those of two commits.
"""

import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from bedrock_tuning.contracts import Condition
from bedrock_tuning.contracts.contract import MACHINE
from bedrock_tuning.review.assembly import identity
from bedrock_tuning.review.assembly.identity import STATEFUL, create_only
from bedrock_tuning.review.assembly.json_path import changed_values
from bedrock_tuning.review.assembly.template import Resource
from bedrock_tuning.review.check import in_a_line
from bedrock_tuning.review.families import without
from bedrock_tuning.review.iam import access
from bedrock_tuning.review.iam.access import EffectivePermissions
from bedrock_tuning.review.iam.containment import inside, parts
from bedrock_tuning.review.iam.policy import Statement, as_list
from bedrock_tuning.review.iam.wording import conditions_in_words
from bedrock_tuning.review.pages import customizations
from bedrock_tuning.review.pages.change import (
    ADDED,
    CHANGED,
    LOOSENED,
    ORDER,
    REMOVED,
    REPLACED,
    TIGHTENED,
    Change,
)
from bedrock_tuning.review.pages.compare_workflows import workflows
from bedrock_tuning.review.pages.labels import Labels, type_label
from bedrock_tuning.review.pages.protection import PROTECTED, is_weaker
from bedrock_tuning.review.workflow import graph

# Policies are compared as permissions, definitions as states, code by its hash.
_ELSEWHERE: Final = (
    "AssumeRolePolicyDocument",
    "Policies",
    "PolicyDocument",
    "KeyPolicy",
    "Definition",
    "DefinitionString",
    "ManagedPolicyArns",
)
# Of a resource: compared as its properties, or not deployed.
_TOLD_OTHERWISE: Final = {"Type", "Properties", "Metadata"}
_UNSET: Final = {"DeletionPolicy": "Delete", "UpdateReplacePolicy": "Delete", "DependsOn": []}
_NEW: Final = "a new customization; its roles may do what those of the others may"
_GONE: Final = "the customization was removed; its stack stays until it is retired"


class _Side:
    """One of the two assemblies, with names instead of what was generated."""

    def __init__(
        self, permissions: EffectivePermissions, *, aside: Collection[str] = (), ignored: str = ""
    ) -> None:
        """aside: stacks that are not compared. ignored: the environment's name, where the two sides
        are different environments.
        """
        self.labels = Labels(permissions.assembly)
        if aside:
            permissions = access.build(without(permissions.assembly, aside))
        self.permissions = permissions
        self._ignored = re.compile(rf"\b{re.escape(ignored)}\b") if ignored else None
        by_length = sorted(
            permissions.assembly.resources, key=lambda resource: len(resource.name), reverse=True
        )
        self._keys: dict[str, str] = {}
        for resource in by_length:
            self._keys.setdefault(resource.name, self.key(resource))
        names = "|".join(re.escape(name) for name in self._keys if name)
        # Whole words only: a bucket called "x" is not in every text with an x.
        self._names = re.compile(rf"(?<![\w-])(?:{names or '(?!)'})(?![\w-])")
        self.resources = {
            self.key(resource): resource for resource in permissions.assembly.resources
        }

        self._by_id = {(each.stack, each.logical_id): key for key, each in self.resources.items()}

    def key(self, resource: Resource) -> str:
        """What makes a resource the same on both sides."""
        return f"{self.labels.stack(resource.stack)}/{resource.path.partition('/')[2]}"

    def plain(self, text: str) -> str:
        """A text with keys for generated names."""
        text = self._names.sub(lambda match: f"«{self._keys[match[0]]}»", text)
        return self._ignored.sub("«environment»", text) if self._ignored else text

    def value(self, value: Any) -> Any:
        """The same for everything inside a value."""
        if isinstance(value, dict):
            return {name: self.value(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.value(inner) for inner in value]
        return self.plain(value) if isinstance(value, str) else value

    def stacks(self) -> dict[str, Any]:
        """By stack, whatever its template and the manifest say besides resources.

        What a stack exports is compared where another one uses it, code as its functions' property.
        """
        assembly = self.permissions.assembly
        return {
            self.labels.stack(stack): self.value(
                {
                    name: value
                    for name, value in raw.items()
                    if name not in ("Mappings", "Resources")
                }
                | {
                    "Mappings": {
                        name: mapping
                        for name, mapping in raw.get("Mappings", {}).items()
                        if mapping.keys() != {"AllFunctions"}
                    },
                    "Outputs": {
                        name: {key: json.dumps(part) for key, part in output.items()}
                        for name, output in raw.get("Outputs", {}).items()
                        if "Export" not in output
                    },
                    "Account": ", ".join(sorted(assembly.accounts)) or "any",
                    "Region": assembly.regions[stack],
                    "Tags": assembly.tags.get(stack, {}),
                    PROTECTED: assembly.protected.get(stack, False),
                }
            )
            for stack, raw in assembly.templates.items()
        }

    def properties(self, resource: Resource, *, as_named: bool) -> dict[str, Any]:
        """What is compared of a resource. as_named: also the name that it has by itself."""
        attributes = {**_UNSET, **resource.raw}
        properties = {
            name: value
            for name, value in customizations.compared(resource).items()
            if name not in _ELSEWHERE or resource.type == "AWS::SSM::Parameter"
        }
        naming = identity.NAMED_TYPES.get(resource.type, identity.Naming()).named_by
        own_name = {naming: properties[naming]} if as_named and naming in properties else {}
        ids = [(resource.stack, name) for name in as_list(attributes["DependsOn"])]
        return {
            **{n: value for n, value in attributes.items() if n not in _TOLD_OTHERWISE},
            "DependsOn": ", ".join(sorted(self._by_id.get(each, each[1]) for each in ids)) or None,
            **{n: self.value(value) for n, value in properties.items()},
            **own_name,
        }

    def statements(self, statements: Sequence[Statement]) -> list[Statement]:
        """Statements with keys for generated names."""
        return [self._statement(statement) for statement in statements]

    def _statement(self, statement: Statement) -> Statement:
        return replace(
            statement,
            resources=tuple(map(self.plain, statement.resources)),
            not_resources=tuple(map(self.plain, statement.not_resources)),
            principals=None
            if statement.principals is None
            else {
                kind: tuple(map(self.plain, names)) for kind, names in statement.principals.items()
            },
            conditions=tuple(
                Condition.of(condition.operator, condition.key, *map(self.plain, condition.values))
                for condition in statement.conditions
            ),
        )

    def policies(self) -> Iterator[tuple[str, list[Statement]]]:
        """Every policy: what it is called, and its statements."""
        for role in self.permissions.roles.values():
            name = self.labels.path(role.path)
            yield f"who can become role {name}", self.statements(role.trust)
            managed_policies = [
                Statement(
                    where="managed", sid=arn, effect="Allow", actions=(f"use the policy {arn}",)
                )
                for arn in role.managed
            ]
            yield f"role {name}", [*self.statements(role.policy), *managed_policies]
        for arn, statements in self.permissions.policies.items():
            yield f"policy of {self.labels.arn(arn)}", self.statements(statements)
        for endpoint in self.permissions.endpoints:
            name = self.labels.of(endpoint.resource)
            yield f"endpoint {name}", self.statements(endpoint.policy)


def changes_between(before: EffectivePermissions, after: EffectivePermissions) -> list[Change]:
    """All differences, the gravest first."""
    environments = [_environment(permissions) for permissions in (before, after)]
    same_environment = environments[0] == environments[1]
    new_stacks = customizations.like_others(before.assembly, after.assembly)
    removed_stacks = (
        customizations.names(before.assembly).keys() - after.assembly.templates
        if same_environment
        else ()
    )
    old, new = (
        _Side(permissions, aside=aside, ignored="" if same_environment else name)
        for permissions, aside, name in zip(
            (before, after), (removed_stacks, new_stacks), environments, strict=True
        )
    )
    raw_changes = [
        *(
            Change(kind=REMOVED, where=old.labels.stack(stack), what=_GONE)
            for stack in sorted(removed_stacks)
        ),
        *_permissions(old, new),
        *_resources(old, new),
        *_stacks(old, new),
        *_workflows(old, new),
        *(
            Change(kind=ADDED, where=new.labels.stack(stack), what=_NEW)
            for stack in sorted(new_stacks)
        ),
    ]
    changes = [replace(change, what=_with_names(change.what, new.labels)) for change in raw_changes]
    # Stable: of the same kind, permissions stay before properties.
    return sorted(_group(changes), key=lambda change: (ORDER.index(change.kind), not change.grave))


def _group(changes: Sequence[Change]) -> list[Change]:
    """The same change of many resources as one."""
    places: dict[tuple[str, str, bool], list[str]] = {}
    for change in changes:
        places.setdefault((change.kind, change.what, change.grave), []).append(change.where)
    return [
        Change(kind=kind, where=", ".join(where), what=what, grave=grave)
        for (kind, what, grave), where in places.items()
    ]


def _environment(permissions: EffectivePermissions) -> str:
    """What all stacks' names begin with: "dev" of tuning-dev-data."""
    return Labels(permissions.assembly).shared.strip("-").removeprefix("tuning-")


def _with_names(text: str, labels: Labels) -> str:
    """A text with names for what keys and ARNs of this account name."""

    def name(match: re.Match[str]) -> str:
        # Others stand for the environment's name, or for what is unknown.
        is_key = "/" in match[1]
        return labels.path(f"{labels.shared}{match[1]}") if is_key else match[1]

    named = _MARKS.sub(name, labels.text(_OWN_ARN.sub(name, text)))
    before, arrow, after = named.rpartition(" → ")
    # Names are shorter than what they stand for: a difference must not become none.
    return _MARKS.sub(r"\1", text) if arrow and before.endswith(f": {after}") else named


_MARKS: Final = re.compile("«([^»]*)»")
_OWN_ARN: Final = re.compile(
    rf"arn:[\w-]*:[\w-]*:[\w-]*:(?:{identity.ACCOUNT})?:[^\s,«]*{_MARKS.pattern}"
)


# By effect: what more of it means, what less of it, and how each is said.
_EFFECTS: Final = {
    "Allow": ((LOOSENED, "may now"), (TIGHTENED, "can no longer")),
    "Deny": ((TIGHTENED, "is now denied"), (LOOSENED, "is no longer denied")),
}


def _permissions(old: _Side, new: _Side) -> Iterator[Change]:
    before, after = dict(old.policies()), dict(new.policies())
    for where in sorted({*before, *after}):
        for effect, (addition, removal) in _EFFECTS.items():
            then, now = (
                [statement for statement in side.get(where, []) if statement.effect == effect]
                for side in (before, after)
            )
            for (kind, verb), texts in (
                (addition, _only_in(now, then)),
                (removal, _only_in(then, now)),
            ):
                for text in texts:
                    yield Change(
                        kind=kind, where=where, what=f"{verb} {text}", grave=kind == LOOSENED
                    )


def _only_in(
    statements: Sequence[Statement], other_statements: Sequence[Statement]
) -> Iterator[str]:
    """What statements say that no other one contains: by action, with its places and condition."""
    for statement in statements:
        if statement.not_actions or statement.not_resources:
            if statement not in other_statements:
                yield f"{statement.label} by exclusion"
            continue
        actions_by_places: dict[tuple[str, ...], list[str]] = {}
        for action in statement.actions:
            places = tuple(
                place
                for part_action, place in parts(statement)
                if part_action == action and not inside(statement, action, place, other_statements)
            )
            if places:
                actions_by_places.setdefault(places, []).append(action)
        for places, actions in actions_by_places.items():
            principals = [name for names in (statement.principals or {}).values() for name in names]
            yield " ".join(
                part
                for part in (
                    ", ".join(actions),
                    f"on {', '.join(places)}" if places != ("*",) else "",
                    f"for {', '.join(principals)}" if principals else "",
                    conditions_in_words(statement.conditions),
                )
                if part
            )


def _resources(old: _Side, new: _Side) -> Iterator[Change]:
    for key in sorted({*old.resources, *new.resources}):
        then, now = old.resources.get(key), new.resources.get(key)
        if now is None and then is not None:
            is_kept = then.keeps_on_delete
            what = f"{type_label(then)} was removed from the templates"
            what += ", what it holds is retained" if is_kept else ""
            yield Change(
                kind=REMOVED,
                where=key,
                what=what,
                grave=then.type in STATEFUL and not is_kept,
            )
        elif then is None and now is not None:
            yield Change(kind=ADDED, where=key, what=f"a new {type_label(now)}")
        elif then is not None and now is not None:
            yield from _resource(key, then, now, old, new)


def _resource(key: str, then: Resource, now: Resource, old: _Side, new: _Side) -> Iterator[Change]:
    is_stateful = now.type in STATEFUL
    if then.type != now.type or (
        then.logical_id != now.logical_id and old.labels.shared == new.labels.shared
    ):
        what = f"{then.type} {then.logical_id} becomes {now.type} {now.logical_id}"
        yield Change(kind=REPLACED, where=key, what=what, grave=is_stateful)
        return
    create_only_paths = create_only(now.type)
    before, after = (
        side.properties(resource, as_named=old.labels.shared == new.labels.shared)
        for side, resource in ((old, then), (new, now))
    )
    reads = new.permissions.assembly.reads
    # Without contracts no check has run, and nothing says what is unusual.
    unread_paths = set(reads.unread(now.type, now.properties)) if "A107" in reads.ran else set()
    for path, old_value, new_value in changed_values(before, after):
        what = f"{path}: {in_a_line(old_value)} → {in_a_line(new_value)}"
        if (
            old_value is None
            and ".".join(step for step in path.split(".") if not step.isdigit()) in unread_paths
        ):
            what = f"{what}, which no check reads"
            yield Change(kind=LOOSENED, where=key, what=what, grave=True)
        elif any(path == prefix or path.startswith(f"{prefix}.") for prefix in create_only_paths):
            what = f"a change of {what} makes a new one"
            yield Change(kind=REPLACED, where=key, what=what, grave=is_stateful)
        else:
            yield _difference(key, path, old_value, new_value)


def _difference(where: str, name: str, old: Any, new: Any) -> Change:
    is_worse = is_weaker(name, old, new)
    return Change(
        kind=LOOSENED if is_worse else CHANGED,
        where=where,
        what=f"{name}: {in_a_line(old)} → {in_a_line(new)}",
        grave=is_worse,
    )


def _stacks(old: _Side, new: _Side) -> Iterator[Change]:
    """What templates and manifests say of stacks, besides their resources."""
    before, after = old.stacks(), new.stacks()
    for stack in sorted({*before} & {*after}):
        for path, then, now in changed_values(before[stack], after[stack]):
            yield _difference(stack, path, then, now)


def _workflows(old: _Side, new: _Side) -> Iterator[Change]:
    before, after = (
        {
            side.key(machine): side.value(graph.template_definition(machine))
            for machine in side.permissions.assembly.of_type(MACHINE)
        }
        for side in (old, new)
    )
    for key in sorted({*before} & {*after}):
        yield from workflows(key, before[key], after[key])
