"""All checks, and the promises. A107 comes last: it finds what the others have not read."""

from typing import Final

from bedrock_tuning.review.check import Check
from bedrock_tuning.review.checks import (
    alarms,
    assembly,
    closed,
    custom_resources,
    delivery,
    functions,
    messages,
    network,
    payload,
    policies,
    roles,
    run_order,
    runs_table,
    storage,
    unread,
    vpc_endpoints,
    workflow,
)
from bedrock_tuning.review.promises import PROMISES

_READERS: Final[tuple[Check, ...]] = (
    *assembly.CHECKS,
    *closed.CHECKS,
    *roles.CHECKS,
    *policies.CHECKS,
    *functions.CHECKS,
    *alarms.CHECKS,
    *delivery.CHECKS,
    *storage.CHECKS,
    *runs_table.CHECKS,
    *workflow.CHECKS,
    *payload.CHECKS,
    *messages.CHECKS,
    *run_order.CHECKS,
    *custom_resources.CHECKS,
    *network.CHECKS,
    *vpc_endpoints.CHECKS,
    *PROMISES,
)
CHECKS: Final[tuple[Check, ...]] = (*_READERS, unread.nothing_unread(_READERS))
