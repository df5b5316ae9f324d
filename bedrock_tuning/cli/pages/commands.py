"""docs/cli.md: every command with its arguments and options, made from click itself."""

from inspect import cleandoc

import click

from bedrock_tuning.cli.pages.rendering import render_markdown
from bedrock_tuning.cli.terminal.command import TuningCommand


def commands_page() -> str:
    """The whole page as Markdown."""
    from bedrock_tuning.cli.__main__ import tuning

    context = click.Context(tuning, info_name="tuning")
    sections = {
        section.value: [_command(command, context) for command in commands]
        for section, commands in tuning.sections.items()
    }
    return render_markdown("cli.md.j2", about=_prose(tuning), sections=sections)


def _command(command: TuningCommand, parent: click.Context) -> dict[str, object]:
    context = click.Context(command, info_name=command.name, parent=parent)
    rows = (_row(parameter, context) for parameter in command.get_params(context))
    return {
        "name": command.name,
        "link": f"[`{command.name}`](#tuning-{command.name})",
        "usage": " ".join(command.collect_usage_pieces(context)),
        "help": _prose(command),
        "examples": command.examples,
        "parameters": [row for row in rows if row],
    }


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
    return "\n\n".join(
        "```\n" + paragraph.removeprefix("\b\n") + "\n```"
        if paragraph.startswith("\b")
        else " ".join(paragraph.split())
        for paragraph in paragraphs
    )
