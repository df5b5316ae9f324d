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
    counts = Counter(
        arn
        for customization in deployment.customizations
        for arn in (customization.service_role, customization.starter)
    )
    services = {role.arn for role in deployment.service_roles.values()}
    for customization in deployment.customizations:
        for kind in kinds:
            arn = customization.service_role if kind == "service_role" else customization.starter
            role = roles.get(arn)
            is_service_role = arn in services
            problem = ""
            if kind == "service_role" and customization.existing_role:
                if arn != customization.existing_role:
                    problem = "not the existing role that they name"
                elif role is not None:
                    problem = "a role of these templates, not an existing one"
            elif role is None or role.resource.stack != customization.settings.stack:
                problem = "no role of this stack"
            elif is_service_role != (kind == "service_role"):
                problem = "a role of the other kind"
            if not problem and counts[arn] > 1:
                problem = "named by other settings, too"
            if problem:
                yield found(
                    customization.settings,
                    f"{kind} is {arn}: {problem}",
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
    by_stack = {
        resource.stack: resource
        for resource in evidence.assembly.of_type("Custom::ProvisionedThroughput")
    }
    for customization in DeploymentFacts(evidence=evidence).customizations:
        resource = by_stack.get(customization.settings.stack)
        if resource is None:
            yield found(customization.settings, "no resource in this stack says what it may spend")
            continue
        values = json.loads(str(customization.settings.properties.get("Value")))
        expected = to_properties(exposure(from_settings(values).customization))
        actual = {name: resource.properties.get(name) for name in expected}
        yield from unlike(resource, actual, expected, limit="its settings say {}")


@check(
    "M829",
    "A folder of images, or of a job's output, belongs to one customization: what its settings "
    "name is no other customization's folder, none around it and none inside it.",
    limit="a job of one customization never reads what another one owns",
    fix="Give each customization folders of its own in [dataset] folders",
)
def own_folders(evidence: Evidence) -> Iterator[Violation]:
    customizations = DeploymentFacts(evidence=evidence).customizations
    for customization in customizations:
        other_folders = [
            (name, other.name)
            for other in customizations
            if other is not customization
            for name in other.owned
        ]
        for other in customizations:
            output, other_output = f"{customization.output}/", f"{other.output}/"
            if other is not customization and other_output.startswith(output):
                yield found(
                    customization.settings,
                    f"jobs/{output} and jobs/{other_output} of {other.name} overlap",
                )
        for folder, (other_folder, owner) in product(customization.folders, other_folders):
            if folder.startswith(other_folder) or other_folder.startswith(folder):
                yield found(
                    customization.settings, f"{folder} and {other_folder} of {owner} overlap"
                )


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
