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

CHECK: Final = "A117"
SENTENCE: Final = "Each entry of review.toml permits something that is there, and has not expired."


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is wrong, and which entries of review.toml permit something."""

    violations: list[Violation]
    permitted: tuple[Entry, ...] = ()


def judge(
    whole: Assembly,
    contracts: Contracts,
    permits: Permitted = permitted.NOTHING,
    *,
    today: date | None = None,
) -> Judgement:
    """Judges it; refusals say which entry would permit what they refuse."""
    now = today or datetime.now(UTC).date()
    entries = permits.of(contracts.environment)
    if not entries:
        found = violations(evidence_of(whole, contracts))
        known = _additions(whole, contracts) if found else []
        return Judgement(violations=_hinted(found, known, now))
    known = _additions(whole, contracts)
    good, bad = _split(entries, known, now)
    rest = _without(whole, [addition for _, addition in good])
    found = violations(evidence_of(rest, contracts))
    wrong = [
        Violation(check=CHECK, where=entry.where, what=what, limit=SENTENCE, fix=fix, permit=permit)
        for entry, what, fix, permit in bad
    ]
    return Judgement(
        violations=[*wrong, *_hinted(found, known, now)],
        permitted=tuple(entry for entry, _ in good),
    )


def _split(
    entries: Sequence[Entry], additions: Collection[Addition], today: date
) -> tuple[list[tuple[Entry, Addition]], list[tuple[Entry, str, str, str]]]:
    """What is permitted; and of every other entry, what is wrong with it and what to do."""
    good: list[tuple[Entry, Addition]] = []
    bad: list[tuple[Entry, str, str, str]] = []
    for entry in entries:
        found = next((each for each in additions if entry.permits(each.kind, each.fields)), None)
        if entry.expires < today:
            bad.append((entry, f"it expired on {entry.expires}", "Look again, or remove it", ""))
        elif found is None:
            bad.append((entry, *_unused(entry, additions, today)))
        elif found.against:
            against = "; ".join(found.against)
            bad.append((entry, f"nobody can permit this: {against}", "Change what it adds", ""))
        else:
            good.append((entry, found))
    return good, bad


def _unused(entry: Entry, additions: Collection[Addition], today: date) -> tuple[str, str, str]:
    same = [each for each in additions if each.kind == entry.kind and each.place == entry.place]
    if same:
        what = "it says something else than what is there"
        return what, "Look again", "" if same[0].against else same[0].entry(today)
    return "nothing in these stacks needs it", "Remove it, or name its environments", ""


def evidence_of(whole: Assembly, contracts: Contracts) -> Evidence:
    """What is to be checked in templates that are resolved already.

    Of customizations whose stacks are alike, one is evidence for all.
    """
    some, contracts = reduced(whole, contracts)
    bound = bind(contracts, some)
    with some.reads.by("the roles' and resources' policies"):
        permissions = access.build(some, bound.existing())
    return Evidence(assembly=some, permissions=permissions, bound=bound)


def violations(checked: Evidence) -> list[Violation]:
    """Everything that any check finds, in the order of the checks."""
    return [violation for check in CHECKS for violation in check.run(checked)]


def _additions(whole: Assembly, contracts: Contracts) -> list[Addition]:
    """A template that no rule here understands has none; the checks refuse it."""
    try:
        return list(additions(whole, contracts))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return []


def _without(whole: Assembly, gone: Collection[Addition]) -> Assembly:
    """The assembly as it were without additions."""
    if not gone:
        return whole

    def stays(problem: tuple[str, str]) -> bool:
        return not any(f"{problem[0]}/".startswith(f"{each.where}/") for each in gone)

    templates = copy.deepcopy(whole.templates)
    for addition in gone:
        addition.remove(templates)
    resolved = template.resolve(
        templates,
        folder=whole.folder,
        regions={name: of for name, of in whole.regions.items() if name in templates},
    )
    return replace(
        resolved,
        # What was taken out of them at first is wrong still.
        unresolved=[*resolved.unresolved, *filter(stays, whole.unresolved)],
        dangling=[*resolved.dangling, *filter(stays, whole.dangling)],
        protected={name: of for name, of in whole.protected.items() if name in templates},
        tags={name: of for name, of in whole.tags.items() if name in templates},
        assets=whole.assets,
        hashes=whole.hashes,
        differing=whole.differing,
        left_aside=whole.left_aside,
    )


def _hinted(found: list[Violation], known: Collection[Addition], today: date) -> list[Violation]:
    """The violations, the first at each addition with what would permit it, or why nothing does."""
    said: set[int] = set()
    return [_hint(each, known, today, said) for each in found]


def _hint(
    violation: Violation, known: Collection[Addition], today: date, said: set[int]
) -> Violation:
    fixes, permits = [violation.fix], []
    for addition in _at(violation, known):
        if id(addition) in said:
            continue
        said.add(id(addition))
        if addition.against:
            fixes.append(f"review.toml cannot permit it: {'; '.join(addition.against)}")
        else:
            permits.append(addition.entry(today))
    return replace(violation, fix=". ".join(fixes), permit="\n\n".join(permits))


def _at(violation: Violation, known: Collection[Addition]) -> Iterator[Addition]:
    for addition in known:
        if violation.where == addition.where or violation.where.startswith(f"{addition.where}/"):
            yield addition
