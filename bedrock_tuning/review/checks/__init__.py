"""All checks that the modules define, and the promises.

A107 comes last: it finds what the others have not read.
"""

from typing import Final

from bedrock_tuning.review.check import Check
from bedrock_tuning.review.checks import (
    assembly,
    closed,
    custom_resources,
    functions,
    policies,
    resources,
    roles,
    storage,
    unread,
    workflow,
)
from bedrock_tuning.review.promises import PROMISES

_MODULES: Final = (
    assembly,
    closed,
    roles,
    policies,
    resources,
    functions,
    storage,
    workflow,
    custom_resources,
)
_READERS: Final[tuple[Check, ...]] = (
    *(value for module in _MODULES for value in vars(module).values() if isinstance(value, Check)),
    *PROMISES,
)
CHECKS: Final[tuple[Check, ...]] = (*_READERS, unread.nothing_unread(_READERS))
