"""The review as one self-contained HTML page: verdict first, then changes, matrix and tables.

Its one script searches the permissions; without it they are all there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from bedrock_tuning.report.html import SCRIPT, script_hash
from bedrock_tuning.report.html import STYLE as SHARED_STYLE
from bedrock_tuning.review.about import Origin
from bedrock_tuning.review.iam.wording import LEVELS
from bedrock_tuning.review.pages.change import Change, at_risk, looser
from bedrock_tuning.review.pages.facts import DENIED, Access, Facts, Guard
from bedrock_tuning.review.pages.money import HEAD, MoneyChanges
from bedrock_tuning.review.pages.rendering import SCOPE, TEMPLATES, render

# One letter of a matrix cell for each level, as the legend explains them.
LETTERS: Final[Mapping[str, tuple[str, str]]] = {
    "all": ("A", "any action"),
    "permissions": ("P", "changes permissions"),
    "write": ("W", "writes"),
    "tag": ("T", "tags"),
    "run": ("X", "runs or sends"),
    "read": ("R", "reads"),
    "list": ("L", "lists"),
    "use": ("K", "uses the key"),
    "denied": ("D", "is denied"),
}
_ORDER: Final = (*LEVELS, DENIED)
# Of the matrix on one printed page; a test prints it.
_ROWS_PRINTED: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What a role may do to a resource: its levels, and the statements behind them."""

    levels: tuple[str, ...]
    accesses: tuple[Access, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Roles as rows, resources as columns; no cell where a role may do nothing."""

    roles: tuple[str, ...]
    resources: tuple[str, ...]
    cells: Mapping[tuple[str, str], Cell]

    @property
    def parts(self) -> list[tuple[str, ...]]:
        """The roles as they are printed: as many on each page as fit below its head."""
        pages = -(-len(self.roles) // _ROWS_PRINTED) or 1
        size = -(-len(self.roles) // pages)
        return [self.roles[start : start + size] for start in range(0, len(self.roles), size or 1)]


def matrix(accesses: Sequence[Access], guards: Sequence[Guard] = ()) -> Matrix:
    """All that is allowed and denied, by role and resource without its inner path.

    guards: what resources' own policies say, in rows of those whom they name.
    """
    cells: dict[tuple[str, str], list[Access]] = {}
    for access in (*accesses, *(access for guard in guards for access in guard.accesses())):
        for place in access.on:
            cell = cells.setdefault((access.role, _without_path(place)), [])
            if access not in cell:
                cell.append(access)
    users: dict[str, list[int]] = {}
    roles = tuple(dict.fromkeys(role for role, _ in cells))
    risky_levels = {"all", "permissions"}
    comes_last: dict[str, bool] = {}
    for (role, resource), cell in cells.items():
        users.setdefault(resource, []).append(roles.index(role))
        levels = {access.level for access in cell if access.effect == "Allow"}
        comes_last[resource] = comes_last.get(resource, True) and levels.isdisjoint(risky_levels)
    return Matrix(
        roles=roles,
        # Whoever passes, assumes or changes roles is seen first; then what many roles use, so that
        # the matrix is dense on the left.
        resources=tuple(
            sorted(users, key=lambda name: (comes_last[name], -len(users[name]), users[name], name))
        ),
        cells={
            key: Cell(
                levels=tuple(sorted({access.level for access in cell}, key=_ORDER.index)),
                accesses=tuple(cell),
            )
            for key, cell in cells.items()
        },
    )


def _without_path(place: str) -> str:
    """A resource without what follows its name: "bucket Training" of "bucket Training /a/*"."""
    kind, _, name = place.partition(" ")
    if kind == "logs":
        return "logs of its own"
    if kind == "function":
        return f"function {name.rpartition('/')[2]}"
    return f"{kind} {name.partition(' ')[0]}" if kind == "bucket" else place


def html_page(
    facts: Facts,
    *,
    changes: Sequence[Change] | None = None,
    money: MoneyChanges | None = None,
    sentences: Sequence[tuple[str, str]] = (),
    pictures: Mapping[str, str] | None = None,
    about: Origin | None = None,
) -> str:
    """The whole page.

    changes, money: against another assembly. sentences: of all checks, by id. pictures: SVG of the
    state machines, by name. about: which synthesis it is.
    """
    return render(
        "review.html.j2",
        facts=facts,
        verdict=_verdict(facts),
        scope=SCOPE,
        tiles=_tiles(facts, changes, money),
        changes=changes,
        money=money,
        money_head=HEAD,
        sentences=sentences,
        failed={violation.check for violation in facts.violations},
        matrix=matrix(facts.accesses, facts.guards),
        pictures={name: Markup(svg) for name, svg in (pictures or {}).items()},  # noqa: S704
        about=about.rows() if about else [],
        letters=LETTERS,
        script=Markup(SCRIPT),  # noqa: S704
        script_hash=script_hash(),
        style=Markup(SHARED_STYLE + (TEMPLATES / "review.css").read_text("utf-8")),  # noqa: S704
    )


def _verdict(facts: Facts) -> str:
    if not facts.proved:
        return "not checked"
    return "not proved" if facts.violations else "proved"


def _tiles(
    facts: Facts, changes: Sequence[Change] | None, money: MoneyChanges | None
) -> list[tuple[str, int, str]]:
    """Counts on top: name, number, class."""
    tiles = [("violations", len(facts.violations), "error" if facts.violations else "")]
    if money is not None:
        tiles.append(("spending gates loosened", money.loosened, "error" if money.loosened else ""))
    if changes is not None:
        loosenings, risks = looser(changes), at_risk(changes)
        tiles.append(("loosened", loosenings, "warning" if loosenings else ""))
        tiles.append(("data at risk", risks, "error" if risks else ""))
    return [
        *tiles,
        ("stacks", len(facts.stacks), ""),
        ("resources", facts.resources, ""),
        ("roles", facts.roles, ""),
    ]
