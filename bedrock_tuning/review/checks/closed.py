"""Checks that the templates contain only what the other checks cover."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bedrock_tuning.config.names import stack_name
from bedrock_tuning.config.tags import CUSTOMIZATION_TAG, ENVIRONMENT_TAG
from bedrock_tuning.contracts.construct_names import OUTPUTS, policy_output
from bedrock_tuning.review.assembly import identity, template
from bedrock_tuning.review.assembly.json_path import get, imports
from bedrock_tuning.review.assembly.reads import as_whole
from bedrock_tuning.review.assembly.template import Assembly
from bedrock_tuning.review.check import Evidence, Violation, check, found, unlike

# Checked by type and use, wherever they are: no contract names them one by one.
_PLUMBING: Final = (
    "AWS::CloudFormation::WaitConditionHandle",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
)
# What describes resources. The rest makes others of them, or only in some accounts.
# The only one that CloudFormation knows.
_VERSION: Final = "2010-09-09"
_SECTIONS: Final = frozenset({"AWSTemplateFormatVersion", "Description", "Resources", "Outputs"})
# What the CDK notes beside a resource. The rest is for programs: scanners skip what it tells them
# to, cfn-init runs it.
_NOTES: Final = ("aws:cdk:", "aws:asset:")
_MACROS: Final = ("Fn::Transform", "Fn::ForEach")
# How AWS and others begin their credentials, and how keys are wrapped.
_CREDENTIAL: Final = re.compile(
    r"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|(?<!\w)(?:gh[pousr]_\w{30}|xox[abp]-\w{10}|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.)"
)
_BOOTSTRAP: Final = {"Parameters": {"BootstrapVersion"}, "Rules": {"CheckBootstrapVersion"}}
_OUTPUT: Final = frozenset({"Description", "Export", "Value"})
_ATTRIBUTES: Final = frozenset(
    {"Type", "Properties", "DependsOn", "Metadata", "DeletionPolicy", "UpdateReplacePolicy"}
)
_SSM_TEXT: Final = "AWS::SSM::Parameter::Value<String>"
# As all accounts but one are: what is still the same with these is written into the template.
_OTHERS: Final = identity.StandIns(account="444455556666", salt="other ")


@check(
    "A108",
    "A template deploys the same resources in every account, at any time.",
    limit="conditions, macros, parameters and dynamic references change a template",
    fix="Decide it in the app: settings, not parameters",
)
def sections(evidence: Evidence) -> Iterator[Violation]:
    for stack, raw in evidence.assembly.templates.items():
        version = raw.get("AWSTemplateFormatVersion", _VERSION)
        if version != _VERSION:
            yield found(stack, f"it is of the format {version}")
        for name, section in raw.items():
            if name == "Mappings" and _is_code(section):
                continue
            parts = set(section) if isinstance(section, Mapping) else {str(section)}
            unknown_parts = set[str]() if name in _SECTIONS else parts - _BOOTSTRAP.get(name, set())
            if unknown_parts or (name not in _SECTIONS and name not in _BOOTSTRAP):
                yield found(stack, f"it has {name}: {', '.join(sorted(unknown_parts))}")
        for name in sorted({text for text in texts(raw) if text.startswith(_MACROS)}):
            yield found(stack, f"{name} makes something else of it when it is deployed")
        parameter = raw.get("Parameters", {}).get("BootstrapVersion")
        if parameter is not None and parameter.get("Type") != _SSM_TEXT:
            yield found(stack, f"BootstrapVersion is a {parameter.get('Type')}")
    for resource in evidence.assembly.resources:
        for name in sorted(set(resource.raw) - _ATTRIBUTES):
            yield found(resource, f"it has {name}")
        for name in resource.raw.get("Metadata", {}):
            if not name.startswith(_NOTES):
                yield found(
                    resource,
                    f"it has metadata for other programs: {name}",
                    "scanners would skip what it names",
                    "Remove it: what scanners accept is in a file of its own",
                )
        if "{{resolve:" in str(resource.properties):
            yield found(resource, "a value is looked up when it is deployed")
    for stack, name, value, _ in _outputs(evidence.assembly):
        if "{{resolve:" in value:
            yield found(f"{stack}/{name}", "an output shows a value that is looked up")
        for key in sorted(set(evidence.assembly.templates[stack]["Outputs"][name]) - _OUTPUT):
            yield found(f"{stack}/{name}", f"the output has {key}")


def _is_code(mappings: Any) -> bool:
    """Whether one mapping says nothing but which asset is the code of all functions (W506)."""
    if not isinstance(mappings, Mapping) or len(mappings) != 1:
        return False
    (content,) = mappings.values()
    key = get(content, "AllFunctions", "S3Key")
    return content == {"AllFunctions": {"S3Key": key}} and isinstance(key, str)


@check(
    "A109",
    "No account ID and no generated name is hard-coded: templates use references.",
    limit="a placeholder of this review: once deployed, it names something else",
    fix="Use Ref AWS::AccountId, or a reference to the resource",
)
def nothing_written_out(evidence: Evidence) -> Iterator[Violation]:
    assembly = evidence.assembly
    other_resources = template.resolve(
        assembly.templates, regions=assembly.regions, stand_ins=_OTHERS
    ).resources
    generated_names = {resource.name for resource in assembly.resources} - {
        resource.name for resource in other_resources
    }
    pairs = [
        (resource, text) for resource in other_resources for text in texts(resource.properties)
    ]
    # All at once: to look for each of the names in each text would take as long as all the rest.
    all_text = "\n".join({text for _, text in pairs})
    names = [name for name in sorted({identity.ACCOUNT, *generated_names}) if name in all_text]
    boundary = evidence.bound.contracts.chosen.permissions_boundary
    for resource, text in pairs if names else ():
        match = re.search("|".join(map(re.escape, names)), text)
        if match and text != boundary:
            yield found(resource, f"{match[0]} is hard-coded in {text[:120]}")


def texts(value: Any) -> Iterator[str]:
    """Every text in a value, names of properties included, in the order in which they stand."""
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            for name, inner in reversed(item.items()):
                todo += (inner, str(name))
        elif isinstance(item, list):
            todo += reversed(item)


@check(
    "A115",
    "Resources and stacks have the tags of their environment and customization, and no others.",
    limit="policies know by tags whose a resource is, and those of others may give rights by them",
    fix="Write tags of your own under tags in cdk.json, or [tags] in the customization's file",
)
def tags(evidence: Evidence) -> Iterator[Violation]:
    contracts = evidence.bound.contracts
    expected: dict[str, dict[str, str]] = {}
    for stack in evidence.assembly.templates:
        name = stack.removeprefix(stack_name(contracts.environment, ""))
        expected[stack] = {**contracts.chosen.tags, ENVIRONMENT_TAG: contracts.environment}
        if name in contracts.settings:
            own_tags = contracts.settings[name]["tags"]
            expected[stack] |= {**own_tags, CUSTOMIZATION_TAG: name}
    for resource in evidence.assembly.resources:
        if identity.takes_tags(resource.type) or "Tags" in resource.properties:
            actual = _tags(as_whole(resource.properties.get("Tags")))
            yield from unlike(resource, actual, expected[resource.stack], exactly=True)
    for stack, actual in evidence.assembly.tags.items():
        if actual:
            yield from unlike(stack, actual, expected.get(stack, {}), exactly=True)


def _tags(raw: Any) -> dict[str, Any]:
    """Tags as CloudFormation writes them, in a list or, for some types, as an object."""
    if isinstance(raw, list):
        return {str(tag.get("Key")): tag.get("Value") for tag in map(as_whole, raw)}
    return dict(raw or {})


@check(
    "A114",
    "No text in a template is a credential, wherever it stands.",
    limit="many people can read templates, and old ones are kept",
    fix="Revoke it, and read secrets at run time from a secret store",
)
def no_credentials(evidence: Evidence) -> Iterator[Violation]:
    for stack, raw in evidence.assembly.templates.items():
        for text in texts(raw):
            match = _CREDENTIAL.search(text)
            if match is not None:
                yield found(stack, f"it has a text that begins like a credential: {match[0][:6]}…")


@check(
    "A110",
    "Every resource has a contract: no other bucket, key, table, topic, function, role, rule or "
    "alarm.",
    limit="a resource without a contract is not reviewed",
    fix="Remove it, write its contract in bedrock_tuning/contracts, or put it into a stack of its "
    "own, which [[stack]] in review.toml permits",
)
def nothing_more(evidence: Evidence) -> Iterator[Violation]:
    bound = evidence.bound
    paths = {bound.path(place) for place in bound.contracts.places.values()}
    for resource in evidence.assembly.resources:
        if resource.path not in paths and resource.type not in _PLUMBING:
            yield found(resource, f"{resource.type} has no contract")


@check(
    "A111",
    "Every export has a unique name and is imported by another stack.",
    limit="an export is only for another of these stacks",
    fix="Remove the export",
)
def exports(evidence: Evidence) -> Iterator[Violation]:
    entries = [
        (f"{stack}/{name}", export) for stack, name, _, export in _outputs(evidence.assembly)
    ]
    names = Counter(export for _, export in entries if export)
    imported_names = set(imports(evidence.assembly.templates))
    for where, export in entries:
        if names[export] > 1:
            yield found(where, f"{export} is exported {names[export]} times")
        elif export and export not in imported_names:
            yield found(where, f"{export} is exported, and no stack here imports it")


@check(
    "A113",
    "The manifest deploys exactly these templates, to the account and Region of the settings.",
    limit="otherwise the deployed resources differ from the reviewed ones",
    fix="Synthesize again, and change nothing by hand",
)
def deployed(evidence: Evidence) -> Iterator[Violation]:
    assembly, contracts = evidence.assembly, evidence.bound.contracts
    for where, what in assembly.differing:
        yield found(where, what)
    pairs = {
        (contracts.chosen.account, account)
        for account in assembly.accounts
        if contracts.chosen.account
    } | {(contracts.chosen.region, region) for region in assembly.regions.values()}
    for expected, actual in sorted(pairs):
        if expected != actual:
            yield found(contracts.environment, f"stacks go to {actual}, not {expected}")


@check(
    "A112",
    "The outputs that commands and people read refer to the right resources.",
    fix="Write the output as its stack in bedrock_tuning/constructs/stacks does",
)
def outputs(evidence: Evidence) -> Iterator[Violation]:
    for output, target in OUTPUTS.items():
        contract, _, attribute = target.partition(":")
        resource = evidence.contracted.get(contract)
        if resource is None:
            yield from _existing_output(evidence, output, contract)
            continue
        value = get(evidence.assembly.templates[resource.stack], "Outputs", output, "Value")
        name = resource.logical_id
        expected = {"Fn::GetAtt": [name, attribute]} if attribute else {"Ref": name}
        if value != expected:
            yield found(
                f"{resource.stack}/{output}",
                f"it is {value or 'missing'}",
                f"{expected}: commands use what it names",
            )
    for name in evidence.bound.contracts.settings:
        resource = evidence.contracted.get(f"serving.{name}")
        if resource is not None:
            outputs = evidence.assembly.templates[resource.stack].get("Outputs", {})
            expected = {"Fn::GetAtt": [resource.logical_id, "Status"]}
            value = get(outputs, "Serving", "Value")
            if value != expected:
                limit = f"{expected}: commands find customizations by it"
                yield found(f"{resource.stack}/Serving", f"it is {value or 'missing'}", limit)
    for person in evidence.bound.contracts.people:
        policy = evidence.contracted.get(person.name)
        if policy is not None:
            output = policy_output(person.place.path)
            value = get(evidence.assembly.templates[policy.stack], "Outputs", output, "Value")
            if value != {"Ref": policy.logical_id}:
                where = f"{policy.stack}/{output}"
                yield found(where, f"it is {value or 'missing'}", f"the policy {policy.path}")


def _existing_output(evidence: Evidence, output: str, contract: str) -> Iterator[Violation]:
    """What exists already is named by the settings."""
    bound = evidence.bound
    if contract not in bound.contracts.given:
        return
    name = bound.fill(f"{{{contract}:name}}")
    for stack, raw in evidence.assembly.templates.items():
        value = "".join(texts(get(raw, "Outputs", output, "Value")))
        if value and value.rpartition(":")[2] != name:
            yield found(f"{stack}/{output}", f"it is {value}", f"the settings say {name}")


def _outputs(assembly: Assembly) -> Iterator[tuple[str, str, str, str]]:
    """Stack, output, its value and the name it is exported under; "" for none."""
    for stack, raw in assembly.templates.items():
        for name, output in raw.get("Outputs", {}).items():
            export = output.get("Export", {}).get("Name", "")
            # All texts in a row: what a Fn::Join would make of halves is seen, too.
            yield stack, name, "".join(texts(output)), str(export)
