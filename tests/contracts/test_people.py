"""People's policies and the commands that need them: nothing is missing, and nothing is unused."""

from dataclasses import replace
from typing import Any

import pytest

from bedrock_tuning.cli.__main__ import tuning
from bedrock_tuning.cli.terminal.command import TuningCommand
from bedrock_tuning.config.names import PERSONAS
from bedrock_tuning.contracts.abilities import ABILITIES, NOBODYS
from bedrock_tuning.contracts.contract import Condition, Grant
from bedrock_tuning.contracts.people import PEOPLE, Persona, _includes, able

COMMANDS = [each for commands in tuning.sections.values() for each in commands if each.needs]
# What no command of `tuning` does.
BY_OTHERS = {"deploy": "the CDK CLI does it"}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: each.name)
def test_somebody_may_do_all_that_a_command_needs(command: TuningCommand) -> None:
    assert set(command.needs) <= {*ABILITIES, *NOBODYS}
    assert able(command.needs) or set(command.needs) & set(NOBODYS)


@pytest.mark.parametrize("persona", PEOPLE, ids=lambda each: each.name)
def test_each_ability_of_a_persona_is_what_one_of_its_commands_needs(persona: Persona) -> None:
    used = {
        need for command in COMMANDS if persona in able(command.needs) for need in command.needs
    }
    assert set(persona.abilities) - used <= set(BY_OTHERS)


def test_the_settings_know_the_same_personas() -> None:
    assert {each.name for each in PEOPLE} == set(PERSONAS)


def test_who_approves_does_not_upload_and_who_uploads_does_not_approve() -> None:
    (uploader,) = able(["upload datasets"])
    (approver,) = able(["approve prices"])
    assert uploader is not approver


READ = Grant(
    why="read",
    actions=("s3:GetObject",),
    resources=("a/*",),
    conditions=(Condition(operator="StringLike", key="s3:prefix", values=("x",)),),
)


@pytest.mark.parametrize(
    ("changes", "included"),
    [
        ({}, True),
        ({"actions": ("s3:PutObject", "s3:GetObject")}, True),
        ({"resources": ("a/*", "b/*")}, True),
        ({"conditions": (replace(READ.conditions[0], values=("x", "y")),)}, True),
        ({"conditions": (replace(READ.conditions[0], values=("y",)),)}, False),
        ({"conditions": (replace(READ.conditions[0], key="aws:PrincipalArn"),)}, False),
        ({"conditions": ()}, False),
        ({"actions": ("s3:PutObject",)}, False),
        ({"resources": ("b/*",)}, False),
    ],
)
def test_a_grant_includes_another_that_allows_less(changes: dict[str, Any], included: bool) -> None:
    assert _includes(replace(READ, **changes), READ) == included


def test_more_values_of_what_must_not_be_allow_less() -> None:
    other = replace(READ.conditions[0], operator="StringNotLike")
    read = replace(READ, conditions=(other,))
    more = replace(read, conditions=(replace(other, values=("x", "y")),))
    assert not _includes(more, read)
