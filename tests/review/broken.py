"""Templates to break: a fresh copy for each flaw, and short ways to what a flaw changes."""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from bedrock_tuning import review
from bedrock_tuning.contracts import Contracts
from bedrock_tuning.review.assembly import template
from bedrock_tuning.review.assembly.template import Assembly
from bedrock_tuning.review.check import Evidence, Violation
from bedrock_tuning.review.iam import access
from bedrock_tuning.review.iam.access import EffectivePermissions
from bedrock_tuning.review.iam.policy import as_list
from bedrock_tuning.review.pages.facts import Facts

Raw = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Synthesized:
    """Templates as text, so that a copy is one json.loads, and what they were made from."""

    folder: Path
    contracts: Contracts
    texts: Mapping[str, str]
    regions: Mapping[str, str]
    protected: Mapping[str, bool]
    assets: frozenset[str]

    @classmethod
    def read(cls, folder: Path, contracts: Contracts) -> "Synthesized":
        """From a cdk.out."""
        assembly = template.read(folder)
        return cls(
            folder=folder,
            contracts=contracts,
            texts={name: json.dumps(raw) for name, raw in assembly.templates.items()},
            regions=assembly.regions,
            protected=assembly.protected,
            assets=assembly.assets,
        )

    @classmethod
    def of(cls, source: "Synthesized", templates: Mapping[str, Raw]) -> "Synthesized":
        """From another one, with other templates."""
        return replace(source, texts={name: json.dumps(raw) for name, raw in templates.items()})

    def copied(self, folder: Path) -> Path:
        """A copy of the cdk.out, to change whatever is not below its assets: those are links."""

        def copy(source: str, target: str) -> None:
            (os.link if "/asset." in source else shutil.copy)(source, target)

        return Path(shutil.copytree(self.folder, folder, copy_function=copy))

    def copy(self) -> "Copy":
        """Templates that may be changed."""
        return Copy(protected=dict(self.protected), source=self)

    @cached_property
    def unchanged(self) -> dict[str, Raw]:
        """The templates, to read only: every copy shares those that it does not change."""
        return {name: json.loads(text) for name, text in self.texts.items()}

    @cached_property
    def permissions(self) -> EffectivePermissions:
        """What the unchanged templates say of access, to read only."""
        return self.copy().permissions()

    @cached_property
    def facts(self) -> Facts:
        """What a reviewer is told of the unchanged templates, to read only."""
        return review.described(self.evidence().permissions, self.contracts)

    @cached_property
    def _resources(self) -> dict[tuple[str, str], Raw]:
        return {
            (stack, name): resource
            for stack, raw in self.unchanged.items()
            for name, resource in raw["Resources"].items()
        }

    def resource(self, stack: str, logical_id: str) -> Raw:
        """A resource, to look at."""
        return self._resources[stack, logical_id]

    def evidence(self, templates: Mapping[str, Raw] | None = None) -> Evidence:
        """What the review sees in the templates, or in changed ones."""
        found = template.resolve(
            self.unchanged if templates is None else templates, regions=self.regions
        )
        found.protected = dict(self.protected)
        found.assets = self.assets
        return review.evidence_of(found, self.contracts)


@dataclass(frozen=True, slots=True)
class Copy:
    """Changeable templates. Paths are construct paths without the stack's environment.

    protected: by stack, its termination protection. differing: where the manifest deploys something
    else. tags: by stack, those that the manifest gives it. regions: by stack, other ones in it.
    """

    protected: dict[str, bool]
    source: Synthesized
    differing: list[tuple[str, str]] = field(default_factory=list)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    regions: dict[str, str] = field(default_factory=dict)
    _own: dict[str, Raw] = field(default_factory=dict)

    @property
    def templates(self) -> dict[str, Raw]:
        """All of them, as they are now; change them by `template` or `stack` only."""
        return {**self.source.unchanged, **self._own}

    def template(self, stack: str) -> Raw:
        """A stack's template, to change: copied when it is first asked for."""
        if stack not in self._own:
            self._own[stack] = json.loads(self.source.texts[stack])
        return self._own[stack]

    def stack(self, part: str) -> Raw:
        """The template of "data", "pipeline" or "serving"."""
        return self.template(f"tuning-{self.source.contracts.environment}-{part}")

    def all(self) -> Iterator[tuple[str, str, Raw]]:
        """Every resource: stack, logical id, resource."""
        for stack in self.source.texts:
            for logical_id, resource in self.template(stack)["Resources"].items():
                yield stack, logical_id, resource

    def resource(self, path: str) -> Raw:
        """The resource at a path such as "data/Training"."""
        part, _, rest = path.partition("/")
        wanted = f"tuning-{self.source.contracts.environment}-{part}/{rest}"
        ends = ("", "/Resource", "/Default")
        for resource in self.stack(part)["Resources"].values():
            if resource.get("Metadata", {}).get("aws:cdk:path") in [wanted + end for end in ends]:
                return resource
        raise KeyError(path)

    def properties(self, path: str) -> Raw:
        """Its properties."""
        found: Raw = self.resource(path)["Properties"]
        return found

    def logical_id(self, path: str) -> str:
        """Its logical id."""
        resource = self.resource(path)
        named = self.stack(path.partition("/")[0])["Resources"].items()
        return next(name for name, each in named if each is resource)

    def policy(self, path: str) -> list[Raw]:
        """The statements of the role at a path."""
        (inline,) = self.properties(path)["Policies"]
        found: list[Raw] = inline["PolicyDocument"]["Statement"]
        return found

    def statement(self, path: str, sid: str) -> Raw:
        """A role's statement."""
        return next(s for s in self.policy(path) if s.get("Sid") == sid)

    def allowing(self, path: str, action: str) -> Raw:
        """A role's first statement that names an action."""
        found = (s for s in self.policy(path) if action in as_list(s.get("Action")))
        return next(found)

    def trust(self, path: str) -> Raw:
        """The only statement of a role's trust policy."""
        (found,) = self.properties(path)["AssumeRolePolicyDocument"]["Statement"]
        raw: Raw = found
        return raw

    def statements_of(self, path: str) -> list[Raw]:
        """The statements of a policy resource, or of a key."""
        properties = self.properties(path)
        document = properties.get("PolicyDocument", properties.get("KeyPolicy"))
        found: list[Raw] = document["Statement"]
        return found

    def definition(self, change: Callable[[Raw], None]) -> None:
        """Changes the workflow's definition."""
        change(self.properties("pipeline/Workflow")["Definition"])

    def add(self, part: str, logical_id: str, kind: str, **properties: Any) -> None:
        """Adds a resource, as an app would: with a construct path."""
        path = f"tuning-{self.source.contracts.environment}-{part}/{logical_id}/Resource"
        self.stack(part)["Resources"][logical_id] = {
            "Type": kind,
            "Properties": properties,
            "Metadata": {"aws:cdk:path": path},
        }

    def _assembly(self) -> Assembly:
        """The templates as they are now, resolved."""
        source = self.source
        found = template.resolve(self.templates, regions={**source.regions, **self.regions})
        found.protected = dict(self.protected)
        found.assets = source.assets
        found.differing = list(self.differing)
        found.tags = dict(self.tags)
        return found

    def permissions(self) -> EffectivePermissions:
        """What they say of access now."""
        return access.build(self._assembly())

    def evidence(self) -> Evidence:
        """What the review sees now."""
        return review.evidence_of(self._assembly(), self.source.contracts)

    def violations(self) -> list[Violation]:
        """What the review finds now."""
        return review.violations(self.evidence())
