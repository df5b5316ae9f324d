"""What holds where nobody says something else.

A module of its own: the command line shows these without loading the catalogue or a client.
"""

from pathlib import Path
from typing import Final

DEFAULT_MODEL: Final = "titan-multimodal-embeddings-g1"
CUSTOMIZATIONS: Final = Path("customizations")
