"""Promises: sentences that must stay true of every deployment, written without the contracts."""

from typing import Final

from bedrock_tuning.review.check import Check, checks_in
from bedrock_tuning.review.promises import (
    account,
    data,
    money,
    open_runs,
    order,
    people,
    settings,
)
from bedrock_tuning.review.promises.promise import Never

_PROMISES: Final = (
    *settings.PROMISES,
    *data.PROMISES,
    *money.PROMISES,
    *account.PROMISES,
    *people.PROMISES,
)
# What nobody may do, whoever else is in the account.
NEVER: Final[tuple[Check, ...]] = tuple(
    promise.check() for promise in _PROMISES if isinstance(promise, Never)
)
PROMISES: Final[tuple[Check, ...]] = (
    *checks_in(order, settings, open_runs),
    *(promise.check() for promise in _PROMISES),
    *checks_in(account, people),
)
