"""Keys in the runs table: deployed tables hold them, and policies tell items apart by them."""

import itertools

from bedrock_tuning.run.items import ITEM_KINDS, RECORDS


def test_kinds_of_items_are_what_deployed_tables_hold() -> None:
    assert ITEM_KINDS == ("run#", "approval#", "key#", "claim#", "intent#", "warned#")


def test_records_are_everything_but_approvals_whose_token_decides_about_a_run() -> None:
    assert {*ITEM_KINDS} - {*RECORDS} == {"approval#"}
    assert len(RECORDS) == len(ITEM_KINDS) - 1


def test_no_policy_for_one_kind_covers_another() -> None:
    assert not [
        pair for pair in itertools.permutations(ITEM_KINDS, 2) if pair[0].startswith(pair[1])
    ]
