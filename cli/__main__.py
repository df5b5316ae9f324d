"""Entry point of `tuning`, also as `python -m cli`: the one list of all commands."""

import click

from cli.group import TuningGroup

# A command exists when it is listed here; it is imported when it is called or described.
SECTIONS = {
    "Check and prepare a dataset": {
        "validate": "cli.commands.validate",
        "prepare": "cli.commands.prepare",
    },
    "Look things up": {
        "rules": "cli.commands.rules",
        "models": "cli.commands.models",
        "explain": "cli.commands.explain",
        "price": "cli.commands.price",
    },
    "Operate a deployment": {
        "upload": "cli.commands.upload",
        "runs": "cli.commands.runs",
        "run": "cli.commands.run",
        "report": "cli.commands.report",
        "approve": "cli.commands.approve",
        "serve": "cli.commands.serve",
        "endpoints": "cli.commands.endpoints",
        "lease": "cli.commands.lease",
        "stop": "cli.commands.stop",
    },
    "Work on this project": {
        "preflight": "cli.commands.preflight",
        "review": "cli.commands.review",
        "docs": "cli.commands.docs",
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
