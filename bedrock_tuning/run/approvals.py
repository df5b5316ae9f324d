"""A person's answer to a run that waits: what is asked, answered and kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal, Self

import msgspec

DecisionWord = Literal["approve", "decline"]
_PAST: Final[Mapping[str, str]] = {"approve": "approved", "decline": "declined"}


class AnswerError(ValueError):
    """An answer that is not understood: what is wrong with it, and what is right."""


class ApprovalAnswer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person sends. reason: may be empty only in an approval."""

    run: Annotated[str, msgspec.Meta(min_length=1)]
    decision: DecisionWord
    reason: Annotated[str, msgspec.Meta(max_length=1_000)] = ""

    def to_json(self) -> str:
        """The body of the request."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads it back; raises AnswerError for anything else."""
        try:
            answer = msgspec.json.decode(text, type=cls)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise AnswerError(
                'the body must be {"run": NAME, "decision": "approve" or "decline", "reason": at '
                f"most 1,000 characters}}: {error}"
            ) from None
        if answer.decision == "decline" and not answer.reason.strip():
            raise AnswerError("a declined run needs a reason")
        return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided, as it is kept.

    by: the ARN of who signed the request. at: ISO 8601, UTC. price: as it was shown. asked_because:
    why a person was asked. about: what was decided about, as the workflow has it: the job's request
    with base model and hyperparameters, and the datasets with their versions and fingerprints; or
    the terms on which a model is served.
    """

    run: str
    customization: str
    decision: DecisionWord
    by: str
    at: str
    reason: str
    price: str
    asked_because: str
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def past(self) -> str:
        """approved or declined."""
        return _PAST[self.decision]

    def to_json(self) -> str:
        """As the trail keeps it."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2).decode()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads it back."""
        return msgspec.json.decode(text, type=cls)
