"""`tuning retire`: ends a customization: its endpoint, its roles and its settings."""

from typing import TYPE_CHECKING

from bedrock_tuning.cli.options import DeploymentOption, customization_argument, deployment_options
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.output import confirm, emit_json, json_option, say, yes_option
from bedrock_tuning.errors import UserError

if TYPE_CHECKING:
    from bedrock_tuning.client.retirement import Retirement


@command(
    order=4,
    examples=("tuning retire pets-style -e prod",),
    needs=(
        "find the deployment",
        "list what is deployed",
        "see endpoints",
        "retire customizations",
    ),
)
@customization_argument("Customization to retire, as in `tuning list`.")
@yes_option
@json_option
@deployment_options
def retire(*, customization: str, deployed: DeploymentOption, yes: bool, as_json: bool) -> None:
    """Delete the stack of a customization, with its endpoint, its roles and its settings.

    First shows what is served, until when a commitment is billed, and which models stay, with
    their price per month. Datasets, reports, runs and models are kept. A customization with a run
    that has not ended is not retired.
    """
    from bedrock_tuning.client import retirement

    deployment = deployed()
    found = retirement.look(deployment, customization)
    for line in _lines(found):
        say(line)
    if found.open:
        raise UserError(
            f"{customization} is at work: {', '.join(found.open)}",
            fix=f"wait, or end it: `{deployment.command('stop RUN')}`, "
            f"`{deployment.command('approve RUN --decline')}`",
        )
    confirm(
        f"Delete {found.stack}?",
        yes=yes,
        otherwise="to delete it",
        unchanged="the customization stays as it is",
    )
    retirement.delete(deployment, found)
    if as_json:
        emit_json({"stack": found.stack, "models": found.models, "served": found.served})
    else:
        say(f"deleted {found.stack}; what stays: {deployment.command('list')}")


def _lines(found: "Retirement") -> "list[str]":
    lines = [f"{found.stack}: {'nothing is served' if not found.served else ''}".rstrip(": ")]
    for each in found.served:
        price = "an unknown price" if each.usd_per_hour is None else f"{each.usd_per_hour:,.2f} USD"
        end = "it is deleted now"
        if each.commitment is not None:
            until = f"{each.committed_until:%Y-%m-%d}" if each.committed_until else "its end"
            end = f"its commitment ({each.commitment}) is billed until {until}"
        lines.append(f"  {each.name}: {price} per hour; {end}")
    for model in found.models:
        price = "unknown" if model.usd_per_month is None else f"{model.usd_per_month:,.2f} USD"
        lines.append(f"  {model.name} stays: {price} a month; {model.command}")
    return lines
