"""The unit that ties serving to deployments: the function of the customizations' resources."""

from typing import Any

from constructs import Construct

from bedrock_tuning.constructs.function import PythonFunction, Runtime
from bedrock_tuning.constructs.permissions import Permissions
from bedrock_tuning.constructs.stack import TuningStack
from bedrock_tuning.constructs.written import add_alarms
from bedrock_tuning.contracts.serving import PROVISIONED_THROUGHPUT


class ServingStack(TuningStack):
    """Pending while no model exists; then create, swap, replace, delete as the files say."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        permissions: Permissions,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        runtime = Runtime(self, permissions=permissions)
        provider = PythonFunction(self, spec=PROVISIONED_THROUGHPUT, runtime=runtime)
        add_alarms(provider, "serving", permissions)
