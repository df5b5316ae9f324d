"""The workflow from its serving part on, for those who do not train: nobody waits for its end."""

import json
from collections.abc import Mapping
from typing import Any

from lambdas import _aws


def start(arn: str, *, execution: str, serving: Mapping[str, Any]) -> None:
    """Starts it with this state of serving; once for the name, however often it is called."""
    _aws.none_if(
        "ExecutionAlreadyExists",
        lambda: _aws.stepfunctions().start_execution(
            stateMachineArn=arn, name=execution, input=json.dumps({"serving": serving})
        ),
    )
