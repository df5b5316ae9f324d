"""docs/cli.md: every command with its arguments and options, made from click itself."""

import re
from collections.abc import Iterator
from inspect import cleandoc
from typing import Final

import click

_HEADER: Final = """# The command line

This page is written by `make docs` from the commands themselves; correct the code, not the page.
"""


def commands_page() -> str:
    """The whole page as Markdown."""
    from bedrock_tuning.cli.__main__ import SECTIONS, tuning

    parts = [_HEADER, "\n", _prose(tuning), "\n"]
    context = click.Context(tuning, info_name="tuning")
    for title, section in SECTIONS.items():
        listed = ", ".join(f"[`{name}`](#tuning-{name})" for name in section)
        parts.append(f"* **{title}**: {listed}\n")
    for title, section in SECTIONS.items():
        parts.append(f"\n## {title}\n")
        for name in section:
            command = tuning.get_command(context, name)
            if command is not None:
                parts.append("".join(_command(command, context)))
    return "".join(parts)


def _command(command: click.Command, parent: click.Context) -> Iterator[str]:
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
    if rows:
        yield "\n| Argument or option | What it does |\n| --- | --- |\n"
        for name, text in rows:
            yield f"| {_cell(name)} | {_cell(text)} |\n"


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


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|")
