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
        people=[(_person(person), person, _rows(person)) for person in contracts.people],
        commands=[
            ("command", *(persona.name for persona in PEOPLE)),
            *(
                (
                    f"`tuning {name}`",
                    *("yes" if persona in able(needs) else "" for persona in PEOPLE),
                )
                for name, needs in commands.items()
            ),
        ],
        guarded=[
            (_NAMES.get(resource.name, resource.name), _rows(resource))
            for resource in contracts.guarded
        ],
        checks=[
            (title, sorted((c for c in CHECKS if c.id.startswith(letter)), key=lambda c: c.id))
            for letter, title in _GROUPS
        ],
        anchor=_anchor,
        paths=_paths(contracts.roles),
    )


def _role(role: Role) -> str:
    return role.name.removeprefix("role.").replace("bedrock.", "Bedrock: ")


def _person(policy: Role) -> str:
    _, name, *owners = policy.name.split(".")
    return f"{name.capitalize()}{''.join(f' of {owner}' for owner in owners)}"


def _paths(roles: Sequence[Role]) -> dict[str, list[str]]:
    """The roles at each IAM path of their own, by which policies name them."""
    roles_by_path: dict[str, list[str]] = {}
    for role in roles:
        if role.path != "/":
            roles_by_path.setdefault(f"role{role.path}*", []).append(_role(role))
    return roles_by_path


def _anchor(title: str) -> str:
    """GitHub's anchor of a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _rows(contract: Role | Guarded) -> list[tuple[str, ...]]:
    """Why, level, actions, resources and conditions of all that it grants and refuses.

    What a grant allows of several levels is a row for each.
    """
    rows: list[tuple[str, ...]] = []
    for permission in (*contract.grants, *contract.refusals):
        principals = ", ".join(f"`{_words(service)}`" for service in permission.services)
        principals = "this account" if permission.everybody_here else principals
        is_refusal = permission.effect == "Deny"
        levels = (
            [("**refused**", permission.actions)] if is_refusal else by_level(permission.actions)
        )
        rows += [
            (
                f"{permission.why}{f' ({principals})' if principals else ''}",
                level,
                ", ".join(f"`{action}`" for action in actions),
                ", ".join(
                    "everything" if resource == "*" else _words(resource)
                    for resource in permission.resources
                ),
                _words(conditions_in_words(permission.conditions)),
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
