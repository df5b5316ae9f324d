"""Who is who in synthesized templates, found by what each thing is, not by what contracts say."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from bedrock_tuning import s3_layout
from bedrock_tuning.catalogue import GEOGRAPHIES
from bedrock_tuning.contracts.contract import MACHINE
from bedrock_tuning.review.assembly import identity
from bedrock_tuning.review.assembly.template import Resource
from bedrock_tuning.review.check import Evidence
from bedrock_tuning.review.iam.access import IamRole

BEDROCK: Final = "bedrock.amazonaws.com"
# How the second half of a promise begins, about the other way to start jobs.
BY_WORKFLOW: Final = 'With `jobs_started_by` = "workflow"'
_SETTINGS: Final = "/bedrock-tuning-settings"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomizationFacts:
    """What the settings of one customization say: its name, its two roles by ARN, its folders.

    output: its folder below jobs/. existing_role: the service role that no template makes, or "".
    """

    name: str
    folders: tuple[str, ...]
    output: str
    existing_role: str
    grader: str
    teacher: str
    custom_model: str
    settings: Resource
    service_role: str
    starter: str

    @property
    def owned(self) -> tuple[str, ...]:
        """Its folders in the buckets of datasets: that of its manifest, and those of its images."""
        return (s3_layout.folder(self.name), *self.folders)


@dataclass(frozen=True, kw_only=True)
class DeploymentFacts:
    """What promises are about. All ARNs; an empty collection for what the templates do not have."""

    evidence: Evidence

    @cached_property
    def customizations(self) -> tuple[CustomizationFacts, ...]:
        """Those whose settings a run can read."""
        return tuple(map(_customization, self._settings()))

    def _settings(self) -> Iterator[Resource]:
        for parameter in self.evidence.assembly.of_type("AWS::SSM::Parameter"):
            if str(parameter.properties.get("Name")).startswith(f"{self.settings_path}/"):
                yield parameter

    @property
    def settings_path(self) -> str:
        """Below which the settings of this environment's customizations lie."""
        return f"{_SETTINGS}/{self.environment}"

    @cached_property
    def service_roles(self) -> dict[str, IamRole]:
        """The roles that Amazon Bedrock may assume, by their customization."""
        names = {
            customization.service_role: customization.name for customization in self.customizations
        }
        return {names.get(role.arn, role.path): role for role in self.trusting(BEDROCK)}

    @property
    def by_workflow(self) -> bool:
        """Whether the workflow's own role starts jobs: the settings say so."""
        return self.evidence.bound.contracts.chosen.jobs_started_by == "workflow"

    @cached_property
    def starters(self) -> dict[str, IamRole]:
        """The roles that start jobs, by their customization; none if the workflow does it."""
        if self.by_workflow:
            return {}
        roles = self.evidence.permissions.roles
        return {
            customization.name: roles[customization.starter]
            for customization in self.customizations
            if customization.starter in roles
        }

    @property
    def role_path(self) -> str:
        """Below which all roles of this environment are."""
        return self.evidence.bound.contracts.role_path

    def at_path(self, kind: str) -> str:
        """The ARNs of the roles that start jobs ("start"), or of Amazon Bedrock's ("bedrock").

        Of customizations that are or will be.
        """
        start = f"arn:{identity.PARTITION}:iam::{identity.ACCOUNT}:role"
        return f"{start}{self.role_path}tuning/{self.environment}/{kind}/*"

    @property
    def machines(self) -> tuple[str, ...]:
        """The state machines."""
        kind = MACHINE
        return tuple(machine.arn for machine in self.evidence.assembly.of_type(kind))

    @cached_property
    def workflow(self) -> frozenset[str]:
        """The roles of state machines."""
        return frozenset(role.arn for role in self.trusting("states.amazonaws.com"))

    def person(self, name: str) -> frozenset[str]:
        """Whoever has a policy of people that is called like this, such as "Approver", or its role.

        The contracts make no other policy or role at their path.
        """
        path = f"{self.role_path}tuning/{self.environment}/people/"
        return frozenset(
            arn
            for arn, role in self.evidence.permissions.roles.items()
            if role.resource.properties.get("Path") == path
            and _own_name(role.resource) == (name if role.is_policy else f"{name}Role")
        )

    @cached_property
    def uploaders(self) -> dict[str, frozenset[str]]:
        """Who may upload datasets of a customization, by its name: whoever is one in its stack."""
        roles = self.evidence.permissions.roles
        arns = self.person("Uploader")
        return {
            customization.name: frozenset(
                arn for arn in arns if roles[arn].resource.stack == customization.settings.stack
            )
            for customization in self.customizations
        }

    def trusting(self, service: str) -> Iterator[IamRole]:
        """The roles whose trust policies name a service."""
        for role in self.evidence.permissions.roles.values():
            if any(
                service in (statement.principals or {}).get("Service", ())
                for statement in role.trust
            ):
                yield role

    def handlers(self, *modules: str) -> dict[str, str]:
        """The functions that run these modules of lambdas/: their roles, by their ARNs."""
        return {
            function.arn: str(function.properties.get("Role"))
            for function in self.evidence.assembly.of_type("AWS::Lambda::Function")
            if str(function.properties.get("Handler")).split(".")[-2:-1]
            in [[module] for module in modules]
        }

    def function(self, *modules: str) -> frozenset[str]:
        """The roles of the functions that run these modules of lambdas/."""
        return frozenset(self.handlers(*modules).values())

    def bucket(self, name: str) -> str:
        """The bucket of a name, such as "Output"."""
        return self._existing_arn(name.lower()) or self._arn("AWS::S3::Bucket", name)

    def key(self, name: str) -> str:
        """The KMS key of a name, such as "DataKey"."""
        existing = {"DataKey": "data-key", "OperationsKey": "operations-key"}
        return self._existing_arn(existing.get(name, "")) or self._arn("AWS::KMS::Key", name)

    def _existing_arn(self, name: str) -> str:
        """What no template makes, by the settings alone; "" for what one does."""
        bound = self.evidence.bound
        return bound.fill(f"{{{name}}}") if name in bound.contracts.given else ""

    def _arn(self, kind: str, name: str) -> str:
        resources = (
            resource
            for resource in self.evidence.assembly.of_type(kind)
            if _own_name(resource) == name
        )
        return next((resource.arn for resource in resources), f"«no {name}»")

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables of runs."""
        kind = "AWS::DynamoDB::Table"
        return tuple(table.arn for table in self.evidence.assembly.of_type(kind))

    @cached_property
    def datasets(self) -> tuple[str, str]:
        """The training and the validation bucket."""
        return self.bucket("Training"), self.bucket("Validation")

    @cached_property
    def output(self) -> str:
        """The output bucket."""
        return self.bucket("Output")

    def bedrock(self, *kinds: str) -> tuple[str, ...]:
        """Every resource of Amazon Bedrock of these types in this account and Region."""
        start = f"arn:{identity.PARTITION}:bedrock:{self.region}:{identity.ACCOUNT}"
        return tuple(f"{start}:{kind}/*" for kind in kinds)

    def teacher(self, customization: CustomizationFacts) -> tuple[str, ...]:
        """What asking a teacher reaches: a model here, or a profile and its model anywhere."""
        id_, start = customization.teacher, f"arn:{identity.PARTITION}:bedrock"
        if not id_:
            return ()
        area, _, model = id_.partition(".")
        if area in GEOGRAPHIES:
            return (
                f"{start}:{self.region}:{identity.ACCOUNT}:inference-profile/{id_}",
                f"{start}:*::foundation-model/{model}",
            )
        return (f"{start}:{self.region}::foundation-model/{id_}",)

    @property
    def region(self) -> str:
        """The Region of the stacks."""
        return self.evidence.bound.region

    @property
    def environment(self) -> str:
        """The environment's name, which is the value of its tag."""
        return self.evidence.bound.contracts.environment

    def uploaded(self, name: str) -> tuple[str, ...]:
        """Where people upload for one customization: its own folder, and those that it names."""
        folders = {
            customization.name: customization.folders for customization in self.customizations
        }.get(name, ())
        return tuple(dict.fromkeys((s3_layout.folder(name), *folders)))

    def results(self, name: str) -> str:
        """Where the jobs of one customization write: the prefix of its objects."""
        output = {
            customization.name: customization.output for customization in self.customizations
        }.get(name, name)
        return f"{self.output}/{s3_layout.jobs_prefix(output)}*"

    def folders(self, name: str) -> tuple[str, ...]:
        """All that belongs to one customization: the prefixes of its objects, bucket by bucket."""
        own_folders = {
            customization.name: customization.folders for customization in self.customizations
        }.get(name, ())
        return (
            *(
                f"{bucket}/{folder}*"
                for bucket in self.datasets
                for folder in own_folders or (s3_layout.folder(name),)
            ),
            *(f"{bucket}/{s3_layout.manifests_prefix(name)}*" for bucket in self.datasets),
            self.results(name),
        )


def _customization(parameter: Resource) -> CustomizationFacts:
    """Raises ValueError for settings that are no JSON object: nobody can say whose they are."""
    values = json.loads(str(parameter.properties.get("Value")))
    name = str(parameter.properties.get("Name")).rpartition("/")[2]
    job = values.get("job", {})
    return CustomizationFacts(
        name=name,
        output=str(job.get("output_folder") or name),
        existing_role=_in_review_account(str(job.get("service_role", ""))),
        folders=tuple(f"{folder}/" for folder in values.get("folders", ())),
        grader=_in_review_account(str(values.get("grader", ""))),
        teacher=str(values.get("teacher", "")),
        custom_model=_in_review_account(str(values.get("custom_model", ""))),
        settings=parameter,
        service_role=str(values.get("service_role")),
        starter=str(values.get("starter_role")),
    )


def _in_review_account(arn: str) -> str:
    """An ARN as this review writes it: with the account that stands for the deployment's."""
    parts = arn.split(":", 5)
    return ":".join([*parts[:4], identity.ACCOUNT, *parts[5:]]) if arn else ""


def _own_name(resource: Resource) -> str:
    return resource.path.rpartition("/")[2]
