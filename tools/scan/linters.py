"""Linters of the CloudFormation language: cfn-lint, and the validator inside aws-cdk-lib."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import aws_cdk as cdk
import jsii
from constructs import IConstruct

from tools.scan.cases import Case
from tools.scan.places import ScannedPlaces
from tools.scan.table import ScanError, ScanFinding

CFN_LINT: Final = "cfn-lint"
VALIDATOR: Final = "cdk-validator"


def cfn_lint(folders: Mapping[Case, Path], *, customizations: Iterable[str]) -> list[ScanFinding]:
    """What cfn-lint says of the templates of several cases.

    Without any configuration: what we ignore stands in the table. Raises ScanError.
    """
    places = ScannedPlaces(folders, customizations=customizations)
    # It works on one processor only, 0.4 s for each template.
    parts = [part for part in (places.files[::2], places.files[1::2]) if part]
    with ThreadPoolExecutor() as pool:
        found = [each for some in pool.map(_cfn_lint, parts) for each in some]
    return [
        places.finding(
            CFN_LINT,
            rule=each["Rule"]["Id"],
            file=each["Filename"],
            logical_id=_logical_id(each["Location"]["Path"]),
            detail=each["Message"],
        )
        for each in found
    ]


def _cfn_lint(files: Sequence[str]) -> list[dict[str, Any]]:
    program = str(Path(sys.executable).with_name("cfn-lint"))
    with tempfile.TemporaryDirectory() as nothing:
        done = subprocess.run(  # noqa: S603
            [program, "--format", "json", *files],
            cwd=nothing,
            env={"HOME": nothing},
            capture_output=True,
            text=True,
            check=False,
        )
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout)
    except json.JSONDecodeError:
        raise ScanError(f"cfn-lint ended with {done.returncode}: {done.stderr.strip()}") from None
    return found


def _logical_id(path: list[Any] | None) -> str:
    return str(path[1]) if path and path[0] == "Resources" and len(path) > 1 else ""


@jsii.implements(cdk.IPolicyValidationContext)
class _Context:
    """What the CDK tells a plugin in a synthesis, about templates that were synthesized before."""

    def __init__(self, files: Iterable[str], tree: IConstruct) -> None:
        self._files = list(files)
        self._tree = tree

    @property
    def app_construct(self) -> IConstruct:
        """A tree; this plugin reads templates only."""
        return self._tree

    @property
    def template_paths(self) -> list[str]:
        """The files."""
        return self._files

    @property
    def stack_templates(self) -> list[cdk.PolicyValidationStack]:
        """The files with their stacks."""
        return [
            cdk.PolicyValidationStack(
                stack_construct_path=Path(file).name.partition(".")[0],
                template_path=file,
                region="us-east-1",
            )
            for file in self._files
        ]

    account_id = None
    region = None


def validator(folders: Mapping[Case, Path], *, customizations: Iterable[str]) -> list[ScanFinding]:
    """What the CDK's own validator says of the templates of several cases.

    In a synthesis it starts anew each time, which costs 3 s; here once for all.
    """
    places = ScannedPlaces(folders, customizations=customizations)
    context = _Context(places.files, cdk.App(analytics_reporting=False))
    report = cdk.CloudFormationValidatePlugin().validate(context)
    return [
        places.finding(
            VALIDATOR,
            rule=violation.rule_name,
            file=str(resource.template_path),
            logical_id=str(resource.resource_logical_id),
            detail=violation.description,
        )
        for violation in report.violations
        for resource in violation.violating_resources
    ]
