"""The local AWS: MiniStack on loopback with IAM enforced, and a Bedrock simulator inside it."""

from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parents[1]
