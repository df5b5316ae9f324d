"""`tuning price`: what a run of a customization costs, as far as prices are known."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bedrock_tuning.cli.options import (
    DeploymentOption,
    customization_argument,
    deployment_options,
    files_option,
    find_customization,
)
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.output import emit, emit_json, json_option, say

if TYPE_CHECKING:
    from bedrock_tuning.run.cost import Estimate


@command(
    order=4,
    examples=(
        "tuning price pets-style --records 1000",
        "tuning price pets-style --records 1000 --refresh",
    ),
    needs=("find the deployment", "ask for prices"),
)
@customization_argument("Customization, deployed or as a file in customizations/.")
@click.option("--records", type=click.IntRange(min=0), help="Records of the training manifest.")
@click.option(
    "--characters",
    type=click.IntRange(min=0),
    help="Characters of all its texts, for models priced by token.",
)
@click.option(
    "--refresh",
    is_flag=True,
    help="Ask the AWS Price List API for today's prices in the Region; needs pricing:GetProducts.",
)
@files_option
@json_option
@deployment_options
def price(
    *,
    refresh: bool,
    customization: str,
    records: int | None,
    characters: int | None,
    customizations: Path | None,
    deployed: DeploymentOption,
    as_json: bool,
) -> None:
    """Estimate the price and time of a run; an unknown price never counts as free.

    Prices come from the catalogue, each with its date. --refresh asks the AWS Price List API for
    today's prices; those that it does not list stay as they are.
    """
    from bedrock_tuning.run import cost
    from bedrock_tuning.run.price_list import NOT_ASKED
    from bedrock_tuning.sources.price_list import listed_prices

    settings, aws = find_customization(customization, customizations, deployed), deployed.aws
    estimate = cost.estimate(
        customization=settings,
        training_records=records,
        training_characters=characters,
        listed=listed_prices(aws.pricing, settings.base_model, aws.region)
        if refresh
        else NOT_ASKED,
    )
    if as_json:
        approval = cost.needs_approval(customization=settings, estimate=estimate)
        emit_json(_as_json(estimate, approval))
        return
    emit(str(estimate))
    if estimate.rates:
        emit("\nserving:")
        for line in estimate.rates:
            emit(f"  {line}")
    emit(f"\napproval: {cost.approval_in_words(settings, estimate)}")
    if characters is None and "prices.training_per_1k_tokens" in settings.base_model.facts:
        say(
            "training is priced by the token: "
            "pass --characters N, the number of characters in all texts"
        )


def _as_json(estimate: "Estimate", approval: str | None) -> dict[str, object]:
    return {
        "total_usd": estimate.total_usd,
        "known": estimate.known,
        "unknown": estimate.unknown,
        "price_date": estimate.price_date,
        "approval": approval,
        "training_time": estimate.training_time,
        "notes": estimate.notes,
        "lines": estimate.lines,
        "rates": estimate.rates,
    }
