"""The unit that carries runs: functions, roles, workflow, triggers, runs table, messages."""

import json
from collections.abc import Mapping
from typing import Any

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_tuning import s3_layout
from bedrock_tuning.config.customization import Customization
from bedrock_tuning.config.settings import Settings
from bedrock_tuning.constructs import statements as st
from bedrock_tuning.constructs import workflow
from bedrock_tuning.constructs.alarm_words import ALARMS
from bedrock_tuning.constructs.attachment import Attachment
from bedrock_tuning.constructs.function import retention
from bedrock_tuning.constructs.job_options import JobOptions
from bedrock_tuning.constructs.messages import Messages
from bedrock_tuning.constructs.output import export
from bedrock_tuning.constructs.role import trusted_by
from bedrock_tuning.constructs.run_functions import Resources, RunFunctions
from bedrock_tuning.constructs.service_role import BedrockServiceRole
from stacks.data import DataStack


class PipelineStack(Stack):
    """Everything between an upload and a served model."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        customizations: Mapping[str, Customization],
        data: DataStack,
        network: Attachment | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self.settings = settings
        self.network = network
        self.customizations = customizations
        self.workflow_name = f"tuning-{settings.name}-workflow"
        self.key = kms.Key(
            self,
            "OperationsKey",
            description=f"Runs, messages and logs of bedrock-tuning ({settings.name})",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        self.key.add_to_resource_policy(st.encrypt_logs(self, f"tuning-{settings.name}-*"))
        self.messages = Messages(self, "Messages", key=self.key, alarm_email=settings.alarm_email)
        self.runs = self._runs_table()
        self.service_roles = {
            name: BedrockServiceRole(
                self,
                f"BedrockRole-{name}",
                customization=name,
                training=data.training,
                validation=data.validation,
                output=data.output,
                data_key=data.key,
                settings=settings,
                network=network,
                model_key=data.model_key,
            ).role
            for name in customizations
        }
        self.functions = RunFunctions(
            self,
            "Functions",
            settings=settings,
            customizations=customizations,
            resources=Resources(
                training=data.training,
                validation=data.validation,
                output=data.output,
                data_key=data.key,
                table=self.runs,
                topic=self.messages.topic,
                operations_key=self.key,
                model_key=data.model_key,
            ),
            network=network,
            service_roles=self.service_roles,
        )
        self.workflow = self._workflow(data)
        self._start_on_upload(data)
        self._keep_leases()
        self._alarms()
        export(self, "RunsTable", self.runs.table_name)
        export(self, "Workflow", self.workflow.state_machine_arn)
        export(self, "Topic", self.messages.topic.topic_arn)
        # The CLI refuses an upload that nobody waits for.
        export(self, "Customizations", ",".join(customizations))

    def _runs_table(self) -> dynamodb.Table:
        table = dynamodb.Table(
            self,
            "Runs",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=self.key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        table.add_global_secondary_index(
            index_name="by-customization",
            partition_key=dynamodb.Attribute(
                name="customization", type=dynamodb.AttributeType.STRING
            ),
            sort_key=dynamodb.Attribute(name="run", type=dynamodb.AttributeType.STRING),
        )
        return table

    def _workflow(self, data: DataStack) -> sfn.StateMachine:
        log_group = logs.LogGroup(
            self,
            "WorkflowLogs",
            encryption_key=self.key,
            retention=retention(self.settings.log_retention_days),
            removal_policy=RemovalPolicy.DESTROY,
        )
        functions = {name: self.functions.by_name[name].function for name in workflow.FUNCTIONS}
        role = trusted_by(
            self,
            "WorkflowRole",
            name="workflow",
            service="states.amazonaws.com",
            description="The workflow: calls its functions, starts and watches jobs, notifies",
            settings=self.settings,
            conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            statements=[
                iam.PolicyStatement(
                    sid="CallFunctions",
                    actions=["lambda:InvokeFunction"],
                    resources=[function.function_arn for function in functions.values()],
                ),
                *self._map_statements(data),
                *self._job_statements(),
                *([st.encrypt_model(self, data.model_key)] if data.model_key else []),
                *st.publish(self, self.messages.topic, self.key),
                *st.runs(self, self.runs, self.key, actions=["UpdateItem"]),
                iam.PolicyStatement(
                    # The delivery of vended logs knows no resources (Step Functions guide).
                    sid="DeliverLogs",
                    actions=[
                        "logs:CreateLogDelivery",
                        "logs:GetLogDelivery",
                        "logs:UpdateLogDelivery",
                        "logs:DeleteLogDelivery",
                        "logs:ListLogDeliveries",
                        "logs:PutResourcePolicy",
                        "logs:DescribeResourcePolicies",
                        "logs:DescribeLogGroups",
                    ],
                    resources=["*"],
                ),
            ],
        )
        chosen = JobOptions(model_key=data.model_key, network=self.network)
        definition = workflow.definition(
            environment=self.settings.name,
            approval_days=self.settings.approval_days,
            vpc=chosen.vpc,
            model_key=chosen.model_key,
        )
        return sfn.StateMachine(
            self,
            "Workflow",
            state_machine_name=self.workflow_name,
            definition_body=sfn.DefinitionBody.from_string(json.dumps(definition, indent=1)),
            definition_substitutions={
                **{name: function.function_arn for name, function in functions.items()},
                "OutputBucket": data.output.bucket_name,
                "RunsTable": self.runs.table_name,
                "Topic": self.messages.topic.topic_arn,
                **chosen.substitutions,
            },
            role=role.without_policy_updates(),
            logs=sfn.LogOptions(
                destination=log_group, level=sfn.LogLevel.ALL, include_execution_data=False
            ),
        )

    def _map_statements(self, data: DataStack) -> list[iam.PolicyStatement]:
        # A Distributed Map starts executions of its own state machine. Its role cannot refer to
        # it without a cycle, so the state machine alone has a physical name.
        machines = f"arn:{self.partition}:states:{self.region}:{self.account}"
        return [
            iam.PolicyStatement(
                sid="RunShards",
                actions=["states:StartExecution"],
                resources=[f"{machines}:stateMachine:{self.workflow_name}"],
            ),
            iam.PolicyStatement(
                sid="WatchShards",
                actions=["states:DescribeExecution", "states:StopExecution"],
                resources=[
                    f"{machines}:execution:{self.workflow_name}:*",
                    f"{machines}:execution:{self.workflow_name}/*",
                ],
            ),
            st.objects(
                "ReadShardIndex",
                self,
                actions=["s3:GetObject"],
                buckets=[data.output],
                patterns=[f"{s3_layout.WORK}/*/shards.jsonl"],
            ),
            st.key_for("ReadShardIndexKey", self, data.key, service="s3", actions=st.READ_KEY),
        ]

    def _job_statements(self) -> list[iam.PolicyStatement]:
        jobs = st.bedrock_arn(self, "model-customization-job/*")
        models = st.bedrock_arn(self, "custom-model/*")
        bases = sorted({c.base_model.customization_id for c in self.customizations.values()})
        return [
            iam.PolicyStatement(
                sid="StartJobs",
                actions=["bedrock:CreateModelCustomizationJob"],
                # Which of the three types is asked for differs between AWS's own pages
                # (docs/facts/iam.md#starting-a-job), so all three are named.
                resources=[
                    *(
                        st.bedrock_arn(self, f"foundation-model/{base}", account=False)
                        for base in bases
                    ),
                    models,
                    jobs,
                ],
            ),
            st.tag_new("TagJobs", self.settings.name, resources=[jobs, models]),
            iam.PolicyStatement(
                sid="WatchJobs",
                actions=["bedrock:GetModelCustomizationJob", "bedrock:StopModelCustomizationJob"],
                resources=[jobs],
            ),
            iam.PolicyStatement(
                sid="PassServiceRoles",
                actions=["iam:PassRole"],
                resources=[role.role_arn for role in self.service_roles.values()],
                conditions={"StringEquals": {"iam:PassedToService": "bedrock.amazonaws.com"}},
            ),
        ]

    def _start_on_upload(self, data: DataStack) -> None:
        role = trusted_by(
            self,
            "UploadRuleRole",
            name="upload-rule",
            service="events.amazonaws.com",
            description="The upload rule: starts the workflow",
            settings=self.settings,
            conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            statements=[
                iam.PolicyStatement(
                    sid="StartWorkflow",
                    actions=["states:StartExecution"],
                    resources=[self.workflow.state_machine_arn],
                )
            ],
        )
        events.Rule(
            self,
            "ManifestUploaded",
            description="The upload of a known manifest, and of nothing else, starts a run",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={
                    "bucket": {"name": [data.training.bucket_name, data.validation.bucket_name]},
                    "object": {
                        "key": [s3_layout.manifest_key(name) for name in self.customizations]
                    },
                },
            ),
            targets=[
                targets.SfnStateMachine(
                    self.workflow,
                    role=role.without_policy_updates(),
                    dead_letter_queue=self.messages.dead_letters,
                    max_event_age=Duration.hours(24),
                    retry_attempts=185,
                )
            ],
        )

    def _keep_leases(self) -> None:
        """Whoever can buy comes with what ends it: this stack makes endpoints, so it ends them."""
        function = self.functions.keep_leases.function
        role = trusted_by(
            self,
            "LeaseScheduleRole",
            name="lease-schedule",
            service="scheduler.amazonaws.com",
            description="The lease schedule: calls keep_leases",
            settings=self.settings,
            conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            statements=[
                iam.PolicyStatement(
                    sid="CallKeepLeases",
                    actions=["lambda:InvokeFunction"],
                    resources=[function.function_arn],
                ),
                iam.PolicyStatement(
                    sid="DeadLetters",
                    actions=["sqs:SendMessage"],
                    resources=[self.messages.dead_letters.queue_arn],
                ),
                # The queue is encrypted, and Scheduler sends to it with this role.
                st.key_for(
                    "EncryptDeadLetters", self, self.key, service="sqs", actions=st.WRITE_KEY
                ),
            ],
        )
        scheduler.CfnSchedule(
            self,
            "KeepLeases",
            description="Ends Provisioned Throughput whose lease has ended",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            schedule_expression="rate(15 minutes)",
            target=scheduler.CfnSchedule.TargetProperty(
                arn=function.function_arn,
                role_arn=role.role_arn,
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(
                    arn=self.messages.dead_letters.queue_arn
                ),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=900, maximum_retry_attempts=10
                ),
            ),
        )

    def _alarms(self) -> None:
        five = Duration.minutes(5)
        metrics = {
            "WorkflowFailed": self.workflow.metric_failed(period=five),
            "WorkflowTimedOut": self.workflow.metric_timed_out(period=five),
            "WorkflowAborted": self.workflow.metric_aborted(period=five),
            "DeadLettersWaiting": (
                self.messages.dead_letters.metric_approximate_number_of_messages_visible(
                    period=five
                )
            ),
            "LeasesNotKept": self.functions.keep_leases.function.metric_errors(period=five),
        }
        if self.network and self.network.closer:
            metrics["DefaultGroupNotClosed"] = self.network.closer.metric_errors(period=five)
        for name, metric in metrics.items():
            alarm = metric.create_alarm(
                self,
                name,
                alarm_description=ALARMS[name],
                threshold=1,
                evaluation_periods=1,
                treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            )
            alarm.add_alarm_action(actions.SnsAction(self.messages.topic))
        # No call is no error: a keeper that is never called would be silent, and endpoints would
        # go on billing. Rings once after the first deployment, until the first call.
        silent = self.functions.keep_leases.function.metric_invocations(
            period=Duration.hours(1)
        ).create_alarm(
            self,
            "LeaseKeeperNotCalled",
            alarm_description="keep_leases was not called for an hour: nothing ends leases now",
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
        )
        silent.add_alarm_action(actions.SnsAction(self.messages.topic))
