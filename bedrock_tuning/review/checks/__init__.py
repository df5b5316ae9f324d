"""All checks that the modules define, and the promises.

A107 comes last: it finds what the others have not read.
"""

from typing import Final

from bedrock_tuning.review.check import Check
from bedrock_tuning.review.checks import (
    alarms,
    assembly,
    closed,
    custom_resources,
    delivery,
    functions,
    network,
    policies,
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
    functions,
    alarms,
    delivery,
    storage,
    workflow,
    custom_resources,
    network,
)
_READERS: Final[tuple[Check, ...]] = (
    *(value for module in _MODULES for value in vars(module).values() if isinstance(value, Check)),
    *PROMISES,
)
CHECKS: Final[tuple[Check, ...]] = (*_READERS, unread.nothing_unread(_READERS))
