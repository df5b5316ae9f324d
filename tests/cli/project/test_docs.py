"""The generated pages are current, and no command is without help."""

import json
import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from bedrock_tuning.cli.__main__ import tuning
from bedrock_tuning.cli.pages import PAGES
from tests.cli.conftest import Run

ROOT = Path(__file__).resolve().parents[3]
NAMES = tuning.list_commands(click.Context(tuning))


def command(name: str) -> click.Command:
    found = tuning.get_command(click.Context(tuning), name)
    assert found is not None
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help_and_is_in_the_docs(name: str) -> None:
    found = command(name)
    assert found.help
    assert f"### tuning {name}\n" in (ROOT / "docs/cli.md").read_text("utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_every_argument_and_option_says_what_it_does(name: str) -> None:
    for parameter in command(name).params:
        assert isinstance(parameter, click.Argument | click.Option)
        assert parameter.help, parameter.name


@pytest.mark.parametrize(("path", "make"), PAGES, ids=[path for path, _ in PAGES])
def test_a_generated_page_is_current(path: str, make: object) -> None:
    assert callable(make)
    assert (ROOT / path).read_text("utf-8") == make(), "run `make docs`"


@pytest.mark.parametrize("path", [path for path, _ in PAGES if path.endswith(".md")])
def test_a_generated_page_has_no_empty_cell_of_code(path: str) -> None:
    assert re.search(r"(?<!`)``(?!`)", (ROOT / path).read_text("utf-8")) is None


@pytest.mark.parametrize("path", [path for path, _ in PAGES if path.endswith(".schema.json")])
def test_a_published_schema_is_one_of_the_dialect_that_it_names(path: str) -> None:
    schema = json.loads((ROOT / path).read_text("utf-8"))
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    Draft202012Validator.check_schema(schema)


def test_help_lists_the_commands_in_their_sections() -> None:
    text = CliRunner().invoke(tuning, ["--help"]).output
    words = [
        f"\n{word}"
        for section, commands in tuning.sections.items()
        for word in (section.value, *(str(each.name) for each in commands))
    ]
    places = [text.replace("\n  ", "\n").index(word) for word in words]
    assert places == sorted(places)


def test_docs_writes_every_page_into_a_new_folder(run: Run, tmp_path: Path) -> None:
    result = run("docs", "--root", tmp_path)
    assert result.exit_code == 0
    assert all((tmp_path / path).read_text("utf-8") == make() for path, make in PAGES)


def test_docs_check_names_a_missing_and_a_stale_page_and_writes_nothing(
    run: Run, tmp_path: Path
) -> None:
    run("docs", "--root", tmp_path)
    (tmp_path / "docs/cli.md").unlink()
    (tmp_path / "docs/rules.md").write_text("old\n", "utf-8")
    result = run("docs", "--check", "--root", tmp_path)
    assert result.exit_code == 1
    assert "docs/cli.md does not exist" in result.stderr
    assert "docs/rules.md is stale" in result.stderr
    assert "-old" in result.stderr
    assert "docs/models.md" not in result.stderr
    assert not (tmp_path / "docs/cli.md").exists()


def test_docs_check_is_content_with_current_pages(run: Run, tmp_path: Path) -> None:
    run("docs", "--root", tmp_path)
    assert run("docs", "--check", "--root", tmp_path).exit_code == 0
