"""The state machine of runs: the workflow's definition with its placeholders, role and logs."""

from aws_cdk import aws_kms as kms
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_tuning import commit
from bedrock_tuning.constructs.function import log_group
from bedrock_tuning.constructs.permissions import Permissions
from bedrock_tuning.contracts.contract import COMMIT, VENDED_LOGS, workflow_name
from bedrock_tuning.contracts.states import workflow


def state_machine(
    scope: Construct,
    construct_id: str,
    *,
    permissions: Permissions,
    key: kms.IKey,
    after: Construct,
) -> sfn.StateMachine:
    """The workflow; everything that its placeholders stand for must be registered before.

    after: what must have been deployed before its role changes.
    """
    settings = permissions.settings
    group = log_group(
        scope,
        f"{construct_id}Logs",
        key=key,
        days=settings.log_retention_days,
        # Step Functions writes each group elsewhere into the account's policy of log groups, which
        # holds 5,120 characters (docs/facts/workflow.md#logs).
        name=f"{VENDED_LOGS}{workflow_name(settings.name)}",
    )
    role = permissions.role(scope, "workflow")
    role.node.add_dependency(after)
    contracts = permissions.contracts
    machine = sfn.StateMachine(
        scope,
        construct_id,
        # Roles name it: a reference would be a cycle.
        state_machine_name=workflow_name(settings.name),
        definition_body=sfn.DefinitionBody.from_string("{}"),
        definition_substitutions={
            **{
                name: permissions.fill(text, scope) for name, text in contracts.placeholders.items()
            },
            COMMIT: commit.said(scope.node.try_get_context(commit.CONTEXT)),
        },
        role=role.without_policy_updates(),
        tracing_enabled=contracts.chosen.tracing or None,
        logs=sfn.LogOptions(
            destination=group, level=sfn.LogLevel.ALL, include_execution_data=False
        ),
    )
    resource = machine.node.default_child
    if not isinstance(resource, sfn.CfnStateMachine):
        raise TypeError(f"{machine.node.path} has no CfnStateMachine")
    # As an object, so that `cdk diff` shows what changes; the CDK writes definitions as text.
    resource.add_property_deletion_override("DefinitionString")
    resource.add_property_override("Definition", workflow.definition_of(contracts))
    permissions.register("workflow", arn=machine.state_machine_arn)
    return machine
