"""The unit of people: policies of those who work with all customizations of an environment."""

from typing import Any

from constructs import Construct

from bedrock_tuning.constructs.permissions import Permissions
from bedrock_tuning.constructs.stack import TuningStack
from bedrock_tuning.contracts.people import PEOPLE


class PeopleStack(TuningStack):
    """Managed policies, attached to nobody, and roles with them where the settings say for whom.

    An uploader's are in the stack of its customization.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, permissions: Permissions, **kwargs: Any
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        for persona in PEOPLE:
            if not persona.of_customization:
                permissions.person(self, persona.name)
        for role in permissions.contracts.roles:
            if role.place.stack == "people":
                permissions.role(self, role.name.removeprefix("role."))
