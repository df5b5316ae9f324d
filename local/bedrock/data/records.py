"""What the simulator keeps: one record for each job, model, throughput and deployment."""

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from bedrock_tuning.catalogue import BaseModel, catalogue

Tags = dict[str, str]
LEARNED: Final = "learned"
"""The member of a custom model that holds what it learned; no answer of Bedrock's has it."""


class BedrockResource(msgspec.Struct, kw_only=True):
    """A resource by its ARN.

    members: what Get answers and lists show, by the API's names, with times in ISO 8601; an answer
    is cut to its shape, so members that an operation does not know stay here.
    model: the catalogue's key of the base model at the bottom of a chain of tunings.
    settles_at, settles_to: when the change under way is over, and the members that it then brings;
    None while nothing changes, or for ever when that was ordered.
    makes: the custom model that a job leaves behind once it is completed.
    """

    arn: str
    name: str
    model: str
    members: dict[str, Any]
    tags: Tags = {}
    settles_at: datetime | None = None
    settles_to: dict[str, Any] = {}
    makes: "BedrockResource | None" = None

    @property
    def kind(self) -> str:
        """As in the ARN: model-customization-job, custom-model …"""
        return resource_kind(self.arn)

    @property
    def base(self) -> BaseModel:
        return catalogue()[self.model]

    @property
    def status(self) -> str:
        return str(self.members.get("status", ""))

    @property
    def key(self) -> str | None:
        """The ARN of the KMS key that encrypts a custom model."""
        return self.members.get("modelKmsKeyArn")


def resource_kind(arn: str) -> str:
    return arn.split(":", 5)[-1].partition("/")[0]


def created(moment: datetime) -> dict[str, str]:
    """The members for the time of creation; the API names them differently by kind."""
    return {"creationTime": iso(moment), "createdAt": iso(moment), **changed(moment)}


def changed(moment: datetime) -> dict[str, str]:
    """The members for the time of the last change."""
    return {"lastModifiedTime": iso(moment), "lastUpdatedAt": iso(moment)}


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
