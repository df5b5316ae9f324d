"""`tuning endpoints`: what is billed by the hour right now."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from bedrock_tuning.cli.options import DeploymentOption, deployment_options
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.output import emit_json, emit_table, json_option, say

if TYPE_CHECKING:
    from bedrock_tuning.client.endpoints import ProvisionedEndpoint


@command(
    order=7,
    examples=("tuning endpoints -e prod",),
    needs=("find the deployment", "see endpoints"),
)
@click.option("--all", "every", is_flag=True, help="Include those not created by this project.")
@json_option
@deployment_options
def endpoints(*, every: bool, deployed: DeploymentOption, as_json: bool) -> None:
    """List every Provisioned Throughput with its age, the end of its lease and its price."""
    from bedrock_tuning.client.endpoints import endpoints as listed

    deployment = deployed()
    rows = list(listed(deployment.aws, environment=None if every else deployment.environment))
    if as_json:
        emit_json(rows)
        return
    if not rows:
        say("no Provisioned Throughput: nothing is billed by the hour")
        say("(models served on demand are billed per request and not listed)")
        return
    emit_table(
        ("NAME", "CUSTOMIZATION", "STATUS", "UNITS", "AGE", "LEASE ENDS", "USD PER HOUR"),
        (_row(endpoint) for endpoint in rows),
    )
    if any(endpoint.lease_end for endpoint in rows):
        say(f"to end one early: {deployment.command('lease CUSTOMIZATION --end')}")
    prices = [endpoint.usd_per_hour for endpoint in rows if endpoint.usd_per_hour is not None]
    unpriced = len(rows) - len(prices)
    if prices:
        say(f"total: {'at least ' if unpriced else ''}{sum(prices):,.2f} USD per hour")
    if unpriced:
        say(f"no price is known for {unpriced} of {len(rows)} endpoints: see the AWS price list")


def _row(endpoint: "ProvisionedEndpoint") -> tuple[str, ...]:
    from bedrock_tuning.run.exposure import price_in_words

    hours = (datetime.now(UTC) - endpoint.created).total_seconds() / 3600
    return (
        endpoint.name,
        endpoint.customization or "not ours",
        "lease ended" if endpoint.is_ending else endpoint.status,
        str(endpoint.units),
        f"{hours:,.1f} h",
        endpoint.lease_end
        or (f"commitment {endpoint.commitment}" if endpoint.commitment else "never"),
        price_in_words(endpoint.usd_per_hour),
    )
