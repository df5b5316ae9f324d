"""Gap: CloudFormation drops a table's encryption and its point-in-time recovery."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from local.emulator.patches._patching import expect, expect_source

Provision = Callable[[str, Mapping[str, Any], str], tuple[str, dict[str, Any]]]


def apply() -> None:
    from ministack.services import dynamodb
    from ministack.services.cloudformation import provisioners

    row = provisioners._RESOURCE_HANDLERS["AWS::DynamoDB::Table"]
    upstream: Provision = row["create"]
    expect(upstream is provisioners._ddb_create, "_ddb_create to make tables")
    expect_source(upstream, '"SSEDescription": None,')

    @functools.wraps(upstream)
    def create(
        logical_id: str, properties: Mapping[str, Any], stack: str
    ) -> tuple[str, dict[str, Any]]:
        name, attributes = upstream(logical_id, properties, stack)
        encryption = properties.get("SSESpecification")
        if encryption:
            enabled = str(encryption.get("SSEEnabled")).lower() == "true"
            specification = {**encryption, "Enabled": enabled}
            table = dynamodb._tables[name]
            table["SSEDescription"] = dynamodb._sse_description_from_spec(specification)
        recovery = properties.get("PointInTimeRecoverySpecification")
        if recovery:
            dynamodb._update_continuous_backups(
                {"TableName": name, "PointInTimeRecoverySpecification": recovery}
            )
        return name, attributes

    row["create"] = create
