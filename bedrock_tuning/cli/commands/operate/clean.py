"""`tuning clean`: deletes models and images that nobody uses any more."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from bedrock_tuning.cli.options import DeploymentOption, customization_option, deployment_options
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.errors import Interrupted
from bedrock_tuning.cli.terminal.output import (
    confirm,
    emit,
    emit_json,
    emit_table,
    json_option,
    say,
    yes_option,
)
from bedrock_tuning.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bedrock_tuning.client.cleaning import Unused


@command(
    order=14,
    examples=(
        "tuning clean --dry-run",
        "tuning clean -c pets-search --keep 3 --older-than 90",
    ),
    needs=(
        "find the deployment",
        "list what is deployed",
        "read runs",
        "delete models and images",
    ),
)
@customization_option("Only models and images of this customization.")
@click.option(
    "--keep",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="Keep this many of the newest models of each customization, besides the published one.",
)
@click.option(
    "--older-than",
    "days",
    metavar="DAYS",
    type=click.IntRange(0),
    default=30,
    show_default=True,
    help="Keep what is newer than this.",
)
@click.option("--dry-run", is_flag=True, help="List it and delete nothing.")
@yes_option
@json_option
@deployment_options
def clean(
    *,
    customization: str | None,
    keep: int,
    days: int,
    dry_run: bool,
    yes: bool,
    deployed: DeploymentOption,
    as_json: bool,
) -> None:
    """Delete models that are neither published nor served, and images that no manifest names.

    Shows what it would delete, with its price per month where that is known, and asks. What is
    served or published stays, and so does everything of a customization whose run has not ended.
    A deleted model cannot be brought back; a deleted image can, as long as the bucket keeps older
    versions. So no policy for people allows this: an administrator of the account does it.
    """
    from bedrock_tuning.client.cleaning import delete, unused

    deployment = deployed()
    if customization is not None:
        deployment.require(customization)
    say(deployment.place)
    limit = datetime.now(UTC) - timedelta(days=days)
    leftovers = unused(deployment, only=customization, keep=keep, before=limit)
    if not as_json:
        _show(leftovers)
    deleted: list[str] = []
    if leftovers and not dry_run:
        confirm(
            f"Delete {_count(leftovers)}?",
            yes=yes,
            otherwise="to delete it",
            unchanged="everything stays",
        )
        try:
            for leftover in leftovers:
                delete(deployment, leftover)
                deleted.append(leftover.name)
                if not as_json:
                    emit(f"deleted {leftover.name}")
        except KeyboardInterrupt:
            raise Interrupted(
                f"{len(deleted)} of {len(leftovers)} are deleted, the rest stays",
                fix=f"to continue: {deployment.command('clean')}",
            ) from None
    if as_json:
        emit_json({"unused": [_document(leftover) for leftover in leftovers], "deleted": deleted})


def _show(leftovers: "Sequence[Unused]") -> None:
    from bedrock_tuning.run.exposure import price_in_words

    if not leftovers:
        emit("nothing to clean: everything is in use, kept or newer")
        return
    emit_table(
        ("KIND", "CUSTOMIZATION", "NAME", "WHY", "USD/MONTH"),
        (
            (
                leftover.kind,
                leftover.customization,
                leftover.name,
                leftover.why,
                "by size" if leftover.kind == "images" else price_in_words(leftover.usd_per_month),
            )
            for leftover in leftovers
        ),
        texts=("WHY",),
    )


def _count(leftovers: "Sequence[Unused]") -> str:
    models = sum(leftover.kind == "model" for leftover in leftovers)
    files = sum(len(leftover.keys) for leftover in leftovers)
    parts = [
        counted(number, noun) for number, noun in ((models, "model"), (files, "file")) if number
    ]
    return " and ".join(parts)


def _document(leftover: "Unused") -> dict[str, object]:
    return {
        "kind": leftover.kind,
        "customization": leftover.customization,
        "name": leftover.name,
        "why": leftover.why,
        "usd_per_month": leftover.usd_per_month,
        "files": len(leftover.keys),
    }
