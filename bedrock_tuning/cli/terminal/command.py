"""What a command declares of itself: its place in its section, examples, what it needs of AWS.

A file in a folder of bedrock_tuning/cli/commands/ is a command: it holds a function of the file's
name under `@command(...)`, and the folder is its section. Nothing else lists it.
"""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

import click


class HelpSection(Enum):
    """The sections of `tuning --help`, in their order; each name is that of a folder."""

    DATASET = "Check and prepare a dataset"
    LOOKUP = "Look things up"
    OPERATE = "Operate a deployment"
    MODEL = "Use a model, and see what it learned"
    PROJECT = "Deploy and maintain"


class TuningCommand(click.Command):
    """One command.

    order: its place among the commands of its section. examples: whole command lines. needs: what
    its caller must be able to do, of contracts.abilities.ABILITIES, with any of its options; the
    policies of people follow from it. no_json: why it has no --json, for a command whose output is
    no data; a test refuses one without a reason.
    """

    def __init__(
        self,
        name: str | None,
        callback: Callable[..., Any],
        order: int,
        examples: Sequence[str] = (),
        needs: Sequence[str] = (),
        no_json: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(name, callback=callback, **kwargs)
        self.section = HelpSection[callback.__module__.split(".")[-2].upper()]
        self.order = order
        self.examples = tuple(examples)
        self.needs = tuple(needs)
        self.no_json = no_json

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The examples, after the options."""
        super().format_epilog(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"{' ' * formatter.current_indent}$ {example}\n")


def command(
    *, order: int, examples: Sequence[str] = (), needs: Sequence[str] = (), no_json: str = ""
) -> Callable[[Callable[..., Any]], TuningCommand]:
    """Makes a function a command of `tuning`; the arguments are TuningCommand's."""
    return click.command(
        cls=TuningCommand, order=order, examples=examples, needs=needs, no_json=no_json
    )
