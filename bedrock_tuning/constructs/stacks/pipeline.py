"""The unit that carries runs: functions, roles, workflow, triggers, runs table, messages."""

from typing import Any

from constructs import Construct

from bedrock_tuning.constructs.attachment import Attachment
from bedrock_tuning.constructs.chat import chat
from bedrock_tuning.constructs.dashboard import dashboard
from bedrock_tuning.constructs.function import PythonFunction, Runtime
from bedrock_tuning.constructs.notifications import Messages, alarms
from bedrock_tuning.constructs.output import export
from bedrock_tuning.constructs.permissions import Permissions
from bedrock_tuning.constructs.run_guard import run_guard
from bedrock_tuning.constructs.stack import TuningStack
from bedrock_tuning.constructs.state_machine import state_machine
from bedrock_tuning.constructs.storage import retained_key, runs_table
from bedrock_tuning.constructs.triggers import (
    announce,
    every_quarter_hour,
    reconcile_on_end,
    start_on_upload,
)
from bedrock_tuning.contracts.alarms import dashboard_name
from bedrock_tuning.contracts.ending import ANNOUNCE, RECONCILE
from bedrock_tuning.contracts.functions import APPROVE, FUNCTIONS, GUARD_RUNS
from bedrock_tuning.contracts.serving import KEEP_LEASES


class PipelineStack(TuningStack):
    """Everything between an upload and a served model."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        permissions: Permissions,
        network: Attachment | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        settings = permissions.settings
        self.network = network
        self.key = retained_key(
            self,
            "OperationsKey",
            name="operations-key",
            description=f"Runs, messages and logs of bedrock-tuning ({settings.name})",
            permissions=permissions,
        )
        self.messages = Messages(
            self,
            "Messages",
            key=self.key,
            permissions=permissions,
            alarm_email=settings.alarm_email,
        )
        runs = runs_table(self, "Runs", key=self.key, permissions=permissions)
        self._functions(permissions)
        guard = run_guard(
            self, function=self.functions[GUARD_RUNS.name].function, permissions=permissions
        )
        self.workflow = state_machine(
            self, "Workflow", permissions=permissions, key=self.key, after=guard
        )
        for name, each in self.functions.items():
            if name != GUARD_RUNS.name:
                each.role.node.add_dependency(guard)
        start_on_upload(
            self,
            machine=self.workflow,
            dead_letters=self.messages.dead_letters,
            permissions=permissions,
        )
        # What can buy comes with what ends it, in the same stack.
        every_quarter_hour(
            self,
            "lease-schedule",
            description="Ends Provisioned Throughput whose lease has ended",
            function=self.functions[KEEP_LEASES.name].function,
            dead_letters=self.messages.dead_letters,
            permissions=permissions,
        )
        reconciler = self.functions[RECONCILE.name].function
        reconcile_on_end(
            self,
            machine=self.workflow,
            function=reconciler,
            dead_letters=self.messages.dead_letters,
        )
        # Events are delivered at best, and jobs end without one.
        every_quarter_hour(
            self,
            "reconcile-schedule",
            description="Makes the record of runs true whose execution ended without doing so",
            function=reconciler,
            dead_letters=self.messages.dead_letters,
            permissions=permissions,
        )
        announce(
            self,
            function=self.functions[ANNOUNCE.name].function,
            topic=self.messages.topic,
            environment=settings.name,
        )
        if settings.slack_channel:
            chat(
                Construct(self, "Chat"),
                topic=self.messages.topic,
                dead_letters=self.messages.dead_letters,
                key=self.key,
                permissions=permissions,
            )
        alarms(self, "pipeline", permissions)
        dashboard(
            self,
            "Dashboard",
            name=dashboard_name(settings.name),
            machine=self.workflow,
            functions=[each.function for each in self.functions.values()],
            dead_letters=self.messages.dead_letters,
        )
        export(self, "ApprovalUrl", self.functions[APPROVE.name].url.attr_function_url)
        export(self, "RunsTable", runs.table_name)
        export(self, "Workflow", self.workflow.state_machine_arn)
        export(self, "Topic", self.messages.topic.topic_arn)

    def _functions(self, permissions: Permissions) -> None:
        scope = Construct(self, "Functions")
        runtime = Runtime(
            scope,
            "Runtime",
            permissions=permissions,
            log_key=self.key,
            network=self.network,
        )
        self.functions = {
            spec.name: PythonFunction(scope, spec.name, spec=spec, runtime=runtime)
            for spec in FUNCTIONS
            if spec.stack == "pipeline"
        }
