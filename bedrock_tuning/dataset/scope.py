"""What is being checked: one manifest's place, its model's contract, and the agreed exceptions."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from bedrock_tuning.catalogue import BaseModel, DatasetContract
from bedrock_tuning.dataset.requirements import Override
from bedrock_tuning.dataset.text_budget import TextBudget
from bedrock_tuning.s3_layout import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetScope:
    """One manifest and what it must satisfy.

    bucket, folder: where its images must lie; the folder ends with "/" or is empty (any folder).
    bucket_region: the AWS Region of the bucket; "" where nobody knows it.
    overrides: by rule name, from the customization's [rules]. budget: of the contract, derived.
    """

    model: BaseModel
    contract: DatasetContract
    kind: Kind
    bucket: str
    folder: str
    bucket_region: str = ""
    overrides: Mapping[str, Override] = field(default_factory=dict)
    budget: TextBudget = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "budget", TextBudget.of(self.contract))

    @property
    def is_distillation(self) -> bool:
        """Whether a teacher model writes the answers."""
        contract = self.model.datasets.get("DISTILLATION")
        if contract is None:
            return False
        return msgspec.structs.replace(contract, validation=self.contract.validation) == (
            self.contract
        )

    @property
    def image_field(self) -> str:
        """The field of a record that names an image or a video."""
        return "image-ref" if self.contract.format == "image-caption" else "uri"

    @property
    def prefix(self) -> str:
        """What every image reference must begin with."""
        return f"s3://{self.bucket}/{self.folder}"


class ImageRef(msgspec.Struct, frozen=True, gc=False):
    """An image that a record refers to: the record's line and the object's key in the bucket."""

    line: int
    key: str
