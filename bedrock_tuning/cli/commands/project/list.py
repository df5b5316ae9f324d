"""`tuning list`: what is deployed against the files, what the account holds, what it costs."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bedrock_tuning.cli.options import (
    configured_options,
    customizations_option,
    read_settings_file,
    settings_option,
    usual_environment,
    without_project,
)
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.errors import EXIT_NO
from bedrock_tuning.cli.terminal.output import emit, emit_json, emit_table, json_option, say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bedrock_tuning.client.aws import Aws
    from bedrock_tuning.client.operations.holdings import Holdings


@command(
    order=3,
    examples=("tuning list -e prod", "tuning list -e prod --json"),
    needs=("list what is deployed", "find the deployment", "see endpoints"),
)
@settings_option
@customizations_option
@json_option
@configured_options
@click.pass_context
def list(
    ctx: click.Context,
    /,
    *,
    environment: str | None,
    settings: Path,
    customizations: Path,
    aws_in: "Callable[[str | None], Aws]",
    as_json: bool,
) -> None:
    """Compare what is deployed with the customization files, and list what the account holds:
    endpoints, models and stored files with their prices, and what deleted stacks left behind.

    Removing a file destroys nothing: its stack stays until `tuning retire`. Buckets, keys, the
    runs table, custom models and pointers stay when stacks are deleted; each is listed with the
    command that deletes it, as are pointers to a model or endpoint that is gone.

    Stored files are counted with their older versions, at the price of S3 Standard. What you may
    not list and what has no known price is shown as unknown.

    Outside a project's folder there is nothing to compare with: it lists what is deployed.

    Exit code 1: a customization is not deployed as its file says, or is deployed without a file.
    """
    from bedrock_tuning.client import inventory
    from bedrock_tuning.client.deployment import find
    from bedrock_tuning.client.operations.holdings import holdings
    from bedrock_tuning.contracts import project

    if without_project(settings):
        aws, name = aws_in(None), environment or usual_environment()
        entries = inventory.compared(aws, name, None)
    else:
        files = project.read(
            read_settings_file(settings), environment=environment, customizations=customizations
        )
        aws, name = aws_in(files.settings.region), files.settings.name
        entries = inventory.compared(
            aws,
            name,
            files.customizations,
            retired=[Path(file).stem for file in files.retired],
            elsewhere=[path.stem for path in customizations.glob("*.toml")],
        )
    names = [entry.name for entry in entries if entry.status != "no stack"]
    account = holdings(aws, name, known=names)
    if not (entries or account.models or account.endpoints or account.stored or account.remaining):
        # Nothing at all: is the name right?
        find(aws, environment=name)
    differing = [entry for entry in entries if entry.differs]
    if as_json:
        emit_json(
            {
                "environment": name,
                "customizations": entries,
                "models": account.models,
                "endpoints": account.endpoints,
                "stored": account.stored,
                "kept": account.kept,
                "remaining": account.remaining,
                "usd_per_hour": account.hourly,
                "usd_per_month": account.monthly,
            }
        )
    else:
        emit_table(
            ("CUSTOMIZATION", "STACK", "DIFFERENCE"),
            ((entry.name, entry.status, entry.differs) for entry in entries),
        )
        _show(account)
    if differing:
        say(f"{len(differing)} of {len(entries)} are not as they should be")
        ctx.exit(EXIT_NO)


def _show(account: "Holdings") -> None:
    from bedrock_tuning.run.cost import HOURS_PER_MONTH
    from bedrock_tuning.run.exposure import price_in_words as usd
    from bedrock_tuning.wording import in_bytes

    _table(
        ("ENDPOINT", "CUSTOMIZATION", "STATUS", "BILLED", "ENDS", "USD/HOUR", "USD/30 DAYS"),
        [
            (
                endpoint.name,
                endpoint.customization,
                endpoint.status,
                endpoint.billed,
                endpoint.ends,
                usd(endpoint.usd_per_hour),
                usd(endpoint.usd_per_month),
            )
            for endpoint in account.endpoints
        ],
    )
    _table(
        ("MODEL", "CUSTOMIZATION", "SINCE", "USE", "USD/MONTH"),
        [
            (model.name, model.customization, model.created, model.use, usd(model.usd_per_month))
            for model in account.models
        ],
    )
    _table(
        ("STORED IN", "CUSTOMIZATION", "FILES", "SIZE", "USD/MONTH"),
        [
            (
                store.bucket,
                store.customization or "(none)",
                "unknown" if store.files is None else f"{store.files:,}",
                "unknown" if store.size is None else in_bytes(store.size),
                usd(store.usd_per_month),
            )
            for store in account.stored
        ],
    )
    _table(
        ("OUTLIVES ITS STACK", "NAME", "BILLED", "USD/MONTH"),
        [
            (remains.kind, remains.name, remains.billed, usd(remains.usd_per_month))
            for remains in account.kept
        ],
    )
    _table(
        ("REMAINS", "NAME", "BILLED", "USD/MONTH", "TO DELETE IT"),
        [
            (
                remains.kind,
                remains.name,
                remains.billed,
                usd(remains.usd_per_month),
                remains.command,
            )
            for remains in account.remaining
        ],
    )
    if account.remaining:
        say("what they hold, or encrypt, cannot be brought back: read a command before you run it")
    # Several, if an environment was destroyed twice: a person knows which one has the data.
    adopting: dict[str, str] = {}
    for remains in account.remaining:
        if remains.setting:
            values = adopting.get(remains.setting)
            adopting[remains.setting] = f"{values} or {remains.value}" if values else remains.value
    if adopting:
        emit("\nto go on with it, set in cdk.json before you deploy again:\n")
        emit(json.dumps(adopting, indent=2)[2:-2])
    hourly, monthly = account.hourly, account.monthly
    emit(f"\nendpoints per hour: {hourly}")
    if hourly.usd:
        emit(f"endpoints, if they stay for 30 days: {hourly.usd * HOURS_PER_MONTH:,.2f} USD")
    emit(f"stored and remaining per month: {monthly}")


def _table(header: tuple[str, ...], rows: "Sequence[tuple[str, ...]]") -> None:
    if rows:
        emit()
        emit_table(header, rows)
