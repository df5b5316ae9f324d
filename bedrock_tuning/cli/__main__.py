"""Entry point of `tuning`, also as `python -m bedrock_tuning.cli`: the one list of all commands."""

import click

from bedrock_tuning.cli.terminal.group import TuningGroup

# A command exists when it is listed here; it is imported when it is called or described.
SECTIONS = {
    "Check and prepare a dataset": {
        "validate": "bedrock_tuning.cli.commands.validate",
        "prepare": "bedrock_tuning.cli.commands.prepare",
    },
    "Look things up": {
        "rules": "bedrock_tuning.cli.commands.rules",
        "models": "bedrock_tuning.cli.commands.models",
        "explain": "bedrock_tuning.cli.commands.explain",
        "price": "bedrock_tuning.cli.commands.price",
    },
    "Operate a deployment": {
        "upload": "bedrock_tuning.cli.commands.upload",
        "runs": "bedrock_tuning.cli.commands.runs",
        "run": "bedrock_tuning.cli.commands.run",
        "report": "bedrock_tuning.cli.commands.report",
        "approve": "bedrock_tuning.cli.commands.approve",
        "serve": "bedrock_tuning.cli.commands.serve",
        "endpoints": "bedrock_tuning.cli.commands.endpoints",
        "lease": "bedrock_tuning.cli.commands.lease",
        "stop": "bedrock_tuning.cli.commands.stop",
    },
    "Work on this project": {
        "preflight": "bedrock_tuning.cli.commands.preflight",
        "review": "bedrock_tuning.cli.commands.review",
        "docs": "bedrock_tuning.cli.commands.docs",
    },
}


@click.group(
    cls=TuningGroup,
    sections=SECTIONS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="bedrock-tuning", message="%(prog)s %(version)s")
def tuning() -> None:
    """Upload a dataset; get a served custom model, or a list of exactly what to fix.

    Results go to standard output, messages and progress to standard error. Exit code 0: as wished;
    1: the answer is no (findings, a failed run, a stale page); 2: it could not be done.
    """


def main() -> None:
    """Runs `tuning` with the arguments of this process."""
    tuning(prog_name="tuning")


if __name__ == "__main__":
    main()
