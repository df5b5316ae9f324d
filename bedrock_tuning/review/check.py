"""A check: an id, a sentence that is true of good templates, and a function that finds faults."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from bedrock_tuning.review.assembly.template import Assembly, Resource
from bedrock_tuning.review.bound_contracts import Bound
from bedrock_tuning.review.iam.access import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Where a sentence is not true: construct path, what is there, what may be, what to do."""

    check: str
    where: str
    what: str
    limit: str
    fix: str

    def __str__(self) -> str:
        return f"{self.check} {self.where}: {self.what}; {self.limit}. {self.fix}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is checked: the assembly, everything about access in it, and the contracts."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A fault before it knows which check found it."""

    where: str
    what: str
    limit: str
    fix: str


Finder = Callable[[Subject], Iterable[Found]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check. id: subject letter and number, never used again; the sentence is its promise."""

    id: str
    sentence: str
    finder: Finder = field(repr=False)

    def run(self, subject: Subject) -> Iterator[Fault]:
        """The faults it finds. A check that fails itself is a fault, never a pass."""
        try:
            found = list(self.finder(subject))
        except Exception as error:
            found = [
                Found(
                    where=self.finder.__name__,
                    what=f"the check itself failed: {type(error).__name__}: {error}",
                    limit="what cannot be judged is not accepted",
                    fix="Make the template say it in a way that this review knows, or teach it",
                )
            ]
        for each in found:
            yield Fault(
                check=self.id,
                where=each.where,
                what=subject.readable(each.what),
                limit=subject.readable(each.limit),
                fix=each.fix,
            )


def check(check_id: str, sentence: str) -> Callable[[Finder], Check]:
    """Makes a check of a function that yields what is wrong."""

    def make(finder: Finder) -> Check:
        return Check(id=check_id, sentence=sentence, finder=finder)

    return make
