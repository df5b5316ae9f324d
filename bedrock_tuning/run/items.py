"""What lies in the runs table: the kinds of its items, by how their keys begin.

Policies tell items apart by their keys (dynamodb:LeadingKeys), so nobody who reads runs reads the
token whose holder decides about one.

A module of its own: functions write items, and contracts grant access to them.
"""

from typing import Final

RUN: Final = "run#"
# Where a run waits for a person: the token of its task, until it is decided.
APPROVAL: Final = "approval#"
KEY: Final = "key#"
CLAIM: Final = "claim#"
INTENT: Final = "intent#"
WARNED: Final = "warned#"
ITEM_KINDS: Final = (RUN, APPROVAL, KEY, CLAIM, INTENT, WARNED)
# All that functions keep about runs; approvals are another matter.
RECORDS: Final = tuple(kind for kind in ITEM_KINDS if kind != APPROVAL)
