"""All checks. A107 comes last: it finds what the others have not read."""

from typing import Final

from bedrock_tuning.review.check import Check
from bedrock_tuning.review.checks import (
    alarms,
    assembly,
    closed,
    delivery,
    functions,
    network,
    payload,
    policies,
    promise,
    roles,
    storage,
    trust,
    unread,
    workflow,
)

_READERS: Final[tuple[Check, ...]] = (
    *assembly.CHECKS,
    *closed.CHECKS,
    *trust.CHECKS,
    *roles.CHECKS,
    *policies.CHECKS,
    *functions.CHECKS,
    *alarms.CHECKS,
    *delivery.CHECKS,
    *storage.CHECKS,
    *workflow.CHECKS,
    *payload.CHECKS,
    *promise.CHECKS,
    *network.CHECKS,
)
CHECKS: Final[tuple[Check, ...]] = (*_READERS, unread.nothing_unread(_READERS))
