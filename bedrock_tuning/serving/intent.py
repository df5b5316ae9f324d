"""What a customization serves, who decided it, and who acts on it: one item per customization.

Runs, `tuning serve`, deployments, the lease keeper and the deletion of a stack act on the same
endpoint. Each takes over the item before it changes anything, which raises the item's *generation*;
an actor that finds another generation than its own has been overtaken and changes nothing more. The
item also holds what was begun and is not published yet, so that the next owner inherits it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Self

import msgspec

from bedrock_tuning.serving.plan import EndpointKind

StartedBy = Literal["run", "person", "deployment"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On which terms something is served; base_model: by its key in the catalogue."""

    mode: EndpointKind | Literal["none"]
    units: int
    commitment: str | None
    lease_hours: int | None
    base_model: str

    def dearer_than(self, other: "Terms") -> bool:
        """Whether they can cost more than others, in an hour or in all; by terms, not by prices.

        Prices may be unknown, and another commitment or base model has another price.
        """
        if self.mode != "provisioned":
            return False
        if (self.mode, self.commitment, self.base_model) != (
            other.mode,
            other.commitment,
            other.base_model,
        ):
            return True
        return self.units > other.units or (self.lease_hours or 0) > (other.lease_hours or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What the owner, or one before it, has begun and not published.

    request: the purchase as it was or will be sent, as JSON, so that it can be repeated exactly;
    requested: when it was written down, ISO 8601. created_arn: the answer. swapped_arn,
    swapped_from, swapped_to: an endpoint, the model that it goes back to, and those that were to
    replace it; swap_seen: the owner's own swap has begun.
    """

    request: str = ""
    requested: str = ""
    created_arn: str = ""
    swapped_arn: str = ""
    swapped_from: str = ""
    swapped_to: tuple[str, ...] = ()
    swap_seen: bool = False

    def touches(self, arn: str) -> bool:
        """Whether an endpoint is being made or changed."""
        return arn in (self.created_arn, self.swapped_arn)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What applications use: an endpoint ("" for none), its model and the run that trained it.

    terms: on which it was bought; None if nobody wrote them down.
    """

    endpoint_arn: str = ""
    model_arn: str = ""
    model_run: str = ""
    terms: Terms | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """The item.

    generation: the fencing token; version: of the item, raised by every write, 0 if it was never
    written. on: something is, or is about to be, served; why, by, since: of this state. owner: the
    run that acts or acted last, "" after an end; until: by when it has finished, "" once it has.
    order: the newest request, by the time of its upload or command. deployment: the newest one that
    acted. model_arn, model_run: what should be served. terms, price, approval: what the newest
    purchase was allowed on. before: what was published until the owner published something else,
    until it is done. renamed_to: the customization that has all of it now.
    """

    customization: str
    generation: int = 0
    version: int = 0
    on: bool = False
    why: str = ""
    by: str = ""
    since: str = ""
    owner: str = ""
    until: str = ""
    order: str = ""
    deployment: str = ""
    model_arn: str = ""
    model_run: str = ""
    terms: Terms | None = None
    price: str = ""
    approval: str = ""
    begun: Begun = field(default_factory=Begun)
    published: Published = field(default_factory=Published)
    before: Published | None = None
    renamed_to: str = ""

    def to_json(self) -> str:
        """As it is stored."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The other way round; what an older or newer version of this project added is left out."""
        return msgspec.json.decode(text, type=cls)

    def working(self, now: str) -> bool:
        """Whether its owner may still be at work."""
        return self.until > now

    def renamed(self, name: str, *, now: str) -> tuple[Self, Self]:
        """What a customization with another name takes over, and what is left: nobody acts on it.

        The first has the version of no item yet: it is written over that of its new name.
        """
        heir = replace(
            self,
            customization=name,
            generation=self.generation + 1,
            version=0,
            owner="",
            until="",
            renamed_to="",
        )
        old_intent = type(self)(
            customization=self.customization,
            generation=self.generation + 1,
            version=self.version,
            why=f"it is called {name} now",
            by="a deployment",
            since=now,
            renamed_to=name,
        )
        return heir, old_intent

    def ended(self, *, why: str, by: str, now: str, owner: str = "") -> Self:
        """Switched off, before anything is deleted: earlier owners change nothing more.

        It asks for no model, so an upload newer than what was served is served all the same.
        owner: the run that deletes what is there, if it is one.
        """
        return replace(
            self,
            generation=self.generation + 1,
            on=False,
            why=why,
            by=by,
            since=now,
            owner=owner,
            until="",
            published=replace(self.published, endpoint_arn=""),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingRequest:
    """Somebody wants something served.

    run: the name of the attempt, which begins with its time. order: of an upload or a command, by
    which the newest wins. model_arn: "" for whatever is served, which is a deployment's request.
    price: as it was shown or calculated; approval: who agreed to it, and why.
    """

    run: str
    order: str
    started_by: StartedBy
    model_arn: str
    model_run: str
    terms: Terms
    price: str = ""
    approval: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What became of a request: the item to write, or None and the reason."""

    intent: Intent | None
    reason: str = ""


def claim(intent: Intent, request: ServingRequest, *, now: str, until: str) -> Claim:
    """Takes over a customization for a request; until: by when it will be done.

    A repeated request finds its own claim. Otherwise the newest upload or command wins. A
    deployment changes the terms of what is served, never the model. It starts nothing that is off,
    and a run with a newer upload than what is served overtakes it.
    """
    if intent.renamed_to:
        return Claim(intent=None, reason=overtaken(intent))
    if intent.owner == request.run:
        return Claim(intent=intent)
    # What was recorded as published is proved: it is no longer anybody's to undo.
    begun = Begun() if intent.before else replace(intent.begun, swap_seen=False)
    new_intent = replace(
        intent,
        generation=intent.generation + 1,
        on=request.terms.mode != "none",
        why=_WHY[request.started_by],
        by=request.run,
        since=now,
        owner=request.run,
        until=until,
        terms=request.terms,
        price=request.price or intent.price,
        approval=request.approval or intent.approval,
        begun=begun,
        before=None,
    )
    if request.started_by == "deployment":
        if request.run <= intent.deployment:
            return Claim(intent=None, reason=f"{intent.deployment}, a newer deployment, took over")
        if not intent.on and new_intent.on:
            return Claim(intent=None, reason=not_served(intent))
        return Claim(intent=replace(new_intent, deployment=request.run))
    if request.order <= intent.order:
        return Claim(intent=None, reason=overtaken(intent))
    return Claim(
        intent=replace(
            new_intent,
            order=request.order,
            model_arn=request.model_arn,
            model_run=request.model_run,
        )
    )


def overtaken(intent: Intent) -> str:
    """Why an actor that does not own a customization leaves it alone."""
    if intent.renamed_to:
        return f"{intent.customization} is called {intent.renamed_to} now"
    if not intent.on and intent.terms is not None and intent.terms.mode != "none":
        return f"it is not served any more: {intent.why} ({intent.by}, {intent.since})"
    if intent.owner and intent.owner == intent.deployment:
        return f"{intent.owner} took over, with the terms that it deployed"
    return f"run {intent.order} is newer and took over"


def not_served(intent: Intent) -> str:
    """Why a deployment begins nothing."""
    reason = f": {intent.why} ({intent.by}, {intent.since})" if intent.why else ""
    return f"{intent.customization} is not being served{reason}"


_WHY: Mapping[StartedBy, str] = {
    "run": "a run trained it",
    "person": "a person asked for it",
    "deployment": "a deployment changed its terms",
}
