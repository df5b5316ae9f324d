"""The platform and its customizations for somebody's own CDK app, in an App or in a Stage.

    platform = TuningPlatform(self, settings=Settings(name="prod", region="us-east-1"))
    Customization(platform, file=Path("customizations/pets-search.toml"))

Both are proved in every synthesis, whatever else is in the app.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from constructs import Construct

from bedrock_tuning import review
from bedrock_tuning.config import customization, deployed
from bedrock_tuning.config.customization import CustomizationSettings as Wanted
from bedrock_tuning.config.job_checks import shared_folders
from bedrock_tuning.config.names import stack_name
from bedrock_tuning.config.settings import Settings
from bedrock_tuning.config.tags import ENVIRONMENT_TAG
from bedrock_tuning.constructs.permissions import Permissions
from bedrock_tuning.constructs.proof import Proof
from bedrock_tuning.constructs.stacks.customization import CustomizationStack
from bedrock_tuning.constructs.stacks.data import DataStack
from bedrock_tuning.constructs.stacks.network import NetworkStack
from bedrock_tuning.constructs.stacks.people import PeopleStack
from bedrock_tuning.constructs.stacks.pipeline import PipelineStack
from bedrock_tuning.constructs.stacks.serving import ServingStack
from bedrock_tuning.contracts import Contracts
from bedrock_tuning.contracts import contracts as contracts_of
from bedrock_tuning.contracts.project import start_problems, tagged
from bedrock_tuning.errors import ConfigurationError
from bedrock_tuning.review import attestation, judgement, permitted
from bedrock_tuning.run.cost import may_wait
from bedrock_tuning.run.exposure import Exposure, cap_problem, exposure
from bedrock_tuning.wording import first_of


class TuningPlatform:
    """The stacks that all customizations of one environment share, and the proof of all of them.

    stacks: by what they are for: "data", "network" (optional), "pipeline", "serving", "people".
    """

    def __init__(
        self,
        scope: Construct,
        *,
        settings: Settings,
        customizations: Mapping[str, Wanted] | None = None,
        alone: bool = False,
        folder: Path = Path(),
    ) -> None:
        """scope: an App or a Stage. customizations: those that are known already, by name. alone:
        any other stack in the app is a fault. folder: where review.toml lies, and an
        attestation that the settings name.
        """
        self.scope = scope
        self._folder = folder
        self._permits = permitted.read(folder)
        self.settings = settings
        self.stacks: dict[str, cdk.Stack] = {}
        self._customizations: dict[str, Wanted] = {}
        self._exposed: dict[str, Exposure] = {}
        self._offered: set[tuple[str, str]] = set()
        known = contracts_of(settings, customizations or {})
        self._permissions = Permissions(known)
        self._common: dict[str, Any] = {
            "env": cdk.Environment(region=settings.region),
            "permissions": self._permissions,
        }
        self._platform()
        self._prove(alone=alone)
        self._offer(known)
        for each in (customizations or {}).values():
            self._add(each, self._permissions)
        self._tell_who_hears(customizations or {})

    def _platform(self) -> None:
        settings = self.settings
        holding = {**self._common, "termination_protection": settings.protected}
        self.stacks["data"] = DataStack(self.scope, self._name("data"), **holding)
        if settings.own_network:
            self.stacks["network"] = NetworkStack(self.scope, self._name("network"), **holding)
        self.stacks["pipeline"] = PipelineStack(self.scope, self._name("pipeline"), **holding)
        # It holds nothing, and deleting a customization's stack is how its billing is ended.
        self.stacks["serving"] = ServingStack(self.scope, self._name("serving"), **self._common)
        self.stacks["people"] = PeopleStack(self.scope, self._name("people"), **self._common)
        for stack in self.stacks.values():
            self._tag(stack)

    def _tell_who_hears(self, customizations: Mapping[str, Wanted]) -> None:
        """Said at each deployment: a run that waits is of no use if nobody knows of it."""
        asks = may_wait(customizations)
        notes, mail = cdk.Annotations.of(self.stacks["pipeline"]), self.settings.alarm_email
        if mail:
            notes.add_info_v2(
                "bedrock-tuning:mail",
                f"{mail} has to confirm the e-mail of AWS Notifications: before, no message comes",
            )
        elif asks and not self.settings.slack_channel:
            notes.add_warning_v2(
                "bedrock-tuning:mail",
                f"nobody is notified when a run of {first_of(asks)} waits for approval: set "
                "alarm_email or slack_channel in cdk.json, or subscribe something to the topic",
            )

    def add(self, wanted: Wanted) -> CustomizationStack:
        """The stack of one more customization; raises ConfigurationError above max_hourly_usd."""
        contracts = contracts_of(self.settings, {wanted.name: wanted})
        self._offer(contracts)
        return self._add(wanted, Permissions(contracts))

    def _offer(self, contracts: Contracts) -> None:
        """The platform's stacks export what these customizations use."""
        self._permissions.offer(self.stacks, contracts.imported, but=self._offered)

    def _add(self, wanted: Wanted, permissions: Permissions) -> CustomizationStack:
        self._customizations[wanted.name] = wanted
        self._exposed[wanted.name] = exposure(wanted)
        too_dear = cap_problem(self._exposed, max_hourly_usd=self.settings.max_hourly_usd)
        if too_dear:
            raise ConfigurationError([f"{wanted.file}: max_hourly_usd is {too_dear}"])
        shared = [*shared_folders(self._customizations)]
        if shared:
            raise ConfigurationError(shared)
        stack = CustomizationStack(
            self.scope,
            self._name(wanted.name),
            name=wanted.name,
            **{**self._common, "permissions": permissions},
        )
        self._tag(stack)
        for other in self.stacks.values():
            stack.add_stack_dependency(other)
        for number, warning in enumerate(wanted.warnings):
            cdk.Annotations.of(stack).add_warning_v2(f"bedrock-tuning:{number}", warning)
        return stack

    def _name(self, part: str) -> str:
        return stack_name(self.settings.name, part)

    def _tag(self, stack: cdk.Stack) -> None:
        for key, value in {**self.settings.tags, ENVIRONMENT_TAG: self.settings.name}.items():
            cdk.Tags.of(stack).add(key, value)

    def _prove(self, *, alone: bool) -> None:
        """The contracts are proved in every synthesis, from the templates as they are written."""

        def violations(folder: Path) -> list[review.Violation]:
            contracts = contracts_of(self.settings, self._customizations)
            whole = review.assembly(folder, contracts, alone=alone)
            found = review.judge(whole, contracts, self._permits)
            return [*found.violations, *self._misfits(whole)]

        rules = [
            *(check.id for check in review.CHECKS),
            attestation.ATTESTED,
            judgement.PERMITTED,
        ]
        proof = Proof(violations, rules=rules)
        cdk.Validations.of(self.scope).add_plugins(proof)

    def _misfits(self, whole: review.Assembly) -> Iterator[review.Violation]:
        """Why this must not be deployed. Only what the CDK CLI has an app write is: it asks the
        report of this before, now or when it is given the folder later.
        """
        settings = self.settings
        if not settings.attestation or not os.environ.get("CDK_CLI_VERSION"):
            return
        yield from attestation.misfits(
            self._folder / settings.attestation,
            whole,
            environment=settings.name,
            account=settings.account,
            permitted=self._permits.content,
        )


class Customization:
    """What one team wants tuned: a stack beside those of its platform. stack: it."""

    def __init__(self, platform: TuningPlatform, *, file: Path) -> None:
        """file: as docs/settings.md describes it; its name is the customization's.

        Raises ConfigurationError with every problem of the file, and for one that is retired, or
        that leaves the platform's environment out.
        """
        name = platform.settings.name
        wanted = tagged(
            customization.in_environment(file, name, region=platform.settings.region),
            platform.settings,
        )
        too_long = deployed.length_problem(wanted)
        problems = [*filter(None, [too_long]), *start_problems(wanted, platform.settings)]
        if problems:
            raise ConfigurationError(problems)
        self.stack = platform.add(wanted)
