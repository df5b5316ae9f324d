"""A chat channel that shows alarms and messages, and from which nobody can act.

AWS Chatbot shows alarms as they are, and of other texts only those of its own form. So rules hand
our events in that form to a topic of its own (docs/facts/workflow.md#chat).
"""

from constructs import Construct

from bedrock_tuning.constructs.permissions import Permissions
from bedrock_tuning.constructs.written import policy, written
from bedrock_tuning.run.messages import CHAT


def chat(scope: Construct, permissions: Permissions) -> None:
    """The channel with its role, topic and rules."""
    written(scope, "chat-topic", permissions, inside=True)
    for name in CHAT:
        written(scope, f"chat-rule.{name}", permissions)
    policy(scope, "chat-topic", permissions)
    permissions.role(scope, "chat")
    written(scope, "chat", permissions)
