"""What a dataset is judged by as a whole: model, contract, hyperparameters, agreed exceptions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from bedrock_tuning.catalogue import BaseModel, DatasetContract


class Override(Protocol):
    """What a customization says about one rule: "warning" lowers an error, "silent" hides it."""

    @property
    def severity(self) -> str:
        """ "warning" or "silent"."""

    @property
    def reason(self) -> str:
        """Why; the report shows it."""


class Requirements(Protocol):
    """Any object with these: a Customization, or ModelTerms when there is none."""

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
    def overrides(self) -> Mapping[str, Override]:
        """Agreed exceptions by rule name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequirements:
    """The terms of a model alone, for a check without a customization."""

    base_model: BaseModel
    dataset: DatasetContract
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    overrides: Mapping[str, Override] = field(default_factory=dict)
