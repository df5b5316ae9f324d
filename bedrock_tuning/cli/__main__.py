"""Entry point of `tuning`, also as `python -m bedrock_tuning.cli`."""

import click

from bedrock_tuning.cli.terminal.group import TuningGroup


@click.group(
    cls=TuningGroup,
    package="bedrock_tuning.cli.commands",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="bedrock-tuning", message="%(prog)s %(version)s")
def tuning() -> None:
    """Upload a dataset; get a served custom model, or a list of exactly what to fix.

    Results go to standard output, messages and progress to standard error. With --json, standard
    output is one JSON document; for an error, it is {"error": {"code", "message", "where", "fix"}}
    (docs/error.schema.json). Standard error always has the error as text, too.

    Exit codes: 0 success; 1 problems found (findings, a failed run, stale pages) or declined; 2
    could not run; 3 waits for a person to approve; 130 stopped by Ctrl-C;
    141 nobody read the rest of the output, as in `tuning rules | head`.
    """


if __name__ == "__main__":
    tuning(prog_name="tuning")
