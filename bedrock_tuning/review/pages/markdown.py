"""The review as Markdown for a pull request: short on top, everything else folded away."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from bedrock_tuning.review.pages.compare import Change
from bedrock_tuning.review.pages.facts import Facts
from bedrock_tuning.wording import counted

_MOST = 40


def markdown(facts: Facts, *, changes: Sequence[Change] | None = None) -> str:
    """The whole text."""
    return "\n".join(_lines(facts, changes)) + "\n"


def _lines(facts: Facts, changes: Sequence[Change] | None) -> Iterator[str]:
    if not facts.proved:
        yield "## Infrastructure review: not checked"
        yield "\nThere are no contracts for this assembly."
    elif facts.violations:
        yield f"## ❌ Infrastructure review: {counted(len(facts.violations), 'violation')}"
    else:
        yield "## ✅ Infrastructure review: proved"
    roles = len({trust.role for trust in facts.trusts})
    yield (
        f"\n{', '.join(f'`{name}`' for name in facts.stacks)} in {', '.join(facts.regions)}: "
        f"{facts.resources} resources, {counted(roles, 'role')}, {facts.checks} checks."
    )
    if facts.violations:
        yield "\n### Violations\n"
        yield from table(
            ("check", "where", "what is there", "what is allowed", "what to do"),
            ((f"`{f.check}`", f.where, f.what, f.limit, f.fix) for f in facts.violations[:_MOST]),
        )
        yield from _more(len(facts.violations))
    if changes is not None:
        yield from _changes(changes)
    yield from _folded(facts)


def _more(number: int) -> Iterator[str]:
    if number > _MOST:
        yield f"\n… and {number - _MOST} more, in the page that `tuning review --html` writes."


def _changes(changes: Sequence[Change]) -> Iterator[str]:
    loosened = sum(change.kind == "loosened" for change in changes)
    grave = sum(change.grave and change.kind != "loosened" for change in changes)
    yield f"\n### What changed: {counted(len(changes), 'difference')}\n"
    if loosened:
        yield f"- ⚠️ **loosened: {loosened} permissions or protections**"
    if grave:
        yield f"- 🔴 **replaced or removed with their data: {grave}**"
    if not changes:
        yield "Nothing."
        return
    yield ""
    signs = {"loosened": "⚠️", "replaced": "🔴", "removed": "🔴", "tightened": "🔒"}
    yield from table(
        ("change", "where", "what"),
        ((f"{signs.get(c.kind, '')} {c.kind}".strip(), c.where, c.what) for c in changes[:_MOST]),
    )
    yield from _more(len(changes))


def _folded(facts: Facts) -> Iterator[str]:
    yield "\n<details><summary>Who can become which role</summary>\n"
    yield from table(
        ("role", "who", "only if"),
        ((t.role, _marked(t.who, t.warning), t.condition) for t in facts.trusts),
    )
    yield "\n</details>\n<details><summary>Who can do what to what</summary>"
    for role, found in groupby(facts.accesses, key=lambda access: access.role):
        accesses = list(found)
        yield f"\n**{role}** {accesses[0].does}".rstrip() + "\n"
        yield from table(
            ("level", "actions", "on", "only if"),
            (
                (
                    "refused" if a.effect == "Deny" else a.level,
                    ", ".join(f"`{action}`" for action in a.actions),
                    _marked(", ".join(a.on), a.warning),
                    a.condition,
                )
                for a in accesses
            ),
        )
    yield "\n</details>\n<details><summary>What the policies of resources say</summary>\n"
    yield from table(
        ("resource", "effect", "who", "actions", "only if"),
        (
            (g.resource, g.effect, _marked(g.who, g.warning), _few(g.actions), g.condition)
            for g in facts.guards
        ),
    )
    yield "\n</details>\n<details><summary>What holds data, and what survives deletion</summary>\n"
    yield from table(
        ("what", "holds", "class", "encrypted with", "kept", "survives"),
        (
            (
                f"{s.kind} {s.name}",
                s.holds,
                s.sensitive,
                s.key,
                s.kept,
                "yes" if s.survives else "no",
            )
            for s in facts.stores
        ),
    )
    yield "\n</details>\n<details><summary>Network, and what costs money at rest</summary>\n"
    yield from table(("who", "through", "reaches"), ((r.who, r.way, r.what) for r in facts.reaches))
    yield ""
    yield from table(("what", "billed", "until"), ((c.what, c.unit, c.until) for c in facts.costs))
    yield "\n</details>"


def _marked(text: str, warning: str) -> str:
    return f"{text} ⚠️ {warning}" if warning else text


def _few(names: Sequence[str], most: int = 6) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table, line by line."""
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(_cell(cell) for cell in row)} |"


def _cell(text: str) -> str:
    """A cell's text: no line of its own, no bar, and stars that are stars."""
    plain = text.replace("\n", " ").replace("|", "\\|").replace("<", "&lt;")
    parts = plain.split("`")
    # Between backticks a star is a star already.
    return "`".join(p if i % 2 else p.replace("*", "\\*") for i, p in enumerate(parts))
