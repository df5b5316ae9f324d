"""The optional network without internet access: subnets in every zone, endpoints for all calls."""

from typing import Any

from aws_cdk import Token
from constructs import Construct

from bedrock_tuning.constructs.function import PythonFunction, Runtime
from bedrock_tuning.constructs.permissions import Permissions
from bedrock_tuning.constructs.stack import TuningStack, export
from bedrock_tuning.constructs.written import kms_key, written
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
        kms_key(self, "network-key", permissions)
        written(self, "logs.flow-logs", permissions, inside=True)
        permissions.role(self, "flow-logs")
        vpc = written(self, "vpc", permissions)
        default_group = Token.as_string(vpc.get_att("DefaultSecurityGroup"))
        permissions.register("vpc", DefaultSecurityGroup=default_group)
        for name, place in permissions.contracts.places.items():
            is_part = place.stack == "network" and place.type.startswith("AWS::EC2::")
            if is_part and name != "vpc":
                written(self, name, permissions)
        runtime = Runtime(self, permissions=permissions)
        PythonFunction(self, spec=CLOSE_DEFAULT_GROUP, runtime=runtime)
        written(self, "closed-group", permissions)
        export(self, "Vpc", permissions.fill("{vpc:name}", self))
        subnets = (f"{{subnet.{number}:name}}" for number in range(len(settings.zones)))
        export(self, "Subnets", permissions.fill(",".join(subnets), self))
