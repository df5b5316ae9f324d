"""A check: an id, a sentence that is true of good templates, and a function that tests it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any, Final, Protocol

from bedrock_tuning.contracts.contract import MACHINE
from bedrock_tuning.contracts.written.customization import PARAMETER
from bedrock_tuning.contracts.written.functions import FUNCTION
from bedrock_tuning.review.assembly.reads import as_whole
from bedrock_tuning.review.assembly.template import Assembly, Resource
from bedrock_tuning.review.bound_contracts import Bound
from bedrock_tuning.review.iam.access import EffectivePermissions
from bedrock_tuning.review.workflow.choices import ABSENT
from bedrock_tuning.review.workflow.differences import differences


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """Where a sentence is not true: construct path, what is there, what is allowed, the fix.

    check: the id of the check that found it, which fills it in, and its limit and fix if the
    violation has none of its own. permit: the entry of review.toml that would permit it, if any.
    """

    where: str
    what: str
    limit: str = ""
    fix: str = ""
    check: str = ""
    permit: str = ""

    def __str__(self) -> str:
        return f"{self.check} {self.where}: {self.what}; {self.limit}. {self.whole_fix}"

    @property
    def whole_fix(self) -> str:
        """The fix, and the entry of review.toml below it."""
        return (
            f"{self.fix}\nOr permit it in review.toml:\n{self.permit}" if self.permit else self.fix
        )


class Placed(Protocol):
    """What has a place in the construct tree: a resource, a role."""

    @property
    def path(self) -> str:
        """The construct path."""


def found(at: Placed | str, what: str, limit: str = "", fix: str = "") -> Violation:
    """A violation of a resource or a construct path; limit and fix: the check's own, if empty."""
    return Violation(where=at if isinstance(at, str) else at.path, what=what, limit=limit, fix=fix)


def unlike(
    at: Placed | str,
    actual: Mapping[str, Any],
    expected: Mapping[str, Any],
    *,
    exactly: bool = False,
    limit: str = "it is {}",
    absent: str = "not set",
) -> Iterator[Violation]:
    """A violation for each name that has another value than the wanted one.

    exactly: names that nobody wants are violations, too. limit: with {} for the wanted value.
    absent: what a message says of a name without a value.
    """
    for name in sorted({*expected, *(actual if exactly else ())}):
        if actual.get(name) != expected.get(name):
            yield found(
                at,
                f"{name} is {actual.get(name, absent)}",
                limit.format(expected.get(name, absent)),
            )


# Properties that contracts do not say, by type, with the checks that read them: A115 reads tags,
# W506 code, R404 to R410 policies, F700 the workflow and F706 its placeholders, M805 settings and
# M818 what runs use.
_READ_ELSEWHERE: Final[Mapping[str, frozenset[str]]] = {
    "AWS::KMS::Key": frozenset({"KeyPolicy"}),
    FUNCTION: frozenset({"Code", "Layers"}),
    MACHINE: frozenset({"Definition", "DefinitionSubstitutions"}),
    PARAMETER: frozenset({"Value"}),
}


def differing(evidence: "Evidence", *parts: str) -> Iterator[Violation]:
    """A violation for each value of resources that is not as in their contracts.

    parts: resource types, or one property of a type: "AWS::S3::Bucket.BucketEncryption". Other
    properties of it are read by other checks, or by none (A107).
    """
    bound = evidence.bound
    for part in parts:
        kind, _, only = part.partition(".")
        for name, place in bound.contracts.places.items():
            resource = bound.resources.get(name)
            if place.type != kind or resource is None:
                continue
            expected = place.filled(bound.fill)
            names = {only} if only else {*expected, *resource.properties} - {"Tags"}
            names -= _READ_ELSEWHERE.get(place.type, frozenset())
            then = {name: expected[name] for name in names & expected.keys()}
            actual = resource.properties
            now = {name: as_whole(actual[name]) for name in names & actual.keys()}
            for difference in differences(then, now):
                then_text, now_text = _told_apart(difference.then, difference.now)
                yield found(resource, f"{difference.field} is {now_text}", f"it is {then_text}")


def _told_apart(*values: Any) -> list[str]:
    """Each in a line, with its quotes if only its type makes it another one: 900 and '900'."""
    texts = list(map(in_a_line, values))
    return list(map(repr, values)) if len({text.lower() for text in texts}) == 1 else texts


def in_a_line(value: Any) -> str:
    """A value, shortened to fit into a line."""
    text = "nothing" if value is None or value is ABSENT else str(value) or "empty"
    return text if len(text) <= 90 else f"{text[:89]}…"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """What the checks judge: the assembly, everything about access in it, and the contracts."""

    assembly: Assembly
    permissions: EffectivePermissions
    bound: Bound

    @property
    def contracted(self) -> Mapping[str, Resource]:
        """Resources by the names that contracts give them."""
        return self.bound.resources

    def readable(self, text: str) -> str:
        """A text with construct paths instead of ARNs and generated names."""
        paths = {
            resource.arn.removesuffix(":*"): resource.path
            for resource in self.assembly.resources
            if resource.arn
        }
        for arn in sorted(paths, key=len, reverse=True):
            if arn in text:
                text = text.replace(arn, paths[arn].partition("/")[2])
        return text


Finder = Callable[[Evidence], Iterable[Violation]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check. id: subject letter and number, never used again; the sentence is its promise.

    limit, fix: of every violation that does not say something else.
    """

    id: str
    sentence: str
    finder: Finder = field(repr=False)
    limit: str = ""
    fix: str = ""

    def run(self, evidence: Evidence) -> Iterator[Violation]:
        """The violations it finds. A check that fails itself is a violation, never a pass."""
        try:
            with evidence.assembly.reads.by(self.id):
                violations = list(self.finder(evidence))
        except Exception as error:
            violations = [
                Violation(
                    where=self.id,
                    what=f"the check itself failed: {type(error).__name__}: {error}",
                    limit="nothing is accepted unchecked",
                    fix="Write the template in a form that this review knows, or extend the check",
                )
            ]
        for violation in violations:
            yield replace(
                violation,
                check=self.id,
                what=evidence.readable(violation.what),
                limit=evidence.readable(violation.limit or self.limit),
                fix=violation.fix or self.fix,
            )


def check(
    check_id: str, sentence: str, *, limit: str = "", fix: str = ""
) -> Callable[[Finder], Check]:
    """Makes a check of a function that yields what is wrong."""

    def make(finder: Finder) -> Check:
        return Check(id=check_id, sentence=sentence, finder=finder, limit=limit, fix=fix)

    return make


def as_contracted(
    check_id: str, sentence: str, *parts: str, limit: str = "", fix: str = ""
) -> Check:
    """A check that resources are as their contracts say. parts: see differing."""

    def finder(evidence: Evidence) -> Iterator[Violation]:
        return differing(evidence, *parts)

    return Check(id=check_id, sentence=sentence, finder=finder, limit=limit, fix=fix)


def checks_in(*modules: ModuleType) -> tuple[Check, ...]:
    """All checks that modules define, in their order."""
    return tuple(
        value for module in modules for value in vars(module).values() if isinstance(value, Check)
    )
