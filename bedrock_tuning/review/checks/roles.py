"""Checks of who may assume each role and what it may do: its contract, exactly."""

import json
from collections.abc import Iterator

from bedrock_tuning.contracts import Role
from bedrock_tuning.review.check import Evidence, Violation, check, found
from bedrock_tuning.review.checks.policies import having, promised
from bedrock_tuning.review.iam.access import IamRole, principal_of
from bedrock_tuning.review.iam.containment import beyond, short_of, trust_beyond
from bedrock_tuning.review.iam.wording import conditions_in_words

_FIX = (
    "Write the statement as bedrock_tuning/contracts/roles.py or people.py says, or change the "
    "contract there"
)


def _roles_of_contracts(evidence: Evidence) -> Iterator[tuple[Role, IamRole]]:
    for contract in evidence.bound.contracts.principals:
        resource = evidence.contracted.get(contract.name)
        if resource is not None:
            yield contract, evidence.permissions.roles[principal_of(resource)]


@check(
    "P302",
    "All permissions of a role are in its inline policies; the only managed policies are those of "
    "people, which are attached to nobody.",
    limit="whoever gets a policy for people is the account's decision, not a template's",
    fix="Leave out Roles, Users, Groups and the policy's name",
)
def no_managed_policies(evidence: Evidence) -> Iterator[Violation]:
    people_paths = {evidence.bound.path(person.place) for person in evidence.bound.contracts.people}
    for role in evidence.permissions.roles.values():
        for arn in role.managed:
            yield found(
                role,
                f"the managed policy {arn} is attached",
                "AWS changes its managed policies without notice",
                "Write out the statements that are needed",
            )
    for resource in evidence.assembly.of_type("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"):
        if resource.path in people_paths:
            for name in ("Groups", "ManagedPolicyName", "Roles", "Users"):
                if resource.properties.get(name) is not None:
                    yield found(resource, f"{name} is {resource.properties.get(name)}")
            continue
        yield found(
            resource,
            f"{resource.type} is a policy outside of its role",
            "a role must never exist without its whole policy",
            "Write it as an inline policy of the role",
        )


@check("P303", "Every role has the boundary and the name that the settings demand, and its path.")
def boundaries(evidence: Evidence) -> Iterator[Violation]:
    contracts = evidence.bound.contracts
    paths = {evidence.bound.path(role.place): role.path for role in contracts.principals}
    names = {
        evidence.bound.path(role.place): contracts.role_names[role.name]
        for role in contracts.roles
        if role.name in contracts.role_names
    }
    needs_name = bool(contracts.chosen.role_name_prefix or contracts.chosen.deny_others)
    for role in evidence.permissions.roles.values():
        if role.resource.properties.get("Path", "/") != paths.get(role.path, "/"):
            yield found(
                role,
                f"the path is {role.resource.properties.get('Path', '/')}",
                f"its contract says {paths.get(role.path, '/')}: others name it by this",
                "Write the path as bedrock_tuning/contracts says",
            )
        if role.is_policy:
            continue
        if role.boundary != contracts.chosen.permissions_boundary:
            yield found(
                role,
                f"the permissions boundary is {role.boundary or 'missing'}",
                f"the settings say {contracts.chosen.permissions_boundary or 'none'}",
                "Set permissions_boundary under tuning in cdk.json",
            )
        if bool(role.resource.properties.get("RoleName")) != needs_name:
            yield found(
                role,
                f"the role's name is {role.resource.properties.get('RoleName', 'generated')}",
                "a name of its own only where the settings demand one",
                "Set role_name_prefix or deny_others under tuning in cdk.json",
            )
        if role.resource.name != names.get(role.path, role.resource.name):
            yield found(
                role,
                f"the role's name is {role.resource.name}",
                f"the policies of the buckets admit {names[role.path]}",
                "Leave the name to the app",
            )
        if not role.resource.name.startswith(contracts.chosen.role_name_prefix):
            yield found(
                role,
                f"the role's name is {role.resource.name}",
                f"it must begin with {contracts.chosen.role_name_prefix}",
                "Set role_name_prefix under tuning in cdk.json",
            )


@check(
    "T201",
    "Each role trusts one service, for this account (`aws:SourceAccount`), or, as its contract "
    "says, the workflow's role, and nobody else.",
    fix="Write the trust policy as bedrock_tuning/contracts/roles.py says",
)
def trusted(evidence: Evidence) -> Iterator[Violation]:
    for contract, role in _roles_of_contracts(evidence):
        if role.is_policy:
            continue
        conditions = evidence.bound.conditions(contract.trust)
        limit = f"{contract.service} may assume it {conditions_in_words(conditions)}"
        for problem in trust_beyond(role.trust, contract.service, conditions):
            yield found(role, problem, limit)


@check(
    "P304",
    "No role may do anything beyond its contract (containment: exact, no sampling).",
    fix=_FIX,
)
def nothing_beyond(evidence: Evidence) -> Iterator[Violation]:
    for contract, role in _roles_of_contracts(evidence):
        promises = promised(evidence.bound, contract, "Allow")
        for problem in beyond(having("Allow", role.policy), promises):
            yield found(role, problem, f"the role {contract.does}")


@check(
    "P305",
    "Every role may do all that its contract says (containment: exact, no sampling).",
    fix=_FIX,
)
def nothing_short(evidence: Evidence) -> Iterator[Violation]:
    for contract, role in _roles_of_contracts(evidence):
        promises = promised(evidence.bound, contract, "Allow")
        for problem in short_of(promises, having("Allow", role.policy)):
            yield found(role, problem, f"the role {contract.does}")


@check("P309", "Every role's own policy denies what its contract says that it must.", fix=_FIX)
def own_refusals(evidence: Evidence) -> Iterator[Violation]:
    for contract, role in _roles_of_contracts(evidence):
        promises = promised(evidence.bound, contract, "Deny")
        for problem in short_of(promises, having("Deny", role.policy)):
            yield found(role, f"the Deny: {problem}", f"the role {contract.does}")


# IAM's quotas: all inline policies of a role together, its trust policy, and a managed policy;
# blanks do not count.
_INLINE_MAX = 10_240
_TRUST_MAX = 2_048
_MANAGED_MAX = 6_144


@check(
    "P310",
    "Every role's policies fit into IAM's limits.",
    fix="Deploy fewer customizations in one environment",
)
def fits(evidence: Evidence) -> Iterator[Violation]:
    for role in evidence.permissions.roles.values():
        properties = role.resource.properties
        if role.is_policy:
            sizes = [("it has", [properties.get("PolicyDocument")], _MANAGED_MAX)]
        else:
            inline = [policy.get("PolicyDocument") for policy in properties.get("Policies", [])]
            trust = [properties.get("AssumeRolePolicyDocument")]
            sizes = [
                ("its inline policies have", inline, _INLINE_MAX),
                ("its trust policy has", trust, _TRUST_MAX),
            ]
        for what, documents, limit in sizes:
            size = sum(len(json.dumps(document, separators=(",", ":"))) for document in documents)
            if size > limit:
                yield found(role, f"{what} {size:,} characters", f"IAM allows {limit:,}")
