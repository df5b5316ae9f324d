"""Whether something may be bought: the one gate of runs, `tuning serve` and deployments."""

from dataclasses import dataclass
from typing import Literal

from bedrock_tuning.serving.intent import Intent, ServingRequest, not_served


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """yes; ask: a person has to approve the price first; no. reason: in words."""

    answer: Literal["yes", "ask", "no"]
    reason: str


def may_buy(request: ServingRequest, intent: Intent, *, replaces: bool) -> Verdict:
    """Whether a request may buy an endpoint, or keep one longer, on its terms.

    intent: as it was before the request took over. replaces: something is being billed now that the
    purchase takes the place of. Nothing is ever bought without a recorded price and approval: of
    this purchase, or of the one that a deployment replaces on terms that are not dearer.
    """
    if request.terms.mode == "none":
        return Verdict(answer="no", reason="nothing should be served")
    if request.started_by != "deployment":
        names = [
            name
            for name, value in (("price", request.price), ("approval", request.approval))
            if not value
        ]
        if names:
            return Verdict(answer="no", reason=f"no {' and no '.join(names)} is recorded")
        return Verdict(answer="yes", reason=request.approval)
    if not intent.on:
        return Verdict(answer="no", reason=not_served(intent))
    if not replaces:
        return Verdict(answer="no", reason="a deployment never begins to bill by the hour")
    if may_renew(request):
        return Verdict(answer="yes", reason=request.approval)
    if request.terms.mode == "provisioned" and not (intent.price and intent.approval):
        return Verdict(answer="ask", reason="no approval of what is served is recorded")
    if intent.terms is not None and not request.terms.dearer_than(intent.terms):
        return Verdict(answer="yes", reason="on terms that cost no more than those approved")
    return Verdict(answer="ask", reason="the deployed terms cost more than those approved")


def may_renew(request: ServingRequest) -> bool:
    """Whether the lease of what a request keeps or buys begins anew.

    It does at a price that was approved for this request. What a deployment may do without, because
    its terms are not dearer, ends when what it replaces would have ended.
    """
    return bool(request.price and request.approval)
