"""What a command declares of itself: its section, its place in it, examples.

A file in bedrock_tuning/cli/commands/ is a command: it holds a function of the file's name under
`@command(...)`. Nothing else lists it.
"""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

import click


class Section(Enum):
    """The sections of `tuning --help`, in their order."""

    DATASET = "Check and prepare a dataset"
    LOOKUP = "Look things up"
    OPERATE = "Operate a deployment"
    PROJECT = "Work on this project"


class TuningCommand(click.Command):
    """One command.

    order: its place among the commands of its section. examples: whole command lines. no_json: why
    it has no --json, for a command whose output is no data; a test refuses one without a reason.
    """

    def __init__(
        self,
        *args: Any,
        section: Section,
        order: int,
        examples: Sequence[str] = (),
        no_json: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.section = section
        self.order = order
        self.examples = tuple(examples)
        self.no_json = no_json

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The examples, after the options."""
        super().format_epilog(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"{' ' * formatter.current_indent}$ {example}\n")


def command(
    section: Section, *, order: int, examples: Sequence[str] = (), no_json: str = ""
) -> Callable[[Callable[..., Any]], TuningCommand]:
    """Makes a function a command of `tuning`; the arguments are TuningCommand's."""
    return click.command(
        cls=TuningCommand, section=section, order=order, examples=examples, no_json=no_json
    )
