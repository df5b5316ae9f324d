"""The review as Markdown for a pull request: short on top, everything else folded away."""

from collections.abc import Sequence

from bedrock_tuning.review.about import About
from bedrock_tuning.review.pages.change import Change, at_risk, looser
from bedrock_tuning.review.pages.facts import Facts
from bedrock_tuning.review.pages.money import HEAD, MoneyChanges
from bedrock_tuning.review.pages.rendering import render

_MOST = 40


def markdown(
    facts: Facts,
    *,
    changes: Sequence[Change] | None = None,
    money: MoneyChanges | None = None,
    about: About | None = None,
) -> str:
    """The whole text. changes, money: against another assembly. about: which synthesis it is."""
    return render(
        "review.md.j2",
        facts=facts,
        changes=changes,
        money=money,
        money_head=HEAD,
        looser=looser(changes or ()),
        at_risk=at_risk(changes or ()),
        most=_MOST,
        about=about.rows() if about else [],
    )
