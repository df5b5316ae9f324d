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
    plan = retirement.look(deployment, customization)
    for line in _lines(plan):
        say(line)
    if plan.open:
        raise UserError(
            f"{customization} is at work: {', '.join(plan.open)}",
            fix=f"wait, or end it: `{deployment.command('stop RUN')}`, "
            f"`{deployment.command('approve RUN --decline')}`",
        )
    confirm(
        f"Delete {plan.stack}?",
        yes=yes,
        otherwise="to delete it",
        unchanged="the customization stays as it is",
    )
    retirement.delete(deployment, plan)
    if as_json:
        emit_json({"stack": plan.stack, "models": plan.models, "served": plan.served})
    else:
        say(f"deleted {plan.stack}; what stays: {deployment.command('list')}")


def _lines(plan: "Retirement") -> "list[str]":
    lines = [f"{plan.stack}: {'nothing is served' if not plan.served else ''}".rstrip(": ")]
    for endpoint in plan.served:
        price = (
            "an unknown price"
            if endpoint.usd_per_hour is None
            else f"{endpoint.usd_per_hour:,.2f} USD"
        )
        end = "it is deleted now"
        if endpoint.commitment is not None:
            end_date = (
                f"{endpoint.committed_until:%Y-%m-%d}" if endpoint.committed_until else "its end"
            )
            end = f"its commitment ({endpoint.commitment}) is billed until {end_date}"
        lines.append(f"  {endpoint.name}: {price} per hour; {end}")
    for model in plan.models:
        price = "unknown" if model.usd_per_month is None else f"{model.usd_per_month:,.2f} USD"
        lines.append(f"  {model.name} stays: {price} a month; {model.command}")
    return lines
