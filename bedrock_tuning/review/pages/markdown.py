"""The review as Markdown for a pull request: short on top, everything else folded away."""

from collections.abc import Sequence

from bedrock_tuning.review.about import Origin
from bedrock_tuning.review.pages.change import Change, at_risk, looser
from bedrock_tuning.review.pages.facts import Facts
from bedrock_tuning.review.pages.money import HEAD, MoneyChanges
from bedrock_tuning.review.pages.rendering import SCOPE, render

_MOST = 40
# GitHub takes 65,536 characters; a test reads the same mark in the workflow that posts it.
_LONGEST = 60_000
_FOLDED = "<details>"


def markdown(
    facts: Facts,
    *,
    changes: Sequence[Change] | None = None,
    money: MoneyChanges | None = None,
    about: Origin | None = None,
) -> str:
    """The whole text. changes, money: against another assembly. about: which synthesis it is."""
    text = render(
        "review.md.j2",
        facts=facts,
        scope=SCOPE,
        changes=changes,
        money=money,
        money_head=HEAD,
        looser=looser(changes or ()),
        at_risk=at_risk(changes or ()),
        most=_MOST,
        about=about.rows() if about else [],
    )
    return _shorten(text)


def _shorten(text: str) -> str:
    """As many of the folded parts as a comment holds, and how many there are besides."""
    top, *sections = text.split(_FOLDED)
    top = top[:_LONGEST]
    room = _LONGEST - len(top)
    selection = set()
    # One that is too long must not keep the others out.
    for part in sorted(sections, key=len):
        room -= len(_FOLDED) + len(part)
        if room >= 0:
            selection.add(part)
    body = top + "".join(_FOLDED + part for part in sections if part in selection)
    names = [part.partition("</summary>")[0].removeprefix("<summary>") for part in sections]
    names = [name for name, part in zip(names, sections, strict=True) if part not in selection]
    note = f"\nIn the page that `tuning review --html` writes: {', '.join(names)}.\n"
    return body + (note if names else "")
