"""`tuning preflight`: checks what exists already before anything is deployed that uses it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bedrock_tuning.cli.options import (
    configured_options,
    customizations_option,
    read_settings_file,
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

    files = project.read(
        read_settings_file(settings), environment=environment, customizations=customizations
    )
    platform = files.settings
    resources = contracts(platform, {}).asked
    has_roles = any(
        customization.job.service_role for customization in files.customizations.values()
    )
    reason = "" if resources or has_roles else _nothing_to_check(platform)
    all_problems: list[str] = []
    warnings: list[str] = []
    roles: Mapping[str, Any] = {}
    policies: Mapping[str, Mapping[str, Any]] = {}
    if not reason:
        aws = aws_in(platform.region)
        if platform.vpc_subnets:
            from bedrock_tuning.client import network

            all_problems += network.problems(aws.ec2, platform, files.customizations)
        if resources:
            problems, policies = _resource_problems(aws, platform)
            all_problems += problems
        if has_roles:
            problems, warnings, roles = _role_problems(aws, platform, files)
            all_problems += problems
    if as_json:
        emit_json(
            {
                "environment": platform.name,
                "region": platform.region,
                "checked": not reason,
                "subnets": platform.vpc_subnets,
                "security_groups": platform.vpc_security_groups,
                "policies": policies,
                "roles": roles,
                "warnings": warnings,
                "problems": all_problems,
            }
        )
    else:
        for problem in all_problems:
            emit(problem)
        for warning in warnings:
            emit(f"warning: {warning}")
    subject = f"what {platform.name} brings along in {platform.region}"
    if all_problems:
        say(f"{subject} has {counted(len(all_problems), 'problem')}")
        if (policies or roles) and not as_json:
            say("the statements that policies must have: --json, under policies and roles")
        ctx.exit(EXIT_NO)
    names = (*platform.vpc_subnets, *platform.vpc_security_groups, *policies, *roles)
    say(reason or f"{subject} can be used: {', '.join(names)}")


def _resource_problems(
    aws: "Aws", platform: "Settings"
) -> tuple[list[str], "Mapping[str, Mapping[str, Any]]"]:
    """What is wrong with buckets, keys and topic, and the policies that they must have."""
    from bedrock_tuning.client.doctor import existing
    from bedrock_tuning.contracts import contracts
    from bedrock_tuning.review.existing import Owned

    _, partition, _, _, account, _ = aws.sts.get_caller_identity()["Arn"].split(":", 5)
    owned = Owned(
        contracts=contracts(platform, {}),
        region=platform.region,
        account=platform.account or account,
        partition=partition,
    )
    problems: list[str] = []
    for name, arn in owned.arns().items():
        resource = existing.read(aws, name, arn, platform)
        policy_problems = owned.problems(arn, resource.policy) if resource.readable else []
        problems += [f"{arn}: {problem}" for problem in (*resource.problems, *policy_problems)]
    return problems, owned.policies()


def _role_problems(
    aws: "Aws", platform: "Settings", files: "Project"
) -> tuple[list[str], list[str], dict[str, Any]]:
    """What is wrong with service roles that exist, what is too wide, and what they must say."""
    from bedrock_tuning.cli.service_roles import judge_roles, owned
    from bedrock_tuning.client.doctor.check import Subject

    subject = Subject.of(aws, platform, files.customizations)
    owned_roles = owned(subject)
    problems: list[str] = []
    warnings: list[str] = []
    for arn, judgement in judge_roles(subject, owned_roles):
        problems += [f"{arn}: {problem}" for problem in judgement.lacks]
        warnings += [f"{arn}: {excess}" for excess in judgement.wider]
    return (
        problems,
        warnings,
        {arn: owned_roles.role_policies(name) for name, arn in owned_roles.roles().items()},
    )


def _nothing_to_check(platform: "Settings") -> str:
    if not platform.vpc:
        return f"nothing to check: {platform.name} brings nothing along, and has no network"
    if platform.own_network:
        return f"nothing to check: {platform.name} creates its own network (no vpc_subnets)"
    return ""
