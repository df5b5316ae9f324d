"""The unit of one team: its roles, settings and serving; the platform holds no list of them."""

from typing import Any

from aws_cdk import CfnResource, CustomResource, Duration, Fn, RemovalPolicy, Tags
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from bedrock_tuning.config import deployed
from bedrock_tuning.config.tags import CUSTOMIZATION_TAG
from bedrock_tuning.constructs.output import export
from bedrock_tuning.constructs.permissions import Permissions
from bedrock_tuning.constructs.stack import TuningStack
from bedrock_tuning.constructs.written import alarms
from bedrock_tuning.contracts.contract import PROVIDER, settings_name
from bedrock_tuning.contracts.people import PEOPLE


class CustomizationStack(TuningStack):
    """Bedrock's role for its folders, the only role that may start its jobs, what it wants."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        permissions: Permissions,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        contracts = permissions.contracts
        rights = permissions.elsewhere()
        if f"role.bedrock.{name}" not in contracts.given:
            rights.role(self, f"bedrock.{name}")
        roles = {"ServiceRole": rights.fill(f"{{role.bedrock.{name}}}", self)}
        if contracts.chosen.jobs_started_by == "starter":
            roles["StarterRole"] = rights.role(self, f"start.{name}").role_arn
        for persona in PEOPLE:
            if persona.of_customization:
                rights.person(self, f"{persona.name}.{name}")
        for role in contracts.roles:
            if role.place.stack == name and role.name.startswith("role.person."):
                rights.role(self, role.name.removeprefix("role."))
        # Written here, not by the CDK: numbers that pass through it lose their type.
        text = deployed.template_text(contracts.settings[name])
        settings = ssm.CfnParameter(
            self,
            "Settings",
            name=settings_name(contracts.environment, name),
            type="String",
            value=Fn.sub(text, roles),
        )
        serving = CustomResource(
            self,
            "Throughput",
            resource_type="Custom::ProvisionedThroughput",
            service_token=rights.fill(f"{{{PROVIDER}}}", self),
            service_timeout=Duration.minutes(15),
            removal_policy=RemovalPolicy.DESTROY,
            # It refuses to take from an open run its roles, or what they may use.
            properties={**contracts.serving[name], **roles},
        )
        budget = contracts.budgets.get(name)
        if budget is not None:
            CfnResource(self, "Budget", type="AWS::Budgets::Budget", properties=dict(budget))
        alarms(self, name, rights)
        # Deleted first, as its properties name the roles: while an endpoint needs them, all stay.
        serving.node.add_dependency(settings)
        export(self, "Serving", serving.get_att_string("Status"))
        for key, value in {**contracts.settings[name]["tags"], CUSTOMIZATION_TAG: name}.items():
            Tags.of(self).add(key, value)
