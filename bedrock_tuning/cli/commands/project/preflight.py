"""`tuning preflight`: checks what exists already before anything is deployed that uses it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bedrock_tuning.cli.options import (
    configured_options,
    customizations_option,
    read_context,
    settings_option,
)
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.errors import EXIT_NO
from bedrock_tuning.cli.terminal.output import emit, emit_json, json_option, say

if TYPE_CHECKING:
    from bedrock_tuning.client.aws import Aws
    from bedrock_tuning.config.settings import Settings
    from bedrock_tuning.contracts.project import Project


@command(
    order=1,
    examples=("tuning preflight -e prod",),
    needs=("examine networks",),
)
@settings_option
@customizations_option
@json_option
@configured_options
@click.pass_context
def preflight(
    ctx: click.Context,
    /,
    *,
    environment: str | None,
    settings: Path,
    customizations: Path,
    aws_in: "Callable[[str | None], Aws]",
    as_json: bool,
) -> None:
    """Check your own resources before you deploy: network, buckets, keys, topic and roles.

    Reads the subnets, security groups, buckets, keys and the topic that cdk.json names, and the
    service roles that customizations name, in the environment's Region, and changes nothing. Lists
    all that they lack: zones, endpoints, routes, private DNS, HTTPS; versions, events, encryption;
    statements of their policies; who may assume a role, and what jobs could not do with it. It
    warns of anything else that a role may do.

    Exit code 1: something is missing; 0: nothing is missing, or there is nothing to check.
    """
    from bedrock_tuning.contracts import contracts, project
    from bedrock_tuning.wording import counted

    read = project.read(
        read_context(settings), environment=environment, customizations=customizations
    )
    chosen = read.settings
    brought = contracts(chosen, {}).asked
    has_roles = any(each.job.service_role for each in read.customizations.values())
    nothing = "" if brought or has_roles else _nothing_to_check(chosen)
    found: list[str] = []
    warnings: list[str] = []
    roles: Mapping[str, Any] = {}
    policies: Mapping[str, Mapping[str, Any]] = {}
    if not nothing:
        aws = aws_in(chosen.region)
        if chosen.vpc_subnets:
            from bedrock_tuning.client import network

            found += network.problems(aws.ec2, chosen, read.customizations)
        if brought:
            problems, policies = _existing(aws, chosen)
            found += problems
        if has_roles:
            problems, warnings, roles = _roles(aws, chosen, read)
            found += problems
    if as_json:
        emit_json(
            {
                "environment": chosen.name,
                "region": chosen.region,
                "checked": not nothing,
                "subnets": chosen.vpc_subnets,
                "security_groups": chosen.vpc_security_groups,
                "policies": policies,
                "roles": roles,
                "warnings": warnings,
                "problems": found,
            }
        )
    else:
        for problem in found:
            emit(problem)
        for warning in warnings:
            emit(f"warning: {warning}")
    what = f"what {chosen.name} brings along in {chosen.region}"
    if found:
        say(f"{what} has {counted(len(found), 'problem')}")
        if (policies or roles) and not as_json:
            say("the statements that policies must have: --json, under policies and roles")
        ctx.exit(EXIT_NO)
    names = (*chosen.vpc_subnets, *chosen.vpc_security_groups, *policies, *roles)
    say(nothing or f"{what} can be used: {', '.join(names)}")


def _existing(
    aws: "Aws", chosen: "Settings"
) -> tuple[list[str], "Mapping[str, Mapping[str, Any]]"]:
    """What is wrong with buckets, keys and topic, and the policies that they must have."""
    from bedrock_tuning.client.doctor import existing
    from bedrock_tuning.contracts import contracts
    from bedrock_tuning.review.existing import Owned

    _, partition, _, _, account, _ = aws.sts.get_caller_identity()["Arn"].split(":", 5)
    owned = Owned(
        contracts=contracts(chosen, {}),
        region=chosen.region,
        account=chosen.account or account,
        partition=partition,
    )
    found: list[str] = []
    for name, arn in owned.arns().items():
        there = existing.read(aws, name, arn, chosen)
        lacks = owned.problems(arn, there.policy) if there.readable else []
        found += [f"{arn}: {problem}" for problem in (*there.problems, *lacks)]
    return found, owned.policies()


def _roles(
    aws: "Aws", chosen: "Settings", read: "Project"
) -> tuple[list[str], list[str], dict[str, Any]]:
    """What is wrong with service roles that exist, what is too wide, and what they must say."""
    from bedrock_tuning.cli.service_roles import judge, owned
    from bedrock_tuning.client.doctor.check import Subject

    subject = Subject.of(aws, chosen, read.customizations)
    known = owned(subject)
    found: list[str] = []
    warnings: list[str] = []
    for arn, judged in judge(subject, known):
        found += [f"{arn}: {problem}" for problem in judged.lacks]
        warnings += [f"{arn}: {wider}" for wider in judged.wider]
    return found, warnings, {arn: known.role_policies(name) for name, arn in known.roles().items()}


def _nothing_to_check(chosen: "Settings") -> str:
    if not chosen.vpc:
        return f"nothing to check: {chosen.name} brings nothing along, and has no network"
    if chosen.own_network:
        return f"nothing to check: {chosen.name} creates its own network (no vpc_subnets)"
    return ""
