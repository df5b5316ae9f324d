"""The table of runs: the record of all of them, and the lock against double jobs."""

from typing import Any

from bedrock_tuning.contracts.contract import Place


def runs_table(*, protected: bool) -> Place:
    """With an index by customization, and one of the runs that have not ended."""
    indexes = {"by-customization": ("customization", "run"), "open": ("open", "run")}
    return Place(
        stack="pipeline",
        path="Runs",
        type="AWS::DynamoDB::Table",
        properties={
            "KeySchema": _keys("id"),
            "AttributeDefinitions": [
                {"AttributeName": name, "AttributeType": "S"}
                for name in ("id", "customization", "run", "open")
            ],
            "GlobalSecondaryIndexes": [
                {
                    "IndexName": name,
                    "KeySchema": _keys(*keys),
                    "Projection": {"ProjectionType": "ALL"},
                }
                for name, keys in indexes.items()
            ],
            "BillingMode": "PAY_PER_REQUEST",
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
            "SSESpecification": {
                "SSEEnabled": True,
                "SSEType": "KMS",
                "KMSMasterKeyId": "{operations-key}",
            },
            "DeletionProtectionEnabled": protected,
        },
    )


def _keys(*names: str) -> list[dict[str, Any]]:
    """The partition key, and the sort key if there is one."""
    return [
        {"AttributeName": name, "KeyType": kind}
        for name, kind in zip(names, ("HASH", "RANGE"), strict=False)
    ]
