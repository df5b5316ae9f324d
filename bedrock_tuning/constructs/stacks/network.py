"""The optional network without internet access: subnets in every zone, endpoints for all calls."""

from typing import Any

from constructs import Construct

from bedrock_tuning.constructs.network import Network
from bedrock_tuning.constructs.output import export
from bedrock_tuning.constructs.permissions import Permissions
from bedrock_tuning.constructs.stack import TuningStack
from bedrock_tuning.constructs.storage import retained_key


class NetworkStack(TuningStack):
    """The app's own network, and where functions and jobs run in it."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        permissions: Permissions,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        key = retained_key(
            self,
            "NetworkKey",
            name="network-key",
            description=f"Flow logs of bedrock-tuning ({permissions.settings.name})",
            permissions=permissions,
        )
        network = Network(self, permissions=permissions, key=key)
        self.attachment = network.attachment
        export(self, "Vpc", network.vpc.ref)
        export(self, "Subnets", ",".join(subnet.ref for subnet in network.subnets))
