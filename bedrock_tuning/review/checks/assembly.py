"""Checks of the assembly as a whole: all of it must be understood before it is checked."""

from collections import Counter
from collections.abc import Iterator

from bedrock_tuning.review.check import Evidence, Violation, check, found


@check(
    "A101",
    "Every value in the templates can be resolved from the templates alone.",
    limit="nothing can be proved about an unknown value",
    fix="Set the value in the app, or add the attribute to review/assembly/identity.py",
)
def resolved(evidence: Evidence) -> Iterator[Violation]:
    for where, what in dict.fromkeys(evidence.assembly.unresolved):
        yield found(where, f"{what} cannot be resolved")


@check(
    "A102",
    "Every reference points to something in the templates.",
    limit="the deployment would fail",
    fix="Correct the name, or bring back what it names",
)
def references(evidence: Evidence) -> Iterator[Violation]:
    for where, what in dict.fromkeys(evidence.assembly.dangling):
        yield found(where, f"{what} points nowhere")


@check(
    "A104",
    "Every resource has a construct path, and no two share one.",
    limit="contracts find their resources by it",
    fix="Synthesize with path metadata (the default); give each resource its own path",
)
def paths(evidence: Evidence) -> Iterator[Violation]:
    counts = Counter(resource.path for resource in evidence.assembly.resources)
    for resource in evidence.assembly.resources:
        if "aws:cdk:path" not in resource.raw.get("Metadata", {}):
            yield found(resource, "the resource has no construct path")
        elif counts[resource.path] > 1:
            yield found(resource, f"{counts[resource.path]} resources have this construct path")


@check(
    "A106",
    "Everything that the contracts name is in the templates.",
    fix="Bring it back, or change the contracts in bedrock_tuning/contracts",
)
def places(evidence: Evidence) -> Iterator[Violation]:
    for name, place in evidence.bound.missing.items():
        where = evidence.bound.path(place)
        yield found(where, f"there is no {place.type} here", f"the contracts name it {name}")
