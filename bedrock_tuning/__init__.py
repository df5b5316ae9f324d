"""The domain of model customization, and what notebooks import: Deployment, prepare, validate."""

from importlib import import_module
from typing import Any

__all__ = ["Deployment", "prepare", "validate"]


def __getattr__(name: str) -> Any:
    # By name, and only when asked for: functions and `cdk synth` import this package, too, and
    # ship or load nothing of what a notebook needs. Types are in __init__.pyi.
    if name in __all__:
        return getattr(import_module("bedrock_tuning.notebook"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
