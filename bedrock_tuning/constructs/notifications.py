"""The encrypted topic and dead-letter queue with their publishers, and the alarms that use them."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from bedrock_tuning.constructs.permissions import Permissions


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
        permissions.register(
            "dead-letters", arn=self.dead_letters.queue_arn, name=self.dead_letters.queue_name
        )
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


def alarms(scope: Construct, stack: str, permissions: Permissions) -> None:
    """All of a stack, by its part of the app, as the contracts say. scope: what they stand in."""
    contracts = permissions.contracts
    for name, said in contracts.alarms.items():
        place = contracts.places[name]
        if place.stack != stack:
            continue
        inside, construct = scope, place.path.rpartition("/")[2]
        if stack not in contracts.serving:
            # Their logical ids are those of what a construct of the CDK once made.
            inside, construct = Construct(scope, construct), "Resource"
        told = [permissions.fill(each, scope) for each in said["AlarmActions"]]
        cloudwatch.CfnAlarm(
            inside,
            construct,
            alarm_actions=told,
            ok_actions=told,
            alarm_description=said["AlarmDescription"],
            comparison_operator=said["ComparisonOperator"],
            dimensions=[
                {"name": each["Name"], "value": permissions.fill(each["Value"], scope)}
                for each in said["Dimensions"]
            ],
            evaluation_periods=said["EvaluationPeriods"],
            metric_name=said["MetricName"],
            namespace=said["Namespace"],
            period=said["Period"],
            statistic=said["Statistic"],
            threshold=said["Threshold"],
            treat_missing_data=said["TreatMissingData"],
        )
