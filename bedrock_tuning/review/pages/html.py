"""The review as one self-contained HTML page: verdict first, then changes, pictures and tables."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import groupby
from typing import Final

from bedrock_tuning.report.html import STYLE as SHARED_STYLE
from bedrock_tuning.review.iam.wording import counted
from bedrock_tuning.review.pages import permission_graph
from bedrock_tuning.review.pages.compare import Change
from bedrock_tuning.review.pages.facts import Access, Facts
from bedrock_tuning.review.pages.state_diagram import state_machine
from bedrock_tuning.review.pages.style import STYLE

# Nothing but the page itself may be loaded.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
_WORDS: Final = {
    "loosened": "loosened",
    "replaced": "replaced",
    "removed": "removed",
    "tightened": "tightened",
    "workflow": "workflow",
    "changed": "changed",
    "added": "added",
}


def page(
    facts: Facts,
    *,
    changes: Sequence[Change] | None = None,
    sentences: Sequence[tuple[str, str]] = (),
) -> str:
    """The whole page. changes: against another assembly. sentences: of all checks, by id."""
    title = _verdict(facts)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>Infrastructure review: {title}</title>\n<style>{SHARED_STYLE}{STYLE}</style>\n"
        f"</head>\n<body>\n<main>\n{''.join(_parts(facts, changes, sentences))}</main>\n</body>\n"
        "</html>\n"
    )


def _verdict(facts: Facts) -> str:
    if not facts.proved:
        return "not judged"
    return "not proved" if facts.violations else "proved"


def _parts(
    facts: Facts, changes: Sequence[Change] | None, sentences: Sequence[tuple[str, str]]
) -> Iterator[str]:
    yield from _header(facts, changes)
    if facts.violations:
        yield from _violations(facts)
    if changes is not None:
        yield from _changes(changes)
    yield '<h2 id="graph">Who can do what to what</h2>\n'
    yield "<p><small>Point at a role to see its arrows alone.</small></p>\n"
    yield f'<div class="wide">{permission_graph.permissions(facts)}</div>\n'
    yield from _roles(facts)
    yield from _guards(facts)
    yield from _data(facts)
    yield from _network(facts)
    yield from _costs(facts)
    for name, definition in facts.machines.items():
        yield f'<h2 id="workflow">State machine {escape(name)}</h2>\n'
        yield f'<div class="wide">{state_machine(definition, title=name)}</div>\n'
    if sentences:
        yield from _checks(facts, sentences)
    yield (
        "<footer>Proved from the templates alone. Not seen: <b>other users and roles of the "
        "account, who may do with all of this what their own policies allow</b>, unless a policy "
        "above refuses it (setting deny_others); what is inside the functions' code and packages, "
        "which templates name by its hash; service control policies, resource control policies "
        "and session policies, which can only take away; policies on resources outside of these "
        "templates. Accounts and generated names are made up.</footer>\n"
    )


def _header(facts: Facts, changes: Sequence[Change] | None) -> Iterator[str]:
    verdict = _verdict(facts)
    good = verdict == "proved"
    lead = {
        "proved": f"{facts.checks} checks hold: every role and policy gives what its contract "
        "says, no more and no less, and everything that is wired up is delivered.",
        "not proved": "Below is every violation, where it is, and what to do.",
        "not judged": "There are no contracts for this assembly: what follows is described, "
        "not judged.",
    }[verdict]
    yield (
        f'<header class="{"valid" if good else "rejected"}"><p class="stamp">{escape(verdict)}</p>'
        f"<h1>Infrastructure review</h1><p><b>{escape(', '.join(facts.stacks))}</b> in "
        f"{escape(', '.join(facts.regions))}</p><p>{escape(lead)}</p></header>\n"
    )
    tiles = [
        ("violations", len(facts.violations), "error" if facts.violations else ""),
        ("stacks", len(facts.stacks), ""),
        ("resources", facts.resources, ""),
        ("roles", len({trust.role for trust in facts.trusts}), ""),
    ]
    if changes is not None:
        loosened = sum(change.kind == "loosened" for change in changes)
        grave = sum(change.grave and change.kind != "loosened" for change in changes)
        tiles[1:1] = [
            ("loosened", loosened, "warning" if loosened else ""),
            ("data at risk", grave, "error" if grave else ""),
        ]
    inside = "".join(
        f'<div class="tile {css}"><b>{number}</b><span>{name}</span></div>'
        for name, number, css in tiles
    )
    yield f'<section class="tiles" aria-label="Counts">{inside}</section>\n'
    links = [("graph", "picture"), ("roles", "roles"), ("guards", "policies of resources")]
    links += [("data", "data"), ("network", "network"), ("costs", "costs")]
    links += [("workflow", "workflow")] if facts.machines else []
    if changes is not None:
        links.insert(0, ("changes", "what changed"))
    if facts.violations:
        links.insert(0, ("violations", "violations"))
    anchors = "".join(f'<a href="#{target}">{words}</a>' for target, words in links)
    yield f"<nav>{anchors}</nav>\n"


def _table(
    head: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]], css: str = "facts"
) -> str:
    """A table that becomes a list of cards on a phone; rows: a class and cells of HTML."""
    columns = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join(
        f"<tr{f' class={row_css!r}' if row_css else ''}>"
        + "".join(
            f'<td data-label="{escape(name)}">{cell}</td>' if cell else "<td></td>"
            for name, cell in zip(head, cells, strict=True)
        )
        + "</tr>\n"
        for row_css, cells in rows
    )
    return (
        f'<table class="{css}"><thead><tr>{columns}</tr></thead><tbody>\n{body}</tbody></table>\n'
    )


def _badge(text: str, css: str) -> str:
    return f'<span class="badge {css}">{escape(text)}</span>'


def _warn(text: str) -> str:
    return f'<span class="warn">⚠ {escape(text)}</span>' if text else ""


def _path(text: str) -> str:
    """A construct path that may be broken at its slashes."""
    return escape(text).replace("/", "/<wbr>")


def _codes(names: Iterable[str]) -> str:
    return " ".join(f"<code>{escape(name)}</code>" for name in names)


def _places(names: Iterable[str]) -> str:
    """Resources, the path inside of each set off from its name."""
    parts = []
    for name in names:
        kind, _, rest = name.partition(" ")
        whole, _, tail = rest.partition(" ") if kind in ("bucket", "table") else (rest, "", "")
        shown = f"{kind} {whole}".strip()
        inner = f'<span class="tail">{escape(tail)}</span>' if tail else ""
        parts.append(f"{_path(shown)}{inner}")
    return "<br>".join(parts)


def _violations(facts: Facts) -> Iterator[str]:
    yield f'<h2 id="violations">Violations ({len(facts.violations)})</h2>\n'
    yield _table(
        ("check", "where", "what is there", "what may be", "what to do"),
        (
            (
                "",
                (
                    _badge(violation.check, "error"),
                    _path(violation.where),
                    escape(violation.what),
                    escape(violation.limit),
                    escape(violation.fix),
                ),
            )
            for violation in facts.violations
        ),
    )


def _changes(changes: Sequence[Change]) -> Iterator[str]:
    yield f'<h2 id="changes">What changed ({len(changes)})</h2>\n'
    if not changes:
        yield "<p>Nothing.</p>\n"
        return
    yield _table(
        ("change", "where", "what"),
        (
            (
                "grave" if change.grave and change.kind != "loosened" else "",
                (
                    _badge(_WORDS[change.kind], change.kind),
                    _path(change.where),
                    escape(change.what),
                ),
            )
            for change in changes
        ),
    )


def _roles(facts: Facts) -> Iterator[str]:
    yield '<h2 id="roles">Who can become which role</h2>\n'
    yield _table(
        ("role", "what for", "who", "only if"),
        (
            (
                "",
                (
                    _path(trust.role),
                    escape(trust.does),
                    f"{escape(trust.who)} {_warn(trust.warning)}",
                    escape(trust.condition),
                ),
            )
            for trust in facts.trusts
        ),
    )
    yield "<h2>What each role can do</h2>\n"
    for role, found in groupby(facts.accesses, key=lambda access: access.role):
        accesses = list(found)
        warnings = sum(bool(access.warning) for access in accesses)
        count = counted(len(accesses), "statement") + (f", {warnings} ⚠" if warnings else "")
        yield (
            f"<details><summary><b>{escape(role)}</b> {escape(accesses[0].does)} "
            f"<small>{count}</small></summary>\n{_statements(accesses)}</details>\n"
        )


def _statements(accesses: Sequence[Access]) -> str:
    return _table(
        ("level", "actions", "on", "only if"),
        (
            (
                "",
                (
                    _badge("refused", "tightened")
                    if access.effect == "Deny"
                    else _badge(access.level, f"level-{access.level.partition(' ')[0]}"),
                    _codes(access.actions),
                    f"{_places(access.on)} {_warn(access.warning)}",
                    escape(access.condition),
                ),
            )
            for access in accesses
        ),
        css="facts statements",
    )


def _guards(facts: Facts) -> Iterator[str]:
    yield '<h2 id="guards">What the policies of resources say</h2>\n'
    yield _table(
        ("resource", "who", "may", "only if"),
        (
            (
                "",
                (
                    _path(guard.resource),
                    f"{escape(guard.who)} {_warn(guard.warning)}",
                    ("is refused " if guard.effect == "Deny" else "") + _codes(guard.actions),
                    escape(guard.condition),
                ),
            )
            for guard in facts.guards
        ),
    )


def _data(facts: Facts) -> Iterator[str]:
    yield '<h2 id="data">What holds data, and what survives deletion</h2>\n'
    css = {"confidential": "error", "internal": "info", "key": "warning", "unknown": "warning"}
    yield _table(
        ("what", "holds", "class", "encrypted with", "kept", "when its stack is deleted"),
        (
            (
                "",
                (
                    f"{escape(store.kind)} {_path(store.name)}",
                    escape(store.holds),
                    _badge(store.sensitive, css[store.sensitive]),
                    escape(store.key),
                    escape(store.kept),
                    _badge("stays", "tightened") if store.survives else "goes",
                ),
            )
            for store in facts.stores
        ),
    )


def _network(facts: Facts) -> Iterator[str]:
    yield '<h2 id="network">Who reaches what over the network</h2>\n'
    yield _table(
        ("who", "through", "reaches"),
        (("", (_path(r.who), escape(r.way), escape(r.what))) for r in facts.reaches),
    )


def _costs(facts: Facts) -> Iterator[str]:
    yield '<h2 id="costs">What costs money while nothing happens</h2>\n'
    yield _table(
        ("what", "billed", "until"),
        (("", (escape(c.what), escape(c.unit), escape(c.until))) for c in facts.costs),
    )


def _checks(facts: Facts, sentences: Sequence[tuple[str, str]]) -> Iterator[str]:
    failed = {violation.check for violation in facts.violations}
    items = "".join(
        f"<li{' class=no' if check_id in failed else ''}>{'✗' if check_id in failed else '✓'} "
        f"<code>{check_id}</code> {escape(sentence)}</li>"
        for check_id, sentence in sentences
    )
    yield (
        f"<h2>Checks</h2>\n<details><summary>{len(sentences)} sentences that are true of these "
        f'templates</summary><ul class="checks">{items}</ul></details>\n'
    )
