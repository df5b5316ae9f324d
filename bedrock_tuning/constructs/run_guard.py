"""The guard of open runs: it refuses a deployment that takes from them what they use."""

import hashlib

from constructs import Construct

from bedrock_tuning.constructs.permissions import Permissions
from bedrock_tuning.constructs.written import written


def run_guard(scope: Construct, permissions: Permissions) -> Construct:
    """Returns what every role of runs must depend on.

    With other uses it has another logical id: CloudFormation makes a new guard, and deletes the old
    one at the end of the deployment or, in a rollback, the new one. An update would be asked for in
    a rollback, too, and a guard that refused it would leave the stack half rolled back.
    """
    contracts = permissions.contracts
    uses = contracts.places["run-guard"].properties["Uses"]
    guard = written(scope, "run-guard", permissions)
    guard.override_logical_id(f"RunGuard{guard_suffix(uses)}")
    # The guard asks for it as the deployment before has left it.
    parameter = written(scope, "used-by-runs", permissions)
    parameter.node.add_dependency(guard)
    return guard


def guard_suffix(uses: str) -> str:
    """How the logical id ends of the guard with these uses."""
    return hashlib.sha256(uses.encode()).hexdigest()[:8].upper()
