"""The promise about deployments beside runs: they take nothing that an open run uses."""

import hashlib
from collections.abc import Iterator
from typing import Final

from bedrock_tuning.contracts.contract import MACHINE
from bedrock_tuning.review.assembly.template import Resource
from bedrock_tuning.review.check import Evidence, Violation, check, found
from bedrock_tuning.review.iam.policy import as_list
from bedrock_tuning.review.promises.deployment import DeploymentFacts

# By which the workflow's role uses other roles.
_LENT: Final = {"iam:PassRole", "sts:AssumeRole"}


@check(
    "M818",
    "No deployment takes from an open run what it uses. A guard (Custom::RunGuard) comes before "
    "every role of the workflow and its functions, and is another one whenever that changes, so "
    "that a rollback asks nothing. What it says includes each role that the workflow assumes or "
    "passes.",
    limit="the guard refuses before anything of a run has changed",
    fix="Make it with bedrock_tuning/constructs/run_guard.py, and let the roles depend on it",
)
def guarded_runs(evidence: Evidence) -> Iterator[Violation]:
    handlers = DeploymentFacts(evidence=evidence).handlers("guard_runs")
    guards = {
        guard.stack: guard
        for guard in evidence.assembly.of_type("Custom::RunGuard")
        if guard.properties.get("ServiceToken") in handlers
    }
    for machine in evidence.assembly.of_type(MACHINE):
        guard = guards.get(machine.stack)
        if guard is None:
            yield found(machine, "nothing in its stack asks whether a run is open")
            continue
        role = str(machine.properties.get("RoleArn"))
        yield from _changes_afterwards(evidence, machine, guard, but=set(handlers.values()))
        yield from _check_uses(evidence, guard, role)
        yield from _check_record(evidence, guard)


def _changes_afterwards(
    evidence: Evidence, machine: Resource, guard: Resource, *, but: set[str]
) -> Iterator[Violation]:
    functions = evidence.assembly.of_type("AWS::Lambda::Function")
    role_arns = {
        str(function.properties.get("Role"))
        for function in functions
        if function.stack == machine.stack
    }
    role_arns.add(str(machine.properties.get("RoleArn")))
    for arn in sorted(role_arns - but):
        role = evidence.permissions.roles.get(arn)
        if role is not None and not _comes_after(role.resource, guard):
            yield found(role.resource, "it may change before the guard was asked")


def _check_uses(evidence: Evidence, guard: Resource, role: str) -> Iterator[Violation]:
    uses = str(guard.properties.get("Uses"))
    if not guard.logical_id.endswith(hashlib.sha256(uses.encode()).hexdigest()[:8].upper()):
        yield found(guard, "its logical id stays the same with other uses")
    lent_names = {
        resource.rpartition(":")[2]
        for statement in evidence.permissions.roles[role].policy
        if statement.effect == "Allow" and _LENT & set(statement.actions or ())
        for resource in statement.resources or ()
    }
    for resource in sorted(lent_names - set(uses.split(", "))):
        yield found(guard, f"it does not say that runs use {resource}")


def _check_record(evidence: Evidence, guard: Resource) -> Iterator[Violation]:
    """The guard compares with the uses that the deployment before has left."""
    function = evidence.assembly.by_arn(str(guard.properties.get("ServiceToken")))
    variables = function.properties.get("Environment", {}).get("Variables", {}) if function else {}
    name = str(variables.get("USED_PARAMETER"))
    parameter = evidence.assembly.by_name("AWS::SSM::Parameter", name)
    actual = [parameter.properties.get(key) for key in ("Type", "Value")] if parameter else []
    if parameter is None or actual != ["String", guard.properties.get("Uses")]:
        yield found(guard, f"no parameter {name} says the same")
    elif not _comes_after(parameter, guard):
        yield found(parameter, "it may change before the guard has read it")


def _comes_after(resource: Resource, first: Resource) -> bool:
    return first.logical_id in as_list(resource.raw.get("DependsOn"))
