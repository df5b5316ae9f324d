"""A synthesized cloud assembly as resolved resources: every intrinsic replaced by its value.

What cannot be resolved is listed, and a proof from the result must then fail: an
unknown value in a policy could be anything.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, Final

from bedrock_tuning.review.assembly import deployment, identity, manifest, order
from bedrock_tuning.review.assembly.json_path import get
from bedrock_tuning.review.assembly.manifest import parsed
from bedrock_tuning.review.assembly.reads import Reads, TrackedProperties
from bedrock_tuning.review.assembly.skeleton import skeleton

UNRESOLVED: Final = "«unresolved»"
_NOTHING: Final = object()
_PLACEHOLDER: Final = re.compile(r"\$\{(!?)([^}]+)\}")
_DEFAULT_REGION: Final = "us-east-1"
_OF_THE_MANIFEST: Final = ("accounts", "assets", "differing", "hashes", "protected", "tags")


@dataclass(slots=True, kw_only=True)
class Resource:
    """One resource. path: its construct path without the last "/Resource", or its stack and logical
    id where the template has no path; properties: resolved; raw: as the template has it.
    """

    stack: str
    logical_id: str
    type: str
    path: str
    name: str
    arn: str
    properties: TrackedProperties
    raw: Mapping[str, Any]

    @property
    def keeps_on_delete(self) -> bool:
        """Whether it stays when its stack is deleted."""
        return str(self.raw.get("DeletionPolicy", "Delete")).startswith("Retain")


@dataclass(slots=True, kw_only=True)
class Assembly:
    """All resources of all stacks, with what could not be resolved and what points nowhere.

    protected: by stack, whether it has termination protection. tags: by stack, its own. accounts:
    that the manifest names. differing:
    where what is deployed is not what lies here. assets: hashes of what is uploaded; none if
    unknown. hashes: by stack, of its template and of how it is deployed. left_aside: templates that
    lie in the folder from an earlier synthesis, for another environment, and are none of these
    stacks. reads: who has read which property.
    """

    folder: Path
    regions: dict[str, str] = field(default_factory=dict)
    protected: dict[str, bool] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    accounts: frozenset[str] = frozenset()
    templates: dict[str, dict[str, Any]] = field(default_factory=dict)
    resources: list[Resource] = field(default_factory=list)
    unresolved: list[tuple[str, str]] = field(default_factory=list)
    dangling: list[tuple[str, str]] = field(default_factory=list)
    differing: list[tuple[str, str]] = field(default_factory=list)
    assets: frozenset[str] = frozenset()
    hashes: dict[str, str] = field(default_factory=dict)
    left_aside: tuple[str, ...] = ()
    reads: Reads = field(default_factory=Reads)
    _arns: dict[str, Resource] = field(default_factory=dict)

    @property
    def region(self) -> str:
        """The Region of the stacks; of several, the first by name."""
        return min(self.regions.values(), default=_DEFAULT_REGION)

    def of_type(self, *kinds: str) -> Iterator[Resource]:
        """The resources of these types."""
        return (resource for resource in self.resources if resource.type in kinds)

    def by_arn(self, arn: str) -> Resource | None:
        """The resource with an ARN; a log group also without the ":*" at the end of its ARN."""
        if not self._arns:
            self._arns = {resource.arn: resource for resource in self.resources if resource.arn}
        return self._arns.get(arn) or self._arns.get(f"{arn}:*")

    def by_name(self, kind: str, name: str) -> Resource | None:
        """The resource of a type with a name."""
        return next((resource for resource in self.of_type(kind) if resource.name == name), None)


def read(
    folder: Path, *, outside: Collection[str] = (), only: Collection[str] | None = None
) -> Assembly:
    """Reads a cdk.out; raises OSError or ValueError when there is no template or no JSON in it.

    outside: patterns of the names of stacks that are left out, as if they were not there. only:
    the names of those that are not.
    """

    def counts(stack: str) -> bool:
        is_selected = only is None or stack in only
        return is_selected and not any(fnmatchcase(stack, pattern) for pattern in outside)

    assembly = Assembly(folder=folder)
    templates: dict[str, dict[str, Any]] = {}
    regions: dict[str, str] = {}
    left_aside: list[str] = []
    is_empty = True
    for directory, raw_manifest in manifest.assemblies(folder):
        stacks = manifest.templates(raw_manifest)
        selected_manifest = manifest.without(
            raw_manifest, {name for name in stacks.values() if not counts(name)}
        )
        directory_templates = {
            file.name.removesuffix(".template.json"): parsed(file)
            for file in sorted(directory.glob("*.template.json"))
        }
        is_empty = is_empty and not directory_templates
        if not stacks.keys() <= directory_templates.keys():
            missing_stacks = ", ".join(sorted(stacks.keys() - directory_templates.keys()))
            raise ValueError(f"{folder}: no template of {missing_stacks}")
        # Templates of an earlier synthesis for another environment may lie there, too: the
        # manifest names those of this one.
        names = stacks if raw_manifest else {name: name for name in directory_templates}
        left_aside += [name for name in directory_templates if name not in names and counts(name)]
        own_templates = {
            names[name]: raw
            for name, raw in directory_templates.items()
            if name in names and counts(names[name])
        }
        # One template would hide the other.
        duplicates = [
            name
            for name in names.values()
            if name in templates or [*names.values()].count(name) > 1
        ]
        if duplicates:
            raise ValueError(f"{folder}: {duplicates[0]} is deployed from two templates")
        for stack, logical_id, path in manifest.paths(directory, selected_manifest):
            resource = own_templates.get(stack, {}).get("Resources", {}).get(logical_id)
            if resource is not None:
                resource.setdefault("Metadata", {}).setdefault("aws:cdk:path", path)
        templates |= own_templates
        regions |= manifest.regions(selected_manifest)
        assembly.protected |= manifest.protected(selected_manifest)
        assembly.tags |= manifest.tags(selected_manifest)
        assembly.accounts |= manifest.accounts(selected_manifest)
        assembly.assets |= manifest.assets(directory, selected_manifest)
        assembly.hashes |= manifest.hashes(directory, selected_manifest)
        assembly.differing += deployment.faults(directory, selected_manifest)
        assembly.differing += order.faults(selected_manifest, own_templates)
    if is_empty:
        raise ValueError(f"{folder}: no *.template.json in it; run `cdk synth` first")
    result = resolve(templates, folder=folder, regions=regions)
    manifest_facts = {name: getattr(assembly, name) for name in _OF_THE_MANIFEST}
    return replace(result, left_aside=tuple(sorted(left_aside)), **manifest_facts)


def resolve(
    templates: Mapping[str, dict[str, Any]],
    *,
    folder: Path = Path("cdk.out"),
    regions: Mapping[str, str] | None = None,
    stand_ins: identity.StandIns = identity.STAND_INS,
) -> Assembly:
    """Resolves templates that are already in memory. regions: by stack; us-east-1 if unknown."""
    assembly = Assembly(folder=folder)
    for stack, raw in templates.items():
        assembly.templates[stack], rejects = skeleton(raw)
        # A macro or a loop of a transform: only AWS can say what becomes of it.
        assembly.unresolved += [(f"{stack}/{name}", what) for name, what in sorted(rejects)]
    assembly.regions = {name: (regions or {}).get(name, _DEFAULT_REGION) for name in templates}
    resolver = _Resolver(assembly, stand_ins)
    for stack, template in assembly.templates.items():
        for logical_id, raw in template["Resources"].items():
            if resolver.exists(stack, raw):
                assembly.resources.append(resolver.resource(stack, logical_id, raw))
        resolver.check_dependencies(template)
    return assembly


class _Resolver:
    """Replaces intrinsics; remembers where it could not."""

    def __init__(self, assembly: Assembly, stand_ins: identity.StandIns) -> None:
        self._assembly = assembly
        self._stand_ins = stand_ins
        self._templates = assembly.templates
        self._where = ""
        self._condition = cache(self._decide)
        self._import = cache(self._import_value)
        self._identity = cache(self._identify)
        self._pseudo = cache(self._pseudo_parameters)

    def exists(self, stack: str, raw: Mapping[str, Any]) -> bool:
        """Whether a resource's own Condition lets it exist."""
        return "Condition" not in raw or self._condition(stack, raw["Condition"])

    def resource(self, stack: str, logical_id: str, raw: Mapping[str, Any]) -> Resource:
        """A resource with its properties resolved."""
        path = str(raw.get("Metadata", {}).get("aws:cdk:path", ""))
        # In a stage of somebody's app, the stack is not the beginning of its paths.
        _, separator, tail = f"/{path}".partition(f"/{stack}/")
        path = f"{stack}/{tail}" if separator else path
        self._where = path or f"{stack}/{logical_id}"
        kind = str(raw.get("Type", ""))
        properties = self.value(stack, raw.get("Properties", {}))
        own_identity = self._identity(stack, logical_id)
        return Resource(
            stack=stack,
            logical_id=logical_id,
            type=kind,
            path=self._where.removesuffix("/Resource").removesuffix("/Default"),
            name=own_identity.name,
            arn=own_identity.arn,
            properties=TrackedProperties(
                properties if isinstance(properties, dict) else {}, kind, self._assembly.reads
            ),
            raw=raw,
        )

    def check_dependencies(self, template: Mapping[str, Any]) -> None:
        """Lists every DependsOn that names nothing."""
        resources = template.get("Resources", {})
        for logical_id, raw in resources.items():
            dependencies = raw.get("DependsOn", [])
            for name in [dependencies] if isinstance(dependencies, str) else dependencies:
                if name not in resources:
                    where = str(raw.get("Metadata", {}).get("aws:cdk:path", logical_id))
                    self._assembly.dangling.append((where, f"DependsOn {name}"))

    def value(self, stack: str, raw: Any) -> Any:
        """A value without intrinsics; AWS::NoValue vanishes from objects and lists."""
        # Most values are texts: a call for each would cost as much as all the rest.
        if isinstance(raw, list):
            items = [item if isinstance(item, str) else self.value(stack, item) for item in raw]
            return [item for item in items if item is not _NOTHING]
        if not isinstance(raw, dict):
            return raw
        if len(raw) == 1:
            ((name, argument),) = raw.items()
            if name == "Ref" or name.startswith("Fn::"):
                try:
                    return self._intrinsic(stack, name, argument)
                except (IndexError, KeyError, TypeError, ValueError):
                    return self._miss(f"a malformed {name}")
        return {
            key: item
            for key, inner in raw.items()
            if (item := inner if isinstance(inner, str) else self.value(stack, inner))
            is not _NOTHING
        }

    def _miss(self, what: str) -> str:
        self._assembly.unresolved.append((self._where, what))
        return UNRESOLVED

    def _dangle(self, what: str) -> str:
        self._assembly.dangling.append((self._where, what))
        return UNRESOLVED

    def _intrinsic(self, stack: str, name: str, argument: Any) -> Any:
        match name:
            case "Ref":
                return self._ref(stack, str(argument))
            case "Fn::GetAtt":
                parts = argument if isinstance(argument, list) else str(argument).split(".", 1)
                return self._attribute(stack, *map(str, parts))
            case "Fn::Join" if len(argument) == 2:
                return str.join(argument[0], map(str, self.value(stack, argument[1])))
            case "Fn::Split" if len(argument) == 2:
                return str.split(str(self.value(stack, argument[1])), argument[0])
            case "Fn::Select" if len(argument) == 2:
                item = get(self.value(stack, argument[1]), int(argument[0]))
                return self._miss(f"{name} {argument[0]}") if item is None else item
            case "Fn::Sub":
                return self._sub(stack, argument)
            case "Fn::If" if len(argument) == 3:
                branch = argument[1] if self._condition(stack, argument[0]) else argument[2]
                return self.value(stack, branch)
            case "Fn::ImportValue":
                return self._import(str(self.value(stack, argument)))
            case "Fn::FindInMap":  # by names that are texts, so it is the same everywhere
                item = get(self._templates[stack], "Mappings", *argument)
                return item if isinstance(item, str) else self._miss(name)
            case "Fn::GetStackOutput":
                return self._output(argument)
        return self._miss(name)

    def _pseudo_parameters(self, stack: str) -> dict[str, Any]:
        region = self._assembly.regions[stack]
        return {
            "AWS::AccountId": self._stand_ins.account,
            "AWS::Region": region,
            "AWS::Partition": identity.PARTITION,
            "AWS::URLSuffix": identity.URL_SUFFIX,
            "AWS::StackName": stack,
            "AWS::StackId": f"arn:{identity.PARTITION}:cloudformation:{region}"
            f":{self._stand_ins.account}:stack/{stack}/00000000-0000-4000-8000-000000000000",
            "AWS::NoValue": _NOTHING,
        }

    def _ref(self, stack: str, name: str) -> Any:
        pseudo = self._pseudo(stack)
        if name in pseudo:
            return pseudo[name]
        template = self._templates[stack]
        if name in template.get("Parameters", {}):
            return self._parameter(name, template["Parameters"][name])
        if name not in template["Resources"]:
            return self._dangle(f"Ref {name}")
        return self._identity(stack, name).ref

    def _parameter(self, name: str, parameter: Mapping[str, Any]) -> Any:
        # An SSM parameter's default is where to look, not what is found there.
        if "Default" in parameter and not str(parameter.get("Type")).startswith("AWS::SSM::"):
            return parameter["Default"]
        return self._miss(f"parameter {name}")

    def _identify(self, stack: str, logical_id: str) -> identity.Identity:
        raw = self._templates[stack]["Resources"][logical_id]
        kind, properties = str(raw.get("Type", "")), raw.get("Properties", {})
        named_by = identity.NAMED_TYPES[kind].named_by if kind in identity.NAMED_TYPES else ""
        raw_name = properties.get(named_by)
        path = properties.get("Path", "") if kind.startswith("AWS::IAM::") else ""
        return identity.Identity(
            kind=kind,
            name=str(self.value(stack, raw_name))
            if raw_name is not None
            else identity.generated_name(stack, logical_id, kind, stand_ins=self._stand_ins),
            region=self._assembly.regions[stack],
            path=str(self.value(stack, path)),
            account=self._stand_ins.account,
        )

    def _attribute(self, stack: str, logical_id: str, name: str) -> str:
        if logical_id not in self._templates[stack]["Resources"]:
            return self._dangle(f"Fn::GetAtt {logical_id}.{name}")
        value = self._identity(stack, logical_id).attribute(name)
        return self._miss(f"Fn::GetAtt {logical_id}.{name}") if value is None else value

    def _sub(self, stack: str, argument: Any) -> str:
        text, variables = (argument, {}) if isinstance(argument, str) else argument

        def fill(match: re.Match[str]) -> str:
            literal, name = match[1], match[2]
            if literal:
                return f"${{{name}}}"
            if name in variables:
                return str(self.value(stack, variables[name]))
            if "." in name:
                return self._attribute(stack, *name.split(".", 1))
            return str(self._ref(stack, name))

        return _PLACEHOLDER.sub(fill, text)

    def _import_value(self, name: str) -> Any:
        for stack, template in self._templates.items():
            for output in template.get("Outputs", {}).values():
                export_name = output.get("Export", {}).get("Name")
                if export_name is not None and self.value(stack, export_name) == name:
                    return self.value(stack, output["Value"])
        return self._dangle(f"Fn::ImportValue {name}")

    def _output(self, argument: Mapping[str, Any]) -> Any:
        stack, name = str(argument["StackName"]), str(argument["OutputName"])
        output = self._templates.get(stack, {}).get("Outputs", {}).get(name)
        if output is None:
            return self._dangle(f"Fn::GetStackOutput {stack}.{name}")
        return self.value(stack, output["Value"])

    def _decide(self, stack: str, name: str) -> bool:
        raw = self._templates[stack].get("Conditions", {}).get(name)
        if raw is None:
            self._dangle(f"condition {name}")
        return raw is not None and self._test(stack, raw)

    def _test(self, stack: str, raw: Any) -> bool:
        if isinstance(raw, dict) and len(raw) == 1:
            ((name, argument),) = raw.items()
            match name:
                case "Condition":
                    return self._condition(stack, str(argument))
                case "Fn::Equals":
                    left, right = (self.value(stack, item) for item in argument)
                    return bool(left == right)
                case "Fn::And":
                    return all(self._test(stack, item) for item in argument)
                case "Fn::Or":
                    return any(self._test(stack, item) for item in argument)
                case "Fn::Not":
                    return not self._test(stack, argument[0])
        self._miss("a condition")
        return False
