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
    found = list(listed(deployment.aws, environment=None if every else deployment.environment))
    if as_json:
        emit_json(found)
        return
    if not found:
        say("no Provisioned Throughput: nothing is billed by the hour")
        say("(models served on demand are billed per request and not listed)")
        return
    emit_table(
        ("NAME", "CUSTOMIZATION", "STATUS", "UNITS", "AGE", "LEASE ENDS", "USD PER HOUR"),
        (_row(each) for each in found),
    )
    if any(each.lease_end for each in found):
        say(f"to end one early: {deployment.command('lease CUSTOMIZATION --end')}")
    known = [each.usd_per_hour for each in found if each.usd_per_hour is not None]
    unknown = len(found) - len(known)
    if known:
        say(f"total: {'at least ' if unknown else ''}{sum(known):,.2f} USD per hour")
    if unknown:
        say(f"no price is known for {unknown} of {len(found)} endpoints: see the AWS price list")


def _row(each: "ProvisionedEndpoint") -> tuple[str, ...]:
    from bedrock_tuning.run.exposure import price_in_words

    hours = (datetime.now(UTC) - each.created).total_seconds() / 3600
    return (
        each.name,
        each.customization or "not ours",
        "lease ended" if each.is_ending else each.status,
        str(each.units),
        f"{hours:,.1f} h",
        each.lease_end or (f"commitment {each.commitment}" if each.commitment else "never"),
        price_in_words(each.usd_per_hour),
    )
