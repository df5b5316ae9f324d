"""A check: an id, a sentence that is true of good templates, and a function that tests it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from bedrock_tuning.review.assembly.template import Assembly, Resource
from bedrock_tuning.review.bound_contracts import Bound
from bedrock_tuning.review.iam.access import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """Where a sentence is not true: construct path, what is there, what is allowed, the fix.

    check: the id of the check that found it, which fills it in.
    """

    where: str
    what: str
    limit: str
    fix: str
    check: str = ""

    def __str__(self) -> str:
        return f"{self.check} {self.where}: {self.what}; {self.limit}. {self.fix}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the checks judge: the assembly, everything about access in it, and the contracts."""

    assembly: Assembly
    world: World
    bound: Bound

    @property
    def contracted(self) -> Mapping[str, Resource]:
        """Resources by the names that contracts give them."""
        return self.bound.resources

    def readable(self, text: str) -> str:
        """A text with construct paths instead of ARNs and generated names."""
        known = {r.arn.removesuffix(":*"): r.path for r in self.assembly.resources if r.arn}
        for arn in sorted(known, key=len, reverse=True):
            if arn in text:
                text = text.replace(arn, known[arn].partition("/")[2])
        return text


Finder = Callable[[Evidence], Iterable[Violation]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check. id: subject letter and number, never used again; the sentence is its promise."""

    id: str
    sentence: str
    finder: Finder = field(repr=False)

    def run(self, evidence: Evidence) -> Iterator[Violation]:
        """The violations it finds. A check that fails itself is a violation, never a pass."""
        try:
            with evidence.assembly.reads.by(self.id):
                violations = list(self.finder(evidence))
        except Exception as error:
            violations = [
                Violation(
                    where=self.finder.__name__,
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
                limit=evidence.readable(violation.limit),
            )


def check(check_id: str, sentence: str) -> Callable[[Finder], Check]:
    """Makes a check of a function that yields what is wrong."""

    def make(finder: Finder) -> Check:
        return Check(id=check_id, sentence=sentence, finder=finder)

    return make
