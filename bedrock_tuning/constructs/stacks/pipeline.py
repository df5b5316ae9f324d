"""The unit that carries runs: functions, roles, workflow, triggers, runs table, messages."""

from typing import Any, cast

from aws_cdk import Token
from constructs import Construct

from bedrock_tuning.constructs.function import PythonFunction, Runtime
from bedrock_tuning.constructs.permissions import Permissions
from bedrock_tuning.constructs.run_guard import run_guard
from bedrock_tuning.constructs.stack import TuningStack, export
from bedrock_tuning.constructs.state_machine import state_machine
from bedrock_tuning.constructs.written import add_alarms, allow_call, kms_key, policy, written
from bedrock_tuning.contracts.ending import ANNOUNCE, RECONCILE
from bedrock_tuning.contracts.functions import APPROVE, FUNCTIONS, GUARD_RUNS
from bedrock_tuning.run.messages import CHAT


class PipelineStack(TuningStack):
    """Everything between an upload and a served model."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        permissions: Permissions,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        kms_key(self, "operations-key", permissions)
        messages = self._messages(permissions)
        runs = written(self, "runs", permissions, inside=True)
        self._functions(permissions)
        guard = run_guard(self, permissions)
        workflow = state_machine(self, permissions, after=guard)
        for name, function in self.functions.items():
            if name != GUARD_RUNS.name:
                function.role.node.add_dependency(guard)
        permissions.role(self, "upload-rule")
        for name in ("upload-rule", "status-rule"):
            written(self, name, permissions, inside=True)
        # What can buy comes with what ends it, in the same stack.
        for name in ("lease-schedule", "reconcile-schedule"):
            permissions.role(self, name)
            written(self, name, permissions)
        written(self, "announcements", permissions)
        allow_call(self, "AnnouncementsPermission", f"function.{ANNOUNCE.name}", permissions)
        allow_call(self, "ExecutionEndedPermission", f"function.{RECONCILE.name}", permissions)
        if permissions.settings.slack_channel:
            _chat(Construct(self, "Chat"), permissions)
        policy(messages, "dead-letters", permissions)
        add_alarms(self, "pipeline", permissions)
        written(self, "dashboard", permissions, inside=True)
        url = self.functions[APPROVE.name].url.get_att("FunctionUrl")
        export(self, "ApprovalUrl", Token.as_string(url))
        export(self, "RunsTable", runs.ref)
        export(self, "Workflow", workflow.ref)
        export(self, "Topic", permissions.fill("{topic}", self))

    def _messages(self, permissions: Permissions) -> Construct:
        """Topic and dead-letter queue under one key.

        A service that publishes to an encrypted topic needs the topic's policy *and* the key's;
        without the second the message is lost and nothing reports it. Both are in the contracts.
        """
        messages = Construct(self, "Messages")
        if "topic" in permissions.contracts.places:
            written(messages, "topic", permissions, inside=True)
            policy(messages, "topic", permissions)
        written(messages, "dead-letters", permissions, inside=True)
        if "mail" in permissions.contracts.places:
            topic = messages.node.try_find_child("Topic") or Construct(messages, "Topic")
            written(cast(Construct, topic), "mail", permissions, inside=True)
        return messages

    def _functions(self, permissions: Permissions) -> None:
        scope = Construct(self, "Functions")
        runtime = Runtime(scope, permissions=permissions)
        self.functions = {
            spec.name: PythonFunction(scope, spec=spec, runtime=runtime)
            for spec in FUNCTIONS
            if spec.stack == "pipeline"
        }


def _chat(scope: Construct, permissions: Permissions) -> None:
    """A channel that shows alarms and messages, and from which nobody can act.

    AWS Chatbot shows alarms as they are, and of other texts only those of its own form. So rules
    hand our events in that form to a topic of its own (docs/facts/workflow.md#chat).
    """
    written(scope, "chat-topic", permissions, inside=True)
    for name in CHAT:
        written(scope, f"chat-rule.{name}", permissions)
    policy(scope, "chat-topic", permissions)
    permissions.role(scope, "chat")
    written(scope, "chat", permissions)
