"""The customizations that were deployed with the functions."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from bedrock_tuning.config import customization
from bedrock_tuning.config.customization import Customization

# The asset keeps the repository's layout, so the folder lies beside this one, here and in Lambda.
_FOLDER = Path(__file__).resolve().parents[1] / "customizations"


@cache
def all_() -> Mapping[str, Customization]:
    """Every customization by name; checked again, though synth has refused wrong ones."""
    return customization.load_all(_FOLDER)


def get(name: str) -> Customization:
    """One customization; raises KeyError for a name that was not deployed."""
    return all_()[name]
