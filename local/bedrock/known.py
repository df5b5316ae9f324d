"""What real AWS answered somebody (verified.toml): the simulator behaves so, not as we assume.

A module of its own: what only AWS can show is looked up here alone.
"""

from functools import cache
from pathlib import Path
from typing import Final

from bedrock_tuning.catalogue import BaseModel, DatasetContract, Validation
from bedrock_tuning.client.doctor.unknowns import VERIFIED, latest, read_verified
from local import REPOSITORY

_FILE: Final = REPOSITORY / VERIFIED
# The model whose validation set AWS's pages disagree about.
_DISPUTED: Final = "titan-multimodal-embeddings-g1"


def model_units(file: Path = _FILE) -> int:
    """An account's model units before somebody asks for more; 0 until AWS has said otherwise."""
    return int(_answer("model-units", file) or 0)


def validation(model: BaseModel, contract: DatasetContract, file: Path = _FILE) -> Validation:
    """Whether jobs of a model take a validation set."""
    is_refused = model.key == _DISPUTED and _answer("validation-sets", file) == "refused"
    return "forbidden" if is_refused else contract.validation


@cache
def _answer(unknown: str, file: Path) -> str | None:
    return latest(read_verified(file), unknown)
