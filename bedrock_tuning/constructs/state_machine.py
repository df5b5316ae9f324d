"""The state machine of runs: the workflow's definition with its placeholders, role and logs."""

from aws_cdk import CfnResource
from constructs import Construct

from bedrock_tuning import commit
from bedrock_tuning.constructs.permissions import Permissions
from bedrock_tuning.constructs.written import written
from bedrock_tuning.contracts.contract import COMMIT
from bedrock_tuning.contracts.states import workflow


def state_machine(scope: Construct, permissions: Permissions, *, after: Construct) -> CfnResource:
    """The workflow; everything that its placeholders stand for must be registered before.

    after: what must have been deployed before its role changes.
    """
    written(scope, "logs.workflow", permissions, inside=True)
    role = permissions.role(scope, "workflow")
    role.node.add_dependency(after)
    contracts = permissions.contracts
    substitutions = {
        name: permissions.fill(text, scope) for name, text in contracts.placeholders.items()
    }
    substitutions[COMMIT] = commit.said(scope.node.try_get_context(commit.CONTEXT))
    machine = written(
        scope, "workflow", permissions, inside=True, definition_substitutions=substitutions
    )
    machine.node.add_dependency(role)
    # Not through the CDK, in which numbers lose their type.
    machine.add_property_override("Definition", workflow.definition_of(contracts))
    return machine
