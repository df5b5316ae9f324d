"""`tuning endpoints`: what is billed by the hour right now."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from bedrock_tuning.cli.terminal.output import emit_json, emit_table, json_option, say
from bedrock_tuning.client.deployment import deployment_options

if TYPE_CHECKING:
    from bedrock_tuning.client.deployment import Deployed
    from bedrock_tuning.client.endpoints import Endpoint


@click.command()
@click.option("--all", "every", is_flag=True, help="Also those that this project did not make.")
@json_option
@deployment_options
def endpoints(*, every: bool, deployed: "Deployed", as_json: bool) -> None:
    """List every Provisioned Throughput with its age, the end of its lease and its price."""
    from bedrock_tuning.client.endpoints import endpoints as listed

    deployment = deployed()
    found = list(listed(deployment.aws, environment=None if every else deployment.environment))
    if as_json:
        emit_json(found)
        return
    if not found:
        say("nothing is served through Provisioned Throughput: nothing is billed by the hour")
        say("(what is served on demand is billed by its use and not listed)")
        return
    emit_table(
        ("NAME", "CUSTOMIZATION", "STATUS", "UNITS", "AGE", "LEASE ENDS", "USD PER HOUR"),
        (_row(each) for each in found),
    )
    if any(each.lease_end for each in found):
        say(f"{deployment.command('lease NAME --end')} ends a customization's before its time")
    known = [each.usd_per_hour for each in found if each.usd_per_hour is not None]
    unknown = len(found) - len(known)
    if known:
        say(f"together {'at least ' if unknown else ''}{sum(known):,.2f} USD per hour")
    if unknown:
        say(f"no price is known for {unknown} of {len(found)}: look at the AWS price list")


def _row(each: "Endpoint") -> tuple[str, ...]:
    hours = (datetime.now(UTC) - each.created).total_seconds() / 3600
    return (
        each.name,
        each.customization or "not ours",
        "lease over" if each.is_ending else each.status,
        str(each.units),
        f"{hours:,.1f} h",
        each.lease_end or (f"commitment {each.commitment}" if each.commitment else "never"),
        "unknown" if each.usd_per_hour is None else f"{each.usd_per_hour:,.2f}",
    )
