"""What calls the workflow and the functions outside of it: rules, schedules, the topic."""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_tuning.constructs.permissions import Permissions


def start_on_upload(
    scope: Construct,
    *,
    machine: sfn.StateMachine,
    dead_letters: sqs.IQueue,
    permissions: Permissions,
) -> None:
    """The rule that starts the workflow for manifests; its first state knows the customizations."""
    role = permissions.role(scope, "upload-rule")
    events.Rule(
        scope,
        "ManifestUploaded",
        description="The upload of a manifest, and of nothing else, starts a run",
        event_pattern=events.EventPattern(
            source=["aws.s3"],
            detail_type=["Object Created"],
            detail={
                "bucket": {
                    "name": [
                        permissions.fill(f"{{{bucket}:name}}", scope)
                        for bucket in permissions.contracts.trigger_buckets
                    ]
                },
                "object": {"key": [{"suffix": permissions.contracts.trigger_key}]},
            },
        ),
        targets=[
            targets.SfnStateMachine(
                machine,
                role=role.without_policy_updates(),
                dead_letter_queue=dead_letters,
                max_event_age=Duration.hours(24),
                retry_attempts=185,
            )
        ],
    )


def announce(
    scope: Construct, *, function: lambda_.IFunction, topic: sns.ITopic, environment: str
) -> None:
    """The topic hands each message of this environment to the function, and no alarm.

    The topic may be another environment's, too.
    """
    sns.CfnSubscription(
        scope,
        "Announcements",
        topic_arn=topic.topic_arn,
        protocol="lambda",
        endpoint=function.function_arn,
        filter_policy={"environment": [environment]},
    )
    lambda_.CfnPermission(
        scope,
        "AnnouncementsPermission",
        action="lambda:InvokeFunction",
        function_name=function.function_arn,
        principal="sns.amazonaws.com",
        source_arn=topic.topic_arn,
    )


def reconcile_on_end(
    scope: Construct,
    *,
    machine: sfn.StateMachine,
    function: lambda_.IFunction,
    dead_letters: sqs.IQueue,
) -> None:
    """Calls the reconciler for every execution that may have ended without closing its run."""
    events.Rule(
        scope,
        "ExecutionEnded",
        description="An execution that was aborted, timed out or failed has its run reconciled",
        event_pattern=events.EventPattern(
            source=["aws.states"],
            detail_type=["Step Functions Execution Status Change"],
            detail={
                "stateMachineArn": [machine.state_machine_arn],
                "status": ["ABORTED", "FAILED", "TIMED_OUT"],
            },
        ),
        targets=[
            targets.LambdaFunction(
                function,
                dead_letter_queue=dead_letters,
                max_event_age=Duration.hours(24),
                retry_attempts=185,
            )
        ],
    )


def every_quarter_hour(
    scope: Construct,
    schedule: str,
    *,
    description: str,
    function: lambda_.IFunction,
    dead_letters: sqs.IQueue,
    permissions: Permissions,
) -> None:
    """Calls a function by the clock. schedule: its contract's name, whose role calls."""
    role = permissions.role(scope, schedule)
    scheduler.CfnSchedule(
        scope,
        permissions.contracts.places[schedule].path,
        description=description,
        flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
        schedule_expression="rate(15 minutes)",
        target=scheduler.CfnSchedule.TargetProperty(
            arn=function.function_arn,
            role_arn=role.role_arn,
            dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(
                arn=dead_letters.queue_arn
            ),
            retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                maximum_event_age_in_seconds=900, maximum_retry_attempts=10
            ),
        ),
    )
