"""Gap: CloudFormation drops a topic's encryption, so nobody needs its key."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from local.emulator.patches._patching import expect, expect_source

Provision = Callable[[str, Mapping[str, Any], str], tuple[str, dict[str, Any]]]
KEY = "KmsMasterKeyId"


def apply() -> None:
    from ministack.services import sns
    from ministack.services.cloudformation import provisioners

    row = provisioners._RESOURCE_HANDLERS["AWS::SNS::Topic"]
    upstream: Provision = row["create"]
    expect(upstream is provisioners._sns_create, "_sns_create to make topics")
    expect_source(upstream, '"EffectiveDeliveryPolicy": json.dumps({')

    @functools.wraps(upstream)
    def create(
        logical_id: str, properties: Mapping[str, Any], stack: str
    ) -> tuple[str, dict[str, Any]]:
        arn, attributes = upstream(logical_id, properties, stack)
        if properties.get(KEY):
            sns._topics[arn]["attributes"][KEY] = properties[KEY]
        return arn, attributes

    row["create"] = create
