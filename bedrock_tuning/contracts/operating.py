"""What the people take who keep an environment running: logs, lost events, the account, stacks."""

from bedrock_tuning.config.names import stack_name
from bedrock_tuning.contracts import grants as g
from bedrock_tuning.contracts.contract import (
    VENDED_LOGS,
    Grant,
    Scope,
    workflow_arn,
    workflow_name,
)


def stacks(scope: Scope) -> str:
    """Every stack of the environment."""
    start = "arn:{partition}:cloudformation:{region}:{account}:stack"
    return f"{start}/{stack_name(scope.settings.name, '*')}/*"


def read_logs(scope: Scope, _: str) -> tuple[Grant, ...]:
    """Reading what functions and the workflow log."""
    start = "arn:{partition}:logs:{region}:{account}:log-group:"
    groups = (
        f"{VENDED_LOGS}{workflow_name(scope.settings.name)}*",
        *(stack_name(scope.settings.name, f"{part}-*") for part in ("pipeline", "serving")),
    )
    return (g.allow("read logs", "logs:FilterLogEvents", on=(f"{start}{log}" for log in groups)),)


def deliver(_scope: Scope, _: str) -> tuple[Grant, ...]:
    """Taking events from the dead-letter queue and starting their runs."""
    return (
        g.allow(
            "take events that were not delivered",
            "sqs:ChangeMessageVisibility",
            "sqs:DeleteMessage",
            "sqs:ReceiveMessage",
            on="{dead-letters}",
        ),
        g.key_through("sqs", "read those events", key="{operations-key}", actions=g.READ_KEY),
        g.start_workflow("start the runs of those events"),
    )


def examine(scope: Scope, _: str) -> tuple[Grant, ...]:
    """Reading what `tuning doctor` checks in the account and the environment."""
    return (
        # None of these knows resources.
        g.allow(
            "examine the account",
            "bedrock:GetFoundationModelAvailability",
            "bedrock:ListCustomModels",
            "cloudformation:DescribeStacks",
            "lambda:GetAccountSettings",
            "logs:DescribeResourcePolicies",
            on="*",
        ),
        g.ASK_QUOTAS,
        g.ASK_PRICES,
        g.allow(
            "ask whether models are open",
            "bedrock:GetFoundationModel",
            on=g.foundation_models(g.ANY),
        ),
        g.allow(
            "read the bootstrap's version", "ssm:GetParameter", on=g.parameter("/cdk-bootstrap/*")
        ),
        g.allow(
            "examine workflow, messages and queue",
            "sns:ListSubscriptionsByTopic",
            "sqs:GetQueueAttributes",
            "states:DescribeStateMachine",
            "states:ListExecutions",
            on=("{topic}", "{dead-letters}", workflow_arn(scope.settings.name)),
        ),
    )


def examine_network(_scope: Scope, _: str) -> tuple[Grant, ...]:
    """Reading subnets, routes and endpoints."""
    return (
        g.allow(
            "examine networks",
            *(
                f"ec2:Describe{kind}"
                for kind in (
                    "AvailabilityZones",
                    "RouteTables",
                    "SecurityGroups",
                    "Subnets",
                    "VpcAttribute",
                    "VpcEndpoints",
                )
            ),
            on="*",
        ),
    )


def deploy(_scope: Scope, _: str) -> tuple[Grant, ...]:
    """Deploying as the CDK does."""
    return (
        g.allow(
            "deploy with the roles of the CDK's bootstrap",
            "sts:AssumeRole",
            on="arn:{partition}:iam::{account}:role/cdk-*-role-{account}-{region}",
        ),
    )


def retire(scope: Scope, _: str) -> tuple[Grant, ...]:
    """Ending a customization: whatever is at work, and its stack."""
    return (
        g.allow(
            "find what is at work", "states:ListExecutions", on=workflow_arn(scope.settings.name)
        ),
        g.ask_executions("read what executions are for", scope),
        g.find_jobs("find jobs"),
        g.allow("delete stacks", "cloudformation:DeleteStack", on=stacks(scope)),
    )
