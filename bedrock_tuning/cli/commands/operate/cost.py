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
    found = spending(deployment, billed=billed)
    if as_json:
        emit_json({"environment": deployment.environment, "customizations": found})
        return
    say(deployment.place)
    emit_table(
        ("CUSTOMIZATION", "TEAM", "SO FAR", "UNTIL", "MORE UNTIL THEN", "STORED/MONTH", "BILLED"),
        (
            (
                each.customization,
                each.team,
                _sum(served.so_far_usd for served in each.served),
                max((served.ends or "no end" for served in each.served), default=""),
                _sum(served.until_end_usd for served in each.served),
                price_in_words(each.stored_usd_per_month),
                price_in_words(each.billed_usd) if billed else "not asked",
            )
            for each in found
        ),
    )
    for line in _totals(found):
        say(line)


def _totals(found: "Sequence[Spending]") -> list[str]:
    served = [each for spent in found for each in spent.served]
    lines = []
    teams = sorted({each.team for each in found if each.team})
    for team in teams if len(teams) > 1 else ():
        own = [served for each in found if each.team == team for served in each.served]
        lines.append(f"team {team}: {_sum(each.so_far_usd for each in own)} USD so far")
    if not served:
        return [*lines, "nothing is billed by the hour"]
    return [
        *lines,
        f"endpoints: {_sum(each.so_far_usd for each in served)} USD so far, "
        f"{_sum(each.until_end_usd for each in served)} USD more until their leases end",
        "all amounts are US dollars at the prices of the catalogue, which may be outdated",
    ]


def _sum(amounts: Iterable[float | None]) -> str:
    """The known ones together, as a lower bound where some are not known."""
    every = list(amounts)
    known = [each for each in every if each is not None]
    if every and not known:
        return "unknown"
    return f"{'at least ' if len(known) < len(every) else ''}{sum(known):,.2f}"
