"""A check of all templates that runs inside of every synthesis and fails it.

What is checked is given from outside: stacks know nothing of the review.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

import aws_cdk as cdk
import jsii


class ReportedViolation(Protocol):
    """What a check found: its id, where, what is there, what may be, what to do."""

    @property
    def check(self) -> str: ...
    @property
    def where(self) -> str: ...
    @property
    def what(self) -> str: ...
    @property
    def limit(self) -> str: ...
    @property
    def whole_fix(self) -> str: ...


@jsii.implements(cdk.IPolicyValidationPlugin)
class Proof:
    """A validation plugin of the CDK around a function from a folder of templates to violations.

    rules: the ids of all checks that the function does.
    """

    def __init__(
        self, find: Callable[[Path], Iterable[ReportedViolation]], *, rules: Sequence[str]
    ) -> None:
        self._find = find
        self._rules = list(rules)

    @property
    def name(self) -> str:
        """How the validation report calls it."""
        return "bedrock-tuning-review"

    @property
    def version(self) -> str | None:
        """It has none of its own: it comes with the app."""
        return None

    @property
    def rule_ids(self) -> list[str] | None:
        """The ids of its checks."""
        return self._rules

    def validate(self, context: cdk.IPolicyValidationContext) -> cdk.PolicyValidationPluginReport:
        """Called by the CDK when the templates are written."""
        folder = Path(context.template_paths[0]).parent
        # Stages are folders in the folder of their app.
        while folder.name.startswith("assembly-"):
            folder = folder.parent
        try:
            violations = [_violation(violation, folder) for violation in self._find(folder)]
        except Exception as error:
            # The CLI passes over a plugin that raises: it has named nothing that is wrong.
            reason, fix = f"the proof broke off: {type(error).__name__}: {error}", "Correct that"
            return cdk.PolicyValidationPluginReport(
                success=False, violations=[_folder_violation(folder, reason, fix)]
            )
        if violations:
            reason = "nothing in this folder is deployed: not all of it is proved, or attested"
            violations.append(_folder_violation(folder, reason, "Correct what the other lines say"))
        return cdk.PolicyValidationPluginReport(success=not violations, violations=violations)


def _folder_violation(folder: Path, reason: str, fix: str) -> cdk.PolicyViolation:
    """What is wrong with a folder as a whole, so with whatever stack of it is deployed.

    The CLI asks the report in the folder before it deploys, also when it is given the folder
    instead of an app. It leaves out what is wrong with constructs of other stacks than those that
    it deploys, and shows nothing of what is wrong nowhere: so this is at no construct, in a file.
    """
    place = cdk.PolicyViolatingResource(
        locations=[], resource_logical_id="", template_path=str(folder / "manifest.json")
    )
    return cdk.PolicyViolation(
        rule_name="whole",
        description=reason,
        fix=fix,
        severity="fatal",
        violating_resources=[place],
    )


def _violation(violation: ReportedViolation, folder: Path) -> cdk.PolicyViolation:
    template = folder / f"{violation.where.partition('/')[0]}.template.json"
    return cdk.PolicyViolation(
        rule_name=violation.check,
        description=f"{violation.where}: {violation.what}; {violation.limit}",
        fix=violation.whole_fix,
        # Of all severities only this one cannot be acknowledged away.
        severity="fatal",
        violating_resources=[
            cdk.PolicyViolatingResource(
                locations=[],
                resource_logical_id=_logical_id(template, violation.where),
                template_path=str(template),
            )
        ],
    )


def _logical_id(template: Path, where: str) -> str:
    """The resource at a construct path; the path itself when there is none."""
    if not template.is_file():
        return where
    resources = json.loads(template.read_text("utf-8")).get("Resources", {})
    for logical_id, resource in resources.items():
        path = resource.get("Metadata", {}).get("aws:cdk:path", "")
        if path in (where, f"{where}/Resource", f"{where}/Default"):
            return str(logical_id)
    return where
