"""Developers' tools: benchmarks, fuzzing, public scanners."""

from pathlib import Path
from typing import Final

CHECKOUT: Final = Path(__file__).resolve().parents[1]
