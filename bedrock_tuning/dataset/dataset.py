"""A whole dataset as the rules see it: the results of its checks, and what it must satisfy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from bedrock_tuning.catalogue import BaseModel, DatasetContract
from bedrock_tuning.dataset.statistics import ImageStats, TextStats
from bedrock_tuning.s3_layout import KINDS, Kind


class SeverityOverride(Protocol):
    """What a customization says about one rule: "warning" lowers an error, "silent" hides it."""

    @property
    def severity(self) -> str:
        """ "warning" or "silent"."""

    @property
    def reason(self) -> str:
        """Why; the report shows it."""


class Requirements(Protocol):
    """Any object with these: a Customization, or ModelRequirements when there is none."""

    @property
    def base_model(self) -> BaseModel:
        """The model that is tuned."""

    @property
    def dataset(self) -> DatasetContract:
        """What the dataset must look like; `validation` is the policy in force."""

    @property
    def hyperparameters(self) -> Mapping[str, str]:
        """As they are sent to Bedrock."""

    @property
    def overrides(self) -> Mapping[str, SeverityOverride]:
        """Agreed exceptions by rule name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequirements:
    """The requirements of a model alone, for a check without a customization."""

    base_model: BaseModel
    dataset: DatasetContract
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    overrides: Mapping[str, SeverityOverride] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """The merged results of all checks of one run, and the requirements that apply to them.

    job_region: the AWS Region in which the job would run; "" if unknown.
    """

    text_stats: Mapping[str, TextStats]
    image_stats: Mapping[str, ImageStats]
    requirements: Requirements
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
