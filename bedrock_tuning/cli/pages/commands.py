"""docs/cli.md: every command with its arguments and options, made from click itself."""

from collections.abc import Iterator
from inspect import cleandoc
from typing import Final

import click

from bedrock_tuning.cli.terminal.command import TuningCommand
from bedrock_tuning.wording import in_cell

_HEADER: Final = """# The command line

`make docs` writes this page from the commands: edit the code, not the page.
"""
_COMPLETION: Final = """
## Completion

Bash, zsh and fish complete commands, options, models and customizations. Add one line to the
shell's start-up file:

```console
$ eval "$(_TUNING_COMPLETE=bash_source tuning)"    # ~/.bashrc
$ eval "$(_TUNING_COMPLETE=zsh_source tuning)"     # ~/.zshrc
$ _TUNING_COMPLETE=fish_source tuning | source     # ~/.config/fish/config.fish
```
"""


def commands_page() -> str:
    """The whole page as Markdown."""
    from bedrock_tuning.cli.__main__ import tuning

    parts = [_HEADER, "\n", _prose(tuning), "\n"]
    context = click.Context(tuning, info_name="tuning")
    for section, commands in tuning.sections.items():
        listed = ", ".join(f"[`{each.name}`](#tuning-{each.name})" for each in commands)
        parts.append(f"* **{section.value}**: {listed}\n")
    parts.append(_COMPLETION)
    for section, commands in tuning.sections.items():
        parts.append(f"\n## {section.value}\n")
        for command in commands:
            parts.append("".join(_command(command, context)))
    return "".join(parts)


def _command(command: TuningCommand, parent: click.Context) -> Iterator[str]:
    context = click.Context(command, info_name=command.name, parent=parent)
    yield f"\n### tuning {command.name}\n\n"
    pieces = " ".join(command.collect_usage_pieces(context))
    yield f"```\ntuning {command.name} {pieces}\n```\n\n"
    yield _prose(command)
    rows = [
        record
        for parameter in command.get_params(context)
        if (record := _row(parameter, context)) is not None
    ]
    if command.examples:
        yield "\n```console\n" + "".join(f"$ {each}\n" for each in command.examples) + "```\n"
    if rows:
        yield "\n| Argument or option | What it does |\n| --- | --- |\n"
        for name, text in rows:
            yield f"| {in_cell(name)} | {in_cell(text)} |\n"


def _row(parameter: click.Parameter, context: click.Context) -> tuple[str, str] | None:
    if isinstance(parameter, click.Argument):
        return f"`{parameter.make_metavar(context)}`", parameter.help or ""
    record = parameter.get_help_record(context)
    if record is None or "--help" in record[0]:
        return None
    return f"`{record[0]}`", record[1]


def _prose(command: click.Command) -> str:
    """The help text as paragraphs; blocks that click keeps as they are become code."""
    paragraphs = cleandoc(command.help or "").split("\n\n")
    return "\n".join(
        "```\n" + paragraph.removeprefix("\b\n") + "\n```\n"
        if paragraph.startswith("\b")
        else " ".join(paragraph.split()) + "\n"
        for paragraph in paragraphs
    )
