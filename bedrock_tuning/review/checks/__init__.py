"""All checks, in the order of their ids."""

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
    workflow,
)

CHECKS: Final[tuple[Check, ...]] = (
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
