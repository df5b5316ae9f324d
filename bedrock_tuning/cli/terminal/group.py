"""The group of all commands: loads them when needed, shows them in sections, words their errors."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from bedrock_tuning.cli.terminal.errors import Interrupted, as_cannot_run

Sections = Mapping[str, Mapping[str, str]]


class TuningGroup(click.Group):
    """Commands by section, imported when first asked for.

    sections: by title, the module of each command by its name; the module holds it under the same
    name. Every exception leaves as CannotRun: no user ever sees a traceback.
    """

    def __init__(self, *args: Any, sections: Sections, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sections = sections
        self._modules = {
            name: module for section in sections.values() for name, module in section.items()
        }

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Names in the order of the sections."""
        return list(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of a name; None when there is none."""
        module = self._modules.get(cmd_name)
        if module is None:
            return None
        command = getattr(import_module(module), cmd_name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}.{cmd_name} is no command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One list per section."""
        for title, section in self.sections.items():
            commands = [(name, self.get_command(ctx, name)) for name in section]
            with formatter.section(title):
                formatter.write_dl(
                    [
                        (name, command.get_short_help_str(limit=200))
                        for name, command in commands
                        if command is not None
                    ]
                )

    def invoke(self, ctx: click.Context) -> Any:
        """Runs a command; whatever goes wrong leaves as one message and exit code 2."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, BrokenPipeError):
            raise
        except (KeyboardInterrupt, click.Abort):
            raise Interrupted("the command did not finish") from None
        except Exception as error:
            raise as_cannot_run(error) from error
