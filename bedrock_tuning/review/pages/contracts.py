"""docs/permissions.md: every contract in words, and every sentence that is proved."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from bedrock_tuning.contracts import Contracts, Guarded, Role
from bedrock_tuning.contracts.contract import PLACEHOLDER
from bedrock_tuning.contracts.people import PEOPLE, able
from bedrock_tuning.review.checks import CHECKS
from bedrock_tuning.review.iam.wording import LEGEND, by_level, conditions_in_words
from bedrock_tuning.review.pages.rendering import render

_NAMES: Final = {
    "training": "training bucket",
    "validation": "validation bucket",
    "output": "output bucket",
    "access-logs": "access log bucket",
    "data-key": "data key",
    "operations-key": "operations key",
    "model-key": "model key",
    "network-key": "network key",
    "runs": "runs table",
    "dead-letters": "dead letters",
    "upload-rule": "upload rule",
    "account": "this account",
    # Unless the data is another account's (docs/own-resources.md).
    "data-account": "this account",
    "region": "this Region",
    "partition": "aws",
}
_SERVICES: Final = re.compile(r"arn:aws:[\w-]+:(?:this Region)?:(?:this account)?:(?!:)", re.ASCII)
_GROUPS: Final = (
    ("A", "The templates can be understood"),
    ("T", "Who can become a role"),
    ("P", "What roles can do"),
    ("R", "Policies"),
    ("W", "What is wired up is delivered"),
    ("S", "Data is kept, encrypted, as long as the settings say"),
    ("F", "The workflow"),
    ("M", "The promise"),
    ("N", "The network"),
)


def contract_page(contracts: Contracts, *, commands: Mapping[str, Sequence[str]]) -> str:
    """The whole page for one environment. commands: what each of `tuning` needs, by its name."""
    return render(
        "permissions.md.j2",
        legend=LEGEND,
        environment=contracts.environment,
        roles=[
            (_role(role), role, _words(conditions_in_words(role.trust)), _rows(role))
            for role in contracts.roles
        ],
        people=[(_person(each), each, _rows(each)) for each in contracts.people],
        commands=[
            ("command", *(each.name for each in PEOPLE)),
            *(
                (f"`tuning {name}`", *("yes" if each in able(needs) else "" for each in PEOPLE))
                for name, needs in commands.items()
            ),
        ],
        guarded=[(_NAMES.get(each.name, each.name), _rows(each)) for each in contracts.guarded],
        checks=[
            (title, [check for check in CHECKS if check.id.startswith(letter)])
            for letter, title in _GROUPS
        ],
        anchor=_anchor,
        paths=_paths(contracts.roles),
    )


def _role(role: Role) -> str:
    return role.name.removeprefix("role.").replace("bedrock.", "Bedrock: ")


def _person(policy: Role) -> str:
    _, name, *whose = policy.name.split(".")
    return f"{name.capitalize()}{''.join(f' of {each}' for each in whose)}"


def _paths(roles: Sequence[Role]) -> dict[str, list[str]]:
    """The roles at each IAM path of their own, by which policies name them."""
    found: dict[str, list[str]] = {}
    for role in roles:
        if role.path != "/":
            found.setdefault(f"role{role.path}*", []).append(_role(role))
    return found


def _anchor(title: str) -> str:
    """GitHub's anchor of a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _rows(contract: Role | Guarded) -> list[tuple[str, ...]]:
    """Why, level, actions, resources and conditions of all that it grants and refuses.

    What a grant allows of several levels is a row for each.
    """
    rows: list[tuple[str, ...]] = []
    for each in (*contract.grants, *contract.refusals):
        who = ", ".join(f"`{_words(service)}`" for service in each.services)
        who = "this account" if each.everybody_here else who
        refused = each.effect == "Deny"
        levels = [("**refused**", each.actions)] if refused else by_level(each.actions)
        rows += [
            (
                f"{each.why}{f' ({who})' if who else ''}",
                level,
                ", ".join(f"`{action}`" for action in actions),
                ", ".join("everything" if r == "*" else _words(r) for r in each.resources),
                _words(conditions_in_words(each.conditions)),
            )
            for level, actions in levels
        ]
    return rows


def _words(text: str) -> str:
    """A text with names for its placeholders."""

    def name(match: re.Match[str]) -> str:
        key = match[1]
        if key.startswith("function."):
            return f"function {key.partition('.')[2]}"
        if key.startswith("logs."):
            return f"logs of {key.partition('.')[2]}"
        if key.startswith("role.bedrock."):
            return f"role of {key.removeprefix('role.bedrock.')}"
        return _NAMES.get(key, key.replace(".", " "))

    return _SERVICES.sub("", PLACEHOLDER.sub(name, text))
