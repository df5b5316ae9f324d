"""The contracts of what is deployed: their placeholders filled with the names of real resources."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from bedrock_tuning.client import inventory
from bedrock_tuning.client.doctor.check import Subject
from bedrock_tuning.config.names import stack_name
from bedrock_tuning.contracts import Role, contracts
from bedrock_tuning.contracts.contract import PLACEHOLDER
from bedrock_tuning.contracts.statements import statement_block

# The ARN of a resource by its type; the rest is identified by its ARN, or is named by no grant.
_ARNS: Final = {
    "AWS::S3::Bucket": "arn:{partition}:s3:::{id}",
    "AWS::IAM::Role": "arn:{partition}:iam::{account}:role{path}{id}",
    "AWS::KMS::Key": "arn:{partition}:kms:{region}:{account}:key/{id}",
    "AWS::DynamoDB::Table": "arn:{partition}:dynamodb:{region}:{account}:table/{id}",
    "AWS::Lambda::Function": "arn:{partition}:lambda:{region}:{account}:function:{id}",
    "AWS::Logs::LogGroup": "arn:{partition}:logs:{region}:{account}:log-group:{id}:*",
    "AWS::SQS::Queue": "arn:{partition}:sqs:{region}:{account}:{name}",
}
_WILD: Final = re.compile(r"[*?]")


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantedAction:
    """One action on one resource that a contract grants. context: what its conditions want."""

    role: str
    arn: str
    action: str
    resource: str
    context: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedRoles:
    """Every role that a contract names and the account has.

    names: in IAM, by the contract's. lines: all that the contracts grant them; policies: the same
    as policy documents. arns: of what the stacks made, by the names that contracts use.
    """

    names: Mapping[str, str]
    lines: tuple[GrantedAction, ...]
    policies: Mapping[str, Mapping[str, Any]]
    arns: Mapping[str, str]


def find_roles(subject: Subject) -> DeployedRoles:
    """The roles of an environment's stacks; needs cloudformation:GetTemplate."""
    if subject.deployment is None:
        return DeployedRoles(names={}, lines=(), policies={}, arns={})
    account = subject.aws.sts.get_caller_identity()["Account"]
    promises = contracts(subject.settings, subject.deployment.customizations)
    names_by_path = dict(stack_resources(subject))
    paths = {role.name: role.path for role in promises.roles}
    arns: dict[str, str] = {}
    names: dict[str, str] = {}
    fill: dict[str, str] = {
        "partition": subject.aws.bedrock.meta.partition,
        "region": subject.region,
        "account": account,
    }
    for name, text in promises.given.items():
        fill[name] = _fill_in(text, fill)
        fill[f"{name}:name"] = fill[name].rpartition(":")[2]
    for name, place in promises.places.items():
        id = names_by_path.get(f"{stack_name(subject.settings.name, place.stack)}/{place.path}")
        if id is None:
            continue
        words = {**fill, "id": id, "name": id.rpartition("/")[2], "path": paths.get(name, "")}
        arn = _ARNS.get(place.type, "{id}").format(**words)
        names[name], fill[name], arns[name] = id, arn, arn
        fill[f"{name}:name"] = id
    for role in promises.existing_roles:
        names[role.name] = fill[role.name].rpartition("/")[2]
    roles = [role for role in promises.callers if role.name in names]
    return DeployedRoles(
        names={role.name: names[role.name] for role in roles},
        lines=tuple(line for role in roles for line in _lines(role, fill)),
        policies={role.name: _policy(role, fill) for role in roles},
        arns=arns,
    )


def stack_resources(subject: Subject) -> Iterator[tuple[str, str]]:
    """The construct path and the name of each resource of the environment's stacks."""
    client = subject.aws.cloudformation
    for stack in subject.stacks:
        body: Any = client.get_template(StackName=stack)["TemplateBody"]
        template = json.loads(body) if isinstance(body, str) else body
        for resource in inventory.resources(subject.aws, stack):
            metadata = (
                template["Resources"].get(resource["LogicalResourceId"], {}).get("Metadata", {})
            )
            path = str(metadata.get("aws:cdk:path", "")).removesuffix("/Resource")
            if path and "PhysicalResourceId" in resource:
                yield path, resource["PhysicalResourceId"]


def _lines(role: Role, fill: Mapping[str, str]) -> Iterator[GrantedAction]:
    for grant in role.grants:
        context = {
            # Of a condition with several values one is enough.
            condition.key: _example(_fill_in(condition.values[0], fill))
            for condition in grant.conditions
        }
        for action in grant.actions:
            for resource in grant.resources:
                filled_arn = _fill_in(resource, fill)
                if "{" not in filled_arn:
                    exact = filled_arn if filled_arn == "*" else _example(filled_arn)
                    yield GrantedAction(
                        role=role.name,
                        arn=fill[role.name],
                        action=action,
                        resource=exact,
                        context=context,
                    )


def _policy(role: Role, fill: Mapping[str, str]) -> dict[str, Any]:
    """All that a contract grants and refuses, as IAM writes it."""
    fill_in = partial(_fill_in, fill=fill)
    statements = [statement_block(grant, fill_in) for grant in (*role.grants, *role.refusals)]
    return {"Version": "2012-10-17", "Statement": statements}


def _fill_in(text: str, fill: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name = f"{match[1]}:{match[2]}" if match[2] else match[1]
        return fill.get(name, match[0])

    return PLACEHOLDER.sub(value, text)


def _example(pattern: str) -> str:
    """One text that fits a pattern."""
    return _WILD.sub("x", pattern)
