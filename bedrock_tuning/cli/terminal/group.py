"""The group of all commands: finds and loads them when needed, and words their errors."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from importlib import import_module
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import click

from bedrock_tuning.cli.terminal.command import HelpSection, TuningCommand
from bedrock_tuning.cli.terminal.errors import (
    EXIT_UNREAD,
    Interrupted,
    as_failure,
    error_document,
)
from bedrock_tuning.cli.terminal.output import emit_json
from bedrock_tuning.wording import printable

_AS_JSON: Final = f"{__name__}.as_json"


class TuningGroup(click.Group):
    """Commands are modules in folders of a package, each imported when it is called or described.

    package: each module in a folder of it holds a TuningCommand of its own name. Every exception
    leaves as a message: no user ever sees a traceback.
    """

    def __init__(self, *args: Any, package: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._package = package

    @cached_property
    def _modules(self) -> Mapping[str, str]:
        """The module of each command."""
        # Files, not imports: starting one command must not load the others.
        (folder,) = map(Path, import_module(self._package).__path__)
        return {
            path.stem: f"{self._package}.{path.parent.name}.{path.stem}"
            for path in folder.glob("*/*.py")
            if path.stem != "__init__"
        }

    @cached_property
    def sections(self) -> Mapping[HelpSection, Sequence[TuningCommand]]:
        """All commands by section, in their order; imports them all."""
        all_commands = sorted(map(self._load, self._modules), key=_position)
        return {
            section: tuple(commands)
            for section, commands in groupby(all_commands, key=lambda command: command.section)
        }

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Names in the order of the sections."""
        return [str(command.name) for commands in self.sections.values() for command in commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of a name; None when there is none."""
        return self._load(cmd_name) if cmd_name in self._modules else None

    def _load(self, name: str) -> TuningCommand:
        module = self._modules[name]
        command = getattr(import_module(module), name, None)
        if not isinstance(command, TuningCommand):
            raise TypeError(f"{module} holds no command {name}: put @command(...) on a function")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it; an unknown command is refused with the closest one."""
        from bedrock_tuning.wording import closest

        if args and args[0] not in self._modules and not args[0].startswith("-"):
            suggestion = closest(args[0], sorted(self._modules))
            hint = f" Did you mean {suggestion}?" if suggestion else ""
            ctx.fail(f"Unknown command '{args[0]}'.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """One list per section."""
        for section, commands in self.sections.items():
            with formatter.section(section.value):
                formatter.write_dl(
                    [
                        (str(command.name), command.get_short_help_str(limit=200))
                        for command in commands
                    ]
                )

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """As click does it; --help and --version write here."""
        with _until_nobody_reads():
            return super().make_context(*args, **kwargs)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does it; what follows --json counts also where the rest cannot be read."""
        ctx.meta[_AS_JSON] = "--json" in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Runs a command; whatever goes wrong leaves as one message and exit code 2."""
        try:
            with _until_nobody_reads():
                return self._invoke(ctx)
        except click.ClickException as error:
            # A usage error quotes what was typed.
            message = error.message
            if isinstance(error, click.BadParameter) and message.endswith("does not exist."):
                message += f" Check the path; you are in {Path.cwd()}."
            vars(error)["message"] = printable(message)
            if ctx.meta[_AS_JSON]:
                with _until_nobody_reads():
                    emit_json(error_document(error))
            raise

    def _invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, BrokenPipeError):
            raise
        except (KeyboardInterrupt, click.Abort):
            raise Interrupted("the command did not finish") from None
        except Exception as error:
            called = self.get_command(ctx, str(ctx.invoked_subcommand))
            needs = called.needs if isinstance(called, TuningCommand) else ()
            raise as_failure(error, needs=needs) from error


def _position(command: TuningCommand) -> tuple[int, int]:
    return list(HelpSection).index(command.section), command.order


@contextmanager
def _until_nobody_reads() -> Iterator[None]:
    """Ends quietly when the reader of a pipe has seen enough, as in `tuning rules | head`.

    The code is that of other programs, not 0: what was not told may be that a dataset is rejected.
    """
    try:
        yield
    except BrokenPipeError:
        # What is still buffered would be written at exit, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise click.exceptions.Exit(EXIT_UNREAD) from None
