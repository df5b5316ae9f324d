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


def parameter(path: str) -> str:
    """The ARN of a parameter, or of those that a pattern names."""
    return f"arn:{{partition}}:ssm:{{region}}:{{account}}:parameter{path}"


def stacks(scope: Scope) -> str:
    """Every stack of the environment."""
    start = "arn:{partition}:cloudformation:{region}:{account}:stack"
    return f"{start}/{stack_name(scope.settings.name, '*')}/*"


def executions(scope: Scope) -> str:
    """Every execution of its workflow."""
    return f"{workflow_arn(scope.settings.name).replace(':stateMachine:', ':execution:')}:*"


def read_logs(scope: Scope, _: str) -> tuple[Grant, ...]:
    """Reading what functions and the workflow log."""
    start = "arn:{partition}:logs:{region}:{account}:log-group:"
    groups = (
        f"{VENDED_LOGS}{workflow_name(scope.settings.name)}*",
        *(stack_name(scope.settings.name, f"{part}-*") for part in ("pipeline", "serving")),
    )
    return (
        Grant(
            why="read logs",
            actions=("logs:FilterLogEvents",),
            resources=tuple(f"{start}{each}" for each in groups),
        ),
    )


def deliver(_scope: Scope, _: str) -> tuple[Grant, ...]:
    """Taking events from the dead-letter queue and starting their runs."""
    return (
        Grant(
            why="take events that were not delivered",
            actions=("sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"),
            resources=("{dead-letters}",),
        ),
        g.key_through("sqs", "read those events", key="{operations-key}", actions=g.READ_KEY),
        Grant(
            why="start the runs of those events",
            actions=("states:StartExecution",),
            resources=("{workflow}",),
        ),
    )


def examine(scope: Scope, _: str) -> tuple[Grant, ...]:
    """Reading what `tuning doctor` checks in the account and the environment."""
    return (
        Grant(
            why="examine the account",
            # None of these knows resources.
            actions=(
                "bedrock:GetFoundationModelAvailability",
                "bedrock:ListCustomModels",
                "cloudformation:DescribeStacks",
                "lambda:GetAccountSettings",
                "logs:DescribeResourcePolicies",
            ),
            resources=("*",),
        ),
        g.ASK_QUOTAS,
        g.ASK_PRICES,
        Grant(
            why="ask whether models are open",
            actions=("bedrock:GetFoundationModel",),
            resources=g.foundation_models(g.ANY),
        ),
        Grant(
            why="read the bootstrap's version",
            actions=("ssm:GetParameter",),
            resources=(parameter("/cdk-bootstrap/*"),),
        ),
        Grant(
            why="examine workflow, messages and queue",
            actions=(
                "sns:ListSubscriptionsByTopic",
                "sqs:GetQueueAttributes",
                "states:DescribeStateMachine",
                "states:ListExecutions",
            ),
            resources=("{topic}", "{dead-letters}", workflow_arn(scope.settings.name)),
        ),
    )


def examine_network(_scope: Scope, _: str) -> tuple[Grant, ...]:
    """Reading subnets, routes and endpoints."""
    return (
        Grant(
            why="examine networks",
            actions=tuple(
                f"ec2:Describe{what}"
                for what in (
                    "AvailabilityZones",
                    "RouteTables",
                    "SecurityGroups",
                    "Subnets",
                    "VpcAttribute",
                    "VpcEndpoints",
                )
            ),
            resources=("*",),
        ),
    )


def deploy(_scope: Scope, _: str) -> tuple[Grant, ...]:
    """Deploying as the CDK does."""
    return (
        Grant(
            why="deploy with the roles of the CDK's bootstrap",
            actions=("sts:AssumeRole",),
            resources=("arn:{partition}:iam::{account}:role/cdk-*-role-{account}-{region}",),
        ),
    )


def retire(scope: Scope, _: str) -> tuple[Grant, ...]:
    """Ending a customization: whatever is at work, and its stack."""
    return (
        Grant(
            why="find what is at work",
            actions=("states:ListExecutions",),
            resources=(workflow_arn(scope.settings.name),),
        ),
        Grant(
            why="read what executions are for",
            actions=("states:DescribeExecution",),
            resources=(executions(scope),),
        ),
        Grant(
            why="find jobs",
            actions=("bedrock:ListModelCustomizationJobs",),
            resources=("*",),
        ),
        Grant(
            why="delete stacks",
            actions=("cloudformation:DeleteStack",),
            resources=(stacks(scope),),
        ),
    )
