"""The simulator's whole state and the look-ups that its operations share."""

import logging
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeGuard, TypeVar

from local.bedrock.data.records import (
    Job,
    Model,
    OnDemandDeployment,
    SimulatorState,
    Tags,
    Throughput,
)
from local.bedrock.errors import BedrockError, not_found
from local.bedrock.faults import FaultQueue

log = logging.getLogger("bedrock-simulator")

Members = Mapping[str, Any]
"""A request's members, by the names of the API."""

Tagged = Job | Model | Throughput | OnDemandDeployment
Stored = TypeVar("Stored")
TAGS_PER_RESOURCE: Final = 50
_ID_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz0123456789"

HOUR: Final = 3600.0
MINUTE: Final = 60.0

# Samples of AWS: a Nova job takes about an hour; 60 images with 8,000 steps some five.
JOB: Final = 1 * HOUR
JOB_PER_RECORD: Final = 1.0
# Samples of AWS poll for 20 to 30 minutes.
THROUGHPUT_CREATE: Final = 20 * MINUTE
THROUGHPUT_UPDATE: Final = 10 * MINUTE
DEPLOYMENT: Final = 10 * MINUTE

SHORTEST: Final = 0.3
"""Real seconds: a state that is over sooner could never be seen."""


@dataclass(frozen=True, slots=True)
class Clock:
    """`factor` simulated seconds pass per real second; timestamps stay those of the wall clock.

    A service that dated things in the future would be wrong for every caller that compares
    with its own clock, so only durations are simulated.
    """

    factor: float

    def real(self, simulated: float) -> float:
        """Real seconds that so many simulated ones take here."""
        return max(simulated / self.factor, SHORTEST)

    def after(self, simulated: float) -> datetime:
        """The moment at which something that starts now and takes so long is over."""
        return now() + timedelta(seconds=self.real(simulated))


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Options:
    """What AWS decides about an account and a person decides here.

    model_units: the quota per base model. AWS starts at 0, raised on request; 2 lets a
    replacement be created before the old one is deleted.
    hold: nothing that is under way ends, so that a test can read a state for as long as it needs.
    """

    allow_closed_models: bool = False
    model_units: int = 2
    jobs: int = 10
    custom_models: int = 100
    deployments: int = 10
    hold: bool = False


@dataclass(slots=True)
class Simulator:
    """One per server; `lock` guards `state`."""

    clock: Clock
    options: Options
    state: SimulatorState = field(default_factory=SimulatorState)
    faults: FaultQueue = field(default_factory=FaultQueue)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def is_over(self, end: datetime | None) -> TypeGuard[datetime]:
        """Whether a change that was planned to end then has ended."""
        return end is not None and not self.options.hold and end <= now()

    def job(self, identifier: str) -> Job:
        return _find(self.state.jobs, identifier, "job", lambda job: job.job_name)

    def model(self, identifier: str) -> Model:
        return _find(self.state.models, identifier, "model", lambda model: model.model_name)

    def throughput(self, identifier: str) -> Throughput:
        return _find(
            self.state.throughputs,
            identifier,
            "provisioned model",
            lambda throughput: throughput.provisioned_model_name,
        )

    def deployment(self, identifier: str) -> OnDemandDeployment:
        return _find(
            self.state.deployments,
            identifier,
            "custom model deployment",
            lambda deployment: deployment.model_deployment_name,
        )

    def tagged(self, arn: str) -> Tagged:
        """Whatever carries tags under this ARN."""
        state = self.state
        stores: Iterable[Mapping[str, Tagged]] = (
            state.jobs,
            state.models,
            state.throughputs,
            state.deployments,
        )
        for store in stores:
            if arn in store:
                return store[arn]
        raise not_found("resource", arn)


def _find(
    store: Mapping[str, Stored], identifier: str, what: str, name: Callable[[Stored], str]
) -> Stored:
    """The record of an ARN or of a name; of several with one name the youngest."""
    if identifier in store:
        return store[identifier]
    named = [record for record in store.values() if name(record) == identifier]
    if not named:
        raise not_found(what, identifier)
    return named[-1]


def new_id() -> str:
    """Twelve characters, as at the end of Bedrock's ARNs."""
    return "".join(secrets.choice(_ID_ALPHABET) for _ in range(12))


def tags_of(listed: Iterable[Mapping[str, Any]] | None, *, arn: str) -> Tags:
    """A request's tags as a mapping; raises TooManyTagsException above the service's limit."""
    tags = {tag["key"]: tag["value"] for tag in listed or ()}
    require_tag_count(tags, arn=arn)
    return tags


def require_tag_count(tags: Tags, *, arn: str) -> None:
    if len(tags) > TAGS_PER_RESOURCE:
        raise BedrockError(
            "TooManyTagsException",
            f"{len(tags)} tags: a resource has at most {TAGS_PER_RESOURCE}",
            resourceName=arn,
        )
