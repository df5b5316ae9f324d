"""The optional network without internet access: subnets in every zone, endpoints for all calls."""

from typing import Any

from aws_cdk import Token
from constructs import Construct

from bedrock_tuning.constructs.function import PythonFunction, Runtime, log_group
from bedrock_tuning.constructs.output import export
from bedrock_tuning.constructs.permissions import Permissions
from bedrock_tuning.constructs.stack import TuningStack
from bedrock_tuning.constructs.storage import retained_key
from bedrock_tuning.constructs.written import written
from bedrock_tuning.contracts.network import CLOSE_DEFAULT_GROUP


class NetworkStack(TuningStack):
    """The app's own network, as its contracts say it, and what closes its default group."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        permissions: Permissions,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        settings = permissions.settings
        key = retained_key(
            self,
            "NetworkKey",
            name="network-key",
            description=f"Flow logs of bedrock-tuning ({settings.name})",
            permissions=permissions,
        )
        group = log_group(self, "FlowLogs", key=key, days=settings.log_retention_days)
        permissions.register("logs.flow-logs", arn=group.log_group_arn, name=group.log_group_name)
        permissions.role(self, "flow-logs")
        vpc = written(self, "vpc", permissions)
        default_group = Token.as_string(vpc.get_att("DefaultSecurityGroup"))
        permissions.register("vpc", DefaultSecurityGroup=default_group)
        for name, place in permissions.contracts.places.items():
            is_own = place.stack == "network" and place.properties
            if is_own and name not in ("vpc", "closed-group"):
                written(self, name, permissions)
        runtime = Runtime(self, "Runtime", permissions=permissions, log_key=key)
        PythonFunction(self, CLOSE_DEFAULT_GROUP.path, spec=CLOSE_DEFAULT_GROUP, runtime=runtime)
        written(self, "closed-group", permissions)
        export(self, "Vpc", permissions.fill("{vpc:name}", self))
        subnets = (f"{{subnet.{number}:name}}" for number in range(len(settings.zones)))
        export(self, "Subnets", permissions.fill(",".join(subnets), self))
