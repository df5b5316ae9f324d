"""What holds for every command, also for one that was added today."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import jsonschema
import msgspec
import pytest

from bedrock_tuning.cli.__main__ import tuning
from bedrock_tuning.cli.terminal.command import TuningCommand
from bedrock_tuning.cli.terminal.errors import EXIT_UNREAD, ErrorDocument
from tests.cli.conftest import Run

TESTS = Path(__file__).resolve().parents[1]
# This file, and the one that writes such tests into copies of the tree.
NOT_COUNTED = (Path(__file__).name, "test_recipes.py")
COMMANDS = [each for commands in tuning.sections.values() for each in commands]
every_command = pytest.mark.parametrize("command", COMMANDS, ids=lambda each: each.name)
TUNING = [sys.executable, "-m", "bedrock_tuning.cli"]


def options(command: click.Command) -> set[str]:
    parameters = command.get_params(click.Context(command, info_name=command.name))
    return {option for each in parameters for option in (*each.opts, *each.secondary_opts)}


@every_command
def test_a_test_invokes_it(command: TuningCommand) -> None:
    # run("models", …), tuning("models", …), invoke(tuning, ["models", …]), [*TUNING, "models", …]:
    # its name alone may be a status, a tag or a folder.
    invoked = re.compile(rf'(?:\b(?:run|tuning)\(|\btuning, \[|\*TUNING, )\s*"{command.name}"')
    files = (file for file in TESTS.rglob("test_*.py") if file.name not in NOT_COUNTED)
    assert any(invoked.search(file.read_text("utf-8")) for file in files), (
        f"no test invokes `tuning {command.name}`"
    )


@every_command
def test_it_prints_json_or_says_why_not(command: TuningCommand) -> None:
    if "--json" not in options(command):
        assert len(command.no_json.split()) > 3, "add @json_option, or no_json= with the reason"


@every_command
def test_what_it_needs_of_aws_is_said_where_it_reaches_a_deployment(command: TuningCommand) -> None:
    if "--region" in options(command):
        assert command.needs, "say needs=(…), in the words of bedrock_tuning/contracts/abilities.py"


@every_command
def test_its_examples_are_commands_that_exist(command: TuningCommand) -> None:
    assert command.examples
    for example in command.examples:
        words = shlex.split(example)
        start = words.index("tuning")
        assert words[start + 1] == command.name
        words = words[start + 2 :]
        end = words.index("|") if "|" in words else len(words)
        given = {word for word in words[:end] if word.startswith("-") and word != "-"}
        assert given <= options(command), example


def test_its_place_in_its_section_is_its_own() -> None:
    places = [(each.section, each.order) for each in COMMANDS]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["models", "nova-light", "--json"], "refused", "did you mean nova-lite?"),
        (["models", "--nonsense", "--json"], "usage", "--nonsense"),
        (["no-such-command", "--json"], "usage", "no-such-command"),
        (["lease", "pets", "--json"], "refused", "when should the lease end?"),
        (["validate", "no-such-file", "-m", "nova-lite", "--json"], "refused", "no such file"),
    ],
)
def test_an_error_under_json_is_a_document_of_the_published_schema(
    run: Run, arguments: list[str], code: str, said: str
) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    document = json.loads(result.stdout)
    jsonschema.validate(document, msgspec.json.schema(ErrorDocument))
    assert document["error"]["code"] == code
    assert said in document["error"]["message"]
    assert "rror: " in result.stderr


def test_an_error_without_json_leaves_standard_output_empty(run: Run) -> None:
    result = run("models", "nova-light")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: ")


def test_an_unknown_command_is_refused_with_the_closest_one(run: Run) -> None:
    result = run("valdate")
    assert result.exit_code == 2
    assert "Unknown command 'valdate'. Did you mean validate?" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["rules"],
        ["--help"],
        ["models", "--help"],
        ["models", "--json"],
        ["explain", "AccessDenied"],
        ["validate", "README.md", "--model", "nova-lite"],
    ],
)
def test_a_reader_that_stops_early_ends_it_quietly_and_without_a_verdict(
    arguments: list[str],
) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*TUNING, *arguments], stdout=write, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (EXIT_UNREAD, "")


@pytest.mark.parametrize(
    ("words", "completed"),
    [("tuning val", "validate"), ("tuning models titan-mult", "titan-multimodal-embeddings-g1")],
)
def test_a_shell_completes_commands_and_their_values(words: str, completed: str) -> None:
    done = subprocess.run(
        TUNING,
        env={
            **os.environ,
            "_TUNING_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - 1),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == f"plain,{completed}\n"
