"""A person's answer to a run that waits: what is asked, answered and kept."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, Self, get_args

import msgspec

Answered = Literal["approve", "decline"]
_REASON_MAX: Final = 1_000
_PAST: Final[Mapping[str, str]] = {"approve": "approved", "decline": "declined"}


class AnswerError(ValueError):
    """An answer that is not understood: what is wrong with it, and what is right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a person sends. reason: may be empty only in an approval."""

    run: str
    decision: Answered
    reason: str = ""

    def to_json(self) -> str:
        """The body of the request."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads it back; raises AnswerError for anything else."""
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if not isinstance(found, dict) or found.keys() - {"run", "decision", "reason"}:
            raise AnswerError('the body must be {"run": …, "decision": …, "reason": …}')
        run, decision, reason = (found.get(name, "") for name in ("run", "decision", "reason"))
        if not isinstance(run, str) or not run:
            raise AnswerError("run must be the name of a run")
        if decision not in get_args(Answered):
            raise AnswerError('decision must be "approve" or "decline"')
        if not isinstance(reason, str) or len(reason) > _REASON_MAX:
            raise AnswerError(f"reason must be text of at most {_REASON_MAX:,} characters")
        if decision == "decline" and not reason.strip():
            raise AnswerError("a declined run needs a reason")
        return cls(run=run, decision=decision, reason=reason)


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
    decision: Answered
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
