"""The check that the other checks leave nothing out: it runs after them."""

from collections.abc import Iterator, Sequence

from bedrock_tuning.review.check import Check, Evidence, Violation, found


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
