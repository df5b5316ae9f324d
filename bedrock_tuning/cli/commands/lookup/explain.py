"""`tuning explain`: what a failure message of Amazon Bedrock means."""

import sys

import click

from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.errors import EXIT_NO
from bedrock_tuning.cli.terminal.output import emit, emit_json, json_option
from bedrock_tuning.errors import UserError


@command(
    order=3,
    examples=(
        "tuning explain 'perms missing (PutObject)'",
        "tuning explain - < message.txt",
    ),
)
@click.argument("message", nargs=-1, help="The message, quoted or not; - reads standard input.")
@click.option("--code", default="", help="The error's class, e.g. ServiceQuotaExceededException.")
@click.option("--model", default="", help="Base model, if the message names none: key, id or ARN.")
@json_option
@click.pass_context
def explain(
    ctx: click.Context, /, *, message: tuple[str, ...], code: str, model: str, as_json: bool
) -> None:
    """Explain why a job failed: likely cause, row, fix.

    Exit code 1: the message is not known; it is shown unchanged.
    """
    from bedrock_tuning.run.failure_advice import explain as words

    text = " ".join(message)
    if text == "-":
        text = sys.stdin.read()
    if not text.strip() and not code:
        raise UserError("no message given", fix="pass the message, or - to read it")
    explanation = words(text, code=code, model=model)
    if as_json:
        emit_json(explanation)
        ctx.exit(0 if explanation.known else EXIT_NO)
    emit(f"cause:  {explanation.cause}")
    if explanation.line is not None:
        emit(f"line:   {explanation.line:,} of the manifest")
    if explanation.record:
        emit(f"record: {explanation.record}")
    if explanation.where:
        emit(f"where:  {explanation.where}")
    emit(f"fix:    {explanation.fix}")
    ctx.exit(0 if explanation.known else EXIT_NO)
