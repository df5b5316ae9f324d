"""The encrypted topic and dead-letter queue with their publishers, and the alarms that use them."""

from collections.abc import Mapping
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from bedrock_tuning.constructs.permissions import Permissions

# What the mail of each alarm says: what happened, and where the reason is.
DESCRIPTIONS: Final = {
    "WorkflowFailed": "A run failed: its own message, or its execution, says why",
    "WorkflowTimedOut": "A run took longer than it may; its job may still be running",
    "WorkflowAborted": "A run was aborted by hand; its job may still be running",
    "DeadLettersWaiting": (
        "An upload started no run, or the lease keeper was not called: the message in the queue "
        "has the reason in its attribute ERROR_MESSAGE (docs/runbook.md)"
    ),
    "LeasesNotKept": (
        "keep_leases failed, so an endpoint may be billed beyond its lease: the last error in its "
        "log says why and what to do"
    ),
    "LeaseKeeperNotCalled": "keep_leases was not called for an hour: nothing ends leases now",
    "PagesNotDrawn": (
        "draw_page failed, so the page of a run shows its dataset only: `tuning report` draws it, "
        "and the last error in its log says why"
    ),
    "RunsNotReconciled": (
        "reconcile failed, so a run whose execution ended may look as if it went on: the last "
        "error in its log names it"
    ),
    "ApprovalsNotTaken": (
        "approve failed, so a run may wait although somebody approved it: whoever did may send the "
        "answer again, and the last error in its log says why it failed"
    ),
    "ReconcilerNotCalled": "reconcile was not called for an hour: nobody looks after lost runs now",
    "EventsNotSent": (
        "announce failed, so a message did not become an event on the default bus: people were "
        "notified all the same, and the last error in its log says why"
    ),
    "DeploymentRefused": (
        "guard_runs refused a deployment that takes something from open runs, or failed: the "
        "reason in the deployment's events says which, and what to do"
    ),
    "DefaultGroupNotClosed": "The default security group of the network may be open",
    "Failed": "The custom resource failed: something may still be billed",
}


class Messages(Construct):
    """Topic and queue under one key.

    A service that publishes to an encrypted topic needs the topic's policy *and* the key's; without
    the second the message is lost and nothing reports it. Both are in the contracts.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: kms.IKey,
        permissions: Permissions,
        alarm_email: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self.topic = self._topic(key, permissions)
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        permissions.register("dead-letters", arn=self.dead_letters.queue_arn)
        if alarm_email:
            self.topic.add_subscription(subscriptions.EmailSubscription(alarm_email))

    def _topic(self, key: kms.IKey, permissions: Permissions) -> sns.ITopic:
        if "topic" in permissions.contracts.given:
            return sns.Topic.from_topic_arn(self, "Topic", permissions.fill("{topic}", self))
        topic = sns.Topic(
            self, "Topic", display_name="Bedrock Tuning", master_key=key, enforce_ssl=True
        )
        permissions.register("topic", arn=topic.topic_arn)
        for statement in permissions.resource_policy("topic", self):
            topic.add_to_resource_policy(statement)
        return topic

    def alarm_on(self, scope: Construct, metrics: Mapping[str, cloudwatch.Metric]) -> None:
        """An alarm at the first event of each metric, by the name of its description."""
        for name, metric in metrics.items():
            alarm = metric.create_alarm(
                scope,
                name,
                alarm_description=DESCRIPTIONS[name],
                threshold=1,
                evaluation_periods=1,
                treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            )
            self._tell(alarm)

    def alarm_on_silence(
        self, scope: Construct, construct_id: str, metric: cloudwatch.Metric
    ) -> None:
        """An alarm when nothing is counted in a period, as once after the first deployment."""
        silent = metric.create_alarm(
            scope,
            construct_id,
            alarm_description=DESCRIPTIONS[construct_id],
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
        )
        self._tell(silent)

    def _tell(self, alarm: cloudwatch.Alarm) -> None:
        """When it begins, and when it is over."""
        told = actions.SnsAction(self.topic)
        alarm.add_alarm_action(told)
        alarm.add_ok_action(told)
