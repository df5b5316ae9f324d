"""The judgement of an assembly: every check, after what review.toml permits was taken out."""

import copy
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Final

from bedrock_tuning.contracts import Contracts
from bedrock_tuning.review import permitted
from bedrock_tuning.review.additions import additions
from bedrock_tuning.review.additions.addition import Addition
from bedrock_tuning.review.assembly import template
from bedrock_tuning.review.assembly.template import Assembly
from bedrock_tuning.review.bound_contracts import bind
from bedrock_tuning.review.check import Evidence, Violation
from bedrock_tuning.review.checks import CHECKS
from bedrock_tuning.review.families import reduced
from bedrock_tuning.review.iam import access
from bedrock_tuning.review.permitted import Entry, Permitted

PERMITTED: Final = "A117"
_SENTENCE: Final = "Each entry of review.toml permits something that is there, and has not expired."


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is wrong, and which entries of review.toml permit something."""

    violations: list[Violation]
    permitted: tuple[Entry, ...] = ()


def judge(
    assembly: Assembly,
    contracts: Contracts,
    permits: Permitted = permitted.NOTHING,
    *,
    today: date | None = None,
) -> Judgement:
    """Judges it; refusals say which entry would permit what they refuse."""
    day = today or datetime.now(UTC).date()
    entries = permits.of(contracts.environment)
    if not entries:
        refusals = violations(evidence_of(assembly, contracts))
        candidates = _additions(assembly, contracts) if refusals else []
        return Judgement(violations=_with_hints(refusals, candidates, day))
    candidates = _additions(assembly, contracts)
    permitted_pairs, faults = _split(entries, candidates, day)
    remainder = _remove_additions(assembly, [addition for _, addition in permitted_pairs])
    refusals = violations(evidence_of(remainder, contracts))
    entry_violations = [
        Violation(
            check=PERMITTED,
            where=entry.where,
            what=what,
            limit=_SENTENCE,
            fix=fix,
            permit=permit,
        )
        for entry, what, fix, permit in faults
    ]
    return Judgement(
        violations=[*entry_violations, *_with_hints(refusals, candidates, day)],
        permitted=tuple(entry for entry, _ in permitted_pairs),
    )


def _split(
    entries: Sequence[Entry], additions: Collection[Addition], today: date
) -> tuple[list[tuple[Entry, Addition]], list[tuple[Entry, str, str, str]]]:
    """What is permitted; and of every other entry, what is wrong with it and what to do."""
    accepted: list[tuple[Entry, Addition]] = []
    rejected: list[tuple[Entry, str, str, str]] = []
    for entry in entries:
        addition = next(
            (addition for addition in additions if entry.permits(addition.kind, addition.fields)),
            None,
        )
        if entry.expires < today:
            rejected.append(
                (entry, f"it expired on {entry.expires}", "Look again, or remove it", "")
            )
        elif addition is None:
            rejected.append((entry, *_describe_unused(entry, additions, today)))
        elif addition.against:
            reasons = "; ".join(addition.against)
            rejected.append(
                (entry, f"nobody can permit this: {reasons}", "Change what it adds", "")
            )
        else:
            accepted.append((entry, addition))
    return accepted, rejected


def _describe_unused(
    entry: Entry, additions: Collection[Addition], today: date
) -> tuple[str, str, str]:
    similar = [
        addition
        for addition in additions
        if addition.kind == entry.kind and addition.place == entry.place
    ]
    if similar:
        what = "it says something else than what is there"
        return what, "Look again", "" if similar[0].against else similar[0].entry(today)
    return "nothing in these stacks needs it", "Remove it, or name its environments", ""


def evidence_of(assembly: Assembly, contracts: Contracts) -> Evidence:
    """What is to be checked in templates that are resolved already.

    Of customizations whose stacks are alike, one is evidence for all.
    """
    sample, contracts = reduced(assembly, contracts)
    bound = bind(contracts, sample)
    with sample.reads.by("the roles' and resources' policies"):
        permissions = access.build(sample, bound.existing())
    return Evidence(assembly=sample, permissions=permissions, bound=bound)


def violations(evidence: Evidence) -> list[Violation]:
    """Everything that any check finds, in the order of the checks."""
    return [violation for check in CHECKS for violation in check.run(evidence)]


def _additions(assembly: Assembly, contracts: Contracts) -> list[Addition]:
    """A template that no rule here understands has none; the checks refuse it."""
    try:
        return list(additions(assembly, contracts))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return []


def _remove_additions(assembly: Assembly, removals: Collection[Addition]) -> Assembly:
    """The assembly as it were without additions."""
    if not removals:
        return assembly

    def stays(problem: tuple[str, str]) -> bool:
        return not any(f"{problem[0]}/".startswith(f"{addition.where}/") for addition in removals)

    templates = copy.deepcopy(assembly.templates)
    for addition in removals:
        addition.remove(templates)
    result = template.resolve(
        templates,
        folder=assembly.folder,
        regions={name: value for name, value in assembly.regions.items() if name in templates},
    )
    return replace(
        result,
        # What was taken out of them at first is wrong still.
        unresolved=[*result.unresolved, *filter(stays, assembly.unresolved)],
        dangling=[*result.dangling, *filter(stays, assembly.dangling)],
        protected={name: value for name, value in assembly.protected.items() if name in templates},
        tags={name: value for name, value in assembly.tags.items() if name in templates},
        assets=assembly.assets,
        hashes=assembly.hashes,
        differing=assembly.differing,
        left_aside=assembly.left_aside,
    )


def _with_hints(
    refusals: list[Violation], candidates: Collection[Addition], today: date
) -> list[Violation]:
    """The violations, the first at each addition with what would permit it, or why nothing does."""
    shown_ids: set[int] = set()
    return [_hint(violation, candidates, today, shown_ids) for violation in refusals]


def _hint(
    violation: Violation, candidates: Collection[Addition], today: date, shown_ids: set[int]
) -> Violation:
    fixes, permits = [violation.fix], []
    for addition in _additions_at(violation, candidates):
        if id(addition) in shown_ids:
            continue
        shown_ids.add(id(addition))
        if addition.against:
            fixes.append(f"review.toml cannot permit it: {'; '.join(addition.against)}")
        else:
            permits.append(addition.entry(today))
    return replace(violation, fix=". ".join(fixes), permit="\n\n".join(permits))


def _additions_at(violation: Violation, candidates: Collection[Addition]) -> Iterator[Addition]:
    for addition in candidates:
        if violation.where == addition.where or violation.where.startswith(f"{addition.where}/"):
            yield addition
