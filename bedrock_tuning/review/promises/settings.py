"""Promises about customizations' settings: whose they are, and that nobody else writes them."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from bedrock_tuning.review.assembly import identity
from bedrock_tuning.review.check import Evidence, Violation, check
from bedrock_tuning.review.promises.deployment import Deployment
from bedrock_tuning.review.promises.promise import Never


@check(
    "M808",
    "A customization's settings name the two roles of their own stack: one that Amazon Bedrock "
    "assumes, and one that starts jobs. No two settings name the same role.",
)
def own_roles(evidence: Evidence) -> Iterator[Violation]:
    deployment = Deployment(evidence=evidence)
    roles = evidence.permissions.roles
    named = Counter(
        arn for each in deployment.customizations for arn in (each.service_role, each.starter)
    )
    services = {role.arn for role in deployment.service_roles.values()}
    for each in deployment.customizations:
        for what, arn in (("service_role", each.service_role), ("starter_role", each.starter)):
            role = roles.get(arn)
            is_service_role = arn in services
            problem = ""
            if role is None or role.resource.stack != each.settings.stack:
                problem = "no role of this stack"
            elif is_service_role != (what == "service_role"):
                problem = "a role of the other kind"
            elif named[arn] > 1:
                problem = "named by other settings, too"
            if problem:
                yield Violation(
                    where=each.settings.path,
                    what=f"{what} is {arn}: {problem}",
                    limit="a job of one customization never runs with the role of another",
                    fix="Name the roles of the same stack, as stacks/customization.py does",
                )


CHECKS: Final = (own_roles,)
PROMISES: Final = (
    Never(
        id="M809",
        sentence="No role writes or deletes the settings of customizations: "
        "parameter/bedrock-tuning-settings/*.",
        actions=("ssm:Put*", "ssm:Delete*", "ssm:Label*", "ssm:Unlabel*"),
        resources=lambda d: [
            identity.Identity(
                kind="AWS::SSM::Parameter", name=f"{d.settings_path}/*", region=d.region
            ).arn
        ],
    ),
)
