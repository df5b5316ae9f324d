"""Commands in what `tuning` prints, and whether a shell and the command's parser take them."""

import re
import shlex
from collections.abc import Iterator

import click

from bedrock_tuning.cli.__main__ import tuning

# In quotes, or to the end of the line; a table has two spaces between its columns.
_SHOWN = re.compile(
    r"`(tuning [^`\n]+)`|(?:^|: |\$ |\s{2})(tuning [a-z]+(?: [^\n`]*?)?)(?=\s{2}|$)", re.M
)
# Data, and what click says of a command's form.
_NOT_TYPED = ('"', "{", "[", "Usage:")
# A sentence goes on after a command.
_AFTER = re.compile(r"[,;.)]+$|, .*$|; .*$")


def commands_in(output: str) -> Iterator[str]:
    """Every command line that is shown to be typed; in JSON, a text is data."""
    lines = [line for line in output.splitlines() if not line.lstrip().startswith(_NOT_TYPED)]
    for quoted, bare in _SHOWN.findall("\n".join(lines)):
        yield quoted or _AFTER.sub("", bare)


def require_parseable(line: str) -> None:
    """Fails for a command or an option that does not exist, and for too many or few arguments."""
    words = shlex.split(line, comments=True)
    command = tuning.get_command(click.Context(tuning), words[1])
    assert command is not None, line
    if len(words) == 2:
        # A sentence names it: "`tuning validate` lists all".
        return
    context = click.Context(command, info_name=words[1])
    try:
        given, rest, _ = command.make_parser(context).parse_args(words[2:])
    except click.UsageError as error:
        raise AssertionError(f"{line}: {error.format_message()}") from None
    assert not rest, f"{line}: {rest} is too much"
    for parameter in command.get_params(context):
        if isinstance(parameter, click.Argument) and parameter.required:
            value = given.get(str(parameter.name))
            assert isinstance(value, str | tuple), f"{line}: {parameter.name} is missing"
