"""A whole dataset as the rules see it: what its checks left behind, and what it is meant for."""

from collections.abc import Mapping
from dataclasses import dataclass

from bedrock_tuning.dataset.requirements import Requirements
from bedrock_tuning.dataset.statistics import ImageStats, TextStats
from bedrock_tuning.s3_layout import KINDS, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """The joined results of all checks of one run, and the terms they are judged by.

    job_region: the AWS Region in which the job would run; "" where nobody knows it.
    """

    text_stats: Mapping[str, TextStats]
    image_stats: Mapping[str, ImageStats]
    terms: Requirements
    job_region: str = ""

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds whose manifest was checked."""
        return tuple(kind for kind in KINDS if kind in self.text_stats)

    def text(self, kind: Kind) -> TextStats:
        """What the manifest of a kind holds; zeros when there is none."""
        return self.text_stats.get(kind, TextStats())

    def images(self, kind: Kind) -> ImageStats:
        """What the images of a kind are like; zeros when there are none."""
        return self.image_stats.get(kind, ImageStats())

    @property
    def records(self) -> int:
        """Records of both kinds together."""
        return sum(self.text(kind).records for kind in self.kinds)
