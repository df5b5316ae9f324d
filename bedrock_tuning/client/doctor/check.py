"""What a check is, and how all are made: one after another, whatever becomes of the rest."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal, Self

from bedrock_tuning.client import deployment, environments
from bedrock_tuning.client.aws import Aws
from bedrock_tuning.client.deployment import DeploymentClient
from bedrock_tuning.config.customization import CustomizationSettings
from bedrock_tuning.config.settings import Settings
from bedrock_tuning.errors import UserError

CheckState = Literal["ok", "warn", "fail", "skip"]
# Errors that say that nobody may ask, or that this AWS has no such operation.
_DENIED: Final = ("AccessDenied", "UnauthorizedOperation", "NotAuthorized", "AuthorizationError")
_ABSENT: Final = ("UnknownOperation", "InvalidAction", "NotImplemented", "UnsupportedOperation")


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is examined. deployment: None before the first one."""

    aws: Aws
    settings: Settings
    customizations: Mapping[str, CustomizationSettings]
    deployment: DeploymentClient | None

    @classmethod
    def of(
        cls, aws: Aws, settings: Settings, customizations: Mapping[str, CustomizationSettings]
    ) -> Self:
        """An environment as its files say, with its deployment if there is one."""
        try:
            client = deployment.find(aws, environment=settings.name)
        except UserError:
            # Before the first deployment; the check of stacks says so.
            client = None
        return cls(aws=aws, settings=settings, customizations=customizations, deployment=client)

    @cached_property
    def stacks(self) -> Mapping[str, Mapping[str, Any]]:
        """The stacks of the environment, by name, as CloudFormation describes them."""
        prefix = f"tuning-{self.settings.name}-"
        return {
            stack["StackName"]: stack
            for stack in environments.stacks(self.aws)
            if stack["StackName"].startswith(prefix)
        }

    @property
    def region(self) -> str:
        """The Region that is asked."""
        return self.aws.bedrock.meta.region_name

    def output(self, stack: str, name: str) -> str | None:
        """An output of one of the platform's stacks; None where there is none."""
        stack_details = self.stacks.get(f"tuning-{self.settings.name}-{stack}", {})
        return environments.outputs_of(stack_details).get(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What AWS says. seen: in words. fix: what to do, unless all is well.

    learned: by the id of an unknown, what is now known about it.
    """

    state: CheckState
    seen: str
    fix: str = ""
    learned: Mapping[str, str] | None = None


def ok(seen: str, *, learned: Mapping[str, str] | None = None) -> Observation:
    """All is well."""
    return Observation(state="ok", seen=seen, learned=learned)


def warn(seen: str, fix: str = "", *, learned: Mapping[str, str] | None = None) -> Observation:
    """Something to know."""
    return Observation(state="warn", seen=seen, fix=fix, learned=learned)


def fail(seen: str, fix: str, *, learned: Mapping[str, str] | None = None) -> Observation:
    """Something to repair."""
    return Observation(state="fail", seen=seen, fix=fix, learned=learned)


def skip(seen: str, fix: str = "") -> Observation:
    """It could not be asked."""
    return Observation(state="skip", seen=seen, fix=fix)


Ask = Callable[[Subject], Iterator[Observation]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorCheck:
    """One question to AWS.

    id: stable, for scripts. asks: the operation. ask: makes it and judges; answers one thing, or
    several such as each customization's. option: what allows a check that does more than read;
    costs: what that is, in words.
    """

    id: str
    title: str
    asks: str
    ask: Ask
    option: str = ""
    costs: str = ""

    @property
    def is_free(self) -> bool:
        """Whether AWS bills nothing for it."""
        return not self.costs or self.costs.startswith("0 USD")


def doctor_check(
    title: str, *, asks: str, option: str = "", costs: str = ""
) -> Callable[[Ask], DoctorCheck]:
    """Makes a function a check; its id is the function's name, `_log_policies` is log-policies."""

    def make(ask: Ask) -> DoctorCheck:
        id = ask.__name__.strip("_").replace("_", "-")
        return DoctorCheck(id=id, title=title, asks=asks, ask=ask, option=option, costs=costs)

    return make


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorResult:
    """The answers to one check."""

    check: DoctorCheck
    answers: tuple[Observation, ...]

    @property
    def state(self) -> CheckState:
        """The worst of the answers."""
        order: tuple[CheckState, ...] = ("skip", "ok", "warn", "fail")
        return max((answer.state for answer in self.answers), key=order.index, default="skip")


def examine(subject: Subject, checks: Sequence[DoctorCheck]) -> Iterator[DoctorResult]:
    """Makes each check; one that may not ask, or cannot, is skipped, never well."""
    from botocore.exceptions import BotoCoreError, ClientError

    for check in checks:
        observations: list[Observation] = []
        try:
            observations.extend(check.ask(subject))
        except ClientError as error:
            observations.append(_skip_refused(check, error.response.get("Error", {})))
        except BotoCoreError as error:
            observations.append(skip(f"could not ask: {error}"))
        yield DoctorResult(check=check, answers=tuple(observations) or (_NOTHING,))


_NOTHING: Final = skip("nothing to ask")


def _skip_refused(check: DoctorCheck, error: Mapping[str, Any]) -> Observation:
    code, message = str(error.get("Code", "")), str(error.get("Message", ""))
    if code.startswith(_DENIED):
        return skip(
            f"you may not ask: {check.asks}",
            f"ask the administrator of the account for {check.asks}",
        )
    if code.startswith(_ABSENT) or (code.isdigit() and not message):
        return skip(f"this AWS does not know {check.asks}")
    return skip(f"{check.asks} failed: {code}: {message}")
