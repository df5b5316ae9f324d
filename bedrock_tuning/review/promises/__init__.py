"""Promises: sentences that must stay true of every deployment, written without the contracts."""

from typing import Final

from bedrock_tuning.review.check import Check
from bedrock_tuning.review.promises import account, data, money, order, people, settings

PROMISES: Final[tuple[Check, ...]] = (
    *order.CHECKS,
    *settings.CHECKS,
    *(
        promise.check()
        for promise in (
            *settings.PROMISES,
            *data.PROMISES,
            *money.PROMISES,
            *account.PROMISES,
            *people.PROMISES,
        )
    ),
    *account.CHECKS,
    *people.CHECKS,
)
