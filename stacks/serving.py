"""The unit that ties serving to deployments: one custom resource per customization."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import CustomResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from constructs import Construct

from bedrock_tuning.config.customization import Customization
from bedrock_tuning.config.lambda_environment import ThroughputEnvironment
from bedrock_tuning.config.settings import Settings
from bedrock_tuning.constructs import statements as st
from bedrock_tuning.constructs.function import PythonFunction, Runtime
from bedrock_tuning.constructs.output import export
from bedrock_tuning.constructs.run_functions import parameter_prefix
from bedrock_tuning.serving.plan import POINTERS
from stacks.pipeline import PipelineStack


class ServingStack(Stack):
    """Pending while no model exists; then create, swap, replace, delete as the files say."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        customizations: Mapping[str, Customization],
        pipeline: PipelineStack,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        prefix = parameter_prefix(settings.name)
        workflow_arn = pipeline.workflow.state_machine_arn
        runtime = Runtime(
            self, "Runtime", settings=settings, log_key=pipeline.key, network=pipeline.network
        )
        self.provider = PythonFunction(
            self,
            "ProvisionedThroughput",
            runtime=runtime,
            module="provisioned_throughput",
            environment=ThroughputEnvironment(
                environment=settings.name, parameter_prefix=prefix, workflow_arn=workflow_arn
            ),
            statements=[
                *st.observe_endpoints(self),
                st.delete_endpoints(self, settings.name),
                iam.PolicyStatement(
                    sid="HandOver", actions=["states:StartExecution"], resources=[workflow_arn]
                ),
                iam.PolicyStatement(
                    sid="Pointers",
                    actions=["ssm:GetParameter", "ssm:PutParameter", "ssm:DeleteParameter"],
                    resources=[st.parameters_arn(self, prefix)],
                ),
            ],
            timeout=Duration.minutes(15),
        )
        alarm = self.provider.alarm_on_errors(
            "Failed", description="The custom resource failed: something may still be billed"
        )
        alarm.add_alarm_action(actions.SnsAction(pipeline.messages.topic))
        self.resources = {
            name: self._resource(customization, name)
            for name, customization in customizations.items()
        }

    def _resource(self, customization: Customization, name: str) -> CustomResource:
        wish = customization.serving
        resource = CustomResource(
            self,
            f"Throughput-{name}",
            resource_type="Custom::ProvisionedThroughput",
            service_token=self.provider.function.function_arn,
            service_timeout=Duration.minutes(15),
            removal_policy=RemovalPolicy.DESTROY,
            properties={
                "Customization": name,
                "Mode": wish.mode,
                "ModelUnits": str(wish.model_units),
                "Commitment": wish.commitment or "none",
                "LeaseHours": str(wish.lease_hours or "none"),
                "OnDelete": wish.on_delete,
                # Not about serving: a version that publishes another parameter changes this, so
                # CloudFormation calls the handler, which publishes it.
                "Pointers": POINTERS,
            },
        )
        export(self, f"Serving{name.title().replace('-', '')}", resource.get_att_string("Status"))
        return resource
