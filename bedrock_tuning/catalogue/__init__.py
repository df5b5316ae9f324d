"""The catalogue of base models: one TOML file per model, each value with its source.

    catalogue()["titan-multimodal-embeddings-g1"].datasets["FINE_TUNING"].image.bytes_max

To add a model, add one file. Files are read when first asked for: a Lambda pays for one model.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from bedrock_tuning.catalogue._facts import Alternative, Source, Sourced, cite
from bedrock_tuning.catalogue._load import read_facts, read_model, read_sources
from bedrock_tuning.catalogue._model import BaseModel, StepAdvice, StepRecommendation, base_id
from bedrock_tuning.catalogue._shapes import (
    GEOGRAPHIES,
    BatchTokens,
    Block,
    CaptionLimits,
    ConversationLimits,
    CustomizationType,
    DatasetContract,
    Dispute,
    Format,
    Hyperparameter,
    ImageLimits,
    Inference,
    Lifecycle,
    MediaLimits,
    Prices,
    Range,
    Serving,
    TextLimits,
    Validation,
)

__all__ = [
    "GEOGRAPHIES",
    "Alternative",
    "BaseModel",
    "BatchTokens",
    "Block",
    "CaptionLimits",
    "Catalogue",
    "ConversationLimits",
    "CustomizationType",
    "DatasetContract",
    "Dispute",
    "Format",
    "Hyperparameter",
    "ImageLimits",
    "Inference",
    "Lifecycle",
    "MediaLimits",
    "Prices",
    "Range",
    "Serving",
    "Source",
    "Sourced",
    "StepAdvice",
    "StepRecommendation",
    "TextLimits",
    "Validation",
    "account_facts",
    "base_id",
    "catalogue",
    "cite",
    "key_of",
    "sources",
]

_FOLDER = Path(__file__).parent


class Catalogue(Mapping[str, BaseModel]):
    """The models of a folder by key; a file is read when its model is first asked for."""

    def __init__(self, folder: Path) -> None:
        # A leading underscore marks files about all models.
        files = (file for file in folder.glob("*.toml") if not file.name.startswith("_"))
        self._files = {file.stem: file for file in sorted(files)}
        self._read: dict[str, BaseModel] = {}

    def __getitem__(self, key: str) -> BaseModel:
        """Raises KeyError for an unknown key, CatalogueError for a wrong file."""
        if key not in self._read:
            self._read[key] = read_model(self._files[key], sources=sources())
        return self._read[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


@cache
def catalogue() -> Catalogue:
    """The catalogue that ships with this package."""
    return Catalogue(_FOLDER)


def key_of(identifier: str) -> str:
    """The key of the model that an id of Amazon Bedrock, a profile or an ARN stands for, or "".

    Context lengths, geographies and revisions make no other model; the provider may be left out.

    >>> key_of("us.amazon.nova-lite-v1:0"), key_of("nova-lite-v1:0:24k"), key_of("x")
    ('nova-lite', 'nova-lite', '')
    """
    path = base_id(identifier) if "-model/" in identifier else identifier.rpartition("/")[2]
    name = _GEOGRAPHY.sub("", path).partition(":")[0]
    for key, model in catalogue().items():
        ids = (*model.ids.customization, *model.ids.throughput, *model.ids.invoke)
        names = {model_id.partition(":")[0] for model_id in ids}
        if name in names or name in {full_name.partition(".")[2] for full_name in names}:
            return key
    return ""


# Of inference profiles.
_GEOGRAPHY: Final = re.compile(rf"^(?:{'|'.join(GEOGRAPHIES)})\.")


@cache
def sources() -> Mapping[str, Source]:
    """What the shared source tags stand for."""
    return read_sources(_FOLDER / "_sources.toml")


@cache
def account_facts() -> Mapping[str, Sourced]:
    """Quotas and prices of the account rather than of a model, by path."""
    return read_facts(_FOLDER / "_account.toml", sources=sources())
