"""All checks that the modules define, and the promises.

A107 comes last: it finds what the others have not read.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from bedrock_tuning.review.check import Check, Evidence, Violation, checks_in, found
from bedrock_tuning.review.checks import (
    assembly,
    closed,
    custom_resources,
    functions,
    policies,
    resources,
    roles,
    storage,
    workflow,
)
from bedrock_tuning.review.promises import PROMISES

_READERS: Final[tuple[Check, ...]] = (
    *checks_in(assembly, closed, roles, policies, resources, functions),
    *checks_in(storage, workflow, custom_resources),
    *PROMISES,
)


def nothing_unread(checks: Sequence[Check]) -> Check:
    """The check that every property is read by one of the others."""

    def unread(evidence: Evidence) -> Iterator[Violation]:
        reads = evidence.assembly.reads
        for check in checks:
            if check.id not in reads.ran:
                list(check.run(evidence))
        for resource in evidence.assembly.resources:
            for path in reads.unread(resource.type, resource.properties):
                yield found(resource, f"no check reads {resource.type}.{path}")

    return Check(
        id="A107",
        sentence="A check reads every property of every resource.",
        finder=unread,
        limit="it could copy data, run other code or silence an alarm",
        fix="Remove it, or write a check in bedrock_tuning/review/checks that reads it and says "
        "which values are good. Of properties, [[setting]] in review.toml permits some: "
        "docs/review.md",
    )


CHECKS: Final[tuple[Check, ...]] = (*_READERS, nothing_unread(_READERS))
