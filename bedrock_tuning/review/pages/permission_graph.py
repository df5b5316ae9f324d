"""Who can do what to what, as a picture: services, roles and resources, three columns of boxes."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from bedrock_tuning.review.pages.facts import Access, Facts

_COLUMNS: Final = (170.0, 210.0, 230.0)
_ROW: Final = 24.0
_BOX: Final = 19.0
_GAP: Final = 150.0
_SIZE: Final = 11.0
_LEFT: Final = 10.0
# Of a name's characters, the share of the font's size that each is wide, bold or not.
_CHARACTER: Final = 0.56

STYLE: Final = """
.perm{--ink:#1b2330;--soft:#5b6675;--box:#f3f4f6;--edge:#a7afbb;--role:#e9f1ff;--role-edge:#5b8def;
--read:#3f8fd2;--write:#c77700;--all:#d9534f;--run:#7a5bd6;--key:#8a94a3}
@media (prefers-color-scheme:dark){.perm{--ink:#e8edf5;--soft:#a9b4c3;--box:#20262f;--edge:#5c6675;
--role:#18263f;--role-edge:#5b8def;--read:#6db3ec;--write:#e0a040;--all:#ef7b77;--run:#a68bf0;
--key:#75808f}}
.perm text{fill:var(--ink);font-size:11px}.perm .h{fill:var(--soft);font-weight:600}
.perm rect{fill:var(--box);stroke:var(--edge)}
.perm .g rect{fill:var(--role);stroke:var(--role-edge)}
.perm path{fill:none;stroke-width:1.3;opacity:.75}
.perm .read,.perm .list{stroke:var(--read)}.perm .write,.perm .tag{stroke:var(--write)}
.perm .run{stroke:var(--run)}.perm .use{stroke:var(--key);stroke-dasharray:3 3}
.perm .permissions,.perm .all{stroke:var(--all);stroke-width:2}.perm .trust{stroke:var(--edge)}
.perm:hover .g{opacity:.15}.perm:hover .g:hover{opacity:1}
.perm .g:hover path{opacity:1;stroke-width:2.2}
""".replace("\n", "")

_LEGEND: Final = (
    ("read", "reads, lists"),
    ("write", "writes, tags"),
    ("run", "calls, sends"),
    ("use", "uses the key of"),
    ("permissions", "gives rights on"),
)


def permissions(facts: Facts) -> str:
    """One SVG: what may become which role on the left, what it may touch on the right.

    Pointing at a role shows its arrows alone.
    """
    targets = _targets(facts.accesses)
    roles = _roles(facts, targets)
    services = sorted({trust.who for trust in facts.trusts})
    places = _ordered(roles, targets)
    rows = max(len(services), len(roles), len(places), 1)
    x = (
        _LEFT,
        _LEFT + _COLUMNS[0] + _GAP,
        _LEFT + _COLUMNS[0] + _COLUMNS[1] + 2 * _GAP,
    )
    width, height = x[2] + _COLUMNS[2] + _LEFT, 34 + rows * _ROW + 34
    at = [_spread(names, rows) for names in (services, roles, places)]
    parts = [
        _heading(x[0], "who becomes"),
        _heading(x[1], "which role"),
        _heading(x[2], "and does what to"),
    ]
    parts += [_box(x[0], at[0][name], _COLUMNS[0], name) for name in services]
    parts += [_box(x[2], at[2][name], _COLUMNS[2], name) for name in places]
    for role in roles:
        inside = [
            _curve(x[0] + _COLUMNS[0], at[0][trust.who], x[1], at[1][role], "trust", "may become")
            for trust in facts.trusts
            if trust.role == role
        ]
        for place, levels in targets[role].items():
            for level, actions in sorted(levels.items()):
                inside.append(
                    _curve(
                        x[1] + _COLUMNS[1],
                        at[1][role],
                        x[2],
                        at[2][place],
                        level.partition(" ")[0],
                        ", ".join(sorted(actions)),
                    )
                )
        inside.append(_box(x[1], at[1][role], _COLUMNS[1], role))
        parts.append(f'<g class="g">{"".join(inside)}</g>')
    parts.append(_legend(height - 12))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="perm" role="img" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}">'
        f"<title>Who can do what to what</title><style>{STYLE}</style>{''.join(parts)}</svg>"
    )


Targets = Mapping[str, Mapping[str, Mapping[str, set[str]]]]


def _targets(accesses: Sequence[Access]) -> Targets:
    """By role and resource without its inner path: actions by level."""
    found: dict[str, dict[str, dict[str, set[str]]]] = defaultdict(dict)
    for access in accesses:
        if access.effect != "Allow":
            continue
        for place in access.on:
            name = _whole(place)
            levels = found[access.role].setdefault(name, {})
            levels.setdefault(access.level, set()).update(access.actions)
    return found


def _whole(place: str) -> str:
    """A resource without what follows its name: "bucket Training" of "bucket Training /a/*"."""
    kind, _, rest = place.partition(" ")
    if kind in ("bucket", "logs"):
        return f"{kind} {rest.partition(' ')[0]}" if kind == "bucket" else "logs of its own"
    return place


def _roles(facts: Facts, targets: Targets) -> list[str]:
    """Roles by the service that becomes them, so that arrows cross less."""
    who = {trust.role: trust.who for trust in facts.trusts}
    names = list(dict.fromkeys([*who, *targets]))
    return sorted(names, key=lambda name: (who.get(name, ""), names.index(name)))


def _ordered(roles: Sequence[str], targets: Targets) -> list[str]:
    """Resources at the height of those who use them, on average."""
    users: dict[str, list[int]] = defaultdict(list)
    for number, role in enumerate(roles):
        for place in targets.get(role, {}):
            users[place].append(number)
    return sorted(users, key=lambda place: (sum(users[place]) / len(users[place]), place))


def _spread(names: Sequence[str], rows: int) -> dict[str, float]:
    """The middle of each box, spread over the whole height."""
    step = rows * _ROW / max(len(names), 1)
    return {name: 34 + step * (number + 0.5) for number, name in enumerate(names)}


def _heading(x: float, text: str) -> str:
    return f'<text class="h" x="{x:.0f}" y="18">{escape(text)}</text>'


def _box(x: float, y: float, width: float, name: str) -> str:
    room = int((width - 12) / (_SIZE * _CHARACTER))
    # The end says more than the middle: versions, names in folders.
    tail = room // 3
    shown = name if len(name) <= room else f"{name[: room - tail - 1]}…{name[-tail:]}"
    return (
        f'<g><title>{escape(name)}</title><rect x="{x:.0f}" y="{y - _BOX / 2:.1f}" '
        f'width="{width:.0f}" height="{_BOX:.0f}" rx="4"/>'
        f'<text x="{x + 6:.0f}" y="{y + 4:.1f}">{escape(shown)}</text></g>'
    )


def _curve(x1: float, y1: float, x2: float, y2: float, level: str, title: str) -> str:
    bend = (x1 + x2) / 2
    return (
        f'<path class="{level}" d="M{x1:.0f} {y1:.1f}C{bend:.0f} {y1:.1f} {bend:.0f} {y2:.1f} '
        f'{x2:.0f} {y2:.1f}"><title>{escape(title)}</title></path>'
    )


def _legend(y: float) -> str:
    parts, x = [], _LEFT
    for level, words in _LEGEND:
        parts.append(
            f'<path class="{level}" d="M{x:.0f} {y:.0f}h22"/>'
            f'<text class="h" x="{x + 28:.0f}" y="{y + 4:.0f}">{words}</text>'
        )
        x += 28 + len(words) * _SIZE * _CHARACTER + 22
    return "".join(parts)
