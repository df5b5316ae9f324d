"""The simulator's whole state, its clock, and the look-ups that its operations share."""

import logging
import secrets
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from local.bedrock.data.records import BedrockResource, Tags, changed, resource_kind
from local.bedrock.errors import BedrockError, not_found
from local.bedrock.faults import FaultQueue
from local.emulator import roles

log = logging.getLogger("bedrock-simulator")

Members = Mapping[str, Any]
"""A request's members, by the names of the API."""

JOB: Final = "model-customization-job"
MODEL: Final = "custom-model"
THROUGHPUT: Final = "provisioned-model"
DEPLOYMENT: Final = "custom-model-deployment"
_KINDS: Final = {
    JOB: "job",
    MODEL: "model",
    THROUGHPUT: "provisioned model",
    DEPLOYMENT: "custom model deployment",
}
"""What the service keeps, as in its ARNs, and as its messages call it."""

TAGS_PER_RESOURCE: Final = 50
_ID_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz0123456789"

HOUR: Final = 3600.0
MINUTE: Final = 60.0

# Samples of AWS: a Nova job takes about an hour; 60 images with 8,000 steps some five.
JOB_TIME: Final = 1 * HOUR
JOB_TIME_PER_RECORD: Final = 1.0
# Samples of AWS poll for 20 to 30 minutes; public runs took 6 to 45.
THROUGHPUT_CREATE: Final = (6 * MINUTE, 45 * MINUTE)
THROUGHPUT_UPDATE: Final = 10 * MINUTE
DEPLOYMENT_CHANGE: Final = 10 * MINUTE

_SHORTEST: Final = 0.3
"""Real seconds: a state that is over sooner could never be seen."""


@dataclass(frozen=True, slots=True)
class Clock:
    """`factor` simulated seconds pass per real second; timestamps stay those of the wall clock.

    A service that dated things in the future would be wrong for every caller that compares
    with its own clock, so only durations are simulated.
    """

    factor: float

    def real(self, seconds: float) -> float:
        """Real seconds that so many simulated ones take here."""
        return max(seconds / self.factor, _SHORTEST)

    def after(self, seconds: float) -> datetime:
        """The moment at which something that starts now and takes so long is over."""
        return now() + timedelta(seconds=self.real(seconds))


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class SimulatorOptions:
    """What AWS decides about an account and a person decides here.

    model_units: of one throughput and of all together, 0 until they are raised
    (docs/facts/api.md#quotas). With 2 a replacement can be created before the old one is deleted.
    hold: nothing that is under way ends, so that a test can read a state for as long as it needs.
    new_role_seconds: a service role that is younger, in real seconds, is refused the first time
    (docs/facts/iam.md#new-roles).
    """

    allow_closed_models: bool = False
    model_units: int = 0
    jobs: int = 10
    custom_models: int = 100
    deployments: int = 10
    hold: bool = False
    new_role_seconds: int = 10


@dataclass(slots=True)
class Simulator:
    """One per server; `lock` guards `resources`, which are by ARN."""

    clock: Clock
    options: SimulatorOptions
    resources: dict[str, BedrockResource] = field(default_factory=dict)
    faults: FaultQueue = field(default_factory=FaultQueue)
    lock: threading.RLock = field(default_factory=threading.RLock)
    refused_roles: set[str] = field(default_factory=set)

    def is_new(self, role_arn: str) -> bool:
        """Whether a role was made a moment ago, and is not known everywhere; asked once."""
        age = roles.age(role_arn)
        with self.lock:
            if age > self.options.new_role_seconds or role_arn in self.refused_roles:
                return False
            self.refused_roles.add(role_arn)
            return True

    def all(self, kind: str) -> list[BedrockResource]:
        """Every resource of a kind, as it is now."""
        with self.lock:
            resources = [resource for resource in self.resources.values() if resource.kind == kind]
            for resource in resources:
                self._settle(resource)
        return resources

    def find(self, kind: str, identifier: str) -> BedrockResource:
        """The resource of an ARN or a name, as it is now; of several with one name the youngest.

        Raises ResourceNotFoundException.
        """
        for resource in reversed(self.all(kind)):
            if identifier in (resource.arn, resource.name):
                return resource
        raise not_found(_KINDS[kind], identifier)

    def tagged(self, arn: str) -> BedrockResource:
        """Whatever carries tags under this ARN."""
        if resource_kind(arn) not in _KINDS:
            raise not_found("resource", arn)
        return self.find(resource_kind(arn), arn)

    def repeated(self, kind: str, request: Members) -> BedrockResource | None:
        """What an earlier request with the same client token created."""
        token = request.get("clientRequestToken")
        earlier = self.all(kind) if token else []
        return next(
            (
                resource
                for resource in earlier
                if resource.members.get("clientRequestToken") == token
            ),
            None,
        )

    def begin(self, resource: BedrockResource, seconds: float, **members: Any) -> None:
        """Begin a change that brings these members when it is over."""
        end = self.clock.after(seconds)
        resource.settles_at, resource.settles_to = end, {**members, **changed(end)}

    def _settle(self, resource: BedrockResource) -> None:
        end = resource.settles_at
        if end is not None and not self.options.hold and end <= now():
            resource.members |= resource.settles_to
            resource.settles_at = None


def new_id() -> str:
    """Twelve characters, as at the end of Bedrock's ARNs."""
    return "".join(secrets.choice(_ID_ALPHABET) for _ in range(12))


def request_tags(entries: Iterable[Mapping[str, Any]] | None, *, arn: str) -> Tags:
    """A request's tags as a mapping; raises TooManyTagsException above the service's limit."""
    tags = {tag["key"]: tag["value"] for tag in entries or ()}
    require_tag_count(tags, arn=arn)
    return tags


def require_tag_count(tags: Tags, *, arn: str) -> None:
    if len(tags) > TAGS_PER_RESOURCE:
        raise BedrockError(
            "TooManyTagsException",
            f"{len(tags)} tags: a resource has at most {TAGS_PER_RESOURCE}",
            resourceName=arn,
        )
