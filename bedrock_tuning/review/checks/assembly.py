"""Checks of the assembly as a whole: it must be understood completely before it is judged."""

from collections import Counter
from collections.abc import Iterator

from bedrock_tuning.review.assembly import schema
from bedrock_tuning.review.assembly.identity import KINDS
from bedrock_tuning.review.check import Found, Subject, check


@check("A101", "Every value in the templates can be resolved from the templates alone.")
def resolved(subject: Subject) -> Iterator[Found]:
    for where, what in dict.fromkeys(subject.assembly.unresolved):
        yield Found(
            where=where,
            what=f"{what} cannot be resolved",
            limit="an unknown value could be anything, so nothing is proved with it",
            fix="Give the value in the app, or teach review/assembly/identity.py the attribute",
        )


@check("A102", "Every reference points to something in the templates.")
def references(subject: Subject) -> Iterator[Found]:
    for where, what in dict.fromkeys(subject.assembly.dangling):
        yield Found(
            where=where,
            what=f"{what} points nowhere",
            limit="the deployment would fail",
            fix="Correct the name, or bring back what it names",
        )


@check("A103", "Every resource is of a type that this review can judge.")
def types(subject: Subject) -> Iterator[Found]:
    custom = {place.type for place in subject.bound.contracts.places.values()}
    for resource in subject.assembly.resources:
        if resource.type not in KINDS and resource.type not in custom:
            yield Found(
                where=resource.path or resource.logical_id,
                what=f"{resource.type} is a type that this review does not know",
                limit="it could give access to anything",
                fix="Remove it, or teach review/assembly/identity.py and the checks what it can do",
            )


@check("A104", "Every resource says where in the app it comes from, and only one comes from there.")
def paths(subject: Subject) -> Iterator[Found]:
    seen = Counter(resource.path for resource in subject.assembly.resources)
    for resource in subject.assembly.resources:
        if not resource.path or seen[resource.path] > 1:
            yield Found(
                where=resource.path or f"{resource.stack}/{resource.logical_id}",
                what=f"{seen[resource.path]} resources have this construct path"
                if resource.path
                else "the resource has no construct path",
                limit="contracts find their resources by it",
                fix="Synthesize with path metadata (the default) and let no two share a path",
            )


@check("A105", "Every resource has the form that CloudFormation demands.")
def shapes(subject: Subject) -> Iterator[Found]:
    for resource in subject.assembly.resources:
        for problem in schema.problems(resource):
            yield Found(
                where=resource.path or resource.logical_id,
                what=problem,
                limit=f"the schema of {resource.type}",
                fix="Correct the property: as it is, CloudFormation refuses or ignores it",
            )


@check("A106", "Everything that the contracts name is in the templates.")
def places(subject: Subject) -> Iterator[Found]:
    for name, place in subject.bound.missing.items():
        yield Found(
            where=subject.bound.path(place),
            what=f"there is no {place.type} here",
            limit=f"the contracts name it {name}",
            fix="Bring it back, or change the contracts in bedrock_tuning/contracts",
        )


CHECKS = (resolved, references, types, paths, shapes, places)
