"""Checks of the assembly as a whole: all of it must be understood before it is checked."""

from collections import Counter
from collections.abc import Iterator

from bedrock_tuning.review.assembly import schema
from bedrock_tuning.review.assembly.identity import KINDS
from bedrock_tuning.review.check import Evidence, Violation, check


@check("A101", "Every value in the templates can be resolved from the templates alone.")
def resolved(evidence: Evidence) -> Iterator[Violation]:
    for where, what in dict.fromkeys(evidence.assembly.unresolved):
        yield Violation(
            where=where,
            what=f"{what} cannot be resolved",
            limit="nothing can be proved about an unknown value",
            fix="Set the value in the app, or add the attribute to review/assembly/identity.py",
        )


@check("A102", "Every reference points to something in the templates.")
def references(evidence: Evidence) -> Iterator[Violation]:
    for where, what in dict.fromkeys(evidence.assembly.dangling):
        yield Violation(
            where=where,
            what=f"{what} points nowhere",
            limit="the deployment would fail",
            fix="Correct the name, or bring back what it names",
        )


@check("A103", "Every resource is of a type that this review knows.")
def types(evidence: Evidence) -> Iterator[Violation]:
    custom = {place.type for place in evidence.bound.contracts.places.values()}
    for resource in evidence.assembly.resources:
        if resource.type not in KINDS and resource.type not in custom:
            yield Violation(
                where=resource.path or resource.logical_id,
                what=f"{resource.type} is a type that this review does not know",
                limit="it could give access to anything",
                fix="Remove it, or add it to review/assembly/identity.py and to the checks",
            )


@check("A104", "Every resource has a construct path, and no two share one.")
def paths(evidence: Evidence) -> Iterator[Violation]:
    seen = Counter(resource.path for resource in evidence.assembly.resources)
    for resource in evidence.assembly.resources:
        if not resource.path or seen[resource.path] > 1:
            yield Violation(
                where=resource.path or f"{resource.stack}/{resource.logical_id}",
                what=f"{seen[resource.path]} resources have this construct path"
                if resource.path
                else "the resource has no construct path",
                limit="contracts find their resources by it",
                fix="Synthesize with path metadata (the default); give each resource its own path",
            )


@check("A105", "Every resource matches its CloudFormation schema.")
def shapes(evidence: Evidence) -> Iterator[Violation]:
    for resource in evidence.assembly.resources:
        for problem in schema.problems(resource):
            yield Violation(
                where=resource.path or resource.logical_id,
                what=problem,
                limit=f"the schema of {resource.type}",
                fix="Correct the property: as it is, CloudFormation refuses or ignores it",
            )


@check("A106", "Everything that the contracts name is in the templates.")
def places(evidence: Evidence) -> Iterator[Violation]:
    for name, place in evidence.bound.missing.items():
        yield Violation(
            where=evidence.bound.path(place),
            what=f"there is no {place.type} here",
            limit=f"the contracts name it {name}",
            fix="Bring it back, or change the contracts in bedrock_tuning/contracts",
        )


CHECKS = (resolved, references, types, paths, shapes, places)
