"""The unit of one team: its roles, settings and serving; the platform holds no list of them."""

from typing import Any

from aws_cdk import Fn, Tags, Token
from constructs import Construct

from bedrock_tuning.config import deployed
from bedrock_tuning.config.tags import CUSTOMIZATION_TAG
from bedrock_tuning.constructs.permissions import Permissions
from bedrock_tuning.constructs.stack import TuningStack, export
from bedrock_tuning.constructs.written import add_alarms, written
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
        settings = written(self, f"settings.{name}", rights, value=Fn.sub(text, roles))
        serving = written(self, f"serving.{name}", rights)
        if f"budget.{name}" in contracts.places:
            written(self, f"budget.{name}", rights)
        add_alarms(self, name, rights)
        # Deleted first, as its properties name the roles: while an endpoint needs them, all stay.
        serving.node.add_dependency(settings)
        export(self, "Serving", Token.as_string(serving.get_att("Status")))
        for key, value in {**contracts.settings[name]["tags"], CUSTOMIZATION_TAG: name}.items():
            Tags.of(self).add(key, value)
