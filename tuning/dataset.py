"""A whole dataset as the rules see it: what its checks left behind, and what it is meant for."""

from dataclasses import dataclass

from tuning.layout import KINDS, Kind
from tuning.partial import ImageStats, Partial, TextStats
from tuning.terms import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """The joined results of all checks of one run, and the terms they are judged by.

    job_region: the AWS Region in which the job would run; "" where nobody knows it.
    """

    partial: Partial
    terms: Terms
    job_region: str = ""

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds whose manifest was checked."""
        return tuple(kind for kind in KINDS if kind in self.partial.text_stats)

    def text(self, kind: Kind) -> TextStats:
        """What the manifest of a kind holds; zeros when there is none."""
        return self.partial.text_stats.get(kind, TextStats())

    def images(self, kind: Kind) -> ImageStats:
        """What the images of a kind are like; zeros when there are none."""
        return self.partial.image_stats.get(kind, ImageStats())

    @property
    def records(self) -> int:
        """Records of both kinds together."""
        return sum(self.text(kind).records for kind in self.kinds)
