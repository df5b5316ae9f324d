"""`tuning cost`: what an environment costs now and until its leases end."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from bedrock_tuning.cli.options import DeploymentOption, deployment_options
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.output import emit_json, emit_table, json_option, say

if TYPE_CHECKING:
    from bedrock_tuning.client.spending import Spending


@command(
    order=15,
    examples=("tuning cost -e prod", "tuning cost --billed --json"),
    needs=("find the deployment", "see endpoints", "list what is deployed", "ask for bills"),
)
@click.option(
    "--billed",
    is_flag=True,
    help="Also ask Cost Explorer for this month's bill; AWS bills each such request.",
)
@json_option
@deployment_options
def cost(*, billed: bool, deployed: DeploymentOption, as_json: bool) -> None:
    """Show what each customization and team costs: endpoints so far and until their leases end,
    stored models per month.

    Endpoints are counted from their creation, at the prices of the catalogue; an unknown price is
    never zero. What ended already, and what training cost, is only in the bill: activate the tags
    bedrock-tuning:environment and bedrock-tuning:customization for cost allocation, and pass
    --billed.
    """
    from bedrock_tuning.client.spending import spending
    from bedrock_tuning.run.exposure import price_in_words

    deployment = deployed()
    rows = spending(deployment, billed=billed)
    if as_json:
        emit_json({"environment": deployment.environment, "customizations": rows})
        return
    say(deployment.place)
    emit_table(
        ("CUSTOMIZATION", "TEAM", "SO FAR", "UNTIL", "MORE UNTIL THEN", "STORED/MONTH", "BILLED"),
        (
            (
                row.customization,
                row.team,
                _sum(endpoint.so_far_usd for endpoint in row.served),
                max((endpoint.ends or "no end" for endpoint in row.served), default=""),
                _sum(endpoint.until_end_usd for endpoint in row.served),
                price_in_words(row.stored_usd_per_month),
                price_in_words(row.billed_usd) if billed else "not asked",
            )
            for row in rows
        ),
    )
    for line in _totals(rows):
        say(line)


def _totals(rows: "Sequence[Spending]") -> list[str]:
    endpoints = [endpoint for spent in rows for endpoint in spent.served]
    lines = []
    teams = sorted({row.team for row in rows if row.team})
    for team in teams if len(teams) > 1 else ():
        team_endpoints = [endpoint for row in rows if row.team == team for endpoint in row.served]
        lines.append(
            f"team {team}: {_sum(endpoint.so_far_usd for endpoint in team_endpoints)} USD so far"
        )
    if not endpoints:
        return [*lines, "nothing is billed by the hour"]
    return [
        *lines,
        f"endpoints: {_sum(endpoint.so_far_usd for endpoint in endpoints)} USD so far, "
        f"{_sum(endpoint.until_end_usd for endpoint in endpoints)} USD more until their leases end",
        "all amounts are US dollars at the prices of the catalogue, which may be outdated",
    ]


def _sum(amounts: Iterable[float | None]) -> str:
    """The known ones together, as a lower bound where some are not known."""
    all_amounts = list(amounts)
    known_amounts = [amount for amount in all_amounts if amount is not None]
    if all_amounts and not known_amounts:
        return "unknown"
    return (
        f"{'at least ' if len(known_amounts) < len(all_amounts) else ''}{sum(known_amounts):,.2f}"
    )
