"""Checks that the templates contain only what the other checks cover."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bedrock_tuning.contracts.constructs import OUTPUTS
from bedrock_tuning.review.assembly import identity, template
from bedrock_tuning.review.assembly.template import Assembly
from bedrock_tuning.review.check import Evidence, Violation, check

# Checked by type and use, wherever they are: no contract names them one by one.
_PLUMBING: Final = (
    "AWS::CloudWatch::Alarm",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::Lambda::Function",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
)
_NETWORK: Final = (
    "AWS::EC2::FlowLog",
    "AWS::EC2::RouteTable",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::VPCEndpoint",
)
# What describes resources. The rest makes others of them, or only in some accounts.
_SECTIONS: Final = frozenset(
    {"AWSTemplateFormatVersion", "Description", "Metadata", "Resources", "Outputs"}
)
_BOOTSTRAP: Final = {"Parameters": {"BootstrapVersion"}, "Rules": {"CheckBootstrapVersion"}}
_OUTPUT: Final = frozenset({"Description", "Export", "Value"})
_SSM_TEXT: Final = "AWS::SSM::Parameter::Value<String>"
# As all accounts but one are: what is still the same with these is written into the template.
_OTHERS: Final = identity.StandIns(account="444455556666", salt="other ")


@check("A108", "A template deploys the same resources in every account, at any time.")
def sections(evidence: Evidence) -> Iterator[Violation]:
    for stack, raw in evidence.assembly.templates.items():
        for name, section in raw.items():
            parts = set(section) if isinstance(section, Mapping) else {str(section)}
            others = set[str]() if name in _SECTIONS else parts - _BOOTSTRAP.get(name, set())
            if others or (name not in _SECTIONS and name not in _BOOTSTRAP):
                yield _conditional(stack, f"it has {name}: {', '.join(sorted(others))}")
        parameter = raw.get("Parameters", {}).get("BootstrapVersion")
        if parameter is not None and parameter.get("Type") != _SSM_TEXT:
            yield _conditional(stack, f"BootstrapVersion is a {parameter.get('Type')}")
    for resource in evidence.assembly.resources:
        if "{{resolve:" in str(resource.properties):
            yield _conditional(resource.path, "a value is looked up when it is deployed")
    for stack, name, value, _ in _outputs(evidence.assembly):
        if "{{resolve:" in value:
            yield _conditional(f"{stack}/{name}", "an output shows a value that is looked up")
        for odd in sorted(set(evidence.assembly.templates[stack]["Outputs"][name]) - _OUTPUT):
            yield _conditional(f"{stack}/{name}", f"the output has {odd}")


def _conditional(where: str, what: str) -> Violation:
    return Violation(
        where=where,
        what=what,
        limit="conditions, macros, parameters and dynamic references change a template",
        fix="Decide it in the app: settings, not parameters",
    )


@check("A109", "No account ID and no generated name is hard-coded: templates use references.")
def nothing_written_out(evidence: Evidence) -> Iterator[Violation]:
    assembly = evidence.assembly
    elsewhere = template.resolve(
        assembly.templates, regions=assembly.regions, stand_ins=_OTHERS
    ).resources
    changed = {r.name for r in assembly.resources} - {r.name for r in elsewhere}
    written = re.compile("|".join(map(re.escape, sorted({identity.ACCOUNT, *changed}))))
    allowed = evidence.bound.contracts.boundary
    for resource in elsewhere:
        for text in _texts(resource.properties):
            found = written.search(text)
            if found and text != allowed:
                yield Violation(
                    where=resource.path,
                    what=f"{found[0]} is hard-coded in {text[:120]}",
                    limit="a placeholder of this review: once deployed, it names something else",
                    fix="Use Ref AWS::AccountId, or a reference to the resource",
                )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield str(name)
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


@check("A110", "Every resource has a contract: there is no other bucket, key, table or topic.")
def nothing_more(evidence: Evidence) -> Iterator[Violation]:
    bound = evidence.bound
    known = {bound.path(place) for place in bound.contracts.places.values()}
    plumbing = (*_PLUMBING, *(_NETWORK if "vpc" in bound.contracts.places else ()))
    for resource in evidence.assembly.resources:
        if resource.path not in known and resource.type not in plumbing:
            yield Violation(
                where=resource.path or resource.logical_id,
                what=f"{resource.type} has no contract",
                limit="a resource without a contract is not reviewed",
                fix="Remove it, or name it in bedrock_tuning/contracts/constructs.py",
            )


@check("A111", "Every export has a unique name and is imported by another stack.")
def exports(evidence: Evidence) -> Iterator[Violation]:
    found = [(f"{stack}/{name}", export) for stack, name, _, export in _outputs(evidence.assembly)]
    names = Counter(export for _, export in found if export)
    imported = set(_imported(evidence.assembly.templates))
    for where, export in found:
        if export and (names[export] > 1 or export not in imported):
            yield Violation(
                where=where,
                what=f"{export} is exported {names[export]} times"
                if names[export] > 1
                else f"{export} is exported, and no stack here imports it",
                limit="an export is only for another of these stacks",
                fix="Remove the export",
            )


@check("A113", "The manifest deploys exactly these templates, to one account and Region.")
def deployed(evidence: Evidence) -> Iterator[Violation]:
    for where, what in evidence.assembly.differing:
        yield Violation(
            where=where,
            what=what,
            limit="otherwise the deployed resources differ from the reviewed ones",
            fix="Synthesize again, and change nothing by hand",
        )


@check("A112", "The outputs that commands read refer to the right resources.")
def outputs(evidence: Evidence) -> Iterator[Violation]:
    for output, contract in OUTPUTS.items():
        resource = evidence.contracted.get(contract)
        if resource is None:
            continue
        template_outputs = evidence.assembly.templates[resource.stack].get("Outputs", {})
        value = template_outputs.get(output, {}).get("Value")
        if value != {"Ref": resource.logical_id}:
            yield Violation(
                where=f"{resource.stack}/{output}",
                what=f"it is {value or 'missing'}",
                limit=f"Ref {resource.logical_id}: commands use the resource that it names",
                fix="Write the output as its file in stacks/ does",
            )


def _outputs(assembly: Assembly) -> Iterator[tuple[str, str, str, str]]:
    """Stack, output, its value and the name it is exported under; "" for none."""
    for stack, raw in assembly.templates.items():
        for name, output in raw.get("Outputs", {}).items():
            export = output.get("Export", {}).get("Name", "")
            # All texts in a row: what a Fn::Join would make of halves is seen, too.
            yield stack, name, "".join(_texts(output)), str(export)


def _imported(value: Any) -> Iterator[str]:
    """The names of all imports in templates."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name == "Fn::ImportValue":
                yield str(inner)
            else:
                yield from _imported(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _imported(inner)


CHECKS = (sections, nothing_written_out, nothing_more, exports, outputs, deployed)
