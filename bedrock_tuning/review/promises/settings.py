"""Promises about customizations' settings: whose they are, and that nobody else writes them."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import product
from typing import Final

from bedrock_tuning.config.deployed import from_settings
from bedrock_tuning.review.assembly import identity
from bedrock_tuning.review.check import Evidence, Violation, check, found, unlike
from bedrock_tuning.review.promises.deployment import DeploymentFacts
from bedrock_tuning.review.promises.promise import Never
from bedrock_tuning.run.exposure import exposure, to_properties


@check(
    "M808",
    "A customization's settings name the two roles of their own stack: one that Amazon Bedrock "
    "assumes, or the existing one that its file names, and one that starts jobs, unless the "
    "workflow itself does. No two settings name the same role.",
)
def own_roles(evidence: Evidence) -> Iterator[Violation]:
    deployment = DeploymentFacts(evidence=evidence)
    roles = evidence.permissions.roles
    kinds = ("service_role",) if deployment.by_workflow else ("service_role", "starter_role")
    named = Counter(
        arn for each in deployment.customizations for arn in (each.service_role, each.starter)
    )
    services = {role.arn for role in deployment.service_roles.values()}
    for each in deployment.customizations:
        for what in kinds:
            arn = each.service_role if what == "service_role" else each.starter
            role = roles.get(arn)
            is_service_role = arn in services
            problem = ""
            if what == "service_role" and each.existing_role:
                if arn != each.existing_role:
                    problem = "not the existing role that they name"
                elif role is not None:
                    problem = "a role of these templates, not an existing one"
            elif role is None or role.resource.stack != each.settings.stack:
                problem = "no role of this stack"
            elif is_service_role != (what == "service_role"):
                problem = "a role of the other kind"
            if not problem and named[arn] > 1:
                problem = "named by other settings, too"
            if problem:
                yield found(
                    each.settings,
                    f"{what} is {arn}: {problem}",
                    "a job of one customization never runs with the role of another",
                    "Name the roles of the same stack, as CustomizationStack does",
                )


@check(
    "M828",
    "What a customization may spend is in properties of its resource, as its settings say, at the "
    "catalogue's prices: mode, units, lease, commitment, approval, budget and USD.",
    limit="a reviewer of the template sees what it may cost",
    fix="Synthesize again: both are made from the same file",
)
def money_is_shown(evidence: Evidence) -> Iterator[Violation]:
    of_stack = {r.stack: r for r in evidence.assembly.of_type("Custom::ProvisionedThroughput")}
    for each in DeploymentFacts(evidence=evidence).customizations:
        resource = of_stack.get(each.settings.stack)
        if resource is None:
            yield found(each.settings, "no resource in this stack says what it may spend")
            continue
        values = json.loads(str(each.settings.properties.get("Value")))
        wanted = to_properties(exposure(from_settings(values).customization))
        actual = {name: resource.properties.get(name) for name in wanted}
        yield from unlike(resource, actual, wanted, limit="its settings say {}")


@check(
    "M829",
    "A folder of images, or of a job's output, belongs to one customization: what its settings "
    "name is no other customization's folder, none around it and none inside it.",
    limit="a job of one customization never reads what another one owns",
    fix="Give each customization folders of its own in [dataset] folders",
)
def own_folders(evidence: Evidence) -> Iterator[Violation]:
    known = DeploymentFacts(evidence=evidence).customizations
    for each in known:
        others = [
            (name, other.name) for other in known if other is not each for name in other.owned
        ]
        for other in known:
            mine, its = f"{each.output}/", f"{other.output}/"
            if other is not each and its.startswith(mine):
                yield found(each.settings, f"jobs/{mine} and jobs/{its} of {other.name} overlap")
        for mine, (its, whose) in product(each.folders, others):
            if mine.startswith(its) or its.startswith(mine):
                yield found(each.settings, f"{mine} and {its} of {whose} overlap")


CHECKS: Final = (own_roles, money_is_shown, own_folders)
PROMISES: Final = (
    Never(
        id="M809",
        sentence="No role writes or deletes the settings of customizations, or what runs use: "
        "parameter/bedrock-tuning-settings/*, parameter/bedrock-tuning-used-by-runs/*.",
        actions=("ssm:Put*", "ssm:Delete*", "ssm:Label*", "ssm:Unlabel*"),
        resources=lambda d: [
            identity.Identity(kind="AWS::SSM::Parameter", name=name, region=d.region).arn
            for name in (f"{d.settings_path}/*", f"/bedrock-tuning-used-by-runs/{d.environment}")
        ],
    ),
)
