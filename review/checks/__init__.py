"""All checks, in the order of their ids."""

from typing import Final

from review.check import Check
from review.checks import assembly, policies, roles, trust

CHECKS: Final[tuple[Check, ...]] = (
    *assembly.CHECKS,
    *trust.CHECKS,
    *roles.CHECKS,
    *policies.CHECKS,
)
