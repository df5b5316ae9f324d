"""The runs table keeps every run, can be restored, and is found by the keys that are queried."""

from collections.abc import Mapping
from typing import Any

import pytest

from bedrock_tuning.config.settings import Settings
from bedrock_tuning.contracts import contracts


def _table(**settings: Any) -> Mapping[str, Any]:
    chosen = Settings(name="dev", region="us-east-1", **settings)
    return contracts(chosen, {}).places["runs"].properties


def _keys(holder: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(key["AttributeName"], key["KeyType"]) for key in holder["KeySchema"]]


def test_it_can_be_restored_is_encrypted_with_our_key_and_forgets_nothing() -> None:
    table = _table()
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"] == {
        "SSEEnabled": True,
        "SSEType": "KMS",
        "KMSMasterKeyId": "{operations-key}",
    }
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert "TimeToLiveSpecification" not in table


@pytest.mark.parametrize("protected", [False, True])
def test_nobody_deletes_it_where_the_settings_protect_it(protected: bool) -> None:
    assert _table(protected=protected)["DeletionProtectionEnabled"] is protected


def test_runs_are_found_by_id_by_customization_and_while_they_are_open() -> None:
    table = _table()
    assert _keys(table) == [("id", "HASH")]
    indexes = {index["IndexName"]: index for index in table["GlobalSecondaryIndexes"]}
    assert {name: _keys(index) for name, index in indexes.items()} == {
        "by-customization": [("customization", "HASH"), ("run", "RANGE")],
        "open": [("open", "HASH"), ("run", "RANGE")],
    }
    # Whoever queries an index reads whole runs.
    assert all(each["Projection"] == {"ProjectionType": "ALL"} for each in indexes.values())
