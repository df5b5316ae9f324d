"""Which commit a deployment is of: said to `cdk deploy`, kept in the workflow, shown with a run.

Synthesis asks git nothing, so that the same files are the same templates; who deploys says it:
`cdk deploy --all --context commit=$(git describe --always --abbrev=40 --exclude='*' --dirty)`.
An execution keeps the definition with which it began, and so the commit, too.
"""

import re
import shlex
from typing import Final

from bedrock_tuning.errors import ConfigurationError

CONTEXT: Final = "commit"
# What git writes behind a commit from which files differ.
DIRTY: Final = "-dirty"
# 40 digits also where a tag is near.
GIT: Final = ("describe", "--always", "--abbrev=40", "--exclude=*", "--dirty")
NOT_RECORDED: Final = "not recorded"
_COMMIT: Final = re.compile(rf"[0-9a-f]{{40}}({DIRTY})?", re.ASCII)


def is_recorded(text: object) -> bool:
    """Whether a text can be what a deployment says: a commit, or that none was said."""
    return text == NOT_RECORDED or _COMMIT.fullmatch(str(text)) is not None


def said(context: object) -> str:
    """What a deployment says of its commit; context: None where it says nothing.

    Raises ConfigurationError if it is not a commit.
    """
    if context is None:
        return NOT_RECORDED
    if _COMMIT.fullmatch(str(context)):
        return str(context)
    fix = f"--context {CONTEXT}=$({shlex.join(('git', *GIT))})"
    raise ConfigurationError(
        [f"--context {CONTEXT}={context}: must be a commit, 40 hexadecimal digits: write {fix}"]
    )
