"""`tuning price`: what a run of a customization costs, as far as prices are known."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bedrock_tuning.cli.options import (
    complete_customizations,
    deployment_options,
    files_option,
    find_customization,
)
from bedrock_tuning.cli.terminal.command import command
from bedrock_tuning.cli.terminal.output import emit, emit_json, json_option

if TYPE_CHECKING:
    from bedrock_tuning.cli.options import Deployed
    from bedrock_tuning.config.customization import Customization
    from bedrock_tuning.run.cost import Estimate


@command(
    order=4,
    examples=("tuning price pets-style --records 1000",),
)
@click.argument(
    "customization",
    shell_complete=complete_customizations,
    help="Customization, deployed or as a file in customizations/.",
)
@click.option("--records", type=click.IntRange(min=0), help="Records of the training manifest.")
@click.option(
    "--characters",
    type=click.IntRange(min=0),
    help="Characters of all its texts, for models priced by token.",
)
@files_option
@json_option
@deployment_options
def price(
    *,
    customization: str,
    records: int | None,
    characters: int | None,
    customizations: Path | None,
    deployed: "Deployed",
    as_json: bool,
) -> None:
    """Estimate the price and time of a run; an unknown price never counts as free."""
    from bedrock_tuning.run import cost

    chosen = find_customization(customization, customizations, deployed)
    found = cost.estimate(
        customization=chosen, training_records=records, training_characters=characters
    )
    approval = cost.needs_approval(customization=chosen, estimate=found)
    if as_json:
        emit_json(_as_json(found, approval))
        return
    emit(str(found))
    if found.rates:
        emit("\nserving:")
        for line in found.rates:
            emit(f"  {line}")
    emit(f"\napproval: {approval or _why_not_needed(chosen)}")


def _why_not_needed(chosen: "Customization") -> str:
    if chosen.budget.approval == "never":
        return 'not needed at any price: [budget] approval is "never"'
    return "not needed: the price is within the budget"


def _as_json(found: "Estimate", approval: str | None) -> dict[str, object]:
    return {
        "total_usd": found.total_usd,
        "known": found.known,
        "unknown": found.unknown,
        "price_date": found.price_date,
        "approval": approval,
        "training_time": found.training_time,
        "lines": found.lines,
        "rates": found.rates,
    }
