"""Libraries that only some commands need, installed as extras of the package.

A module of its own: commands of any kind name a missing extra with the same words.
"""

from importlib.util import find_spec

from bedrock_tuning.errors import UserError


def require(module: str, *, extra: str, what: str) -> None:
    """Raises UserError where a library is not installed. what: the work that needs it."""
    if find_spec(module) is None:
        raise UserError(
            f"{what} needs {module}", fix=f"install it: pip install 'bedrock-tuning[{extra}]'"
        )
