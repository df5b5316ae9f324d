"""The simulator's whole state and the look-ups that its operations share."""

import logging
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeGuard, TypeVar

from local.bedrock.clock import Clock, now
from local.bedrock.data.records import Deployment, Job, Model, State, Tags, Throughput
from local.bedrock.errors import BedrockError, not_found
from local.bedrock.faults import Faults

log = logging.getLogger("bedrock-simulator")

Tagged = Job | Model | Throughput | Deployment
Found = TypeVar("Found")
TAGS_PER_RESOURCE: Final = 50
_ID_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(slots=True)
class Options:
    """What AWS decides about an account and a person decides here.

    model_units: the quota per base model. AWS starts at 0, raised on request; 2 lets a
    replacement be created before the old one is deleted.
    hold: nothing that is under way ends, so that a state can be looked at for as long as needed.
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
    state: State = field(default_factory=State)
    faults: Faults = field(default_factory=Faults)
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

    def deployment(self, identifier: str) -> Deployment:
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
    store: Mapping[str, Found], identifier: str, what: str, name: Callable[[Found], str]
) -> Found:
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
