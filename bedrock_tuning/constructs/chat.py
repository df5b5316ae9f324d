"""A chat channel that shows alarms and messages, and from which nobody can act.

AWS Chatbot shows alarms as they are, and of other texts only those of its own form. So rules hand
our events in that form to a topic of its own (docs/facts/workflow.md#chat).
"""

from aws_cdk import Aws
from aws_cdk import aws_chatbot as chatbot
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from bedrock_tuning.constructs.permissions import Permissions
from bedrock_tuning.contracts.resources import keeps_events
from bedrock_tuning.run.messages import CHAT, SOURCE, Notice


def chat(
    scope: Construct,
    *,
    topic: sns.ITopic,
    dead_letters: sqs.Queue,
    key: kms.IKey,
    permissions: Permissions,
) -> None:
    """topic: of alarms, which a channel shows as they are."""
    shown = sns.Topic(
        scope, "Topic", display_name="Bedrock Tuning", master_key=key, enforce_ssl=True
    )
    permissions.register("chat-topic", arn=shown.topic_arn)
    for name, notice in CHAT.items():
        contract = f"chat-rule.{name}"
        rule = _rule(scope, name, notice, shown, dead_letters, permissions)
        permissions.register(contract, arn=rule.attr_arn)
        (kept,) = permissions.statements([keeps_events(contract)], scope)
        dead_letters.add_to_resource_policy(kept)
    for statement in permissions.resource_policy("chat-topic", scope):
        shown.add_to_resource_policy(statement)
    own = permissions.contracts.chat
    chatbot.CfnSlackChannelConfiguration(
        scope,
        "Channel",
        configuration_name=own["ConfigurationName"],
        slack_workspace_id=own["SlackWorkspaceId"],
        slack_channel_id=own["SlackChannelId"],
        iam_role_arn=permissions.role(scope, "chat").role_arn,
        # Without it, AWS sets AdministratorAccess.
        guardrail_policies=[f"arn:{Aws.PARTITION}:iam::aws:policy/AWSDenyAll"],
        sns_topic_arns=[topic.topic_arn, shown.topic_arn],
    )


def _rule(
    scope: Construct,
    name: str,
    notice: Notice,
    topic: sns.ITopic,
    dead_letters: sqs.IQueue,
    permissions: Permissions,
) -> events.CfnRule:
    # The CDK's target would let every rule of this account publish.
    return events.CfnRule(
        scope,
        name,
        description=f"{name} of this environment, as AWS Chatbot shows them",
        event_pattern={
            "source": [SOURCE],
            "detail-type": [kind.value for kind in notice.kinds],
            "detail": {"environment": [permissions.contracts.environment]},
        },
        targets=[
            events.CfnRule.TargetProperty(
                id="Chat",
                arn=topic.topic_arn,
                input_transformer=events.CfnRule.InputTransformerProperty(
                    input_paths_map=dict(notice.paths), input_template=notice.template
                ),
                dead_letter_config=events.CfnRule.DeadLetterConfigProperty(
                    arn=dead_letters.queue_arn
                ),
                retry_policy=events.CfnRule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=86_400, maximum_retry_attempts=185
                ),
            )
        ],
    )
